// cuDNN: activations.
#include <algorithm>
#include <cmath>

#include "dnn.h"

namespace softgpu::dnn {

enum Mode { SIGMOID, RELU, TANH, CLIPPED_RELU, ELU, IDENTITY, SWISH };

Live<Activation>& activations() {
    static Live<Activation> live(BAD_PARAM);
    return live;
}

float Activation::forward(float x) const {
    if (mode != IDENTITY && std::isnan(x) && (mode == RELU || mode == CLIPPED_RELU)) return propagateNan ? x : 0;
    switch (mode) {
        case SIGMOID: return float(1 / (1 + std::exp(-double(x))));
        case RELU: return std::max(x, 0.0f);
        case TANH: return float(std::tanh(double(x)));
        case CLIPPED_RELU: return std::min(std::max(x, 0.0f), float(coefficient));
        case ELU: return x > 0 ? x : float(coefficient * std::expm1(double(x)));
        case SWISH: return float(x / (1 + std::exp(-swishBeta * x)));
        default: return x;
    }
}

bool Activation::needsInput() const { return mode == SWISH; }

float Activation::backward(float y, float dy, float x) const {
    switch (mode) {
        case SIGMOID: return dy * y * (1 - y);
        case RELU: return y > 0 || (std::isnan(y) && propagateNan) ? dy : 0;
        case TANH: return dy * (1 - y * y);
        case CLIPPED_RELU: return y > 0 && y < coefficient ? dy : 0;
        case ELU: return y > 0 ? dy : float(dy * (y + coefficient));
        case SWISH: {
            double s = 1 / (1 + std::exp(-swishBeta * x));
            return float(dy * (s + swishBeta * x * s * (1 - s)));
        }
        default: return dy;
    }
}

}  // namespace softgpu::dnn

using namespace softgpu::dnn;
using softgpu::Accessor;
using softgpu::require;

extern "C" {

int cudnnCreateActivationDescriptor(Activation** desc) {
    return create(__func__, [&] { give(desc, activations().create()); });
}
int cudnnDestroyActivationDescriptor(Activation* desc) { return destroy(__func__, activations(), desc); }
int cudnnSetActivationDescriptor(Activation* desc, int mode, int propagateNan, double coefficient) {
    return softgpu::dnn::call(__func__, [&] {
        require(mode >= SIGMOID && mode <= SWISH, BAD_PARAM, "no such activation");
        require(propagateNan == 0 || propagateNan == 1, BAD_PARAM, "no such NaN option");
        Activation& a = activations().get(desc);
        a.mode = mode, a.propagateNan = propagateNan, a.coefficient = coefficient;
    });
}
int cudnnGetActivationDescriptor(Activation* desc, int* mode, int* propagateNan, double* coefficient) {
    return softgpu::dnn::call(__func__, [&] {
        const Activation& a = activations().get(desc);
        give(mode, a.mode), give(propagateNan, a.propagateNan), give(coefficient, a.coefficient);
    });
}
int cudnnSetActivationDescriptorSwishBeta(Activation* desc, double beta) {
    return softgpu::dnn::call(__func__, [&] { activations().get(desc).swishBeta = beta; });
}
int cudnnGetActivationDescriptorSwishBeta(Activation* desc, double* beta) {
    return softgpu::dnn::call(__func__, [&] { give(beta, activations().get(desc).swishBeta); });
}
int cudnnActivationForward(Handle* h, Activation* desc, const void* alpha, Tensor* xDesc, const void* x,
                           const void* beta, Tensor* yDesc, void* y) {
    return softgpu::dnn::call(__func__, [&] {
        Activation act = activations().get(desc);
        Tensor in = tensors().get(xDesc), out = tensors().get(yDesc);
        Blend blend(alpha, beta);
        requireData(x), requireData(y);
        requireFloat(in), requireFloat(out), requireSameShape(in, out);
        require(act.mode >= 0, BAD_PARAM, "a descriptor that was never set");
        require(act.mode != IDENTITY, NOT_SUPPORTED, "identity exists for convolution + bias only");
        run(handles().get(h), "cudnnActivationForward x" + in.shape(), [=](Accessor& memory) {
            Input from(memory, in, x);
            Output to(memory, out, y, blend);
            for (std::size_t i = 0, n = in.count(); i < n; i++) to[i] = act.forward(from[i]);
            to.finish();
        });
    });
}
int cudnnActivationBackward(Handle* h, Activation* desc, const void* alpha, Tensor* yDesc, const void* y,
                            Tensor* dyDesc, const void* dy, Tensor* xDesc, const void* x, const void* beta,
                            Tensor* dxDesc, void* dx) {
    return softgpu::dnn::call(__func__, [&] {
        Activation act = activations().get(desc);
        Tensor value = tensors().get(yDesc), gradient = tensors().get(dyDesc), in = tensors().get(xDesc),
               out = tensors().get(dxDesc);
        Blend blend(alpha, beta);
        requireData(y), requireData(dy), requireData(x), requireData(dx);
        for (const Tensor* t : {&value, &gradient, &in, &out}) requireFloat(*t), requireSameShape(*t, value);
        require(act.mode >= 0, BAD_PARAM, "a descriptor that was never set");
        require(act.mode != IDENTITY, NOT_SUPPORTED, "identity exists for convolution + bias only");
        run(handles().get(h), "cudnnActivationBackward y" + value.shape(), [=](Accessor& memory) {
            Input ys(memory, value, y), dys(memory, gradient, dy);
            Input xs(memory, act.needsInput() ? in : value, act.needsInput() ? x : y);
            Output to(memory, out, dx, blend);
            for (std::size_t i = 0, n = value.count(); i < n; i++) to[i] = act.backward(ys[i], dys[i], xs[i]);
            to.finish();
        });
    });
}
}
