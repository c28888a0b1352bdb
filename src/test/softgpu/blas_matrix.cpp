// cuBLAS: products of matrices, and of a matrix with a vector. Column-major; c' = b' a' is the row-major product here.
#include "blas.h"

namespace softgpu::blas {
namespace {

constexpr int R_32F = 0, R_16BF = 14;  // cudaDataType
enum Compute { COMPUTE_32F = 68, COMPUTE_32F_PEDANTIC = 69, COMPUTE_32F_FAST_TF32 = 77 };

struct Operand {
    const float* at;
    std::int64_t pitch, rows, columns, stride;  // as stored; stride from one of a batch to the next
    bool transposed;

    View transposedView(const float* host) const {  // of op(.)', row-major
        return transposed ? View{host, 1, pitch} : View{host, pitch, 1};
    }
};

Operand operand(int transpose, std::int64_t rows, std::int64_t columns, const float* at, std::int64_t pitch,
                std::int64_t stride) {
    require(transpose == N || transpose == T || transpose == C, INVALID_VALUE, "no such operation");
    if (transpose != N) std::swap(rows, columns);
    require(pitch >= std::max<std::int64_t>(1, rows), INVALID_VALUE, "a leading dimension smaller than the rows");
    return {at, pitch, rows, columns, stride, transpose != N};
}

struct Gemm {
    std::int64_t m, n, k;
    Operand a, b;
    float* c;
    std::int64_t pitch, stride, count;
    Scalar alpha, beta;
    bool tf32;

    void operator()(Accessor& memory) const {
        float factor = alpha.value(memory), keep = beta.value(memory);
        std::vector<float> value(m * n);
        for (std::int64_t i = 0; i < count; i++) {
            if (factor != 0 && k != 0) {  // as BLAS has it: otherwise a and b are not read
                const float* left = readMatrix(memory, a.at + i * a.stride, a.rows, a.columns, a.pitch);
                const float* right = readMatrix(memory, b.at + i * b.stride, b.rows, b.columns, b.pitch);
                product(n, m, k, b.transposedView(right), a.transposedView(left), value.data(), m, false, tf32);
            }
            blend(memory, c + i * stride, m, n, pitch, factor, value.data(), keep);
        }
    }
};

void gemm(const Handle& h, const char* function, int ta, int tb, std::int64_t m, std::int64_t n, std::int64_t k,
          const float* alpha, const float* a, std::int64_t lda, std::int64_t strideA, const float* b, std::int64_t ldb,
          std::int64_t strideB, const float* beta, float* c, std::int64_t ldc, std::int64_t strideC, std::int64_t count,
          bool tf32) {
    require(m >= 0 && n >= 0 && k >= 0 && count >= 0, INVALID_VALUE, "a negative size");
    Operand left = operand(ta, m, k, a, lda, strideA), right = operand(tb, k, n, b, ldb, strideB);
    require(ldc >= std::max<std::int64_t>(1, m), INVALID_VALUE, "ldc is smaller than the rows");
    Gemm work{m, n, k, left, right, c, ldc, strideC, count, Scalar(h, alpha), Scalar(h, beta), tf32 && hasTf32()};
    if (m == 0 || n == 0 || count == 0) return;
    std::string sizes = std::string(" m=") + std::to_string(m) + " n=" + std::to_string(n) + " k=" + std::to_string(k);
    run(h, function + sizes + (count == 1 ? "" : " count=" + std::to_string(count)), work);
}

bool allowsTf32(const Handle& h) { return (h.math & ~NO_REDUCED_REDUCTION) == TF32_MATH; }

bool computesTf32(const Handle& h, int type) {
    require(type == COMPUTE_32F || type == COMPUTE_32F_PEDANTIC || type == COMPUTE_32F_FAST_TF32, NOT_SUPPORTED,
            "only float is computed");
    return type == COMPUTE_32F_FAST_TF32 || (type == COMPUTE_32F && allowsTf32(h));
}

// Products of bfloat16 matrices, summed in float, into either type; without gaps, and never on top of c.
struct HalfGemm {
    std::int64_t m, n, k;
    Operand a, b;
    void* c;
    bool narrow;
    Scalar alpha, beta;

    static std::vector<float> widened(Accessor& memory, const Operand& o) {
        std::vector<float> out(o.rows * o.columns);
        const auto* from = read(memory, reinterpret_cast<const std::uint16_t*>(o.at), out.size());
        std::transform(from, from + out.size(), out.begin(), fromBf16);
        return out;
    }

