// cuDNN: convolution descriptors, output sizes, and what makes a problem well-formed.
#include <algorithm>

#include "dnn_conv.h"

namespace softgpu::dnn {

Live<Convolution>& convolutions() {
    static Live<Convolution> live(BAD_PARAM);
    return live;
}

Tensor outputOf(const Convolution& conv, const Tensor& x, const Filter& w) {
    require(conv.rank != 0 && x.rank != 0 && w.rank != 0, BAD_PARAM, "a descriptor that was never set");
    require(x.rank == w.rank && x.rank == conv.rank + 2, BAD_PARAM, "x, w and the convolution differ in rank");
    require(x.dims[1] == w.dims[1] * conv.groups, BAD_PARAM, "x has not the channels that w and the groups ask for");
    require(w.dims[0] % conv.groups == 0, BAD_PARAM, "the groups do not divide the filters");
    Tensor y = x;
    y.dims[1] = w.dims[0];
    for (int i = 0; i < conv.rank; i++) {
        int reach = (w.dims[i + 2] - 1) * conv.dilation[i] + 1, room = x.dims[i + 2] + 2 * conv.pad[i];
        require(reach <= room, BAD_PARAM, "the filter exceeds the padded input");
        y.dims[i + 2] = (room - reach) / conv.stride[i] + 1;
    }
    return y;
}

Problem::Problem(const Tensor& x, const Filter& w, const Convolution& conv, const Tensor& y)
    : x(x), y(y), w(w), conv(conv) {
    Tensor expected = outputOf(conv, x, w);
    require(expected.sameShape(y), BAD_PARAM_SHAPE_MISMATCH, "y has not the convolution's output shape");
    requireValues(x), requireValues(y), requireValues(w.tensor());
    require(x.type == y.type && x.type == w.type, NOT_SUPPORTED_DATA_TYPE, "x, w and y differ in type");
    require(conv.type == FLOAT, NOT_SUPPORTED_DATA_TYPE, "sums are float");
    require(conv.rank == 2, NOT_SUPPORTED_SHAPE, "only two-dimensional convolutions");
    require(w.format != NHWC || (x.channelsLast() && y.channelsLast()), NOT_SUPPORTED_LAYOUT,
            "an NHWC filter wants NHWC tensors");
}

ConvShape Problem::shape() const {
    ConvShape s{};
    s.n = x.dims[0], s.c = x.dims[1], s.h = x.dims[2], s.w = x.dims[3];
    s.k = w.dims[0], s.r = w.dims[2], s.s = w.dims[3];
    s.p = y.dims[2], s.q = y.dims[3];
    s.padH = conv.pad[0], s.padW = conv.pad[1];
    s.strideH = conv.stride[0], s.strideW = conv.stride[1];
    s.dilationH = conv.dilation[0], s.dilationW = conv.dilation[1];
    s.groups = conv.groups;
    s.flipped = conv.mode == 0;
    s.tf32 = x.type == FLOAT && conv.math != FMA_MATH && hasTf32();
    return s;
}

std::string Problem::text() const {
    return " x" + x.shape() + " w" + w.tensor().shape() + " y" + y.shape() +
           (conv.groups == 1 ? "" : " groups " + std::to_string(conv.groups));
}

namespace {

Convolution convolution(int rank, const int* pad, const int* stride, const int* dilation, int mode, int type) {
    require(pad && stride && dilation, BAD_PARAM_NULL_POINTER, "pad, stride or dilation is null");
    require(rank >= 2 && rank <= DIM_MAX - 2, NOT_SUPPORTED, "two or more dimensions of space");
    require(mode == 0 || mode == 1, BAD_PARAM, "no such mode");
    require(type >= FLOAT && type <= BFLOAT16, BAD_PARAM, "no such data type");
    Convolution conv;
    for (int i = 0; i < rank; i++) {
        require(pad[i] >= 0 && stride[i] > 0 && dilation[i] > 0, BAD_PARAM, "pad < 0, stride <= 0 or dilation <= 0");
        conv.pad[i] = pad[i], conv.stride[i] = stride[i], conv.dilation[i] = dilation[i];
    }
    conv.rank = rank, conv.mode = mode, conv.type = type;
    return conv;
}

// Setting the geometry leaves math type, groups and reordering as they are.
void assign(Convolution& to, Convolution from) {
    from.math = to.math, from.groups = to.groups, from.reorder = to.reorder;
    to = from;
}

}  // namespace
}  // namespace softgpu::dnn

using namespace softgpu::dnn;
using softgpu::require;

