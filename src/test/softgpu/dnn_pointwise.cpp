// cuDNN: element by element operations and reductions, with broadcasting.
#include <algorithm>
#include <cmath>

#include "dnn.h"

namespace softgpu::dnn {

struct OpTensor {
    int op = -1, type = FLOAT, propagateNan = 0;
};

struct Reduction {
    int op = -1, type = FLOAT, propagateNan = 0, indices = 0, indicesType = 0;
};

namespace {

enum Op { ADD, MUL, MIN, MAX, SQRT, NOT };
enum ReduceOp { R_ADD, R_MUL, R_MIN, R_MAX, R_AMAX, R_AVG, R_NORM1, R_NORM2, R_MUL_NO_ZEROS };

Live<OpTensor>& opTensors() {
    static Live<OpTensor> live(BAD_PARAM);
    return live;
}
Live<Reduction>& reductions() {
    static Live<Reduction> live(BAD_PARAM);
    return live;
}

// Where element i of `large` (both in the order of computing) lies in `small`, whose dimensions are equal or 1.
class Broadcast {
public:
    Broadcast(const Tensor& small, const Tensor& large) {
        std::size_t stride = 1;
        int order[DIM_MAX], n = 0;
        order[n++] = 1;
        for (int i = large.rank - 1; i >= 2; i--) order[n++] = i;
        order[n++] = 0;
        for (int i = 0; i < n; i++) {
            sizes_.push_back(large.dims[order[i]]);
            strides_.push_back(small.dims[order[i]] == 1 ? 0 : stride);
            stride *= small.dims[order[i]];
        }
    }
    std::size_t operator()(std::size_t i) const {
        std::size_t at = 0;
        for (std::size_t d = 0; d < sizes_.size(); d++) {
            at += i % sizes_[d] * strides_[d];
            i /= sizes_[d];
        }
        return at;
    }

private:
    std::vector<std::size_t> sizes_, strides_;
};

void requireBroadcast(const Tensor& small, const Tensor& large) {
    require(small.rank == large.rank, BAD_PARAM, "ranks differ");
    for (int i = 0; i < small.rank; i++)
        require(small.dims[i] == 1 || small.dims[i] == large.dims[i], BAD_PARAM, "a dimension is neither equal nor 1");
}

float apply(int op, bool propagateNan, float a, float b) {
    if (op == MIN || op == MAX) {
        if (std::isnan(a) || std::isnan(b)) return propagateNan ? a + b : std::isnan(a) ? b : a;
        return op == MIN ? std::min(a, b) : std::max(a, b);
    }
    return op == ADD ? a + b : op == MUL ? a * b : op == SQRT ? std::sqrt(a) : 1 - a;
}

double start(int op) {
    return op == R_MUL || op == R_MUL_NO_ZEROS ? 1 : op == R_MIN ? INFINITY : op == R_MAX ? -INFINITY : 0;
}

double join(const Reduction& r, double sum, double x) {
    if ((r.op == R_MIN || r.op == R_MAX || r.op == R_AMAX) && (std::isnan(x) || std::isnan(sum)))
        return r.propagateNan ? x + sum : std::isnan(x) ? sum : x;
    switch (r.op) {
        case R_MUL: return sum * x;
        case R_MIN: return std::min(sum, x);
        case R_MAX: return std::max(sum, x);
        case R_AMAX: return std::max(sum, std::fabs(x));
        case R_NORM1: return sum + std::fabs(x);
        case R_NORM2: return sum + x * x;
        case R_MUL_NO_ZEROS: return x == 0 ? sum : sum * x;
        default: return sum + x;
    }
}

double finish(int op, double sum, double n) { return op == R_AVG ? sum / n : op == R_NORM2 ? std::sqrt(sum) : sum; }

std::size_t reductionWorkspace(const Tensor& a) { return a.count() / 2 * 4 + 1007; }

float hostFloat(const void* at) {
    require(at != nullptr, BAD_PARAM_NULL_POINTER, "the value's address is null");
    return *static_cast<const float*>(at);
}

void combine(const Handle& handle, const char* name, const OpTensor& op, Blend factors, const Tensor& at, const void* a,
             const Tensor& bt, const void* b, float beta, const Tensor& ct, void* c) {
    requireFloat(at), requireFloat(bt), requireFloat(ct);
    requireData(a), requireData(b), requireData(c);
    requireSameShape(at, ct), requireBroadcast(bt, ct);
    run(handle, name + (" c" + ct.shape()), [=](Accessor& memory) {
        Input as(memory, at, a), bs(memory, bt, b);
        Output to(memory, ct, c, {1, beta});
        Broadcast where(bt, ct);
        for (std::size_t i = 0, n = ct.count(); i < n; i++)
            to[i] = apply(op.op, op.propagateNan, factors.alpha * as[i], factors.beta * bs[where(i)]);
        to.finish();
    });
}

}  // namespace
}  // namespace softgpu::dnn

