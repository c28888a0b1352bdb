// Copies, deferral, order between streams and the host, and what breaks it.
#include <algorithm>
#include <thread>

#include "test_cuda.h"

using namespace test;

namespace {
constexpr std::size_t bytes = n * sizeof(float);
bool all(const float* values, float wanted) { return std::all_of(values, values + n, [=](float v) { return v == wanted; }); }
bool all(const std::vector<float>& values, float wanted) { return all(values.data(), wanted); }
}  // namespace

CASE("the device says what it is") {
    Gpu gpu;
    char name[64];
    int version, major, minor;
    std::size_t total, free;
    OK(cuDeviceGetName(name, sizeof name, 0));
    EXPECT(std::string(name) == "Basin software GPU");
    OK(cuDriverGetVersion(&version));
    SAME(12060, version);
    OK(cuDeviceGetAttribute(&major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 0));
    OK(cuDeviceGetAttribute(&minor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, 0));
    SAME(80, 10 * major + minor);
    OK(cuMemGetInfo(&free, &total));
    SAME(2 * bytes, total - free);
}

CASE("nothing works before a context is current") {
    CUdeviceptr at;
    cuInit(0);
    std::thread([&] { SAME(CUDA_ERROR_INVALID_CONTEXT, cuMemAlloc(&at, 4)); }).join();
}

CASE("blocking copies go there and back") {
    Gpu gpu;
    gpu.fill(gpu.x, 7);
    EXPECT(all(gpu.read(gpu.x), 7));
    SAME(1, counter("htod"));
    SAME(1, counter("dtoh"));
    SAME(bytes, counter("bytes_htod"));
    SAME(bytes, counter("bytes_dtoh"));
    SAME(1, counter("syncs"));  // of filling
}

CASE("a copy from pageable memory takes the bytes at once, and brings them when the default stream is waited for") {
    Gpu gpu;
    std::vector<float> heap(n, 5);
    OK(cuMemcpyHtoD(gpu.x, heap.data(), bytes));
    std::fill(heap.begin(), heap.end(), 6.0f);
    OK(cuStreamSynchronize(nullptr));
    OK(cuMemcpyDtoHAsync(gpu.pinned, gpu.x, bytes, gpu.a));
    OK(cuStreamSynchronize(gpu.a));
    EXPECT(all(gpu.pinned, 5));
    SAME(0, counter("violations"));
}

CASE("a non-blocking stream that relies on a copy from pageable memory is a race") {
    Gpu gpu;
    std::vector<float> heap(n, 5);
    OK(cuMemcpyHtoD(gpu.x, heap.data(), bytes));
    OK(cuMemcpyDtoDAsync(gpu.y, gpu.x, bytes, gpu.a));
    OK(cuStreamSynchronize(gpu.a));
    EXPECT(cuStreamSynchronize(nullptr) != CUDA_SUCCESS);
    EXPECT(says("race"));
    EXPECT(says("cuMemcpyHtoD"));
}

CASE("memory that is freed has what was copied into it") {
    Gpu gpu;
    std::vector<float> heap(n, 5);
    CUdeviceptr at;
    OK(cuMemAlloc(&at, bytes));
    OK(cuMemcpyHtoD(at, heap.data(), bytes));
    OK(cuMemFree(at));
    OK(cuStreamSynchronize(nullptr));
    SAME(0, counter("violations"));
}

CASE("a copy from pinned memory is there when the call returns") {
    Gpu gpu;
    std::fill(gpu.pinned, gpu.pinned + n, 3.0f);
    OK(cuMemcpyHtoD(gpu.x, gpu.pinned, bytes));
    OK(cuMemcpyDtoDAsync(gpu.y, gpu.x, bytes, gpu.a));
    OK(cuStreamSynchronize(gpu.a));
    EXPECT(all(gpu.read(gpu.y), 3));
    SAME(0, counter("violations"));
}

