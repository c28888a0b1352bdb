// cuDNN's convolutions against naive loops, their workspaces, their search and their refusals.
#include <cstdlib>
#include <cstring>

#include "test_dnn.h"

using namespace test;

extern "C" {
int cudnnCreateFilterDescriptor(Any*);
int cudnnDestroyFilterDescriptor(Any);
int cudnnSetFilter4dDescriptor(Any, int, int, int, int, int, int);
int cudnnCreateConvolutionDescriptor(Any*);
int cudnnDestroyConvolutionDescriptor(Any);
int cudnnSetConvolution2dDescriptor(Any, int, int, int, int, int, int, int, int);
int cudnnSetConvolutionMathType(Any, int);
int cudnnSetConvolutionGroupCount(Any, int);
int cudnnGetConvolution2dForwardOutputDim(Any, Any, Any, int*, int*, int*, int*);
int cudnnGetConvolutionForwardWorkspaceSize(Any, Any, Any, Any, Any, int, std::size_t*);
int cudnnGetConvolutionBackwardDataWorkspaceSize(Any, Any, Any, Any, Any, int, std::size_t*);
int cudnnGetConvolutionBackwardFilterWorkspaceSize(Any, Any, Any, Any, Any, int, std::size_t*);
int cudnnFindConvolutionForwardAlgorithm(Any, Any, Any, Any, Any, int, int*, void*);
int cudnnFindConvolutionForwardAlgorithmEx(Any, Any, const void*, Any, const void*, Any, Any, void*, int, int*, void*,
                                           void*, std::size_t);
int cudnnGetConvolutionBackwardFilterAlgorithm_v7(Any, Any, Any, Any, Any, int, int*, void*);
int cudnnConvolutionForward(Any, const void*, Any, const void*, Any, const void*, Any, int, void*, std::size_t,
                            const void*, Any, void*);
int cudnnConvolutionBackwardData(Any, const void*, Any, const void*, Any, const void*, Any, int, void*, std::size_t,
                                 const void*, Any, void*);
int cudnnConvolutionBackwardFilter(Any, const void*, Any, const void*, Any, const void*, Any, int, void*, std::size_t,
                                   const void*, Any, void*);
int cudnnConvolutionBiasActivationForward(Any, const void*, Any, const void*, Any, const void*, Any, int, void*,
                                          std::size_t, const void*, Any, const void*, Any, const void*, Any, Any,
                                          void*);
int cudnnConvolutionBackwardBias(Any, const void*, Any, const void*, const void*, Any, void*);
}

namespace {

struct Perf {  // as in cuDNN's header
    int algorithm, status;
    float time;
    std::size_t memory;
    int determinism, mathType, reserved[3];
};

struct Setup {
    int n, c, h, w, k, r, s, padH, padW, strideH, strideW, dilationH, dilationW, groups, mode;
    int outH() const { return (h + 2 * padH - dilationH * (r - 1) - 1) / strideH + 1; }
    int outW() const { return (w + 2 * padW - dilationW * (s - 1) - 1) / strideW + 1; }
};

const Setup SETUPS[] = {
    {3, 5, 9, 7, 4, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1},   {2, 3, 11, 13, 7, 3, 5, 1, 2, 2, 3, 1, 1, 1, 1},
    {2, 6, 10, 9, 8, 3, 3, 2, 1, 1, 2, 2, 3, 2, 1},  {1, 4, 8, 8, 4, 2, 3, 0, 1, 2, 1, 1, 1, 4, 0},
    {5, 17, 6, 5, 19, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1}, {3, 4, 7, 7, 6, 1, 1, 0, 0, 2, 2, 1, 1, 2, 1},
    {2, 2, 3, 3, 3, 3, 3, 0, 0, 1, 1, 1, 1, 1, 0},   {2, 70, 12, 12, 20, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1},
};

// One convolution with its descriptors; the filter is a Shape too: (K, C / groups, R, S).
struct Conv {
    Setup setup;
    Dnn dnn;
    Values x, w, y;
    Any filter = nullptr, desc = nullptr;