using namespace softgpu::dnn;
using softgpu::Accessor;
using softgpu::require;

extern "C" {

int cudnnCreateOpTensorDescriptor(OpTensor** desc) {
    return create(__func__, [&] { give(desc, opTensors().create()); });
}
int cudnnDestroyOpTensorDescriptor(OpTensor* desc) { return destroy(__func__, opTensors(), desc); }
int cudnnSetOpTensorDescriptor(OpTensor* desc, int op, int type, int propagateNan) {
    return softgpu::dnn::call(__func__, [&] {
        require(op >= ADD && op <= NOT && type == FLOAT, BAD_PARAM, "no such operation, or not float");
        require(propagateNan == 0 || propagateNan == 1, BAD_PARAM, "no such NaN option");
        opTensors().get(desc) = {op, type, propagateNan};
    });
}
int cudnnGetOpTensorDescriptor(OpTensor* desc, int* op, int* type, int* propagateNan) {
    return softgpu::dnn::call(__func__, [&] {
        const OpTensor& o = opTensors().get(desc);
        give(op, o.op), give(type, o.type), give(propagateNan, o.propagateNan);
    });
}
// c = op(alpha1 a, alpha2 b) + beta c; b is broadcast.
int cudnnOpTensor(Handle* h, OpTensor* desc, const void* alpha1, Tensor* aDesc, const void* a, const void* alpha2,
                  Tensor* bDesc, const void* b, const void* beta, Tensor* cDesc, void* c) {
    return softgpu::dnn::call(__func__, [&] {
        const OpTensor& op = opTensors().get(desc);
        require(op.op >= 0, BAD_PARAM, "a descriptor that was never set");
        combine(handles().get(h), __func__, op, Blend(alpha1, alpha2), tensors().get(aDesc), a, tensors().get(bDesc), b,
                hostFloat(beta), tensors().get(cDesc), c);
    });
}
// c = alpha a + beta c; a is broadcast.
int cudnnAddTensor(Handle* h, const void* alpha, Tensor* aDesc, const void* a, const void* beta, Tensor* cDesc,
                   void* c) {
    return softgpu::dnn::call(__func__, [&] {
        Tensor from = tensors().get(aDesc), to = tensors().get(cDesc);
        Blend blend(alpha, beta);
        requireFloat(from), requireFloat(to), requireData(a), requireData(c), requireBroadcast(from, to);
        run(handles().get(h), "cudnnAddTensor c" + to.shape(), [=](Accessor& memory) {
            Input add(memory, from, a);
            Output out(memory, to, c, blend);
            Broadcast where(from, to);
            for (std::size_t i = 0, n = to.count(); i < n; i++) out[i] = add[where(i)];
            out.finish();
        });
    });
}
// Events see it take a time that no noise of this machine reaches: whoever chooses by times whether to turn tensors round
// shall choose alike wherever tests run, and not turn them unless what he then does without takes longer still, see
// dnn_conv_search.cpp.
constexpr double transformTime = 200;

int cudnnTransformTensor(Handle* h, const void* alpha, Tensor* xDesc, const void* x, const void* beta, Tensor* yDesc,
                         void* y) {
    return softgpu::dnn::call(__func__, [&] {
        Tensor in = tensors().get(xDesc), out = tensors().get(yDesc);
        Blend blend(alpha, beta);
        requireFloat(in), requireFloat(out), requireSameShape(in, out), requireData(x), requireData(y);
        require(x != y, BAD_PARAM, "not in place");
        run(handles().get(h), "cudnnTransformTensor x" + in.shape(), [=](Accessor& memory) {
            Input from(memory, in, x);
            Output to(memory, out, y, blend);
            std::copy(from.data(), from.data() + in.count(), to.data());
            to.finish();
            softgpu::moved("cudnnTransformTensor", in.count() * bytesOf(in.type), out.count() * bytesOf(out.type));
            softgpu::delay(transformTime);
        });
    });
}
int cudnnSetTensor(Handle* h, Tensor* yDesc, void* y, const void* value) {
    return softgpu::dnn::call(__func__, [&] {
        Tensor out = tensors().get(yDesc);
        float all = hostFloat(value);
        requireFloat(out), requireData(y);
        run(handles().get(h), "cudnnSetTensor y" + out.shape(), [=](Accessor& memory) {
            Output to(memory, out, y, {1, 0});
            std::fill(to.data(), to.data() + out.count(), all);
            to.finish();
        });
    });
}
int cudnnScaleTensor(Handle* h, Tensor* yDesc, void* y, const void* alpha) {
    return softgpu::dnn::call(__func__, [&] {
        Tensor out = tensors().get(yDesc);
        float factor = hostFloat(alpha);
        requireFloat(out), requireData(y);
        run(handles().get(h), "cudnnScaleTensor y" + out.shape(), [=](Accessor& memory) {
            Input from(memory, out, y);
            Output to(memory, out, y, {1, 0});
            for (std::size_t i = 0, n = out.count(); i < n; i++) to[i] = factor * from[i];
            to.finish();
        });
    });
}

int cudnnCreateReduceTensorDescriptor(Reduction** desc) {
    return create(__func__, [&] { give(desc, reductions().create()); });
}
int cudnnDestroyReduceTensorDescriptor(Reduction* desc) { return destroy(__func__, reductions(), desc); }
int cudnnSetReduceTensorDescriptor(Reduction* desc, int op, int type, int propagateNan, int indices, int indicesType) {
    return softgpu::dnn::call(__func__, [&] {
        require(op >= R_ADD && op <= R_MUL_NO_ZEROS && type == FLOAT, BAD_PARAM, "no such operation, or not float");
        require(indices == 0, NOT_SUPPORTED, "indices of the extreme elements");
        reductions().get(desc) = {op, type, propagateNan, indices, indicesType};
    });
}
int cudnnGetReduceTensorDescriptor(Reduction* desc, int* op, int* type, int* propagateNan, int* indices,
                                   int* indicesType) {
    return softgpu::dnn::call(__func__, [&] {
        const Reduction& r = reductions().get(desc);
        give(op, r.op), give(type, r.type), give(propagateNan, r.propagateNan);
        give(indices, r.indices), give(indicesType, r.indicesType);
    });
}
int cudnnGetReductionIndicesSize(Handle* h, Reduction* desc, Tensor*, Tensor*, std::size_t* bytes) {
    return softgpu::dnn::call(__func__, [&] { handles().get(h), reductions().get(desc), give(bytes, 0); });
}
int cudnnGetReductionWorkspaceSize(Handle* h, Reduction* desc, Tensor* aDesc, Tensor*, std::size_t* bytes) {
    return softgpu::dnn::call(__func__, [&] {
        handles().get(h), reductions().get(desc);
        give(bytes, reductionWorkspace(tensors().get(aDesc)));
    });
}
// c = alpha reduce(a) + beta c, over the dimensions which are 1 in c.
int cudnnReduceTensor(Handle* h, Reduction* desc, void*, std::size_t, void* workspace, std::size_t bytes,
                      const void* alpha, Tensor* aDesc, const void* a, const void* beta, Tensor* cDesc, void* c) {
    return softgpu::dnn::call(__func__, [&] {
        Reduction reduction = reductions().get(desc);
        Tensor in = tensors().get(aDesc), out = tensors().get(cDesc);
        Blend blend(alpha, beta);
        requireFloat(in), requireFloat(out), requireData(a), requireData(c), requireBroadcast(out, in);
        require(reduction.op >= 0, BAD_PARAM, "a descriptor that was never set");
        require(workspace != nullptr && bytes >= reductionWorkspace(in), BAD_PARAM,
                "the workspace is smaller than asked for");
        run(handles().get(h), "cudnnReduceTensor a" + in.shape(), [=](Accessor& memory) {
            scribble(memory, workspace, reductionWorkspace(in));
            Input from(memory, in, a);
            Broadcast where(out, in);
            std::vector<double> sum(out.count(), start(reduction.op));
            for (std::size_t i = 0, n = in.count(); i < n; i++) {
                double& to = sum[where(i)];
                to = join(reduction, to, from[i]);
            }
            Output to(memory, out, c, blend);
            double each = double(in.count()) / double(out.count());
            for (std::size_t i = 0; i < sum.size(); i++) to[i] = float(finish(reduction.op, sum[i], each));
            to.finish();
        });
    });
}
}
