// cuBLAS against naive loops: transpositions, leading dimensions, batches, scalars on either side, refusals.
#include <cstdlib>

#include "test_libs.h"

using namespace test;

extern "C" {
int cublasCreate_v2(Any*);
int cublasDestroy_v2(Any);
int cublasSetStream_v2(Any, CUstream);
int cublasSetWorkspace_v2(Any, void*, std::size_t);
int cublasSetMathMode(Any, int);
int cublasSetPointerMode_v2(Any, int);
int cublasGetVersion_v2(Any, int*);
const char* cublasGetStatusName(int);
int cublasSgemm_v2(Any, int, int, int, int, int, const float*, const float*, int, const float*, int, const float*,
                   float*, int);
int cublasSgemm_v2_64(Any, int, int, long, long, long, const float*, const float*, long, const float*, long,
                      const float*, float*, long);
int cublasSgemmStridedBatched(Any, int, int, int, int, int, const float*, const float*, int, long long, const float*,
                              int, long long, const float*, float*, int, long long, int);
int cublasGemmEx(Any, int, int, int, int, int, const void*, const void*, int, int, const void*, int, int, const void*,
                 void*, int, int, int, int);
int cublasSgeam(Any, int, int, int, int, const float*, const float*, int, const float*, const float*, int, float*, int);
int cublasSgemv_v2(Any, int, int, int, const float*, const float*, int, const float*, int, const float*, float*, int);
int cublasSaxpy_v2(Any, int, const float*, const float*, int, float*, int);
int cublasSscal_v2(Any, int, const float*, float*, int);
int cublasScopy_v2(Any, int, const float*, int, float*, int);
int cublasSdot_v2(Any, int, const float*, int, const float*, int, float*);
int cublasSnrm2_v2(Any, int, const float*, int, float*);
int cublasSasum_v2(Any, int, const float*, int, float*);
int cublasDgemm_v2();
}

namespace {

struct Blas {
    Any handle = nullptr;
    Blas() { ok(cublasCreate_v2(&handle), "create"); }
    ~Blas() { ok(cublasDestroy_v2(handle), "destroy"); }
    operator Any() const { return handle; }
};

// Column-major with a leading dimension; what lies between columns is uninitialised on the device.
struct Matrix {
    int rows, columns, pitch;
    Floats host;
    Device device;
    Matrix(int rows, int columns, int pitch, unsigned seed)
        : rows(rows),
          columns(columns),
          pitch(pitch),
          host(random(std::size_t(pitch) * columns, seed)),
          device(host.size()) {
        for (int j = 0; j < columns; j++)
            upload(device + j * pitch, &host[j * pitch], rows);
    }
    double at(int i, int j, bool transposed) const { return transposed ? host[j + i * pitch] : host[i + j * pitch]; }
    Floats get() const {
        Floats packed(rows * columns);
        ok(cuCtxSynchronize(), "synchronise");
        for (int j = 0; j < columns; j++)
            ok(cuMemcpyDtoH(&packed[j * rows], CUdeviceptr(device + j * pitch), rows * 4), "column");
        return packed;
    }
};

std::vector<double> product(const Matrix& a, bool ta, const Matrix& b, bool tb, const Matrix& c, int k, double alpha,
                            double beta) {
    std::vector<double> expected;
    for (int j = 0; j < c.columns; j++)
        for (int i = 0; i < c.rows; i++) {
            double sum = 0;
            for (int l = 0; l < k; l++) sum += a.at(i, l, ta) * b.at(l, j, tb);
            expected.push_back(alpha * sum + (beta == 0 ? 0 : beta * c.at(i, j, false)));
        }
    return expected;
}

float one = 1, zero = 0;

}  // namespace

