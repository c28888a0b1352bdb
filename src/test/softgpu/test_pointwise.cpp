// cuDNN's pooling, activations, softmax, broadcasting and reductions against naive loops; versions and names.
#include <limits>

#include "test_dnn.h"

using namespace test;

extern "C" {
std::size_t cudnnGetVersion();
std::size_t cudnnGetCudartVersion();
int cudnnGetProperty(int, int*);
const char* cudnnGetErrorString(int);
int cudnnSetTensorNdDescriptor(Any, int, int, const int*, const int*);
int cudnnGetTensorSizeInBytes(Any, std::size_t*);
int cudnnCreatePoolingDescriptor(Any*);
int cudnnDestroyPoolingDescriptor(Any);
int cudnnSetPooling2dDescriptor(Any, int, int, int, int, int, int, int, int);
int cudnnGetPooling2dForwardOutputDim(Any, Any, int*, int*, int*, int*);
int cudnnPoolingForward(Any, Any, const void*, Any, const void*, const void*, Any, void*);
int cudnnPoolingBackward(Any, Any, const void*, Any, const void*, Any, const void*, Any, const void*, const void*, Any,
                         void*);
int cudnnActivationForward(Any, Any, const void*, Any, const void*, const void*, Any, void*);
int cudnnActivationBackward(Any, Any, const void*, Any, const void*, Any, const void*, Any, const void*, const void*,
                            Any, void*);
int cudnnSoftmaxForward(Any, int, int, const void*, Any, const void*, const void*, Any, void*);
int cudnnSoftmaxBackward(Any, int, int, const void*, Any, const void*, Any, const void*, const void*, Any, void*);
int cudnnAddTensor(Any, const void*, Any, const void*, const void*, Any, void*);
int cudnnCreateOpTensorDescriptor(Any*);
int cudnnDestroyOpTensorDescriptor(Any);
int cudnnSetOpTensorDescriptor(Any, int, int, int);
int cudnnOpTensor(Any, Any, const void*, Any, const void*, const void*, Any, const void*, const void*, Any, void*);
std::int64_t softgpu_counter(const char*);
int cudnnTransformTensor(Any, const void*, Any, const void*, const void*, Any, void*);
int cudnnSetTensor(Any, Any, void*, const void*);
int cudnnScaleTensor(Any, Any, void*, const void*);
int cudnnCreateReduceTensorDescriptor(Any*);
int cudnnDestroyReduceTensorDescriptor(Any);
int cudnnSetReduceTensorDescriptor(Any, int, int, int, int, int);
int cudnnGetReductionWorkspaceSize(Any, Any, Any, Any, std::size_t*);
int cudnnReduceTensor(Any, Any, void*, std::size_t, void*, std::size_t, const void*, Any, const void*, const void*, Any,
                      void*);
int cudnnRNNForward();
}

namespace {

enum { MAX = 0, AVERAGE_WITH_PADDING = 1, AVERAGE_WITHOUT_PADDING = 2, MAX_DETERMINISTIC = 3 };
const float NAN_VALUE = std::numeric_limits<float>::quiet_NaN();
using Doubles = std::vector<double>;

struct Pool {
    Any desc = nullptr;
    int mode, window, pad, stride;
    Pool(int mode, int nan, int window, int pad, int stride) : mode(mode), window(window), pad(pad), stride(stride) {
        ok(cudnnCreatePoolingDescriptor(&desc), "pooling");
        ok(cudnnSetPooling2dDescriptor(desc, mode, nan, window, window, pad, pad, stride, stride), "pooling");
    }
    ~Pool() { cudnnDestroyPoolingDescriptor(desc); }
    operator Any() const { return desc; }
    int out(int size) const { return (size + 2 * pad - window) / stride + 1; }

