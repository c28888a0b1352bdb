// cuDNN: tensor and filter descriptors.
#include <algorithm>

#include "dnn.h"

namespace softgpu::dnn {

Live<Tensor>& tensors() {
    static Live<Tensor> live(BAD_PARAM);
    return live;
}
Live<Filter>& filters() {
    static Live<Filter> live(BAD_PARAM);
    return live;
}

std::size_t bytesOf(int type) {
    switch (type) {
        case DOUBLE:
        case INT64: return 8;
        case FLOAT:
        case INT32:
        case INT8x4:
        case UINT8x4: return 4;
        case HALF:
        case BFLOAT16: return 2;
        case INT8x32: return 32;
        default: return 1;
    }
}

namespace {

void requireType(int type) { require(type >= FLOAT && type <= BOOLEAN, BAD_PARAM, "no such data type"); }

Tensor tensor(int type, int rank, const int* dims) {
    requireType(type);
    require(dims != nullptr, BAD_PARAM_NULL_POINTER, "no dimensions");
    require(rank >= 4 && rank <= DIM_MAX, NOT_SUPPORTED, "between 4 and 8 dimensions");
    Tensor t;
    t.type = type;
    t.rank = rank;
    std::size_t count = 1;
    for (int i = 0; i < rank; i++) {
        require(dims[i] > 0, BAD_PARAM, "a dimension is not positive");
        t.dims[i] = dims[i];
        count *= dims[i];
        require(count < (1ull << 31), NOT_SUPPORTED, "2 Gi elements or more");
    }
    return t;
}

Tensor strided(int type, int rank, const int* dims, const int* strides) {
    Tensor t = tensor(type, rank, dims);
    require(strides != nullptr, BAD_PARAM_NULL_POINTER, "no strides");
    for (int i = 0; i < rank; i++) {
        require(strides[i] > 0, BAD_PARAM, "a stride is not positive");
        t.strides[i] = strides[i];
    }
    return t;
}

Tensor packed(int type, int format, int rank, const int* dims) {
    require(format >= NCHW && format <= NCHW_VECT_C, BAD_PARAM, "no such format");
    require(format != NCHW_VECT_C, NOT_SUPPORTED, "vectors of channels");
    tensor(type, rank, dims);
    Filter same;
    same.type = type, same.format = format, same.rank = rank;
    std::copy(dims, dims + rank, same.dims);
    return same.tensor();
}

Filter filter(int type, int format, int rank, const int* dims) {
    Tensor t = packed(type, format, rank, dims);
    Filter f;
    f.type = type, f.format = format, f.rank = rank;
    std::copy(t.dims, t.dims + rank, f.dims);
    return f;
}

template <class To, class Known>
void giveMany(To* to, const Known* from, int n) {
    require(to != nullptr, BAD_PARAM_NULL_POINTER, "the result's address is null");
    std::copy(from, from + n, to);
}

}  // namespace
}  // namespace softgpu::dnn

using namespace softgpu::dnn;
using softgpu::require;

extern "C" {

int cudnnCreateTensorDescriptor(Tensor** desc) {
    return create(__func__, [&] { give(desc, tensors().create()); });
}
int cudnnDestroyTensorDescriptor(Tensor* desc) { return destroy(__func__, tensors(), desc); }
int cudnnSetTensor4dDescriptor(Tensor* desc, int format, int type, int n, int c, int h, int w) {
    return softgpu::dnn::call(__func__, [&] {
        int dims[] = {n, c, h, w};
        tensors().get(desc) = packed(type, format, 4, dims);
    });
}
int cudnnSetTensor4dDescriptorEx(Tensor* desc, int type, int n, int c, int h, int w, int ns, int cs, int hs, int ws) {
    return softgpu::dnn::call(__func__, [&] {
        int dims[] = {n, c, h, w}, strides[] = {ns, cs, hs, ws};
        tensors().get(desc) = strided(type, 4, dims, strides);
    });
}
int cudnnGetTensor4dDescriptor(Tensor* desc, int* type, int* n, int* c, int* h, int* w, int* ns, int* cs, int* hs,
                               int* ws) {
    return softgpu::dnn::call(__func__, [&] {
        const Tensor& t = tensors().get(desc);
        require(t.rank == 4, BAD_PARAM, "not four dimensions");
        give(type, t.type);
        give(n, t.dims[0]), give(c, t.dims[1]), give(h, t.dims[2]), give(w, t.dims[3]);
        give(ns, t.strides[0]), give(cs, t.strides[1]), give(hs, t.strides[2]), give(ws, t.strides[3]);
    });
}
int cudnnSetTensorNdDescriptor(Tensor* desc, int type, int rank, const int* dims, const int* strides) {
    return softgpu::dnn::call(__func__, [&] { tensors().get(desc) = strided(type, rank, dims, strides); });
}
int cudnnSetTensorNdDescriptorEx(Tensor* desc, int format, int type, int rank, const int* dims) {
    return softgpu::dnn::call(__func__, [&] { tensors().get(desc) = packed(type, format, rank, dims); });
}
int cudnnGetTensorNdDescriptor(Tensor* desc, int asked, int* type, int* rank, int* dims, int* strides) {
    return softgpu::dnn::call(__func__, [&] {
        const Tensor& t = tensors().get(desc);
        give(type, t.type);
        give(rank, t.rank);
        giveMany(dims, t.dims, std::min(asked, t.rank));
        giveMany(strides, t.strides, std::min(asked, t.rank));
    });
}
int cudnnGetTensorSizeInBytes(Tensor* desc, std::size_t* bytes) {
    return softgpu::dnn::call(__func__, [&] {
        const Tensor& t = tensors().get(desc);
        give(bytes, t.rank == 0 ? 0 : t.span() * bytesOf(t.type));
    });
}

int cudnnCreateFilterDescriptor(Filter** desc) {
    return create(__func__, [&] { give(desc, filters().create()); });
}
int cudnnDestroyFilterDescriptor(Filter* desc) { return destroy(__func__, filters(), desc); }
int cudnnSetFilter4dDescriptor(Filter* desc, int type, int format, int k, int c, int h, int w) {
    return softgpu::dnn::call(__func__, [&] {
        int dims[] = {k, c, h, w};
        filters().get(desc) = filter(type, format, 4, dims);
    });
}
int cudnnGetFilter4dDescriptor(Filter* desc, int* type, int* format, int* k, int* c, int* h, int* w) {
    return softgpu::dnn::call(__func__, [&] {
        const Filter& f = filters().get(desc);
        require(f.rank == 4, BAD_PARAM, "not four dimensions");
        give(type, f.type), give(format, f.format);
        give(k, f.dims[0]), give(c, f.dims[1]), give(h, f.dims[2]), give(w, f.dims[3]);
    });
}
int cudnnSetFilterNdDescriptor(Filter* desc, int type, int format, int rank, const int* dims) {
    return softgpu::dnn::call(__func__, [&] { filters().get(desc) = filter(type, format, rank, dims); });
}
int cudnnGetFilterNdDescriptor(Filter* desc, int asked, int* type, int* format, int* rank, int* dims) {
    return softgpu::dnn::call(__func__, [&] {
        const Filter& f = filters().get(desc);
        give(type, f.type), give(format, f.format), give(rank, f.rank);
        giveMany(dims, f.dims, std::min(asked, f.rank));
    });
}
int cudnnGetFilterSizeInBytes(Filter* desc, std::size_t* bytes) {
    return softgpu::dnn::call(__func__, [&] {
        const Filter& f = filters().get(desc);
        give(bytes, f.rank == 0 ? 0 : f.tensor().count() * bytesOf(f.type));
    });
}
}
