// cuDNN: the handle, the library's versions and its errors by name.
#include "dnn.h"

namespace softgpu::dnn {

Live<Handle>& handles() {
    static Live<Handle> live(NOT_INITIALIZED);
    return live;
}

void run(const Handle& handle, const std::string& name, Work work) {
    require(enqueue(handle.stream, name, std::move(work)), EXECUTION_FAILED, "the context has failed before");
}

namespace {

struct Named {
    int status;
    const char* name;
};
const Named NAMES[] = {
    {SUCCESS, "CUDNN_STATUS_SUCCESS"},
    {NOT_INITIALIZED, "CUDNN_STATUS_NOT_INITIALIZED"},
    {1002, "CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH"},
    {1003, "CUDNN_STATUS_SERIALIZATION_VERSION_MISMATCH"},
    {1004, "CUDNN_STATUS_DEPRECATED"},
    {1005, "CUDNN_STATUS_LICENSE_ERROR"},
    {1006, "CUDNN_STATUS_RUNTIME_IN_PROGRESS"},
    {1007, "CUDNN_STATUS_RUNTIME_FP_OVERFLOW"},
    {1008, "CUDNN_STATUS_SUBLIBRARY_LOADING_FAILED"},
    {BAD_PARAM, "CUDNN_STATUS_BAD_PARAM"},
    {BAD_PARAM_NULL_POINTER, "CUDNN_STATUS_BAD_PARAM_NULL_POINTER"},
    {2003, "CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER"},
    {2004, "CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED"},
    {2005, "CUDNN_STATUS_BAD_PARAM_OUT_OF_BOUND"},
    {2006, "CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT"},
    {2007, "CUDNN_STATUS_BAD_PARAM_STREAM_MISMATCH"},
    {BAD_PARAM_SHAPE_MISMATCH, "CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH"},
    {2009, "CUDNN_STATUS_BAD_PARAM_DUPLICATED_ENTRIES"},
    {2010, "CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE"},
    {2011, "CUDNN_STATUS_BAD_PARAM_CUDA_GRAPH_MISMATCH"},
    {NOT_SUPPORTED, "CUDNN_STATUS_NOT_SUPPORTED"},
    {3001, "CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN"},
    {NOT_SUPPORTED_SHAPE, "CUDNN_STATUS_NOT_SUPPORTED_SHAPE"},
    {NOT_SUPPORTED_DATA_TYPE, "CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE"},
    {NOT_SUPPORTED_LAYOUT, "CUDNN_STATUS_NOT_SUPPORTED_LAYOUT"},
    {3005, "CUDNN_STATUS_NOT_SUPPORTED_INCOMPATIBLE_CUDA_DRIVER"},
    {3006, "CUDNN_STATUS_NOT_SUPPORTED_INCOMPATIBLE_CUDART"},
    {3007, "CUDNN_STATUS_NOT_SUPPORTED_ARCH_MISMATCH"},
    {3008, "CUDNN_STATUS_NOT_SUPPORTED_RUNTIME_PREREQUISITE_MISSING"},
    {3009, "CUDNN_STATUS_NOT_SUPPORTED_SUBLIBRARY_UNAVAILABLE"},
    {3010, "CUDNN_STATUS_NOT_SUPPORTED_SHARED_MEMORY_INSUFFICIENT"},
    {3011, "CUDNN_STATUS_NOT_SUPPORTED_PADDING"},
    {3012, "CUDNN_STATUS_NOT_SUPPORTED_BAD_LAUNCH_PARAM"},
    {4000, "CUDNN_STATUS_INTERNAL_ERROR"},
    {INTERNAL_ERROR_HOST_ALLOCATION_FAILED, "CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED"},
    {4004, "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"},
    {EXECUTION_FAILED, "CUDNN_STATUS_EXECUTION_FAILED"},
    {5001, "CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER"},
    {5002, "CUDNN_STATUS_EXECUTION_FAILED_CUBLAS"},
    {5003, "CUDNN_STATUS_EXECUTION_FAILED_CUDART"},
};

}  // namespace
}  // namespace softgpu::dnn

using namespace softgpu::dnn;
using softgpu::require;

extern "C" {

int cudnnCreate(Handle** handle) {
    return create(__func__, [&] { give(handle, handles().create()); });
}
int cudnnDestroy(Handle* handle) { return destroy(__func__, handles(), handle); }
int cudnnSetStream(Handle* handle, softgpu::Stream* stream) {
    return softgpu::dnn::call(__func__, [&] { handles().get(handle).stream = stream; });
}
int cudnnGetStream(Handle* handle, softgpu::Stream** stream) {
    return softgpu::dnn::call(__func__, [&] { give(stream, handles().get(handle).stream); });
}
std::size_t cudnnGetVersion() { return 90300; }
std::size_t cudnnGetCudartVersion() { return 12060; }
std::size_t cudnnGetMaxDeviceVersion() { return 900; }
int cudnnGetProperty(int property, int* value) {
    return softgpu::dnn::call(__func__, [&] {
        static const int version[] = {9, 3, 0};
        require(property >= 0 && property < 3, BAD_PARAM, "no such property");
        give(value, version[property]);
    });
}
const char* cudnnGetErrorString(int status) {
    for (const Named& named : NAMES)
        if (named.status == status) return named.name;
    return "CUDNN_UNKNOWN_STATUS";
}
int cudnnGraphVersionCheck() { return 0; }
int cudnnOpsVersionCheck() { return 0; }
int cudnnCnnVersionCheck() { return 0; }
int cudnnAdvVersionCheck() { return 0; }
int cudnnQueryRuntimeError(Handle* handle, int* status, int, void*) {
    return softgpu::dnn::call(__func__, [&] {
        handles().get(handle);
        give(status, 0);
    });
}
}