CASE("an async copy to the host is not there before the host waits") {
    Gpu gpu;
    OK(cuMemcpyDtoHAsync(gpu.pinned, gpu.x, bytes, gpu.a));
    EXPECT(all(gpu.pinned, 0));
    OK(cuStreamSynchronize(gpu.b));
    EXPECT(all(gpu.pinned, 0));
    OK(cuStreamSynchronize(gpu.a));
    EXPECT(all(gpu.pinned, 1));
    SAME(2, counter("syncs"));
}

CASE("an async copy to the device sees what the pinned buffer holds when it runs") {
    Gpu gpu;
    std::fill(gpu.pinned, gpu.pinned + n, 3.0f);
    OK(cuMemcpyHtoDAsync(gpu.x, gpu.pinned, bytes, gpu.a));
    std::fill(gpu.pinned, gpu.pinned + n, 4.0f);
    OK(cuStreamSynchronize(gpu.a));
    EXPECT(all(gpu.read(gpu.x), 4));
}

CASE("a heap array in an async copy is refused") {
    Gpu gpu;
    std::vector<float> heap(n, 5);
    SAME(CUDA_ERROR_INVALID_VALUE, cuMemcpyHtoDAsync(gpu.x, heap.data(), bytes, gpu.a));
    EXPECT(says("not pinned"));
    SAME(CUDA_ERROR_INVALID_VALUE, cuMemcpyDtoHAsync(heap.data(), gpu.x, bytes, gpu.a));
    SAME(2, counter("violations"));
    OK(cuMemHostRegister(heap.data(), bytes, 0));
    OK(cuMemcpyHtoDAsync(gpu.x, heap.data(), bytes, gpu.a));
    OK(cuStreamSynchronize(gpu.a));
    OK(cuMemHostUnregister(heap.data()));
    EXPECT(all(gpu.read(gpu.x), 5));
}

CASE("pinned memory freed under a queued copy is caught") {
    Gpu gpu;
    void* host;
    OK(cuMemAllocHost(&host, bytes));
    OK(cuMemcpyDtoHAsync(host, gpu.x, bytes, gpu.a));
    OK(cuMemFreeHost(host));
    SAME(CUDA_ERROR_ILLEGAL_ADDRESS, cuStreamSynchronize(gpu.a));
    EXPECT(says("was freed while the copy was queued"));
    SAME(1, counter("violations"));
}

CASE("an event orders two streams") {
    Gpu gpu;
    CUevent event;
    OK(cuEventCreate(&event, CU_EVENT_DISABLE_TIMING));
    OK(cuMemsetD32Async(gpu.x, 0x40400000, n, gpu.a));  // 3.0f
    OK(cuEventRecord(event, gpu.a));
    OK(cuStreamWaitEvent(gpu.b, event, 0));
    OK(cuMemcpyDtoDAsync(gpu.y, gpu.x, bytes, gpu.b));
    OK(cuStreamSynchronize(gpu.b));
    EXPECT(all(gpu.read(gpu.y), 3));
    OK(cuEventDestroy(event));
    SAME(0, counter("violations"));
}

CASE("a missing event between streams is a race that names both") {
    Gpu gpu;
    OK(cuMemsetD32Async(gpu.x, 0, n, gpu.a));
    OK(cuMemcpyDtoDAsync(gpu.y, gpu.x, bytes, gpu.b));
    CUresult first = cuStreamSynchronize(gpu.a), second = cuStreamSynchronize(gpu.b);
    EXPECT(first != CUDA_SUCCESS || second != CUDA_SUCCESS);
    EXPECT(says("race"));
    EXPECT(says("cuMemsetD32Async"));
    EXPECT(says("cuMemcpyDtoDAsync"));
}

CASE("a blocking copy does not wait for a non-blocking stream") {
    Gpu gpu;
    OK(cuMemsetD32Async(gpu.x, 0, n, gpu.a));
    cuMemcpyDtoH(gpu.pinned, gpu.x, bytes);
    cuStreamSynchronize(gpu.a);
    EXPECT(says("race"));
    EXPECT(says("cuMemcpyDtoH"));
}

