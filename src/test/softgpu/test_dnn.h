// What the tests of libcudnn share: its C ABI, descriptors that free themselves, and the layouts each case runs over.
#pragma once
#include "test_libs.h"

extern "C" {
int cudnnCreate(test::Any*);
int cudnnDestroy(test::Any);
int cudnnSetStream(test::Any, CUstream);
int cudnnCreateTensorDescriptor(test::Any*);
int cudnnDestroyTensorDescriptor(test::Any);
int cudnnSetTensor4dDescriptor(test::Any, int, int, int, int, int, int);
int cudnnSetTensor4dDescriptorEx(test::Any, int, int, int, int, int, int, int, int, int);
int cudnnCreateActivationDescriptor(test::Any*);
int cudnnDestroyActivationDescriptor(test::Any);
int cudnnSetActivationDescriptor(test::Any, int, int, double);
}

namespace test {

struct Dnn {
    Any handle = nullptr;
    Dnn() { ok(cudnnCreate(&handle), "create"); }
    ~Dnn() { ok(cudnnDestroy(handle), "destroy"); }
    operator Any() const { return handle; }
};

struct Tensor {
    Shape shape;
    Any desc = nullptr;
    explicit Tensor(Shape s) : shape(s) {
        ok(cudnnCreateTensorDescriptor(&desc), "tensor");
        int pitch = s.w + 2;
        ok(s.layout == Shape::GAPS
               ? cudnnSetTensor4dDescriptorEx(desc, 0, s.n, s.c, s.h, s.w, s.c * s.h * pitch, s.h * pitch, pitch, 1)
               : cudnnSetTensor4dDescriptor(desc, s.layout == Shape::NHWC, 0, s.n, s.c, s.h, s.w),
           "tensor shape");
    }
    ~Tensor() { cudnnDestroyTensorDescriptor(desc); }
    Tensor(const Tensor&) = delete;
    operator Any() const { return desc; }
};

struct Activation {
    Any desc = nullptr;
    Activation(int mode, int nan, double coefficient) {
        ok(cudnnCreateActivationDescriptor(&desc), "activation");
        ok(cudnnSetActivationDescriptor(desc, mode, nan, coefficient), "activation");
    }
    ~Activation() { cudnnDestroyActivationDescriptor(desc); }
    operator Any() const { return desc; }
};

// A tensor with values: on the host by logical index, on the device in its layout, gaps uninitialised.
struct Values {
    Tensor tensor;
    Floats host;
    Device device;
    Values(Shape shape, unsigned seed, bool upload = true)
        : tensor(shape), host(random(shape.span(), seed)), device(shape.span()) {
        if (!upload) return;
        if (shape.layout == Shape::GAPS) {
            for (std::size_t at = 0; at < shape.span(); at += shape.w + 2)
                test::upload(device + at, &host[at], shape.w);
        } else {
            test::upload(device, host.data(), host.size());
        }
    }
    const Shape& shape() const { return tensor.shape; }
    float& at(int n, int c, int h, int w) { return host[shape().at(n, c, h, w)]; }
    void upload() { test::upload(device, host.data(), host.size()); }

    // Values on the device in logical order.
    Floats get() const {
        Floats all(shape().span()), logical;
        ok(cuCtxSynchronize(), "synchronise");
        if (shape().layout == Shape::GAPS) {
            for (std::size_t at = 0; at < all.size(); at += shape().w + 2)
                ok(cuMemcpyDtoH(&all[at], CUdeviceptr(device + at), shape().w * 4), "row");
        } else {
            all = device.get();
        }
        shape().each([&](int n, int c, int h, int w) { logical.push_back(all[shape().at(n, c, h, w)]); });
        return logical;
    }
    std::vector<double> logical() const {
        std::vector<double> values;
        shape().each([&](int n, int c, int h, int w) { values.push_back(host[shape().at(n, c, h, w)]); });
        return values;
    }
};

inline const Shape::Layout LAYOUTS[] = {Shape::NCHW, Shape::NHWC, Shape::GAPS};
inline const float ONE = 1, ZERO = 0;

}  // namespace test
