// cuDNN: softmax. Sums run in double.
#include <algorithm>
#include <cmath>

#include "dnn.h"

namespace softgpu::dnn {
namespace {

enum Algorithm { FAST, ACCURATE, LOG };
enum Mode { INSTANCE, CHANNEL };  // over C and space, or over C at every pixel

struct Rows {
    std::size_t rows, width;
    Rows(int algorithm, int mode, const Tensor& t) {
        require(algorithm >= FAST && algorithm <= LOG, BAD_PARAM, "no such algorithm");
        require(mode == INSTANCE || mode == CHANNEL, BAD_PARAM, "no such mode");
        requireFloat(t);
        width = mode == CHANNEL ? t.dims[1] : t.count() / t.dims[0];
        rows = t.count() / width;
    }
};

void forward(int algorithm, std::size_t width, const float* x, float* y) {
    double shift = algorithm == FAST ? 0 : *std::max_element(x, x + width), sum = 0;
    for (std::size_t i = 0; i < width; i++) sum += std::exp(x[i] - shift);
    for (std::size_t i = 0; i < width; i++)
        y[i] = float(algorithm == LOG ? x[i] - shift - std::log(sum) : std::exp(x[i] - shift) / sum);
}

void backward(int algorithm, std::size_t width, const float* y, const float* dy, float* dx) {
    double sum = 0;
    for (std::size_t i = 0; i < width; i++) sum += algorithm == LOG ? dy[i] : double(dy[i]) * y[i];
    for (std::size_t i = 0; i < width; i++)
        dx[i] = float(algorithm == LOG ? dy[i] - std::exp(double(y[i])) * sum : y[i] * (dy[i] - sum));
}

}  // namespace
}  // namespace softgpu::dnn

using namespace softgpu::dnn;
using softgpu::Accessor;

extern "C" {

int cudnnSoftmaxForward(Handle* h, int algorithm, int mode, const void* alpha, Tensor* xDesc, const void* x,
                        const void* beta, Tensor* yDesc, void* y) {
    return softgpu::dnn::call(__func__, [&] {
        Tensor in = tensors().get(xDesc), out = tensors().get(yDesc);
        Rows rows(algorithm, mode, in);
        Blend blend(alpha, beta);
        requireFloat(out), requireSameShape(in, out), requireData(x), requireData(y);
        run(handles().get(h), "cudnnSoftmaxForward x" + in.shape(), [=](Accessor& memory) {
            Input from(memory, in, x);
            Output to(memory, out, y, blend);
            for (std::size_t i = 0; i < rows.rows * rows.width; i += rows.width)
                forward(algorithm, rows.width, from.data() + i, to.data() + i);
            to.finish();
        });
    });
}
int cudnnSoftmaxBackward(Handle* h, int algorithm, int mode, const void* alpha, Tensor* yDesc, const void* y,
                         Tensor* dyDesc, const void* dy, const void* beta, Tensor* dxDesc, void* dx) {
    return softgpu::dnn::call(__func__, [&] {
        Tensor value = tensors().get(yDesc), gradient = tensors().get(dyDesc), out = tensors().get(dxDesc);
        Rows rows(algorithm, mode, value);
        Blend blend(alpha, beta);
        requireFloat(gradient), requireFloat(out), requireSameShape(value, gradient), requireSameShape(value, out);
        requireData(y), requireData(dy), requireData(dx);
        run(handles().get(h), "cudnnSoftmaxBackward y" + value.shape(), [=](Accessor& memory) {
            Input ys(memory, value, y), dys(memory, gradient, dy);
            Output to(memory, out, dx, blend);
            for (std::size_t i = 0; i < rows.rows * rows.width; i += rows.width)
                backward(algorithm, rows.width, ys.data() + i, dys.data() + i, to.data() + i);
            to.finish();
        });
    });
}
}