CASE("a blocking copy waits for a blocking stream, and such a stream for the default one") {
    Gpu gpu;
    CUstream stream;
    OK(cuStreamCreate(&stream, CU_STREAM_DEFAULT));
    OK(cuMemsetD32Async(gpu.x, 0x40400000, n, stream));
    EXPECT(all(gpu.read(gpu.x), 3));
    OK(cuMemsetD32(gpu.x, 0x40800000, n));
    OK(cuMemcpyDtoHAsync(gpu.pinned, gpu.x, bytes, stream));
    OK(cuStreamSynchronize(stream));
    EXPECT(all(gpu.pinned, 4));
    OK(cuStreamDestroy(stream));
    SAME(0, counter("violations"));
}

CASE("a fill in the default stream is not waited for by a non-blocking stream") {
    Gpu gpu;
    OK(cuMemsetD32(gpu.x, 0, n));
    OK(cuMemcpyDtoDAsync(gpu.y, gpu.x, bytes, gpu.a));
    cuCtxSynchronize();
    EXPECT(says("race"));
}

CASE("the host's wait orders what comes after it") {
    Gpu gpu;
    OK(cuMemsetD32Async(gpu.x, 0, n, gpu.a));
    OK(cuStreamSynchronize(gpu.a));
    OK(cuMemcpyDtoDAsync(gpu.y, gpu.x, bytes, gpu.b));
    OK(cuCtxSynchronize());
    SAME(0, counter("violations"));
}

CASE("polling an event comes to its end, and only then are results there") {
    Gpu gpu;
    CUevent event;
    OK(cuEventCreate(&event, 0));
    OK(cuEventQuery(event));
    OK(cuMemcpyDtoHAsync(gpu.pinned, gpu.x, bytes, gpu.a));
    OK(cuEventRecord(event, gpu.a));
    SAME(CUDA_ERROR_NOT_READY, cuEventQuery(event));
    EXPECT(all(gpu.pinned, 0));
    int polls = 1;
    while (polls < 100 && cuEventQuery(event) == CUDA_ERROR_NOT_READY) polls++;
    EXPECT(polls < 100);
    EXPECT(all(gpu.pinned, 1));
    float time = -1;
    CUevent later;
    OK(cuEventCreate(&later, 0));
    SAME(CUDA_ERROR_INVALID_HANDLE, cuEventElapsedTime(&time, event, later));
    OK(cuMemcpyDtoHAsync(gpu.pinned, gpu.x, bytes, gpu.a));
    OK(cuEventRecord(later, gpu.a));
    SAME(CUDA_ERROR_NOT_READY, cuEventElapsedTime(&time, event, later));
    SAME(-1, time);
    OK(cuEventSynchronize(later));
    OK(cuEventElapsedTime(&time, event, later));
    EXPECT(time > 0 && time < 1000);
    OK(cuEventDestroy(event));
    OK(cuEventDestroy(later));
}

CASE("a host function runs when somebody waits, and may not call CUDA") {
    Gpu gpu;
    static CUresult inside;
    inside = CUDA_SUCCESS;
    OK(cuLaunchHostFunc(gpu.a, [](void*) { inside = cuCtxSynchronize(); }, nullptr));
    SAME(CUDA_SUCCESS, inside);
    OK(cuStreamSynchronize(gpu.a));
    SAME(CUDA_ERROR_NOT_PERMITTED, inside);
}

