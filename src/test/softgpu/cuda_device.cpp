// libcuda.so.1: initialisation, the device and its attributes, contexts, names of errors.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

#include "driver.h"

namespace softgpu {

void releaseMemory(Context& context, std::int64_t& leaks);  // cuda_memory.cpp

namespace {

bool initialised = false;
constexpr int maxDevices = 8;

// They share one memory: a program that mixes their addresses up goes unnoticed.
struct Primary {
    Context* context = nullptr;
    int retained = 0;
    unsigned flags = 0;
} primaries[maxDevices];

thread_local std::vector<Context*> stack;

void requireDevice(CUdevice device) {
    if (device < 0 || device >= devices()) throw Failure{CUDA_ERROR_INVALID_DEVICE};
}

Context& made(CUdevice device, unsigned flags) {
    Context& context = create<Context>(nullptr);
    context.device = device;
    context.flags = flags;
    return context;
}

template <class T> void bury(Context& context, std::int64_t& leaks, void (*clear)(T&)) {
    for (auto& [address, handle] : all<T>()) {
        if (handle->owner != &context || !handle->alive) continue;
        handle->alive = false;
        leaks++;
        clear(*handle);
    }
}

// Everything queued runs, as it would have on hardware; what the program did not give back is counted as leaked.
void destroy(Context& context) {
    guarded([] { finishAll(); });
    std::int64_t handles = 0, memory = 0;
    bury<Stream>(context, handles, [](Stream& s) { closeStream(s); });
    bury<Event>(context, handles, [](Event& e) { e.job = nullptr; });
    bury<Exec>(context, handles, [](Exec& e) { e.plan = nullptr; });
    bury<Graph>(context, handles, [](Graph& g) { g.nodes.clear(); });
    bury<Module>(context, handles, [](Module& m) { m.image = nullptr; });
    releaseMemory(context, memory);
    bump("leaks", handles + memory);
    if (handles + memory)
        std::fprintf(stderr, "softgpu: a context was destroyed with %lld allocations and %lld other handles alive\n",
                     (long long)memory, (long long)handles);
    context.alive = false;
}

const auto& attributes = *new std::map<int, int>{
    {CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK, 1024},
    {CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X, 1024},
    {CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y, 1024},
    {CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z, 64},
    {CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X, 2147483647},
    {CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y, 65535},
    {CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z, 65535},
    {CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK, int(ptx::maxSharedBytes)},
    {CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, int(ptx::maxSharedBytesOptin)},
    {CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR, 64 * 1024},
    {CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK, 0},
    {CU_DEVICE_ATTRIBUTE_TOTAL_CONSTANT_MEMORY, 64 * 1024},
    {CU_DEVICE_ATTRIBUTE_WARP_SIZE, 32},
    {CU_DEVICE_ATTRIBUTE_MAX_PITCH, 2147483647},
    {CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK, 65536},
    {CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR, 65536},
    {CU_DEVICE_ATTRIBUTE_CLOCK_RATE, 0},  // it has no clock: nothing it does has a GPU's time
    {CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE, 0},
    {CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH, 0},
    {CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE, 0},
    {CU_DEVICE_ATTRIBUTE_TEXTURE_ALIGNMENT, 512},
    {CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 32},
    {CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR, 1024},
    {CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR, 16},
    {CU_DEVICE_ATTRIBUTE_KERNEL_EXEC_TIMEOUT, 0},
    {CU_DEVICE_ATTRIBUTE_INTEGRATED, 0},
    {CU_DEVICE_ATTRIBUTE_CAN_MAP_HOST_MEMORY, 0},
    {CU_DEVICE_ATTRIBUTE_COMPUTE_MODE, CU_COMPUTEMODE_DEFAULT},
    {CU_DEVICE_ATTRIBUTE_CONCURRENT_KERNELS, 1},
    {CU_DEVICE_ATTRIBUTE_ECC_ENABLED, 0},
    {CU_DEVICE_ATTRIBUTE_PCI_BUS_ID, 0},
    {CU_DEVICE_ATTRIBUTE_PCI_DEVICE_ID, 0},
    {CU_DEVICE_ATTRIBUTE_PCI_DOMAIN_ID, 0},
    {CU_DEVICE_ATTRIBUTE_ASYNC_ENGINE_COUNT, 2},
    {CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING, 1},
    {CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, capability() / 10},
    {CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, capability() % 10},
    {CU_DEVICE_ATTRIBUTE_STREAM_PRIORITIES_SUPPORTED, 1},
    {CU_DEVICE_ATTRIBUTE_GLOBAL_L1_CACHE_SUPPORTED, 1},
    {CU_DEVICE_ATTRIBUTE_LOCAL_L1_CACHE_SUPPORTED, 1},
    {CU_DEVICE_ATTRIBUTE_MANAGED_MEMORY, 0},
    {CU_DEVICE_ATTRIBUTE_CONCURRENT_MANAGED_ACCESS, 0},
    {CU_DEVICE_ATTRIBUTE_PAGEABLE_MEMORY_ACCESS, 0},
    {CU_DEVICE_ATTRIBUTE_COOPERATIVE_LAUNCH, 0},
    {CU_DEVICE_ATTRIBUTE_COMPUTE_PREEMPTION_SUPPORTED, 0},
    {CU_DEVICE_ATTRIBUTE_HOST_REGISTER_SUPPORTED, 1},
    {CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED, 0},
    {CU_DEVICE_ATTRIBUTE_MULTI_GPU_BOARD, 0},
};

const auto& errors = *new std::map<int, std::pair<const char*, const char*>>{
#define ERROR(code, text) {code, {#code, text}}
    ERROR(CUDA_SUCCESS, "no error"),
    ERROR(CUDA_ERROR_INVALID_VALUE, "invalid argument"),
    ERROR(CUDA_ERROR_OUT_OF_MEMORY, "out of memory"),
    ERROR(CUDA_ERROR_NOT_INITIALIZED, "initialization error"),
    ERROR(CUDA_ERROR_DEINITIALIZED, "driver shutting down"),
    ERROR(CUDA_ERROR_NO_DEVICE, "no CUDA-capable device is detected"),
    ERROR(CUDA_ERROR_INVALID_DEVICE, "invalid device ordinal"),
    ERROR(CUDA_ERROR_INVALID_IMAGE, "device kernel image is invalid"),
    ERROR(CUDA_ERROR_INVALID_CONTEXT, "invalid device context"),
    ERROR(CUDA_ERROR_NO_BINARY_FOR_GPU, "no kernel image is available for execution on the device"),
    ERROR(CUDA_ERROR_ECC_UNCORRECTABLE, "uncorrectable ECC error encountered"),
    ERROR(CUDA_ERROR_INVALID_PTX, "a PTX JIT compilation failed"),
    ERROR(CUDA_ERROR_INVALID_SOURCE, "device kernel image is invalid"),
    ERROR(CUDA_ERROR_FILE_NOT_FOUND, "file not found"),
    ERROR(CUDA_ERROR_INVALID_HANDLE, "invalid resource handle"),
    ERROR(CUDA_ERROR_ILLEGAL_STATE, "the operation cannot be performed in the present state"),
    ERROR(CUDA_ERROR_NOT_FOUND, "named symbol not found"),
    ERROR(CUDA_ERROR_NOT_READY, "device not ready"),
    ERROR(CUDA_ERROR_ILLEGAL_ADDRESS, "an illegal memory access was encountered"),
    ERROR(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, "too many resources requested for launch"),
    ERROR(CUDA_ERROR_LAUNCH_TIMEOUT, "the launch timed out and was terminated"),
    ERROR(CUDA_ERROR_PRIMARY_CONTEXT_ACTIVE, "cannot set while device is active in this process"),
    ERROR(CUDA_ERROR_CONTEXT_IS_DESTROYED, "context is destroyed"),
    ERROR(CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED, "part or all of the requested memory range is already mapped"),
    ERROR(CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED, "pointer does not correspond to a registered memory region"),
    ERROR(CUDA_ERROR_MISALIGNED_ADDRESS, "misaligned address"),
    ERROR(CUDA_ERROR_LAUNCH_FAILED, "unspecified launch failure"),
    ERROR(CUDA_ERROR_NOT_PERMITTED, "operation not permitted"),
    ERROR(CUDA_ERROR_NOT_SUPPORTED, "operation not supported"),
    ERROR(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "operation not permitted when stream is capturing"),
    ERROR(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "operation failed due to a previous error during capture"),
    ERROR(CUDA_ERROR_STREAM_CAPTURE_MERGE, "operation would result in a merge of separate capture sequences"),
    ERROR(CUDA_ERROR_STREAM_CAPTURE_UNMATCHED, "capture was not ended in the same stream as it began"),
    ERROR(CUDA_ERROR_STREAM_CAPTURE_UNJOINED, "capturing stream has unjoined work"),
    ERROR(CUDA_ERROR_STREAM_CAPTURE_ISOLATION, "dependency created on uncaptured work in another stream"),
    ERROR(CUDA_ERROR_STREAM_CAPTURE_IMPLICIT, "operation would make the legacy stream depend on a capturing stream"),
    ERROR(CUDA_ERROR_CAPTURED_EVENT, "operation not permitted on an event last recorded in a capturing stream"),
    ERROR(CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD, "attempt to terminate a thread-local capture sequence from another thread"),
    ERROR(CUDA_ERROR_UNKNOWN, "unknown error"),
#undef ERROR
};

CUresult describe(CUresult error, const char** out, bool name) {
    auto found = errors.find(error);
    *out = found == errors.end() ? nullptr : name ? found->second.first : found->second.second;
    return *out ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

}  // namespace

int capability() {
    static const int capability = [] {
        const char* asked = std::getenv("BASIN_SOFTGPU_CC");
        return asked ? std::atoi(asked) : 80;
    }();
    return capability;
}

int devices() {
    static const int devices = [] {
        const char* asked = std::getenv("BASIN_SOFTGPU_COUNT");
        int count = asked ? std::atoi(asked) : 1;
        return count < 1 ? 1 : count > maxDevices ? maxDevices : count;
    }();
    return devices;
}

Context& current() {
    if (stack.empty() || !stack.back()) throw Failure{CUDA_ERROR_INVALID_CONTEXT};
    if (!stack.back()->alive) throw Failure{CUDA_ERROR_CONTEXT_IS_DESTROYED};
    return *stack.back();
}

CUresult refused(const char* function) {
    count(function);
    if (insideTask) return CUDA_ERROR_NOT_PERMITTED;
    return initialised ? CUDA_SUCCESS : CUDA_ERROR_NOT_INITIALIZED;
}

}  // namespace softgpu

using namespace softgpu;

extern "C" {

CUresult cuInit(unsigned flags) {
    std::lock_guard lock(mutex);
    count(__func__);
    if (flags) return CUDA_ERROR_INVALID_VALUE;
    if (CUresult code = injected("context", __func__)) return code;
    initialised = true;
    return CUDA_SUCCESS;
}

CUresult cuDriverGetVersion(int* version) {
    *version = 12060;
    return CUDA_SUCCESS;
}

// NVIDIA's NVRTC asks the driver for its unpublished tables and calls this function whether it is there or not.
CUresult cuGetExportTable(const void** table, const CUuuid*) {
    *table = nullptr;
    return CUDA_ERROR_NOT_SUPPORTED;
}

CUresult cuGetErrorName(CUresult error, const char** name) { return describe(error, name, true); }
CUresult cuGetErrorString(CUresult error, const char** text) { return describe(error, text, false); }

CUresult cuDeviceGetCount(int* count) {
    return call("context", __func__, [&] { *count = devices(); });
}

CUresult cuDeviceGet(CUdevice* device, int ordinal) {
    return call("context", __func__, [&] { requireDevice(*device = ordinal); });
}

CUresult cuDeviceGetName(char* name, int length, CUdevice device) {
    return call("context", __func__, [&] {
        requireDevice(device);
        std::snprintf(name, length, "Basin software GPU");
    });
}

CUresult cuDeviceGetUuid(CUuuid* uuid, CUdevice device) {
    return call("context", __func__, [&] {
        requireDevice(device);
        std::memcpy(uuid->bytes, "BasinSoftwareGPU", 16);
    });
}

CUresult cuDeviceGetUuid_v2(CUuuid* uuid, CUdevice device) { return cuDeviceGetUuid(uuid, device); }

CUresult cuDeviceTotalMem_v2(std::size_t* bytes, CUdevice device) {
    return call("context", __func__, [&] {
        requireDevice(device);
        *bytes = memory().capacity();
    });
}

CUresult cuDeviceComputeCapability(int* major, int* minor, CUdevice device) {
    return call("context", __func__, [&] {
        requireDevice(device);
        *major = capability() / 10;
        *minor = capability() % 10;
    });
}

CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute attribute, CUdevice device) {
    return call("context", __func__, [&] {
        requireDevice(device);
        auto found = attributes.find(attribute);
        if (found == attributes.end()) throw Failure{CUDA_ERROR_NOT_SUPPORTED};
        *value = found->second;
    });
}

CUresult cuDeviceGetPCIBusId(char* id, int length, CUdevice device) {
    return call("context", __func__, [&] {
        requireDevice(device);
        std::snprintf(id, length, "0000:00:00.0");
    });
}

CUresult cuCtxCreate_v2(CUcontext* context, unsigned flags, CUdevice device) {
    return call("context", __func__, [&] {
        requireDevice(device);
        Context& next = made(device, flags);
        stack.push_back(&next);
        *context = reinterpret_cast<CUcontext>(&next);
    });
}

CUresult cuCtxDestroy_v2(CUcontext context) {
    return release(__func__, [&] {
        destroy(as<Context>(context));
        if (!stack.empty() && stack.back() == reinterpret_cast<Context*>(context)) stack.pop_back();
    });
}

CUresult cuCtxPushCurrent_v2(CUcontext context) {
    return call("context", __func__, [&] { stack.push_back(&as<Context>(context)); });
}

CUresult cuCtxPopCurrent_v2(CUcontext* context) {
    return release(__func__, [&] {
        if (stack.empty()) throw Failure{CUDA_ERROR_INVALID_CONTEXT};
        if (context) *context = reinterpret_cast<CUcontext>(stack.back());
        stack.pop_back();
    });
}

// As CUDA has it: replaces the top of the thread's stack, and null pops it.
CUresult cuCtxSetCurrent(CUcontext context) {
    return release(__func__, [&] {
        Context* next = context ? &as<Context>(context) : nullptr;
        if (!stack.empty()) stack.pop_back();
        if (next) stack.push_back(next);
    });
}

CUresult cuCtxGetCurrent(CUcontext* context) {
    return release(__func__, [&] { *context = stack.empty() ? nullptr : reinterpret_cast<CUcontext>(stack.back()); });
}

CUresult cuCtxGetDevice(CUdevice* device) {
    return call("context", __func__, [&] {
        *device = current().device;
    });
}

CUresult cuCtxGetFlags(unsigned* flags) {
    return call("context", __func__, [&] { *flags = current().flags; });
}

CUresult cuCtxGetApiVersion(CUcontext context, unsigned* version) {
    return call("context", __func__, [&] {
        if (context) as<Context>(context);
        *version = 3020;
    });
}

CUresult cuCtxGetStreamPriorityRange(int* least, int* greatest) {
    return call("context", __func__, [&] {
        current();
        if (least) *least = 0;
        if (greatest) *greatest = -2;
    });
}

CUresult cuCtxSynchronize() {
    return call("sync", __func__, [&] {
        current();
        forbidWhileCapturing();
        bump("syncs");
        finishAll();
    });
}

CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) {
    return call("context", __func__, [&] {
        requireDevice(device);
        Primary& p = primaries[device];
        if (p.retained++ == 0) p.context = &made(device, 0);
        p.context->flags = p.flags;
        *context = reinterpret_cast<CUcontext>(p.context);
    });
}

CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
    return release(__func__, [&] {
        requireDevice(device);
        Primary& p = primaries[device];
        if (p.retained == 0) throw Failure{CUDA_ERROR_INVALID_CONTEXT};
        if (--p.retained == 0) destroy(*p.context);
    });
}

CUresult cuDevicePrimaryCtxReset_v2(CUdevice device) {
    return release(__func__, [&] {
        requireDevice(device);
        Primary& p = primaries[device];
        if (p.retained) destroy(*p.context);
        p.retained = 0;
    });
}

CUresult cuDevicePrimaryCtxGetState(CUdevice device, unsigned* flags, int* active) {
    return call("context", __func__, [&] {
        requireDevice(device);
        *flags = primaries[device].flags;
        *active = primaries[device].retained > 0;
    });
}

CUresult cuDevicePrimaryCtxSetFlags_v2(CUdevice device, unsigned flags) {
    return call("context", __func__, [&] {
        requireDevice(device);
        primaries[device].flags = flags;
    });
}

}  // extern "C"