CASE("sgemm equals naive loops, in all transpositions, with gaps between columns") {
    Blas h;
    for (int form = 0; form < 4; form++)
        for (int size = 0; size < 3; size++) {
            int m = size == 0   ? 7
                    : size == 1 ? 33
                                : 130,
                n = size == 0   ? 5
                    : size == 1 ? 17
                                : 70,
                k = size == 2 ? 301 : 13;
            bool ta = form & 1, tb = form & 2;
            Matrix a(ta ? k : m, ta ? m : k, (ta ? k : m) + 3, 1), b(tb ? n : k, tb ? k : n, (tb ? n : k) + size, 2);
            Matrix c(m, n, m + 2, 3);
            float alpha = 1.5f, beta = -0.5f;
            auto expected = product(a, ta, b, tb, c, k, alpha, beta);
            ok(cublasSgemm_v2(h, ta, tb, m, n, k, &alpha, a.device, a.pitch, b.device, b.pitch, &beta, c.device,
                              c.pitch),
               "sgemm");
            close(c.get(), expected, 1e-4, "c");
            ok(cublasSgemm_v2_64(h, ta, tb, m, n, k, &one, a.device, a.pitch, b.device, b.pitch, &zero, c.device,
                                 c.pitch),
               "sgemm_64");
            close(c.get(), product(a, ta, b, tb, c, k, 1, 0), 1e-4, "c of the 64-bit call");
        }
}

CASE("beta == 0 does not read c, alpha == 0 does not read a and b") {
    Blas h;
    Matrix a(4, 6, 4, 1), b(6, 5, 6, 2);
    Device c(20), nothing(100);
    ok(cublasSgemm_v2(h, 0, 0, 4, 5, 6, &one, a.device, 4, b.device, 6, &zero, c, 4), "into uninitialised memory");
    std::vector<double> expected;
    for (int j = 0; j < 5; j++)
        for (int i = 0; i < 4; i++) {
            double sum = 0;
            for (int l = 0; l < 6; l++) sum += a.at(i, l, false) * b.at(l, j, false);
            expected.push_back(sum);
        }
    close(c.get(), expected, 1e-5, "c");
    float two = 2;
    ok(cublasSgemm_v2(h, 0, 0, 4, 5, 6, &zero, nothing, 4, nothing, 6, &two, c, 4), "alpha == 0");
    for (double& e : expected) e *= 2;
    close(c.get(), expected, 1e-5, "2 c");
}

CASE("strided batches and GemmEx agree with sgemm bit for bit") {
    Blas h;
    Floats a = random(3 * 35, 1), b = random(3 * 63, 2);
    Device da(a), db(b), c(3 * 45), each(3 * 45), ex(45);
    ok(cublasSgemmStridedBatched(h, 0, 1, 5, 9, 7, &one, da, 5, 35, db, 9, 63, &zero, c, 5, 45, 3), "batched");
    for (int i = 0; i < 3; i++)
        ok(cublasSgemm_v2(h, 0, 1, 5, 9, 7, &one, da + 35 * i, 5, db + 63 * i, 9, &zero, each + 45 * i, 5), "one");
    isTrue(c.get() == each.get(), "batched differs from single calls");
    ok(cublasGemmEx(h, 0, 1, 5, 9, 7, &one, da, 0, 5, db, 0, 9, &zero, ex, 0, 5, 68, -1), "GemmEx");
    Floats first = each.get();
    first.resize(45);
    isTrue(ex.get() == first, "GemmEx differs from sgemm");
    equals(cublasGemmEx(h, 0, 1, 5, 9, 7, &one, da, 2, 5, db, 2, 9, &zero, ex, 2, 5, 68, -1), 15, "half precision");
}

CASE("scalars on the device are read when the work runs, not at the call") {
    Blas h;
    Device x(Floats{1, 2, 3}), y(Floats{10, 20, 30}), alpha(Floats{5});
    CUstream stream;
    ok(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), "stream");
    ok(cublasSetStream_v2(h, stream), "set stream");
    ok(cublasSetPointerMode_v2(h, 1), "pointer mode");
    ok(cuMemsetD32Async(CUdeviceptr((float*)alpha), 0x40000000, 1, stream), "alpha = 2");
    ok(cublasSaxpy_v2(h, 3, alpha, x, 1, y, 1), "axpy");
    ok(cuStreamSynchronize(stream), "wait");
    close(y.get(), {12, 24, 36}, 0, "y");
    ok(cuStreamDestroy(stream), "destroy stream");
    ok(cublasSetPointerMode_v2(h, 0), "pointer mode");
    equals(cublasSaxpy_v2(h, 3, alpha, x, 1, y, 1), 7, "a device scalar in host mode");
}