    void operator()(Accessor& memory) const {
        require(alpha.value(memory) == 1 && beta.value(memory) == 0, NOT_SUPPORTED, "only c = a b");
        std::vector<float> left = widened(memory, a), right = widened(memory, b), value(m * n);
        product(n, m, k, b.transposedView(right.data()), a.transposedView(left.data()), value.data(), m, false, false);
        if (narrow) {
            std::transform(value.begin(), value.end(), write(memory, static_cast<std::uint16_t*>(c), m * n), toBf16);
        } else {
            std::copy(value.begin(), value.end(), write(memory, static_cast<float*>(c), m * n));
        }
    }
};

void halfGemm(const Handle& h, const char* function, int ta, int tb, std::int64_t m, std::int64_t n, std::int64_t k,
              const float* alpha, const float* a, std::int64_t lda, const float* b, std::int64_t ldb, const float* beta,
              void* c, int typeC, std::int64_t ldc) {
    require(hasTf32(), NOT_SUPPORTED, "bfloat16 from compute capability 8.0 on");
    require(typeC == R_32F || typeC == R_16BF, NOT_SUPPORTED, "c is float or bfloat16");
    require(m > 0 && n > 0 && k > 0, INVALID_VALUE, "nothing to multiply");
    Operand left = operand(ta, m, k, a, lda, 0), right = operand(tb, k, n, b, ldb, 0);
    require(left.rows == lda && right.rows == ldb && ldc == m, NOT_SUPPORTED, "only matrices without gaps");
    run(h, function, HalfGemm{m, n, k, left, right, c, typeC == R_16BF, Scalar(h, alpha), Scalar(h, beta)});
}

bool bothHalf(int a, int b, int c) {
    if (a == R_16BF && b == R_16BF) return true;
    require(a == R_32F && b == R_32F && c == R_32F, NOT_SUPPORTED, "float matrices, or bfloat16 ones");
    return false;
}

void geam(const Handle& h, const char* function, int ta, int tb, std::int64_t m, std::int64_t n, const float* alpha,
          const float* a, std::int64_t lda, const float* beta, const float* b, std::int64_t ldb, float* c,
          std::int64_t ldc) {
    require(m >= 0 && n >= 0, INVALID_VALUE, "a negative size");
    Operand left = operand(ta, m, n, a, lda, 0), right = operand(tb, m, n, b, ldb, 0);
    require(ldc >= std::max<std::int64_t>(1, m), INVALID_VALUE, "ldc is smaller than the rows");
    require((c != a || (ta == N && lda == ldc)) && (c != b || (tb == N && ldb == ldc)), INVALID_VALUE,
            "in place only without transposition and with equal leading dimensions");
    Scalar factorA(h, alpha), factorB(h, beta);
    if (m == 0 || n == 0) return;
    run(h, function, [=](Accessor& memory) {
        std::vector<float> sum(m * n, 0.0f);
        auto add = [&](const Operand& from, float factor) {
            if (factor == 0) return;
            View view = from.transposedView(readMatrix(memory, from.at, from.rows, from.columns, from.pitch));
            for (std::int64_t j = 0; j < n; j++)
                for (std::int64_t i = 0; i < m; i++) sum[j * m + i] += factor * view.at[j * view.row + i * view.column];
        };
        add(left, factorA.value(memory));
        add(right, factorB.value(memory));
        blend(memory, c, m, n, ldc, 1, sum.data(), 0);
    });
}

// A vector with increment i is a row of a matrix with pitch i.
void gemv(const Handle& h, const char* function, int transpose, std::int64_t m, std::int64_t n, const float* alpha,
          const float* a, std::int64_t lda, const float* x, std::int64_t incx, const float* beta, float* y,
          std::int64_t incy) {
    require(m >= 0 && n >= 0 && incx != 0 && incy != 0, INVALID_VALUE, "a negative size or no increment");
    require(incx > 0 && incy > 0, NOT_SUPPORTED, "only positive increments");
    Operand matrix = operand(transpose, transpose == N ? m : n, transpose == N ? n : m, a, lda, 0);
    Scalar factor(h, alpha), keep(h, beta);
    std::int64_t rows = transpose == N ? m : n, columns = transpose == N ? n : m;
    if (m == 0 || n == 0) return;
    run(h, function, [=](Accessor& memory) {
        std::vector<float> value(rows);
        float scale = factor.value(memory), old = keep.value(memory);
        if (scale != 0) {
            const float* host = readMatrix(memory, a, m, n, lda);
            const float* vector = readMatrix(memory, x, 1, columns, incx);
            View view = matrix.transposedView(host);
            product(rows, 1, columns, {view.at, view.column, view.row}, {vector, incx, 1}, value.data(), 1, false,
                    false);
        }
        blend(memory, y, 1, rows, incy, scale, value.data(), old);
    });
}

}  // namespace
}  // namespace softgpu::blas