    // Calls body(h, w) for the window's pixels inside x, in row order.
    template <class Body>
    void taps(const Shape& x, int p, int q, Body body) const {
        for (int h = p * stride - pad; h < p * stride - pad + window; h++)
            for (int w = q * stride - pad; w < q * stride - pad + window; w++)
                if (h >= 0 && h < x.h && w >= 0 && w < x.w) body(h, w);
    }
    double share(const Shape& x, int p, int q) const {
        int inside = 0;
        taps(x, p, q, [&](int, int) { inside++; });
        return 1.0 / (mode == AVERAGE_WITH_PADDING ? window * window : inside);
    }
};

}  // namespace

CASE("pooling forward and backward equal naive loops") {
    Dnn h;
    for (Shape::Layout layout : LAYOUTS)
        for (int mode = 0; mode < 4; mode++)
            for (int form = 0; form < 3; form++) {
                Pool pool(mode, 0, form == 0 ? 2 : 3, form == 0 ? 0 : 1, form == 2 ? 1 : 2);
                bool max = mode == MAX || mode == MAX_DETERMINISTIC;
                Shape xs{3, 5, 9, 7, layout}, ys{3, 5, pool.out(9), pool.out(7), layout};
                Values x(xs, 1), y(ys, 2), dy(ys, 3), dx(xs, 4);
                int n, c, oh, ow;
                ok(cudnnGetPooling2dForwardOutputDim(pool, x.tensor, &n, &c, &oh, &ow), "output");
                isTrue(n == 3 && c == 5 && oh == ys.h && ow == ys.w, "output shape");
                Doubles value, gradient(xs.span(), 0.0), expected;
                ys.each([&](int i, int k, int p, int q) {
                    double best = -INFINITY, sum = 0, share = pool.share(xs, p, q), g = dy.at(i, k, p, q);
                    std::size_t winner = 0;
                    pool.taps(xs, p, q, [&](int a, int b) {
                        double v = x.at(i, k, a, b);
                        sum += v;
                        if (v > best) best = v, winner = xs.at(i, k, a, b);
                        if (!max) gradient[xs.at(i, k, a, b)] += g * share;
                    });
                    if (max) gradient[winner] += g;
                    value.push_back(max ? best : sum * share);
                });
                float alpha = 2, beta = 0.5f;
                xs.each([&](int i, int k, int a, int b) {
                    std::size_t at = xs.at(i, k, a, b);
                    expected.push_back(2 * gradient[at] + 0.5 * dx.host[at]);
                });
                ok(cudnnPoolingForward(h, pool, &ONE, x.tensor, x.device, &ZERO, y.tensor, y.device), "forward");
                close(y.get(), value, 1e-6, "y");
                ok(cudnnPoolingBackward(h, pool, &alpha, y.tensor, y.device, dy.tensor, dy.device, x.tensor, x.device,
                                        &beta, dx.tensor, dx.device),
                   "backward");
                close(dx.get(), expected, 1e-5, "dx");
            }
}

CASE("of equal maxima the first gets the whole gradient, and NaN passes or not as asked") {
    Dnn h;
    Shape xs{1, 1, 2, 4, Shape::NHWC}, ys{1, 1, 1, 2, Shape::NHWC};
    Values x(xs, 1), y(ys, 2), dy(ys, 3), dx(xs, 4);
    x.host = {5, 5, NAN_VALUE, 1, 5, 5, 2, 0}, dy.host = {10, 20};
    x.upload(), dy.upload();
    for (int propagate : {0, 1}) {
        Pool pool(MAX, propagate, 2, 0, 2);
        ok(cudnnPoolingForward(h, pool, &ONE, x.tensor, x.device, &ZERO, y.tensor, y.device), "forward");
        close(y.get(), {5, propagate ? NAN : 2}, 0, "y");
        ok(cudnnPoolingBackward(h, pool, &ONE, y.tensor, y.device, dy.tensor, dy.device, x.tensor, x.device, &ZERO,
                                dx.tensor, dx.device),
           "backward");
        close(dx.get(), propagate ? Doubles{10, 0, 20, 0, 0, 0, 0, 0} : Doubles{10, 0, 0, 0, 0, 0, 20, 0}, 0, "dx");
    }
    equals(cudnnPoolingForward(h, Pool(MAX, 0, 1, 0, 1), &ONE, x.tensor, x.device, &ZERO, y.tensor, y.device), 2008,
           "shape");
    Any desc;
    ok(cudnnCreatePoolingDescriptor(&desc), "pooling");
    equals(cudnnSetPooling2dDescriptor(desc, MAX, 0, 2, 2, 2, 2, 1, 1), 2000, "padding as large as the window");
    ok(cudnnDestroyPoolingDescriptor(desc), "destroy");
    equals(cudnnDestroyPoolingDescriptor(desc), 2000, "destroyed twice");
}