CASE("vector functions, with increments") {
    Blas h;
    Floats x = random(30, 1), y = random(45, 2);
    Device dx(x), dy(y), result(1);
    float value = 0, alpha = -1.25f;
    double dot = 0, norm = 0, sum = 0;
    std::vector<double> axpy(y.begin(), y.end()), scaled(x.begin(), x.end());
    for (int i = 0; i < 15; i++) {
        dot += double(x[2 * i]) * y[3 * i], norm += double(x[2 * i]) * x[2 * i], sum += std::fabs(x[2 * i]);
        axpy[3 * i] += alpha * double(x[2 * i]), scaled[2 * i] *= alpha;
    }
    ok(cublasSdot_v2(h, 15, dx, 2, dy, 3, &value), "dot");
    close({value}, {dot}, 1e-6, "dot");
    ok(cublasSnrm2_v2(h, 15, dx, 2, &value), "nrm2");
    close({value}, {std::sqrt(norm)}, 1e-6, "nrm2");
    ok(cublasSetPointerMode_v2(h, 1), "pointer mode");
    ok(cublasSasum_v2(h, 15, dx, 2, result), "asum");
    close(result.get(), {sum}, 1e-6, "asum");
    ok(cublasSetPointerMode_v2(h, 0), "pointer mode");
    ok(cublasSaxpy_v2(h, 15, &alpha, dx, 2, dy, 3), "axpy");
    close(dy.get(), axpy, 1e-6, "axpy");
    ok(cublasSscal_v2(h, 15, &alpha, dx, 2), "scal");
    close(dx.get(), scaled, 1e-6, "scal");
    ok(cublasScopy_v2(h, 15, dx, 2, dy, 3), "copy");
    for (int i = 0; i < 15; i++) axpy[3 * i] = scaled[2 * i];
    close(dy.get(), axpy, 1e-6, "copy");
}

CASE("geam and gemv equal naive loops") {
    Blas h;
    Matrix a(6, 4, 8, 1), b(4, 6, 5, 2);
    Device c(24);
    float alpha = 2, beta = 0.5f;
    ok(cublasSgeam(h, 0, 1, 6, 4, &alpha, a.device, 8, &beta, b.device, 5, c, 6), "geam");
    std::vector<double> expected;
    for (int j = 0; j < 4; j++)
        for (int i = 0; i < 6; i++) expected.push_back(2 * a.at(i, j, false) + 0.5 * b.at(i, j, true));
    close(c.get(), expected, 1e-6, "geam");
    for (bool t : {false, true}) {
        int rows = t ? 4 : 6, columns = t ? 6 : 4;
        Floats x = random(columns * 2, 5), y = random(rows * 3, 6);
        Device dx(x), dy(y);
        std::vector<double> want(y.begin(), y.end());
        for (int i = 0; i < rows; i++) {
            double sum = 0;
            for (int j = 0; j < columns; j++) sum += a.at(i, j, t) * x[2 * j];
            want[3 * i] = 2 * sum + 0.5 * y[3 * i];
        }
        ok(cublasSgemv_v2(h, t, 6, 4, &alpha, a.device, 8, dx, 2, &beta, dy, 3), "gemv");
        close(dy.get(), want, 1e-5, "gemv");
    }
}

CASE("TF32 rounds operands to 10 mantissa bits, only where asked for and where the device has it") {
    Blas h;
    float x = 1 + 1.0f / 4096, y = 1 + 3.0f / 2048;  // ties away and up: 1, 1 + 2/1024
    Device a(Floats{x}), b(Floats{y}), c(1);
    auto multiply = [&] {
        ok(cublasSgemm_v2(h, 0, 0, 1, 1, 1, &one, a, 1, b, 1, &zero, c, 1), "sgemm");
        return c.get()[0];
    };
    setenv("BASIN_SOFTGPU_CC", "75", 1);
    ok(cublasSetMathMode(h, 3), "TF32");
    close({multiply()}, {double(x) * y}, 1e-7, "7.5 has no TF32");
    setenv("BASIN_SOFTGPU_CC", "80", 1);
    close({multiply()}, {1 + 2.0 / 1024}, 0, "8.0 with TF32");
    ok(cublasSetMathMode(h, 0), "default");
    close({multiply()}, {double(x) * y}, 1e-7, "8.0 without TF32");
    unsetenv("BASIN_SOFTGPU_CC");
}