CASE("memory used after it was freed is caught, in a call and in the queue") {
    Gpu gpu;
    CUdeviceptr x = gpu.x;
    OK(cuMemcpyDtoDAsync(gpu.y, gpu.x, bytes, gpu.a));
    OK(cuMemFree(gpu.x));
    gpu.x = 0;
    SAME(CUDA_ERROR_INVALID_VALUE, cuMemsetD8(x, 0, bytes));
    EXPECT(says("freed"));
    SAME(CUDA_ERROR_ILLEGAL_ADDRESS, cuStreamSynchronize(gpu.a));
    EXPECT(says("freed"));
    SAME(CUDA_ERROR_ILLEGAL_ADDRESS, cuMemsetD8(gpu.y, 0, bytes));
    SAME(2, counter("violations"));
}

CASE("freeing twice is refused") {
    Gpu gpu;
    CUdeviceptr x = gpu.x;
    OK(cuMemFree(x));
    gpu.x = 0;
    SAME(CUDA_ERROR_INVALID_VALUE, cuMemFree(x));
    SAME(1, counter("violations"));
}

CASE("what was never written cannot be read") {
    Gpu gpu;
    CUdeviceptr raw;
    OK(cuMemAlloc(&raw, bytes));
    SAME(CUDA_ERROR_LAUNCH_FAILED, cuMemcpyDtoH(gpu.pinned, raw, bytes));
    EXPECT(says("uninitialised"));
    cuMemFree(raw);
}

CASE("a copy past the end is refused") {
    Gpu gpu;
    SAME(CUDA_ERROR_INVALID_VALUE, cuMemcpyHtoD(gpu.x + 4, gpu.pinned, bytes));
    SAME(1, counter("violations"));
}

CASE("a destroyed handle is an error when used again") {
    Gpu gpu;
    CUstream stream;
    CUevent event;
    OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    OK(cuEventCreate(&event, 0));
    OK(cuStreamDestroy(stream));
    OK(cuEventDestroy(event));
    SAME(CUDA_ERROR_INVALID_HANDLE, cuStreamSynchronize(stream));
    SAME(CUDA_ERROR_INVALID_HANDLE, cuEventRecord(event, gpu.a));
    SAME(CUDA_ERROR_INVALID_HANDLE, cuStreamDestroy(stream));
    SAME(3, counter("violations"));
}

CASE("a destroyed stream's work still runs") {
    Gpu gpu;
    CUstream stream;
    OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    OK(cuMemcpyDtoHAsync(gpu.pinned, gpu.x, bytes, stream));
    OK(cuStreamDestroy(stream));
    OK(cuCtxSynchronize());
    EXPECT(all(gpu.pinned, 1));
}

CASE("more memory than the device has is refused") {
    Gpu gpu;
    CUdeviceptr at;
    std::size_t total, free;
    OK(cuMemGetInfo(&free, &total));
    SAME(CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc(&at, free + 1));
    SAME(0, counter("violations"));
}

CASE("what a context's end has to free is counted as leaked") {
    CUcontext context;
    CUdeviceptr at;
    CUstream stream;
    cuInit(0);
    OK(cuDevicePrimaryCtxRetain(&context, 0));
    OK(cuCtxSetCurrent(context));
    OK(cuMemAlloc(&at, 100));
    OK(cuStreamCreate(&stream, 0));
    OK(cuDevicePrimaryCtxRelease(0));
    SAME(2, counter("leaks"));
    SAME(0, counter("live_bytes"));
    SAME(CUDA_ERROR_CONTEXT_IS_DESTROYED, cuMemAlloc(&at, 100));
    OK(cuCtxSetCurrent(nullptr));
}

CASE("thousands of queued copies wait, and run in order") {
    Gpu gpu;
    for (int i = 0; i < 3000; i++) OK(cuMemsetD32Async(gpu.x, i, n, gpu.a));
    OK(cuMemcpyDtoHAsync(gpu.pinned, gpu.x, bytes, gpu.a));
    EXPECT(all(gpu.pinned, 0));
    OK(cuStreamSynchronize(gpu.a));
    SAME(2999, *reinterpret_cast<int*>(gpu.pinned));
    SAME(3000, counter("memsets"));
}
