// cuDNN: pooling in two dimensions.
#include <algorithm>
#include <cmath>
#include <limits>

#include "dnn.h"
#include "product.h"

namespace softgpu::dnn {

enum Mode { MAX, AVERAGE_WITH_PADDING, AVERAGE_WITHOUT_PADDING, MAX_DETERMINISTIC };

struct Pooling {
    int mode = -1, propagateNan = 0, rank = 0;
    int window[DIM_MAX] = {}, pad[DIM_MAX] = {}, stride[DIM_MAX] = {};
    bool isMax() const { return mode == MAX || mode == MAX_DETERMINISTIC; }
};

namespace {

Live<Pooling>& poolings() {
    static Live<Pooling> live(BAD_PARAM);
    return live;
}

Pooling pooling(int mode, int propagateNan, int rank, const int* window, const int* pad, const int* stride) {
    require(window && pad && stride, BAD_PARAM_NULL_POINTER, "window, pad or stride is null");
    require(mode >= MAX && mode <= MAX_DETERMINISTIC, BAD_PARAM, "no such mode");
    require(propagateNan == 0 || propagateNan == 1, BAD_PARAM, "no such NaN option");
    require(rank >= 1 && rank <= DIM_MAX - 2, NOT_SUPPORTED, "too many dimensions");
    Pooling p;
    p.mode = mode, p.propagateNan = propagateNan, p.rank = rank;
    for (int i = 0; i < rank; i++) {
        require(window[i] > 0 && stride[i] > 0 && pad[i] >= 0, BAD_PARAM, "window, stride or pad out of range");
        require(pad[i] < window[i], BAD_PARAM, "the padding is not smaller than the window");
        p.window[i] = window[i], p.pad[i] = pad[i], p.stride[i] = stride[i];
    }
    return p;
}

Tensor outputOf(const Pooling& p, const Tensor& x) {
    require(p.rank != 0 && x.rank == p.rank + 2, BAD_PARAM, "x and the pooling differ in rank");
    Tensor y = x;
    for (int i = 0; i < p.rank; i++) {
        int room = x.dims[i + 2] + 2 * p.pad[i] - p.window[i];
        require(room >= 0, BAD_PARAM, "the window exceeds the padded input");
        y.dims[i + 2] = room / p.stride[i] + 1;
    }
    return y;
}

struct Window {
    int firstH, lastH, firstW, lastW;  // clipped to x; last is exclusive
};

// Calls body(offset in y, offset of the image in x, window) for every output pixel, C values each.
template <class Body>
void windows(const Pooling& p, const Tensor& x, const Tensor& y, Body body) {
    std::size_t out = 0, c = x.dims[1], image = c * x.dims[2] * x.dims[3];
    for (int n = 0; n < y.dims[0]; n++)
        for (int i = 0; i < y.dims[2]; i++)
            for (int j = 0; j < y.dims[3]; j++, out += c) {
                int h = i * p.stride[0] - p.pad[0], w = j * p.stride[1] - p.pad[1];
                Window window{std::max(h, 0), std::min(h + p.window[0], x.dims[2]), std::max(w, 0),
                              std::min(w + p.window[1], x.dims[3])};
                body(out, n * image, window);
            }
}

template <class Body>
void taps(const Tensor& x, std::size_t image, const Window& window, Body body) {
    for (int h = window.firstH; h < window.lastH; h++)
        for (int w = window.firstW; w < window.lastW; w++) body(image + (std::size_t(h) * x.dims[3] + w) * x.dims[1]);
}

double share(const Pooling& p, const Window& w) {
    int inside = (w.lastH - w.firstH) * (w.lastW - w.firstW);
    return 1.0 / (p.mode == AVERAGE_WITH_PADDING ? p.window[0] * p.window[1] : inside);
}

bool beats(float challenger, float holder, bool propagateNan) {
    if (std::isnan(holder)) return !propagateNan && !std::isnan(challenger);
    return challenger > holder || (propagateNan && std::isnan(challenger));
}

void maxForward(const Pooling& p, const Tensor& xt, const Tensor& yt, const float* x, float* y) {
    int channels = xt.dims[1];
    windows(p, xt, yt, [&](std::size_t out, std::size_t image, const Window& window) {
        std::fill(y + out, y + out + channels, -std::numeric_limits<float>::infinity());
        taps(xt, image, window, [&](std::size_t at) {
            for (int c = 0; c < channels; c++)
                if (beats(x[at + c], y[out + c], p.propagateNan)) y[out + c] = x[at + c];
        });
    });
}

// The whole gradient goes to one maximum of each window, the first in row order.
void maxBackward(const Pooling& p, const Tensor& xt, const Tensor& yt, const float* x, const float* dy, float* dx) {
    int channels = xt.dims[1];
    std::vector<std::size_t> winner(channels);
    windows(p, xt, yt, [&](std::size_t out, std::size_t image, const Window& window) {
        bool first = true;
        taps(xt, image, window, [&](std::size_t at) {
            for (int c = 0; c < channels; c++)
                if (first || beats(x[at + c], x[winner[c]], p.propagateNan)) winner[c] = at + c;
            first = false;
        });
        for (int c = 0; c < channels; c++) dx[winner[c]] += dy[out + c];
    });
}

template <class Real>
void averageForward(const Pooling& p, const Tensor& xt, const Tensor& yt, const float* x, float* y) {
    int channels = xt.dims[1];
    std::vector<Real> sum(channels);
    windows(p, xt, yt, [&](std::size_t out, std::size_t image, const Window& window) {
        std::fill(sum.begin(), sum.end(), Real(0));
        taps(xt, image, window, [&](std::size_t at) {
            for (int c = 0; c < channels; c++) sum[c] += x[at + c];
        });
        for (int c = 0; c < channels; c++) y[out + c] = float(sum[c] * share(p, window));
    });
}

void averageBackward(const Pooling& p, const Tensor& xt, const Tensor& yt, const float* dy, float* dx) {
    int channels = xt.dims[1];
    windows(p, xt, yt, [&](std::size_t out, std::size_t image, const Window& window) {
        float part = float(share(p, window));
        taps(xt, image, window, [&](std::size_t at) {
            for (int c = 0; c < channels; c++) dx[at + c] += dy[out + c] * part;
        });
    });
}

void check(const Pooling& p, const Tensor& x, const Tensor& y) {
    requireValues(x), requireValues(y);
    require(x.type == y.type, NOT_SUPPORTED_DATA_TYPE, "x and y differ in type");
    requireSameShape(outputOf(p, x), y);
    require(p.rank == 2, NOT_SUPPORTED_SHAPE, "only two-dimensional pooling");
}

}  // namespace
}  // namespace softgpu::dnn