    Conv(const Setup& s, Shape::Layout layout)
        : setup(s),
          x({s.n, s.c, s.h, s.w, layout}, 1),
          w({s.k, s.c / s.groups, s.r, s.s, layout == Shape::NHWC ? Shape::NHWC : Shape::NCHW}, 2),
          y({s.n, s.k, s.outH(), s.outW(), layout}, 3) {
        ok(cudnnCreateFilterDescriptor(&filter), "filter");
        ok(cudnnSetFilter4dDescriptor(filter, 0, layout == Shape::NHWC, s.k, s.c / s.groups, s.r, s.s), "filter");
        ok(cudnnCreateConvolutionDescriptor(&desc), "convolution");
        ok(cudnnSetConvolution2dDescriptor(desc, s.padH, s.padW, s.strideH, s.strideW, s.dilationH, s.dilationW, s.mode,
                                           0),
           "convolution");
        ok(cudnnSetConvolutionGroupCount(desc, s.groups), "groups");
        ok(cudnnSetConvolutionMathType(desc, 3), "FMA");
    }
    ~Conv() { cudnnDestroyFilterDescriptor(filter), cudnnDestroyConvolutionDescriptor(desc); }

    // Calls body(index of x, of w, of y) for every product that the convolution sums, in logical indices.
    template <class Body>
    void products(Body body) const {
        int perGroup = setup.k / setup.groups, channels = setup.c / setup.groups;
        y.shape().each([&](int n, int k, int p, int q) {
            for (int c = 0; c < channels; c++)
                for (int r = 0; r < setup.r; r++)
                    for (int s = 0; s < setup.s; s++) {
                        int h = p * setup.strideH - setup.padH + r * setup.dilationH;
                        int wide = q * setup.strideW - setup.padW + s * setup.dilationW;
                        if (h < 0 || h >= setup.h || wide < 0 || wide >= setup.w) continue;
                        int fr = setup.mode == 0 ? setup.r - 1 - r : r, fs = setup.mode == 0 ? setup.s - 1 - s : s;
                        body(x.shape().at(n, k / perGroup * channels + c, h, wide), w.shape().at(k, c, fr, fs),
                             y.shape().at(n, k, p, q));
                    }
        });
    }
};

std::vector<double> logical(const Shape& shape, const std::vector<double>& inMemory) {
    std::vector<double> values;
    shape.each([&](int n, int c, int h, int w) { values.push_back(inMemory[shape.at(n, c, h, w)]); });
    return values;
}

struct Workspace {
    std::size_t bytes = 0;
    Device device;
    Workspace(std::size_t bytes) : bytes(bytes), device(bytes / 4 + 1) {}
};

std::size_t forwardWorkspace(const Conv& c, int algorithm) {
    std::size_t bytes = 0;
    ok(cudnnGetConvolutionForwardWorkspaceSize(c.dnn, c.x.tensor, c.filter, c.desc, c.y.tensor, algorithm, &bytes),
       "size");
    isTrue(bytes % 2 == 1, "a workspace is odd and not empty");
    return bytes;
}

}  // namespace

CASE("convolution forward equals naive loops: layouts, groups, strides, pads, dilations, both modes") {
    for (const Setup& s : SETUPS)
        for (Shape::Layout layout : LAYOUTS) {
            Conv c(s, layout);
            int n, k, h, w;
            ok(cudnnGetConvolution2dForwardOutputDim(c.desc, c.x.tensor, c.filter, &n, &k, &h, &w), "output");
            isTrue(n == s.n && k == s.k && h == s.outH() && w == s.outW(), "output shape");
            std::vector<double> sum(c.y.host.size(), 0.0);
            c.products([&](auto ix, auto iw, auto iy) { sum[iy] += double(c.x.host[ix]) * c.w.host[iw]; });
            float alpha = 0.75f, beta = -2;
            for (std::size_t i = 0; i < sum.size(); i++) sum[i] = alpha * sum[i] + beta * c.y.host[i];
            Workspace ws(forwardWorkspace(c, 1));
            ok(cudnnConvolutionForward(c.dnn, &alpha, c.x.tensor, c.x.device, c.filter, c.w.device, c.desc, 1,
                                       ws.device, ws.bytes, &beta, c.y.tensor, c.y.device),
               "forward");
            close(c.y.get(), logical(c.y.shape(), sum), 2e-5, "y");
        }
}