using namespace softgpu::blas;

// Each function exists for 32-bit and 64-bit sizes.
#define FOR_EACH_INTEGER(FUNCTION, NAME) FUNCTION(NAME, int) FUNCTION(NAME##_64, std::int64_t)

#define SGEMM(NAME, INT)                                                                                               \
    int NAME(Handle* h, int ta, int tb, INT m, INT n, INT k, const float* alpha, const float* a, INT lda,              \
             const float* b, INT ldb, const float* beta, float* c, INT ldc) {                                          \
        return softgpu::blas::call(__func__, [&] {                                                                     \
            Handle& handle = handles().get(h);                                                                         \
            gemm(handle, #NAME, ta, tb, m, n, k, alpha, a, lda, 0, b, ldb, 0, beta, c, ldc, 0, 1, allowsTf32(handle)); \
        });                                                                                                            \
    }
#define SGEMM_STRIDED(NAME, INT)                                                                                      \
    int NAME(Handle* h, int ta, int tb, INT m, INT n, INT k, const float* alpha, const float* a, INT lda,             \
             long long sa, const float* b, INT ldb, long long sb, const float* beta, float* c, INT ldc, long long sc, \
             INT count) {                                                                                             \
        return softgpu::blas::call(__func__, [&] {                                                                    \
            Handle& handle = handles().get(h);                                                                        \
            gemm(handle, #NAME, ta, tb, m, n, k, alpha, a, lda, sa, b, ldb, sb, beta, c, ldc, sc, count,              \
                 allowsTf32(handle));                                                                                 \
        });                                                                                                           \
    }
#define GEMM_EX(NAME, INT)                                                                                             \
    int NAME(Handle* h, int ta, int tb, INT m, INT n, INT k, const void* alpha, const void* a, int typeA, INT lda,     \
             const void* b, int typeB, INT ldb, const void* beta, void* c, int typeC, INT ldc, int compute, int) {     \
        return softgpu::blas::call(__func__, [&] {                                                                     \
            Handle& handle = handles().get(h);                                                                         \
            auto by = static_cast<const float*>(alpha), keep = static_cast<const float*>(beta);                        \
            auto left = static_cast<const float*>(a), right = static_cast<const float*>(b);                            \
            bool tf32 = computesTf32(handle, compute);                                                                 \
            if (bothHalf(typeA, typeB, typeC)) {                                                                       \
                halfGemm(handle, #NAME, ta, tb, m, n, k, by, left, lda, right, ldb, keep, c, typeC, ldc);              \
            } else {                                                                                                   \
                gemm(handle, #NAME, ta, tb, m, n, k, by, left, lda, 0, right, ldb, 0, keep, static_cast<float*>(c), ldc,\
                     0, 1, tf32);                                                                                      \
            }                                                                                                          \
        });                                                                                                            \
    }
#define SGEAM(NAME, INT)                                                                                              \
    int NAME(Handle* h, int ta, int tb, INT m, INT n, const float* alpha, const float* a, INT lda, const float* beta, \
             const float* b, INT ldb, float* c, INT ldc) {                                                            \
        return softgpu::blas::call(                                                                                   \
            __func__, [&] { geam(handles().get(h), #NAME, ta, tb, m, n, alpha, a, lda, beta, b, ldb, c, ldc); });     \
    }
#define SGEMV(NAME, INT)                                                                                            \
    int NAME(Handle* h, int t, INT m, INT n, const float* alpha, const float* a, INT lda, const float* x, INT incx, \
             const float* beta, float* y, INT incy) {                                                               \
        return softgpu::blas::call(                                                                                 \
            __func__, [&] { gemv(handles().get(h), #NAME, t, m, n, alpha, a, lda, x, incx, beta, y, incy); });      \
    }

extern "C" {
FOR_EACH_INTEGER(SGEMM, cublasSgemm_v2)
FOR_EACH_INTEGER(SGEMM_STRIDED, cublasSgemmStridedBatched)
FOR_EACH_INTEGER(GEMM_EX, cublasGemmEx)
FOR_EACH_INTEGER(SGEAM, cublasSgeam)
FOR_EACH_INTEGER(SGEMV, cublasSgemv_v2)
}