CASE("activations and their gradients, by finite differences") {
    Dnn h;
    for (Shape::Layout layout : LAYOUTS)
        for (int mode : {0, 1, 2, 3, 4, 6}) {
            auto f = [mode](double v) {
                switch (mode) {
                    case 0: return 1 / (1 + std::exp(-v));
                    case 1: return std::max(v, 0.0);
                    case 2: return std::tanh(v);
                    case 3: return std::min(std::max(v, 0.0), 0.75);
                    case 4: return v > 0 ? v : 0.75 * (std::exp(v) - 1);
                    default: return v / (1 + std::exp(-v));
                }
            };
            Activation act(mode, 0, 0.75);
            Values x({2, 3, 5, 3, layout}, 1), y(x.shape(), 2), dy(x.shape(), 3), dx(x.shape(), 4);
            Doubles value, gradient;
            x.shape().each([&](int n, int c, int i, int j) {
                double v = x.at(n, c, i, j), e = 1e-6;
                value.push_back(f(v));
                gradient.push_back(dy.at(n, c, i, j) * (f(v + e) - f(v - e)) / (2 * e));
            });
            ok(cudnnActivationForward(h, act, &ONE, x.tensor, x.device, &ZERO, y.tensor, y.device), "forward");
            close(y.get(), value, 1e-6, "y");
            ok(cudnnActivationBackward(h, act, &ONE, y.tensor, y.device, dy.tensor, dy.device, x.tensor, x.device,
                                       &ZERO, dx.tensor, dx.device),
               "backward");
            close(dx.get(), gradient, 1e-5, "dx");
            ok(cudnnActivationForward(h, act, &ONE, x.tensor, x.device, &ZERO, x.tensor, x.device), "in place");
            close(x.get(), value, 1e-6, "y in place");
        }
    Values x({1, 1, 1, 2, Shape::NHWC}, 1), y(x.shape(), 2);
    x.host = {NAN_VALUE, -1};
    x.upload();
    for (int propagate : {0, 1}) {
        ok(cudnnActivationForward(h, Activation(1, propagate, 0), &ONE, x.tensor, x.device, &ZERO, y.tensor, y.device),
           "NaN");
        close(y.get(), {propagate ? NAN : 0, 0}, 0, "relu of NaN");
    }
    equals(cudnnActivationForward(h, Activation(5, 0, 0), &ONE, x.tensor, x.device, &ZERO, y.tensor, y.device), 3000,
           "identity");
}

