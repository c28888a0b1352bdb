// The cuBLAS of the software GPU: the handle, its scalars, and column-major matrices in checked memory.
#pragma once
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "library.h"
#include "product.h"

namespace softgpu::blas {

enum Status {
    SUCCESS = 0,
    NOT_INITIALIZED = 1,
    ALLOC_FAILED = 3,
    INVALID_VALUE = 7,
    EXECUTION_FAILED = 13,
    INTERNAL_ERROR = 14,
    NOT_SUPPORTED = 15
};
enum Transpose { N = 0, T = 1, C = 2 };
enum Math { DEFAULT_MATH = 0, TENSOR_OP_MATH = 1, PEDANTIC_MATH = 2, TF32_MATH = 3, NO_REDUCED_REDUCTION = 16 };

struct Handle {
    Stream* stream = nullptr;
    int math = DEFAULT_MATH;
    bool onDevice = false;  // where scalars live
    int atomics = 0;
    void* workspace = nullptr;
    std::size_t workspaceBytes = 0;
};

Live<Handle>& handles();

template <class Body>
int call(const char* function, Body body) {
    return softgpu::call("cublas", function, EXECUTION_FAILED, body);
}

// A factor: its value if the caller has it on the host, its address if it is read when the task runs.
class Scalar {
public:
    Scalar(const Handle& handle, const float* at);
    float value(Accessor& memory) const { return device_ ? *read(memory, device_, 1) : host_; }

private:
    float host_ = 0;
    const float* device_ = nullptr;
};

// Enqueues on the handle's stream; the work may leave anything in the handle's workspace, and here it does.
void run(const Handle& handle, const std::string& name, Work work);

// A result goes to device memory when the task runs, or to the host: then the call waits.
void runFor(const Handle& handle, const std::string& name, float* result, std::function<float(Accessor&)> work);

// Columns of `rows` elements, `pitch` apart; what lies between columns is not touched.
const float* readMatrix(Accessor& memory, const float* at, std::int64_t rows, std::int64_t columns, std::int64_t pitch);

// c = alpha value + beta c over a matrix whose value is (rows, columns) column-major without gaps.
void blend(Accessor& memory, float* c, std::int64_t rows, std::int64_t columns, std::int64_t pitch, float alpha,
           const float* value, float beta);

}  // namespace softgpu::blas