CASE("convolution backward data and filter equal naive loops") {
    for (const Setup& s : SETUPS)
        for (Shape::Layout layout : LAYOUTS) {
            Conv c(s, layout);
            std::vector<double> dx(c.x.host.size(), 0.0), dw(c.w.host.size(), 0.0);
            float alpha = 1.5f, beta = 0.5f;
            c.products([&](auto ix, auto iw, auto iy) {
                dx[ix] += double(alpha) * c.w.host[iw] * c.y.host[iy];
                dw[iw] += double(alpha) * c.x.host[ix] * c.y.host[iy];
            });
            Values dxs(c.x.shape(), 7), dws(c.w.shape(), 8);
            for (std::size_t i = 0; i < dx.size(); i++) dx[i] += beta * dxs.host[i];
            for (std::size_t i = 0; i < dw.size(); i++) dw[i] += beta * dws.host[i];
            std::size_t bytes = 0;
            ok(cudnnGetConvolutionBackwardDataWorkspaceSize(c.dnn, c.filter, c.y.tensor, c.desc, c.x.tensor, 1, &bytes),
               "size");
            Workspace data(bytes);
            ok(cudnnConvolutionBackwardData(c.dnn, &alpha, c.filter, c.w.device, c.y.tensor, c.y.device, c.desc, 1,
                                            data.device, bytes, &beta, dxs.tensor, dxs.device),
               "backward data");
            close(dxs.get(), logical(c.x.shape(), dx), 2e-5, "dx");
            ok(cudnnGetConvolutionBackwardFilterWorkspaceSize(c.dnn, c.x.tensor, c.y.tensor, c.desc, c.filter, 1,
                                                              &bytes),
               "size");
            Workspace filter(bytes);
            ok(cudnnConvolutionBackwardFilter(c.dnn, &alpha, c.x.tensor, c.x.device, c.y.tensor, c.y.device, c.desc, 1,
                                              filter.device, bytes, &beta, c.filter, dws.device),
               "backward filter");
            close(dws.get(), logical(c.w.shape(), dw), 5e-5, "dw");
        }
}

CASE("beta == 0 writes into uninitialised memory and over NaN") {
    Conv c(SETUPS[0], Shape::NHWC);
    Values fresh(c.y.shape(), 1, false);
    Workspace ws(forwardWorkspace(c, 0));
    auto forward = [&](float* y) {
        ok(cudnnConvolutionForward(c.dnn, &ONE, c.x.tensor, c.x.device, c.filter, c.w.device, c.desc, 0, ws.device,
                                   ws.bytes, &ZERO, c.y.tensor, y),
           "forward");
    };
    forward(fresh.device);
    ok(cuMemsetD32(CUdeviceptr((float*)c.y.device), 0x7fc00000, c.y.host.size()), "NaN");
    forward(c.y.device);
    isTrue(c.y.get() == fresh.get(), "NaN was read");
}

CASE("a workspace smaller than asked for is refused, and the size follows the math type") {
    Conv c(SETUPS[0], Shape::NHWC);
    std::size_t strict = forwardWorkspace(c, 1);
    Workspace ws(strict);
    auto forward = [&](int algorithm, std::size_t bytes) {
        return cudnnConvolutionForward(c.dnn, &ONE, c.x.tensor, c.x.device, c.filter, c.w.device, c.desc, algorithm,
                                       ws.device, bytes, &ZERO, c.y.tensor, c.y.device);
    };
    equals(forward(1, strict - 1), 2000, "one byte less");
    ok(forward(1, strict), "as asked");
    ok(cudnnSetConvolutionMathType(c.desc, 0), "default math");
    isTrue(forwardWorkspace(c, 1) != strict, "the size does not depend on the math type");
    equals(forward(1, strict), 2000, "the size was asked before the math type was set");
    equals(forward(4, 1 << 30), 3000, "an algorithm which does not apply");
    ok(cuCtxSynchronize(), "synchronise");
}

