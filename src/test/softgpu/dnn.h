// The cuDNN of the software GPU: what its calls share. Numbers are those of cuDNN 9's headers.
#pragma once
#include <string>
#include <vector>

#include "library.h"

namespace softgpu::dnn {

enum Status {
    SUCCESS = 0,
    NOT_INITIALIZED = 1001,
    BAD_PARAM = 2000,
    BAD_PARAM_NULL_POINTER = 2002,
    BAD_PARAM_SHAPE_MISMATCH = 2008,
    NOT_SUPPORTED = 3000,
    NOT_SUPPORTED_SHAPE = 3002,
    NOT_SUPPORTED_DATA_TYPE = 3003,
    NOT_SUPPORTED_LAYOUT = 3004,
    INTERNAL_ERROR_HOST_ALLOCATION_FAILED = 4003,
    EXECUTION_FAILED = 5000
};
enum DataType { FLOAT = 0, DOUBLE, HALF, INT8, INT32, INT8x4, UINT8, UINT8x4, INT8x32, BFLOAT16, INT64, BOOLEAN };
enum Format { NCHW = 0, NHWC = 1, NCHW_VECT_C = 2 };
enum MathType { DEFAULT_MATH = 0, TENSOR_OP_MATH, TENSOR_OP_MATH_ALLOW_CONVERSION, FMA_MATH };
constexpr int DIM_MAX = 8;

struct Handle {
    Stream* stream = nullptr;
};

struct Tensor {
    int type = -1, rank = 0;
    int dims[DIM_MAX] = {}, strides[DIM_MAX] = {};  // dims[0] = N, dims[1] = C, then space

    std::size_t count() const;
    std::size_t span() const;   // elements from the first to the last
    bool channelsLast() const;  // packed, C fastest
    bool sameShape(const Tensor& other) const;
    std::string shape() const;  // "(8,16,32,32)"
};

struct Filter {
    int type = -1, format = NCHW, rank = 0;
    int dims[DIM_MAX] = {};  // K, C / groups, R, S in either format
    Tensor tensor() const;   // the same memory, with strides
};

struct Activation {
    int mode = -1, propagateNan = 0;
    double coefficient = 0, swishBeta = 1;
    float forward(float x) const;
    float backward(float y, float dy, float x) const;
    bool needsInput() const;  // whether the gradient cannot be told from y alone
};

Live<Handle>& handles();
Live<Tensor>& tensors();
Live<Filter>& filters();
Live<Activation>& activations();

template <class Body>
int call(const char* function, Body body) {
    return softgpu::call("cudnn", function, EXECUTION_FAILED, body);
}

template <class Body>
int create(const char* function, Body body) {
    return softgpu::call("cudnn", function, INTERNAL_ERROR_HOST_ALLOCATION_FAILED, body);
}

// What gives something back never fails by injection: the caller could not try again.
template <class T>
int destroy(const char* function, Live<T>& live, T* at) {
    count(function);
    try {
        live.destroy(at);
        return SUCCESS;
    } catch (const Refusal& refusal) {
        return refusal.status;
    }
}

template <class To, class From>
void give(To* to, From value) {
    require(to != nullptr, BAD_PARAM_NULL_POINTER, "the result's address is null");
    *to = static_cast<To>(value);
}

void run(const Handle& handle, const std::string& name, Work work);

// The factors of result = alpha value + beta result: host floats, read at the call.
struct Blend {
    float alpha, beta;
    Blend(const void* alpha, const void* beta);
    Blend(float alpha, float beta) : alpha(alpha), beta(beta) {}
};

void requireFloat(const Tensor& tensor);
void requireValues(const Tensor& tensor);  // float or bfloat16
std::size_t bytesOf(int type);
void requireData(const void* at);
void requireSameShape(const Tensor& a, const Tensor& b);

// Values in the order (N, space, C) without gaps, whatever layout and type in memory are.
class Input {
public:
    Input(Accessor& memory, const Tensor& tensor, const void* at);
    const float* data() const { return data_; }
    float operator[](std::size_t i) const { return data_[i]; }

private:
    const float* data_;
    std::vector<float> gathered_;
};

// Where a result is written in that order; finish() brings it to its layout. beta == 0 never reads what was there.
class Output {
public:
    Output(Accessor& memory, const Tensor& tensor, void* at, Blend blend);
    float* data() { return data_; }
    float& operator[](std::size_t i) { return data_[i]; }
    void finish();

private:
    Accessor& memory_;
    Tensor tensor_;
    void* at_;
    Blend blend_;
    float* data_;
    std::vector<float> staged_;
};

}  // namespace softgpu::dnn