using namespace softgpu::dnn;
using softgpu::Accessor;
using softgpu::require;

extern "C" {

int cudnnCreatePoolingDescriptor(Pooling** desc) {
    return create(__func__, [&] { give(desc, poolings().create()); });
}
int cudnnDestroyPoolingDescriptor(Pooling* desc) { return destroy(__func__, poolings(), desc); }
int cudnnSetPooling2dDescriptor(Pooling* desc, int mode, int propagateNan, int windowH, int windowW, int padH, int padW,
                                int strideH, int strideW) {
    return softgpu::dnn::call(__func__, [&] {
        int window[] = {windowH, windowW}, pad[] = {padH, padW}, stride[] = {strideH, strideW};
        poolings().get(desc) = pooling(mode, propagateNan, 2, window, pad, stride);
    });
}
int cudnnGetPooling2dDescriptor(Pooling* desc, int* mode, int* propagateNan, int* windowH, int* windowW, int* padH,
                                int* padW, int* strideH, int* strideW) {
    return softgpu::dnn::call(__func__, [&] {
        const Pooling& p = poolings().get(desc);
        require(p.rank == 2, BAD_PARAM, "not a two-dimensional pooling");
        give(mode, p.mode), give(propagateNan, p.propagateNan);
        give(windowH, p.window[0]), give(windowW, p.window[1]), give(padH, p.pad[0]), give(padW, p.pad[1]);
        give(strideH, p.stride[0]), give(strideW, p.stride[1]);
    });
}
int cudnnSetPoolingNdDescriptor(Pooling* desc, int mode, int propagateNan, int rank, const int* window, const int* pad,
                                const int* stride) {
    return softgpu::dnn::call(__func__,
                              [&] { poolings().get(desc) = pooling(mode, propagateNan, rank, window, pad, stride); });
}
int cudnnGetPoolingNdDescriptor(Pooling* desc, int asked, int* mode, int* propagateNan, int* rank, int* window,
                                int* pad, int* stride) {
    return softgpu::dnn::call(__func__, [&] {
        const Pooling& p = poolings().get(desc);
        require(window && pad && stride, BAD_PARAM_NULL_POINTER, "the result's address is null");
        int n = std::min(asked, p.rank);
        std::copy(p.window, p.window + n, window), std::copy(p.pad, p.pad + n, pad);
        std::copy(p.stride, p.stride + n, stride);
        give(mode, p.mode), give(propagateNan, p.propagateNan), give(rank, p.rank);
    });
}
int cudnnGetPooling2dForwardOutputDim(Pooling* desc, Tensor* x, int* n, int* c, int* h, int* w) {
    return softgpu::dnn::call(__func__, [&] {
        Tensor y = outputOf(poolings().get(desc), tensors().get(x));
        require(y.rank == 4, BAD_PARAM, "not a two-dimensional pooling");
        give(n, y.dims[0]), give(c, y.dims[1]), give(h, y.dims[2]), give(w, y.dims[3]);
    });
}
int cudnnGetPoolingNdForwardOutputDim(Pooling* desc, Tensor* x, int rank, int* dims) {
    return softgpu::dnn::call(__func__, [&] {
        Tensor y = outputOf(poolings().get(desc), tensors().get(x));
        require(dims != nullptr, BAD_PARAM_NULL_POINTER, "the result's address is null");
        require(rank == y.rank, BAD_PARAM, "asked for another number of dimensions");
        std::copy(y.dims, y.dims + rank, dims);
    });
}
int cudnnPoolingForward(Handle* h, Pooling* desc, const void* alpha, Tensor* xDesc, const void* x, const void* beta,
                        Tensor* yDesc, void* y) {
    return softgpu::dnn::call(__func__, [&] {
        Pooling p = poolings().get(desc);
        Tensor in = tensors().get(xDesc), out = tensors().get(yDesc);
        Blend blend(alpha, beta);
        check(p, in, out);
        requireData(x), requireData(y);
        run(handles().get(h), "cudnnPoolingForward x" + in.shape(), [=](Accessor& memory) {
            Input from(memory, in, x);
            Output to(memory, out, y, blend);
            auto average = softgpu::sumsInFloat() ? averageForward<float> : averageForward<double>;
            (p.isMax() ? maxForward : average)(p, in, out, from.data(), to.data());
            to.finish();
        });
    });
}
int cudnnPoolingBackward(Handle* h, Pooling* desc, const void* alpha, Tensor* yDesc, const void* y, Tensor* dyDesc,
                         const void* dy, Tensor* xDesc, const void* x, const void* beta, Tensor* dxDesc, void* dx) {
    return softgpu::dnn::call(__func__, [&] {
        Pooling p = poolings().get(desc);
        Tensor value = tensors().get(yDesc), gradient = tensors().get(dyDesc), in = tensors().get(xDesc),
               out = tensors().get(dxDesc);
        Blend blend(alpha, beta);
        check(p, in, value), check(p, out, gradient);
        requireData(dy), requireData(dx);
        if (p.isMax()) requireData(x), requireData(y);
        run(handles().get(h), "cudnnPoolingBackward x" + in.shape(), [=](Accessor& memory) {
            Input dys(memory, gradient, dy);
            std::vector<float> sum(out.count(), 0.0f);
            if (p.isMax()) {
                Input xs(memory, in, x), ys(memory, value, y);  // hardware reads y as well
                maxBackward(p, in, gradient, xs.data(), dys.data(), sum.data());
            } else {
                averageBackward(p, in, gradient, dys.data(), sum.data());
            }
            Output to(memory, out, dx, blend);
            std::copy(sum.begin(), sum.end(), to.data());
            to.finish();
        });
    });
}
}