CASE("a search orders what applies, overwrites its output, and is forbidden in a capture") {
    Conv c(SETUPS[0], Shape::NCHW);
    Perf perf[8];
    std::memset(perf, 0x77, sizeof perf);
    int found = 0;
    ok(cudnnFindConvolutionForwardAlgorithm(c.dnn, c.x.tensor, c.filter, c.desc, c.y.tensor, 8, &found, perf), "find");
    int able = 0, other = 0;
    for (int i = 0; i < found; i++) {
        if (perf[i].status != 0) continue;
        equals(able++, i, "what works comes first");
        if (perf[i].mathType != 3) {
            equals(++other, able, "arithmetic that nobody asked for comes before the rest");
            continue;
        }
        equals(long(perf[i].memory), long(forwardWorkspace(c, perf[i].algorithm)), "memory");
    }
    isTrue(other >= 1 && able >= other + 2 && able < found, "algorithms that work, and one that does not");
    ok(cudnnGetConvolutionBackwardFilterAlgorithm_v7(c.dnn, c.x.tensor, c.y.tensor, c.desc, c.filter, 2, &found, perf),
       "get");
    equals(found, 2, "as many as asked for");
    Workspace ws(forwardWorkspace(c, 0));
    ok(cudnnFindConvolutionForwardAlgorithmEx(c.dnn, c.x.tensor, c.x.device, c.filter, c.w.device, c.desc, c.y.tensor,
                                              c.y.device, 8, &found, perf, ws.device, ws.bytes),
       "find in a workspace");
    for (int i = 0; i < found; i++)
        isTrue(perf[i].status != 0 || perf[i].memory <= ws.bytes, "an algorithm that does not fit the workspace");
    equals(perf[other].algorithm, 0, "the one that fits");
    isTrue(std::isnan(c.y.get()[0]), "the output survived a search");
    CUstream stream;
    CUgraph graph;
    ok(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), "stream"), ok(cudnnSetStream(c.dnn, stream), "set stream");
    ok(cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_GLOBAL), "begin");
    equals(cudnnFindConvolutionForwardAlgorithm(c.dnn, c.x.tensor, c.filter, c.desc, c.y.tensor, 8, &found, perf), 5000,
           "a search in a capture");
    ok(cuStreamEndCapture(stream, &graph), "end");
    ok(cuGraphDestroy(graph), "destroy"), ok(cuStreamDestroy(stream), "destroy");
}

CASE("convolution with bias and activation, and the bias's gradient") {
    for (Shape::Layout layout : LAYOUTS) {
        Conv c(SETUPS[0], layout);
        Values z(c.y.shape(), 5), bias({1, c.setup.k, 1, 1, Shape::NCHW}, 6), db(bias.shape(), 7);
        Activation relu(1, 0, 0), identity(5, 0, 0);
        std::vector<double> sum(c.y.host.size(), 0.0);
        std::vector<double> gradient(c.setup.k);
        c.products([&](auto ix, auto iw, auto iy) { sum[iy] += double(c.x.host[ix]) * c.w.host[iw]; });
        float alpha = 2, beta = 0.5f;
        for (int k = 0; k < c.setup.k; k++) gradient[k] = 0.5 * db.host[k];
        c.y.shape().each([&](int n, int k, int h, int w) {
            std::size_t i = c.y.shape().at(n, k, h, w);
            sum[i] = std::max(0.0, 2 * sum[i] + 0.5 * z.host[i] + bias.host[k]);
            gradient[k] += 2 * double(c.y.host[i]);
        });
        ok(cudnnConvolutionBackwardBias(c.dnn, &alpha, c.y.tensor, c.y.device, &beta, db.tensor, db.device), "bias");
        close(db.get(), gradient, 1e-5, "db");
        Workspace ws(forwardWorkspace(c, 1));
        auto fused = [&](Any activation, int algorithm) {
            return cudnnConvolutionBiasActivationForward(
                c.dnn, &alpha, c.x.tensor, c.x.device, c.filter, c.w.device, c.desc, algorithm, ws.device, ws.bytes,
                &beta, z.tensor, z.device, bias.tensor, bias.device, activation, c.y.tensor, c.y.device);
        };
        ok(fused(relu, 1), "relu");
        close(c.y.get(), logical(c.y.shape(), sum), 2e-5, "y");
        equals(fused(identity, 0), 3000, "identity with another algorithm");
        ok(fused(identity, 1), "identity");
    }
}

