// cuBLAS: vectors. A vector with increment i is a row of a matrix with pitch i. Sums run in double, in index order.
#include <cmath>

#include "blas.h"

namespace softgpu::blas {
namespace {

void requireVector(std::int64_t increment) {
    require(increment != 0, INVALID_VALUE, "an increment of zero");
    require(increment > 0, NOT_SUPPORTED, "only positive increments");
}

const float* readVector(Accessor& memory, std::int64_t n, const float* at, std::int64_t increment) {
    return readMatrix(memory, at, 1, n, increment);
}

std::string named(const char* function, std::int64_t n) { return function + (" n=" + std::to_string(n)); }

void axpy(const Handle& h, const char* function, std::int64_t n, const float* alpha, const float* x, std::int64_t incx,
          float* y, std::int64_t incy) {
    requireVector(incx), requireVector(incy);
    Scalar factor(h, alpha);
    if (n <= 0) return;
    run(h, named(function, n), [=](Accessor& memory) {
        const float* from = readVector(memory, n, x, incx);
        std::vector<float> value(n);
        for (std::int64_t i = 0; i < n; i++) value[i] = from[i * incx];
        blend(memory, y, 1, n, incy, factor.value(memory), value.data(), 1);
    });
}

void scal(const Handle& h, const char* function, std::int64_t n, const float* alpha, float* x, std::int64_t incx) {
    Scalar factor(h, alpha);
    if (n <= 0 || incx <= 0) return;
    run(h, named(function, n), [=](Accessor& memory) {
        const float* from = readVector(memory, n, x, incx);
        std::vector<float> value(n);
        for (std::int64_t i = 0; i < n; i++) value[i] = from[i * incx];
        blend(memory, x, 1, n, incx, factor.value(memory), value.data(), 0);
    });
}

void copy(const Handle& h, const char* function, std::int64_t n, const float* x, std::int64_t incx, float* y,
          std::int64_t incy) {
    requireVector(incx), requireVector(incy);
    if (n <= 0) return;
    run(h, named(function, n), [=](Accessor& memory) {
        const float* from = readVector(memory, n, x, incx);
        for (std::int64_t i = 0; i < n; i++) *write(memory, y + i * incy, 1) = from[i * incx];
    });
}

void dot(const Handle& h, const char* function, std::int64_t n, const float* x, std::int64_t incx, const float* y,
         std::int64_t incy, float* result) {
    if (n > 0) requireVector(incx), requireVector(incy);
    runFor(h, named(function, n), result, [=](Accessor& memory) {
        double sum = 0;
        if (n <= 0) return 0.0f;
        const float* left = readVector(memory, n, x, incx);
        const float* right = readVector(memory, n, y, incy);
        for (std::int64_t i = 0; i < n; i++) sum += double(left[i * incx]) * right[i * incy];
        return float(sum);
    });
}

template <class Term, class Finish>
void total(const Handle& h, const char* function, std::int64_t n, const float* x, std::int64_t incx, float* result,
           Term term, Finish finish) {
    runFor(h, named(function, n), result, [=](Accessor& memory) {
        double sum = 0;
        if (n <= 0 || incx <= 0) return 0.0f;
        const float* from = readVector(memory, n, x, incx);
        for (std::int64_t i = 0; i < n; i++) sum += term(double(from[i * incx]));
        return float(finish(sum));
    });
}

}  // namespace
}  // namespace softgpu::blas

using namespace softgpu::blas;

#define FOR_EACH_INTEGER(FUNCTION, NAME) FUNCTION(NAME, int) FUNCTION(NAME##_64, std::int64_t)

#define SAXPY(NAME, INT)                                                                                          \
    int NAME(Handle* h, INT n, const float* alpha, const float* x, INT incx, float* y, INT incy) {                \
        return softgpu::blas::call(__func__, [&] { axpy(handles().get(h), #NAME, n, alpha, x, incx, y, incy); }); \
    }
#define SSCAL(NAME, INT)                                                                                 \
    int NAME(Handle* h, INT n, const float* alpha, float* x, INT incx) {                                 \
        return softgpu::blas::call(__func__, [&] { scal(handles().get(h), #NAME, n, alpha, x, incx); }); \
    }
#define SCOPY(NAME, INT)                                                                                   \
    int NAME(Handle* h, INT n, const float* x, INT incx, float* y, INT incy) {                             \
        return softgpu::blas::call(__func__, [&] { copy(handles().get(h), #NAME, n, x, incx, y, incy); }); \
    }
#define SDOT(NAME, INT)                                                                                           \
    int NAME(Handle* h, INT n, const float* x, INT incx, const float* y, INT incy, float* result) {               \
        return softgpu::blas::call(__func__, [&] { dot(handles().get(h), #NAME, n, x, incx, y, incy, result); }); \
    }
#define SNRM2(NAME, INT)                                                                     \
    int NAME(Handle* h, INT n, const float* x, INT incx, float* result) {                    \
        return softgpu::blas::call(__func__, [&] {                                           \
            total(                                                                           \
                handles().get(h), #NAME, n, x, incx, result, [](double v) { return v * v; }, \
                [](double sum) { return std::sqrt(sum); });                                  \
        });                                                                                  \
    }
#define SASUM(NAME, INT)                                                                            \
    int NAME(Handle* h, INT n, const float* x, INT incx, float* result) {                           \
        return softgpu::blas::call(__func__, [&] {                                                  \
            total(                                                                                  \
                handles().get(h), #NAME, n, x, incx, result, [](double v) { return std::fabs(v); }, \
                [](double sum) { return sum; });                                                    \
        });                                                                                         \
    }

extern "C" {
FOR_EACH_INTEGER(SAXPY, cublasSaxpy_v2)
FOR_EACH_INTEGER(SSCAL, cublasSscal_v2)
FOR_EACH_INTEGER(SCOPY, cublasScopy_v2)
FOR_EACH_INTEGER(SDOT, cublasSdot_v2)
FOR_EACH_INTEGER(SNRM2, cublasSnrm2_v2)
FOR_EACH_INTEGER(SASUM, cublasSasum_v2)
}
