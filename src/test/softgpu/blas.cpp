// cuBLAS: handles, modes and names.
#include "blas.h"

extern "C" int cuStreamSynchronize(softgpu::Stream*);

namespace softgpu::blas {

Live<Handle>& handles() {
    static Live<Handle> live(NOT_INITIALIZED);
    return live;
}

Scalar::Scalar(const Handle& handle, const float* at) {
    require(at != nullptr, INVALID_VALUE, "a scalar's address is null");
    if (handle.onDevice) {
        device_ = at;
    } else {
        require(!valid(reinterpret_cast<Address>(at), 1), INVALID_VALUE,
                "a scalar on the device while the pointer mode says host");
        host_ = *at;
    }
}

void run(const Handle& handle, const std::string& name, Work work) {
    require(!capturing(handle.stream) || handle.workspace != nullptr, NOT_SUPPORTED,
            "capturing without a workspace set before: cuBLAS would allocate inside the graph");
    void* workspace = handle.workspace;
    std::size_t bytes = std::min<std::size_t>(handle.workspaceBytes, 65536);
    bool queued = enqueue(handle.stream, name, [=](Accessor& memory) {
        scribble(memory, workspace, bytes);
        work(memory);
    });
    require(queued, EXECUTION_FAILED, "the context has failed before");
}

void runFor(const Handle& handle, const std::string& name, float* result, std::function<float(Accessor&)> work) {
    require(result != nullptr, INVALID_VALUE, "the result's address is null");
    if (handle.onDevice) {
        run(handle, name, [=](Accessor& memory) { *write(memory, result, 1) = work(memory); });
        return;
    }
    require(!capturing(handle.stream), EXECUTION_FAILED, "a result on the host waits, which capturing forbids");
    auto value = std::make_shared<float>();
    run(handle, name, [=](Accessor& memory) { *value = work(memory); });
    require(cuStreamSynchronize(handle.stream) == 0, EXECUTION_FAILED, "waiting for the result failed");
    *result = *value;
}

const float* readMatrix(Accessor& memory, const float* at, std::int64_t rows, std::int64_t columns,
                        std::int64_t pitch) {
    if (rows == 0 || columns == 0) return nullptr;
    if (rows == pitch) return read(memory, at, rows * columns);
    const float* first = read(memory, at, rows);
    for (std::int64_t j = 1; j < columns; j++) read(memory, at + j * pitch, rows);
    return first;
}

void blend(Accessor& memory, float* c, std::int64_t rows, std::int64_t columns, std::int64_t pitch, float alpha,
           const float* value, float beta) {
    bool whole = rows == pitch;
    std::int64_t run = whole ? rows * columns : rows;
    for (std::int64_t j = 0; j < (whole ? 1 : columns); j++, value += run, c += pitch) {
        float* to = beta == 0 ? write(memory, c, run) : update(memory, c, run);
        for (std::int64_t i = 0; i < run; i++) to[i] = beta == 0 ? alpha * value[i] : alpha * value[i] + beta * to[i];
    }
}

namespace {

const char* name(int status) {
    switch (status) {
        case SUCCESS: return "CUBLAS_STATUS_SUCCESS";
        case NOT_INITIALIZED: return "CUBLAS_STATUS_NOT_INITIALIZED";
        case ALLOC_FAILED: return "CUBLAS_STATUS_ALLOC_FAILED";
        case INVALID_VALUE: return "CUBLAS_STATUS_INVALID_VALUE";
        case 8: return "CUBLAS_STATUS_ARCH_MISMATCH";
        case 11: return "CUBLAS_STATUS_MAPPING_ERROR";
        case EXECUTION_FAILED: return "CUBLAS_STATUS_EXECUTION_FAILED";
        case INTERNAL_ERROR: return "CUBLAS_STATUS_INTERNAL_ERROR";
        case NOT_SUPPORTED: return "CUBLAS_STATUS_NOT_SUPPORTED";
        case 16: return "CUBLAS_STATUS_LICENSE_ERROR";
        default: return "unknown cuBLAS status";
    }
}

template <class To, class From>
void give(To* to, From value) {
    require(to != nullptr, INVALID_VALUE, "the result's address is null");
    *to = value;
}

}  // namespace
}  // namespace softgpu::blas

using namespace softgpu::blas;
using softgpu::require;