CASE("wrong arguments get cuBLAS's own codes") {
    Blas h;
    Device a(100);
    int version = 0;
    equals(cublasSgemm_v2(h, 0, 0, 4, 4, 4, &one, a, 3, a, 4, &zero, a, 4), 7, "lda < m");
    equals(cublasSgemm_v2(h, 0, 0, 4, 4, 5, &one, a, 4, a, 4, &zero, a, 4), 7, "ldb < k");
    equals(cublasSgemm_v2(h, 0, 0, 4, 4, 4, &one, a, 4, a, 4, &zero, a, 3), 7, "ldc < m");
    equals(cublasSgemm_v2(h, 0, 0, -1, 4, 4, &one, a, 4, a, 4, &zero, a, 4), 7, "m < 0");
    equals(cublasSgemm_v2(h, 9, 0, 4, 4, 4, &one, a, 4, a, 4, &zero, a, 4), 7, "no such operation");
    equals(cublasSgemm_v2(h, 0, 0, 4, 4, 4, nullptr, a, 4, a, 4, &zero, a, 4), 7, "no alpha");
    equals(cublasSgemm_v2(nullptr, 0, 0, 4, 4, 4, &one, a, 4, a, 4, &zero, a, 4), 1, "no handle");
    equals(cublasSetMathMode(h, 77), 7, "no such mode");
    equals(cublasDgemm_v2(), 15, "a stub");
    ok(cublasGetVersion_v2(h, &version), "version");
    equals(version, 120600, "version");
    isTrue(std::string(cublasGetStatusName(7)) == "CUBLAS_STATUS_INVALID_VALUE", "a status by name");
}

CASE("a workspace is set before capture, and never inside") {
    Blas h;
    CUstream stream;
    CUgraph graph;
    CUgraphExec exec;
    Device x(Floats{1, 2, 3}), workspace(1024);
    float two = 2, value;
    ok(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), "stream");
    ok(cublasSetStream_v2(h, stream), "set stream");
    equals(cublasSetWorkspace_v2(h, workspace + 1, 1024), 7, "not aligned to 256");
    equals(cublasSetWorkspace_v2(h, workspace, 1 << 20), 7, "more than there is");
    ok(cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_GLOBAL), "begin");
    equals(cublasSscal_v2(h, 3, &two, x, 1), 15, "captured without a workspace");
    equals(cublasSetWorkspace_v2(h, workspace, 4096), 15, "set inside a capture");
    ok(cuStreamEndCapture(stream, &graph), "end");
    ok(cuGraphDestroy(graph), "destroy");
    ok(cublasSetWorkspace_v2(h, workspace, 4096), "set before");
    ok(cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_GLOBAL), "begin");
    ok(cublasSscal_v2(h, 3, &two, x, 1), "captured");
    equals(cublasSnrm2_v2(h, 3, x, 1, &value), 13, "a result on the host");
    ok(cuStreamEndCapture(stream, &graph), "end");
    close(x.get(), {1, 2, 3}, 0, "nothing ran while capturing");
    ok(cuGraphInstantiate(&exec, graph, 0), "instantiate");
    two = 100;  // frozen in the graph
    for (int i = 0; i < 3; i++) ok(cuGraphLaunch(exec, stream), "launch");
    ok(cuStreamSynchronize(stream), "wait");
    close(x.get(), {8, 16, 24}, 0, "three replays");
    ok(cuGraphExecDestroy(exec), "destroy"), ok(cuGraphDestroy(graph), "destroy"),
        ok(cuStreamDestroy(stream), "destroy");
}