CASE("softmax and its gradient, per instance and per pixel, also of large values and as logarithm") {
    Dnn h;
    for (Shape::Layout layout : LAYOUTS)
        for (int mode : {0, 1})
            for (int algorithm : {1, 2}) {
                Values x({3, 4, 2, 3, layout}, 1), y(x.shape(), 2), dy(x.shape(), 3), dx(x.shape(), 4);
                for (float& v : x.host) v = 100 + 5 * v;
                if (layout != Shape::GAPS) x.upload();
                Doubles value, gradient;
                Shape s = x.shape();
                auto together = [&](int n, int i, int j, auto body) {  // what is normalised with (n, ., i, j)
                    s.each([&](int m, int c, int a, int b) {
                        if (m == n && (mode == 0 || (a == i && b == j))) body(s.at(m, c, a, b));
                    });
                };
                auto in = [&](std::size_t at) { return layout == Shape::GAPS ? (x.host[at] - 100) / 5.0 : x.host[at]; };
                s.each([&](int n, int c, int i, int j) {
                    double sum = 0, dot = 0, mine = in(s.at(n, c, i, j)), g = dy.at(n, c, i, j);
                    together(n, i, j, [&](std::size_t at) { sum += std::exp(in(at)-mine); });
                    together(n, i, j, [&](std::size_t at) {
                        double p = std::exp(in(at)-mine) / sum;
                        dot += algorithm == 2 ? dy.host[at] : dy.host[at] * p;
                    });
                    value.push_back(algorithm == 2 ? -std::log(sum) : 1 / sum);
                    gradient.push_back(algorithm == 2 ? g - dot / sum : (g - dot) / sum);
                });
                ok(cudnnSoftmaxForward(h, algorithm, mode, &ONE, x.tensor, x.device, &ZERO, y.tensor, y.device),
                   "forward");
                close(y.get(), value, 1e-5, "y");
                ok(cudnnSoftmaxBackward(h, algorithm, mode, &ONE, y.tensor, y.device, dy.tensor, dy.device, &ZERO,
                                        dx.tensor, dx.device),
                   "backward");
                close(dx.get(), gradient, 1e-5, "dx");
            }
}

CASE("adding, combining, transforming, filling and scaling tensors, with broadcasting") {
    Dnn h;
    for (Shape::Layout layout : LAYOUTS) {
        Values a({2, 3, 4, 5, layout}, 1), c(a.shape(), 2), row({1, 3, 1, 5, Shape::NCHW}, 3), other(a.shape(), 4);
        Values moved({2, 3, 4, 5, layout == Shape::NHWC ? Shape::NCHW : Shape::NHWC}, 5);
        Any op = nullptr;
        float alpha = 2, beta = 0.5f, minus = -1;
        Doubles added, product, scaled;
        a.shape().each([&](int n, int k, int i, int j) {
            added.push_back(2 * double(row.at(0, k, 0, j)) + 0.5 * c.at(n, k, i, j));
            product.push_back(2 * a.at(n, k, i, j) * -double(row.at(0, k, 0, j)) + 0.5 * other.at(n, k, i, j));
            scaled.push_back(2 * a.at(n, k, i, j));
        });
        ok(cudnnAddTensor(h, &alpha, row.tensor, row.device, &beta, c.tensor, c.device), "add");
        close(c.get(), added, 1e-6, "sum");
        ok(cudnnCreateOpTensorDescriptor(&op), "op"), ok(cudnnSetOpTensorDescriptor(op, 1, 0, 0), "multiply");
        ok(cudnnOpTensor(h, op, &alpha, a.tensor, a.device, &minus, row.tensor, row.device, &beta, other.tensor,
                         other.device),
           "op");
        close(other.get(), product, 1e-6, "product");
        ok(cudnnDestroyOpTensorDescriptor(op), "destroy");
        const char* counted = "kernel:cudnnTransformTensor:loaded";
        auto before = softgpu_counter(counted);
        float time = milliseconds([&] {
            ok(cudnnTransformTensor(h, &ONE, a.tensor, a.device, &ZERO, moved.tensor, moved.device), "transform");
        });
        close(moved.get(), a.logical(), 0, "another layout");
        isTrue(time >= 200, "no longer than it takes here");
        equals(softgpu_counter(counted) - before, 4 * 120, "bytes");
        ok(cudnnScaleTensor(h, a.tensor, a.device, &alpha), "scale");
        close(a.get(), scaled, 0, "scaled");
        ok(cudnnSetTensor(h, a.tensor, a.device, &alpha), "set");
        close(a.get(), Doubles(120, 2.0), 0, "filled");
        equals(cudnnAddTensor(h, &ONE, a.tensor, a.device, &ZERO, row.tensor, row.device), 2000, "shrinking");
    }
}