extern "C" {

int cublasCreate_v2(Handle** handle) {
    return softgpu::call("cublas", __func__, ALLOC_FAILED, [&] {
        require(handle != nullptr, INVALID_VALUE, "the handle's address is null");
        require(!softgpu::capturing(nullptr), NOT_INITIALIZED, "created while the default stream captures");
        *handle = handles().create();
    });
}
// What gives something back never fails by injection: the caller could not try again.
int cublasDestroy_v2(Handle* handle) {
    softgpu::count(__func__);
    try {
        handles().destroy(handle);
        return SUCCESS;
    } catch (const softgpu::Refusal& refusal) {
        return refusal.status;
    }
}
int cublasSetStream_v2(Handle* handle, softgpu::Stream* stream) {
    return softgpu::blas::call(__func__, [&] {
        Handle& h = handles().get(handle);
        h.stream = stream;
        h.workspace = nullptr;  // as the documentation says: back to the default pool
        h.workspaceBytes = 0;
    });
}
int cublasGetStream_v2(Handle* handle, softgpu::Stream** stream) {
    return softgpu::blas::call(__func__, [&] { give(stream, handles().get(handle).stream); });
}
int cublasSetWorkspace_v2(Handle* handle, void* workspace, std::size_t bytes) {
    return softgpu::blas::call(__func__, [&] {
        Handle& h = handles().get(handle);
        auto at = reinterpret_cast<softgpu::Address>(workspace);
        require(!softgpu::capturing(h.stream), NOT_SUPPORTED, "a workspace is set before capturing, not inside");
        require(at % 256 == 0, INVALID_VALUE, "a workspace is aligned to 256 bytes");
        require(workspace == nullptr || softgpu::valid(at, bytes), INVALID_VALUE, "not so much device memory there");
        h.workspace = workspace;
        h.workspaceBytes = workspace == nullptr ? 0 : bytes;
    });
}
int cublasSetMathMode(Handle* handle, int mode) {
    return softgpu::blas::call(__func__, [&] {
        int base = mode & ~NO_REDUCED_REDUCTION;
        require(base >= DEFAULT_MATH && base <= TF32_MATH, INVALID_VALUE, "no such math mode");
        handles().get(handle).math = mode;
    });
}
int cublasGetMathMode(Handle* handle, int* mode) {
    return softgpu::blas::call(__func__, [&] { give(mode, handles().get(handle).math); });
}
int cublasSetPointerMode_v2(Handle* handle, int mode) {
    return softgpu::blas::call(__func__, [&] {
        require(mode == 0 || mode == 1, INVALID_VALUE, "no such pointer mode");
        handles().get(handle).onDevice = mode == 1;
    });
}
int cublasGetPointerMode_v2(Handle* handle, int* mode) {
    return softgpu::blas::call(__func__, [&] { give(mode, handles().get(handle).onDevice ? 1 : 0); });
}
int cublasSetAtomicsMode(Handle* handle, int mode) {
    return softgpu::blas::call(__func__, [&] {
        require(mode == 0 || mode == 1, INVALID_VALUE, "no such atomics mode");
        handles().get(handle).atomics = mode;
    });
}
int cublasGetAtomicsMode(Handle* handle, int* mode) {
    return softgpu::blas::call(__func__, [&] { give(mode, handles().get(handle).atomics); });
}
int cublasGetVersion_v2(Handle* handle, int* version) {
    return softgpu::blas::call(__func__, [&] {
        if (handle != nullptr) handles().get(handle);
        give(version, 120600);
    });
}
int cublasGetProperty(int property, int* value) {
    return softgpu::blas::call(__func__, [&] {
        static const int version[] = {12, 6, 0};
        require(property >= 0 && property < 3, INVALID_VALUE, "no such property");
        give(value, version[property]);
    });
}
std::size_t cublasGetCudartVersion() { return 12060; }
const char* cublasGetStatusName(int status) { return name(status); }
const char* cublasGetStatusString(int status) {
    switch (status) {
        case SUCCESS: return "success";
        case NOT_INITIALIZED: return "the library was not initialized";
        case ALLOC_FAILED: return "the resource allocation failed";
        case INVALID_VALUE: return "an unsupported value or parameter was passed to the function";
        case EXECUTION_FAILED: return "the function failed to launch on the GPU";
        case INTERNAL_ERROR: return "an internal operation failed";
        case NOT_SUPPORTED: return "the requested functionality is not supported";
        default: return name(status);
    }
}
}