CASE("TF32 rounds a convolution's operands unless its math type forbids it") {
    Conv c({1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1}, Shape::NHWC);
    c.x.host[0] = 1 + 1.0f / 4096, c.w.host[0] = 1 + 3.0f / 2048;
    c.x.upload(), c.w.upload();
    auto value = [&](int math) {
        ok(cudnnSetConvolutionMathType(c.desc, math), "math type");
        Workspace ws(forwardWorkspace(c, 1));
        ok(cudnnConvolutionForward(c.dnn, &ONE, c.x.tensor, c.x.device, c.filter, c.w.device, c.desc, 1, ws.device,
                                   ws.bytes, &ZERO, c.y.tensor, c.y.device),
           "forward");
        return c.y.get()[0];
    };
    double exact = double(c.x.host[0]) * c.w.host[0];
    setenv("BASIN_SOFTGPU_CC", "75", 1);
    close({value(0)}, {exact}, 1e-7, "7.5 has no TF32");
    setenv("BASIN_SOFTGPU_CC", "80", 1);
    close({value(0)}, {1 + 2.0 / 1024}, 0, "8.0, default math");
    close({value(3)}, {exact}, 1e-7, "8.0, FMA math");
    unsetenv("BASIN_SOFTGPU_CC");
}

CASE("in float, sums differ in their last bits from those in double and are no further off than floats are") {
    Conv c(SETUPS[7], Shape::NHWC);
    std::vector<double> sum(c.y.host.size(), 0.0);
    c.products([&](auto ix, auto iw, auto iy) { sum[iy] += double(c.x.host[ix]) * c.w.host[iw]; });
    Workspace ws(forwardWorkspace(c, 1));
    auto value = [&] {
        ok(cudnnConvolutionForward(c.dnn, &ONE, c.x.tensor, c.x.device, c.filter, c.w.device, c.desc, 1, ws.device,
                                   ws.bytes, &ZERO, c.y.tensor, c.y.device),
           "forward");
        return c.y.get();
    };
    Floats exact = value();
    setenv("BASIN_SOFTGPU_SUM", "float32", 1);
    Floats rounded = value();
    unsetenv("BASIN_SOFTGPU_SUM");
    isTrue(rounded != exact, "nothing was rounded");
    close(rounded, logical(c.y.shape(), sum), 1e-4, "y");
}

CASE("what the environment takes away is refused or not deterministic, and nothing else is") {
    Conv last(SETUPS[0], Shape::NHWC), first(SETUPS[0], Shape::NCHW);
    auto status = [](Conv& c, int algorithm) {
        std::size_t bytes = 0;
        return cudnnGetConvolutionBackwardDataWorkspaceSize(c.dnn, c.filter, c.y.tensor, c.desc, c.x.tensor, algorithm,
                                                            &bytes);
    };
    setenv("BASIN_SOFTGPU_CUDNN", "refuse-nhwc-fma-data,random-nchw-fma-data", 1);
    equals(status(last, 0), 3000, "refused"), equals(status(last, 1), 3000, "refused");
    equals(status(first, 1), 3000, "deterministic"), ok(status(first, 0), "random");
    ok(cudnnSetConvolutionMathType(last.desc, 0), "default math"), ok(status(last, 1), "other arithmetic");
    std::size_t bytes = 0;
    ok(cudnnGetConvolutionForwardWorkspaceSize(last.dnn, last.x.tensor, last.filter, last.desc, last.y.tensor, 1, &bytes),
       "another direction");
    unsetenv("BASIN_SOFTGPU_CUDNN");
    ok(status(first, 1), "all again");
}