CASE("reductions over the dimensions that are 1 in the result") {
    Dnn h;
    for (Shape::Layout layout : LAYOUTS)
        for (int op : {0, 2, 3, 4, 5, 6, 7}) {
            Values a({2, 3, 4, 5, layout}, 1), c({1, 3, 1, 5, Shape::NCHW}, 2);
            Doubles sum(15, op == 2 ? INFINITY : op == 3 ? -INFINITY : 0);
            a.shape().each([&](int n, int k, int i, int j) {
                double v = a.at(n, k, i, j), &s = sum[k * 5 + j], m = std::fabs(v);
                s = op == 2   ? std::min(s, v)
                    : op == 3 ? std::max(s, v)
                    : op == 4 ? std::max(s, m)
                    : op == 6 ? s + m
                    : op == 7 ? s + v * v
                              : s + v;
            });
            for (double& s : sum) s = op == 5 ? s / 8 : op == 7 ? std::sqrt(s) : s;
            Any desc = nullptr;
            std::size_t bytes = 0;
            ok(cudnnCreateReduceTensorDescriptor(&desc), "reduce");
            ok(cudnnSetReduceTensorDescriptor(desc, op, 0, 0, 0, 0), "reduce");
            ok(cudnnGetReductionWorkspaceSize(h, desc, a.tensor, c.tensor, &bytes), "workspace");
            Device workspace(bytes / 4 + 1);
            auto reduce = [&](std::size_t have) {
                return cudnnReduceTensor(h, desc, nullptr, 0, workspace, have, &ONE, a.tensor, a.device, &ZERO,
                                         c.tensor, c.device);
            };
            equals(reduce(bytes - 1), 2000, "workspace too small");
            ok(reduce(bytes), "reduce");
            close(c.get(), sum, 1e-6, "reduced");
            ok(cudnnDestroyReduceTensorDescriptor(desc), "destroy");
        }
}

CASE("versions, names, sizes and refusals are cuDNN 9's") {
    int major = 0, dims[] = {2, 3, 4}, strides[] = {12, 4, 1};
    std::size_t bytes = 0;
    equals(long(cudnnGetVersion()), 90300, "version");
    equals(long(cudnnGetCudartVersion()), 12060, "CUDA");
    ok(cudnnGetProperty(0, &major), "property"), equals(major, 9, "major");
    isTrue(std::string(cudnnGetErrorString(2000)) == "CUDNN_STATUS_BAD_PARAM", "2000");
    isTrue(std::string(cudnnGetErrorString(3000)) == "CUDNN_STATUS_NOT_SUPPORTED", "3000");
    isTrue(std::string(cudnnGetErrorString(5000)) == "CUDNN_STATUS_EXECUTION_FAILED", "5000");
    Tensor t({2, 3, 4, 5, Shape::GAPS});
    ok(cudnnGetTensorSizeInBytes(t, &bytes), "size"),
        equals(long(bytes), (2 * 3 * 4 * 7 - 2) * 4, "without the last gap");
    equals(cudnnSetTensorNdDescriptor(t, 0, 3, dims, strides), 3000, "three dimensions");
    equals(cudnnSetTensor4dDescriptor(t, 0, 0, 0, 1, 1, 1), 2000, "no elements");
    equals(cudnnSetTensor4dDescriptor(t, 0, 99, 1, 1, 1, 1), 2000, "no such type");
    equals(cudnnRNNForward(), 3000, "a stub");
    Dnn h;
    Activation relu(1, 0, 0);
    Values x({1, 2, 3, 4, Shape::NHWC}, 1);
    auto forward = [&](Any tensor, const void* alpha, void* y) {
        return cudnnActivationForward(h, relu, alpha, tensor, x.device, &ZERO, x.tensor, y);
    };
    equals(forward(t, &ONE, x.device), 2008, "shapes");
    equals(forward(x.tensor, nullptr, x.device), 2002, "no alpha");
    equals(forward(x.tensor, &ONE, nullptr), 2002, "no y");
    equals(forward(x.tensor, (float*)x.device, x.device), 2000, "alpha on the device");
    equals(forward(h.handle, &ONE, x.device), 2000, "not a tensor descriptor");
    ok(cudnnSetTensor4dDescriptor(t, 1, 2, 1, 2, 3, 4), "half"),
        equals(forward(t, &ONE, x.device), 3003, "half precision");
}
