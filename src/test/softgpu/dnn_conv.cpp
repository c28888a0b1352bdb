// cuDNN: running convolutions.
#include "dnn_conv.h"

namespace softgpu::dnn {
namespace {

// The problem and its workspace, checked at the call.
struct Prepared {
    Problem problem;
    ConvShape shape;
    void* workspace;
    std::size_t bytes;
    double late;

    Prepared(Direction direction, Tensor* x, Filter* w, Convolution* conv, Tensor* y, int algorithm, void* workspace,
             std::size_t bytes)
        : problem(tensors().get(x), filters().get(w), convolutions().get(conv), tensors().get(y)),
          shape(problem.shape()),
          workspace(workspace),
          bytes(requireWorkspace(direction, problem, algorithm, workspace, bytes)),
          late(extraTime(direction, problem)) {}

    void begin(Accessor& memory) const {
        scribble(memory, workspace, bytes);
        softgpu::delay(late);
    }
};

}  // namespace
}  // namespace softgpu::dnn

using namespace softgpu::dnn;
using softgpu::Accessor;
using softgpu::require;

extern "C" {

int cudnnConvolutionForward(Handle* h, const void* alpha, Tensor* xDesc, const void* x, Filter* wDesc, const void* w,
                            Convolution* conv, int algorithm, void* workspace, std::size_t bytes, const void* beta,
                            Tensor* yDesc, void* y) {
    return softgpu::dnn::call(__func__, [&] {
        Prepared p(FORWARD, xDesc, wDesc, conv, yDesc, algorithm, workspace, bytes);
        Blend blend(alpha, beta);
        requireData(x), requireData(w), requireData(y);
        run(handles().get(h), "cudnnConvolutionForward" + p.problem.text(), [=](Accessor& memory) {
            p.begin(memory);
            Input in(memory, p.problem.x, x), weights(memory, p.problem.w.tensor(), w);
            Output out(memory, p.problem.y, y, blend);
            convForward(p.shape, in.data(), weights.data(), out.data());
            out.finish();
        });
    });
}
int cudnnConvolutionBackwardData(Handle* h, const void* alpha, Filter* wDesc, const void* w, Tensor* dyDesc,
                                 const void* dy, Convolution* conv, int algorithm, void* workspace, std::size_t bytes,
                                 const void* beta, Tensor* dxDesc, void* dx) {
    return softgpu::dnn::call(__func__, [&] {
        Prepared p(BACKWARD_DATA, dxDesc, wDesc, conv, dyDesc, algorithm, workspace, bytes);
        Blend blend(alpha, beta);
        requireData(w), requireData(dy), requireData(dx);
        run(handles().get(h), "cudnnConvolutionBackwardData" + p.problem.text(), [=](Accessor& memory) {
            p.begin(memory);
            Input weights(memory, p.problem.w.tensor(), w), gradient(memory, p.problem.y, dy);
            Output out(memory, p.problem.x, dx, blend);
            convBackwardData(p.shape, weights.data(), gradient.data(), out.data());
            out.finish();
        });
    });
}
int cudnnConvolutionBackwardFilter(Handle* h, const void* alpha, Tensor* xDesc, const void* x, Tensor* dyDesc,
                                   const void* dy, Convolution* conv, int algorithm, void* workspace, std::size_t bytes,
                                   const void* beta, Filter* dwDesc, void* dw) {
    return softgpu::dnn::call(__func__, [&] {
        Prepared p(BACKWARD_FILTER, xDesc, dwDesc, conv, dyDesc, algorithm, workspace, bytes);
        Blend blend(alpha, beta);
        requireData(x), requireData(dy), requireData(dw);
        run(handles().get(h), "cudnnConvolutionBackwardFilter" + p.problem.text(), [=](Accessor& memory) {
            p.begin(memory);
            Input in(memory, p.problem.x, x), gradient(memory, p.problem.y, dy);
            Output out(memory, p.problem.w.tensor(), dw, blend);
            convBackwardFilter(p.shape, in.data(), gradient.data(), out.data());
            out.finish();
        });
    });
}
int cudnnConvolutionBiasActivationForward(Handle* h, const void* alpha1, Tensor* xDesc, const void* x, Filter* wDesc,
                                          const void* w, Convolution* conv, int algorithm, void* workspace,
                                          std::size_t bytes, const void* alpha2, Tensor* zDesc, const void* z,
                                          Tensor* biasDesc, const void* bias, Activation* activation, Tensor* yDesc,
                                          void* y) {
    return softgpu::dnn::call(__func__, [&] {
        Prepared p(FORWARD, xDesc, wDesc, conv, yDesc, algorithm, workspace, bytes);
        Blend blend(alpha1, alpha2);
        Tensor zTensor = tensors().get(zDesc), biasTensor = tensors().get(biasDesc);
        Activation act = activations().get(activation);
        requireData(x), requireData(w), requireData(z), requireData(bias), requireData(y);
        requireFloat(p.problem.x), requireFloat(zTensor), requireFloat(biasTensor);
        requireSameShape(zTensor, p.problem.y);
        require(int(biasTensor.count()) == p.problem.y.dims[1] && biasTensor.dims[1] == p.problem.y.dims[1],
                BAD_PARAM_SHAPE_MISMATCH, "a bias per channel is wanted");
        require(act.mode == 1 || (act.mode == 5 && algorithm == 1), NOT_SUPPORTED,
                "ReLU, or identity with the precomputed algorithm");
        run(handles().get(h), "cudnnConvolutionBiasActivationForward" + p.problem.text(), [=](Accessor& memory) {
            p.begin(memory);
            Input in(memory, p.problem.x, x), weights(memory, p.problem.w.tensor(), w);
            Input shift(memory, biasTensor, bias);
            std::vector<float> sum(p.shape.yCount());
            convForward(p.shape, in.data(), weights.data(), sum.data());
            for (std::size_t i = 0; i < sum.size(); i++) sum[i] = blend.alpha * sum[i] + shift[i % p.shape.k];
            if (blend.beta != 0) {
                Input add(memory, zTensor, z);
                for (std::size_t i = 0; i < sum.size(); i++) sum[i] += blend.beta * add[i];
            }
            Output out(memory, p.problem.y, y, {1, 0});
            for (std::size_t i = 0; i < sum.size(); i++) out[i] = act.forward(sum[i]);
            out.finish();
        });
    });
}
int cudnnConvolutionBackwardBias(Handle* h, const void* alpha, Tensor* dyDesc, const void* dy, const void* beta,
                                 Tensor* dbDesc, void* db) {
    return softgpu::dnn::call(__func__, [&] {
        Tensor gradient = tensors().get(dyDesc), bias = tensors().get(dbDesc);
        Blend blend(alpha, beta);
        requireData(dy), requireData(db);
        requireFloat(gradient), requireFloat(bias);
        std::size_t channels = gradient.dims[1];
        require(bias.count() == channels && bias.dims[1] == gradient.dims[1], BAD_PARAM_SHAPE_MISMATCH,
                "a bias per channel is wanted");
        run(handles().get(h), "cudnnConvolutionBackwardBias dy" + gradient.shape(), [=](Accessor& memory) {
            Input in(memory, gradient, dy);
            std::vector<double> sum(channels, 0.0);
            for (std::size_t i = 0; i < gradient.count(); i += channels)
                for (std::size_t c = 0; c < channels; c++) sum[c] += in[i + c];
            Output out(memory, bias, db, blend);
            for (std::size_t c = 0; c < channels; c++) out[c] = float(sum[c]);
            out.finish();
        });
    });
}
}