CASE("what the environment calls slow takes longer to events, and nothing else does") {
    Conv last(SETUPS[0], Shape::NHWC), first(SETUPS[0], Shape::NCHW);
    auto forward = [](Conv& c) {
        Workspace ws(forwardWorkspace(c, 1));
        return milliseconds([&] {
            ok(cudnnConvolutionForward(c.dnn, &ONE, c.x.tensor, c.x.device, c.filter, c.w.device, c.desc, 1, ws.device,
                                       ws.bytes, &ZERO, c.y.tensor, c.y.device),
               "forward");
        });
    };
    setenv("BASIN_SOFTGPU_CUDNN", "slow-nchw-fma-forward,slow-nhwc-fma-data", 1);
    isTrue(forward(first) >= 5000, "not slow");
    isTrue(forward(last) < 5000, "another layout");
    unsetenv("BASIN_SOFTGPU_CUDNN");
    isTrue(forward(first) < 5000, "slow still");
}

CASE("a search may call default arithmetic that rounds by the name of tensor cores") {
    Conv c(SETUPS[0], Shape::NHWC);
    ok(cudnnSetConvolutionMathType(c.desc, 0), "default math");
    auto math = [&] {
        Perf perf;
        int found;
        ok(cudnnGetConvolutionBackwardFilterAlgorithm_v7(c.dnn, c.x.tensor, c.y.tensor, c.desc, c.filter, 1, &found,
                                                         &perf),
           "get");
        return perf.mathType;
    };
    equals(math(), 0, "as asked for");
    setenv("BASIN_SOFTGPU_CUDNN", "tensor-op", 1);
    equals(math(), 1, "by the other name");
    unsetenv("BASIN_SOFTGPU_CUDNN");
}

CASE("convolutions refuse what does not fit together") {
    Conv c(SETUPS[2], Shape::NHWC);
    Values other({2, 8, 3, 3, Shape::NHWC}, 1), mixed(c.x.shape(), 1);
    std::size_t bytes;
    int n, k, h, w;
    equals(cudnnGetConvolutionForwardWorkspaceSize(c.dnn, c.x.tensor, c.filter, c.desc, other.tensor, 1, &bytes), 2008,
           "y's shape");
    ok(cudnnSetTensor4dDescriptor(mixed.tensor, 0, 0, 2, 6, 10, 9), "NCHW");
    equals(cudnnGetConvolutionForwardWorkspaceSize(c.dnn, mixed.tensor, c.filter, c.desc, c.y.tensor, 1, &bytes), 3004,
           "NHWC filter, NCHW x");
    ok(cudnnSetConvolutionGroupCount(c.desc, 3), "groups");
    equals(cudnnGetConvolution2dForwardOutputDim(c.desc, c.x.tensor, c.filter, &n, &k, &h, &w), 2000, "channels");
    equals(cudnnSetConvolution2dDescriptor(c.desc, -1, 0, 1, 1, 1, 1, 1, 0), 2000, "pad < 0");
    equals(cudnnSetConvolution2dDescriptor(c.desc, 0, 0, 0, 1, 1, 1, 1, 0), 2000, "stride 0");
    equals(cudnnSetFilter4dDescriptor(c.filter, 0, 0, 4, 0, 3, 3), 2000, "no channels");
    equals(cudnnConvolutionForward(nullptr, &ONE, c.x.tensor, c.x.device, c.filter, c.w.device, c.desc, 1, nullptr, 0,
                                   &ZERO, c.y.tensor, c.y.device),
           2000, "no handle and a bad convolution");
}