extern "C" {

int cudnnCreateConvolutionDescriptor(Convolution** desc) {
    return create(__func__, [&] { give(desc, convolutions().create()); });
}
int cudnnDestroyConvolutionDescriptor(Convolution* desc) { return destroy(__func__, convolutions(), desc); }
int cudnnSetConvolution2dDescriptor(Convolution* desc, int padH, int padW, int strideH, int strideW, int dilationH,
                                    int dilationW, int mode, int type) {
    return softgpu::dnn::call(__func__, [&] {
        int pad[] = {padH, padW}, stride[] = {strideH, strideW}, dilation[] = {dilationH, dilationW};
        assign(convolutions().get(desc), convolution(2, pad, stride, dilation, mode, type));
    });
}
int cudnnGetConvolution2dDescriptor(Convolution* desc, int* padH, int* padW, int* strideH, int* strideW, int* dilationH,
                                    int* dilationW, int* mode, int* type) {
    return softgpu::dnn::call(__func__, [&] {
        const Convolution& c = convolutions().get(desc);
        require(c.rank == 2, BAD_PARAM, "not a two-dimensional convolution");
        give(padH, c.pad[0]), give(padW, c.pad[1]), give(strideH, c.stride[0]), give(strideW, c.stride[1]);
        give(dilationH, c.dilation[0]), give(dilationW, c.dilation[1]), give(mode, c.mode), give(type, c.type);
    });
}
int cudnnSetConvolutionNdDescriptor(Convolution* desc, int rank, const int* pad, const int* stride, const int* dilation,
                                    int mode, int type) {
    return softgpu::dnn::call(
        __func__, [&] { assign(convolutions().get(desc), convolution(rank, pad, stride, dilation, mode, type)); });
}
int cudnnGetConvolutionNdDescriptor(Convolution* desc, int asked, int* rank, int* pad, int* stride, int* dilation,
                                    int* mode, int* type) {
    return softgpu::dnn::call(__func__, [&] {
        const Convolution& c = convolutions().get(desc);
        require(pad && stride && dilation, BAD_PARAM_NULL_POINTER, "the result's address is null");
        int n = std::min(asked, c.rank);
        std::copy(c.pad, c.pad + n, pad), std::copy(c.stride, c.stride + n, stride);
        std::copy(c.dilation, c.dilation + n, dilation);
        give(rank, c.rank), give(mode, c.mode), give(type, c.type);
    });
}
int cudnnSetConvolutionMathType(Convolution* desc, int math) {
    return softgpu::dnn::call(__func__, [&] {
        require(math >= DEFAULT_MATH && math <= FMA_MATH, BAD_PARAM, "no such math type");
        convolutions().get(desc).math = math;
    });
}
int cudnnGetConvolutionMathType(Convolution* desc, int* math) {
    return softgpu::dnn::call(__func__, [&] { give(math, convolutions().get(desc).math); });
}
int cudnnSetConvolutionGroupCount(Convolution* desc, int groups) {
    return softgpu::dnn::call(__func__, [&] {
        require(groups > 0, BAD_PARAM, "no groups");
        convolutions().get(desc).groups = groups;
    });
}
int cudnnGetConvolutionGroupCount(Convolution* desc, int* groups) {
    return softgpu::dnn::call(__func__, [&] { give(groups, convolutions().get(desc).groups); });
}
int cudnnSetConvolutionReorderType(Convolution* desc, int reorder) {
    return softgpu::dnn::call(__func__, [&] {
        require(reorder == 0 || reorder == 1, BAD_PARAM, "no such reordering");
        convolutions().get(desc).reorder = reorder;
    });
}
int cudnnGetConvolutionReorderType(Convolution* desc, int* reorder) {
    return softgpu::dnn::call(__func__, [&] { give(reorder, convolutions().get(desc).reorder); });
}
int cudnnGetConvolution2dForwardOutputDim(Convolution* desc, Tensor* x, Filter* w, int* n, int* c, int* h, int* wide) {
    return softgpu::dnn::call(__func__, [&] {
        Tensor y = outputOf(convolutions().get(desc), tensors().get(x), filters().get(w));
        require(y.rank == 4, BAD_PARAM, "not a two-dimensional convolution");
        give(n, y.dims[0]), give(c, y.dims[1]), give(h, y.dims[2]), give(wide, y.dims[3]);
    });
}
int cudnnGetConvolutionNdForwardOutputDim(Convolution* desc, Tensor* x, Filter* w, int rank, int* dims) {
    return softgpu::dnn::call(__func__, [&] {
        Tensor y = outputOf(convolutions().get(desc), tensors().get(x), filters().get(w));
        require(dims != nullptr, BAD_PARAM_NULL_POINTER, "the result's address is null");
        require(rank == y.rank, BAD_PARAM, "asked for another number of dimensions");
        std::copy(y.dims, y.dims + y.rank, dims);
    });
}
}
