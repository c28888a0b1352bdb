// Planned failures: each kind hits the call it was planned for, once, and costs nothing else.
#include "test_cuda.h"

using namespace test;

namespace {

constexpr std::size_t bytes = n * sizeof(float);

// Plans the second call of a kind to fail, makes three, and wants exactly the second one to.
void fails(const char* kind, CUresult code, const std::function<CUresult()>& call) {
    softgpu_reset();
    SAME(0, softgpu_fail(kind, 2));
    OK(call());
    SAME(code, call());
    OK(call());
    SAME(3, softgpu_calls(kind));
    SAME(0, counter("violations"));
}

}  // namespace

CASE("planned failures hit the n-th call of their kind") {
    Gpu gpu;
    fails("alloc", CUDA_ERROR_OUT_OF_MEMORY, [] {
        CUdeviceptr at;
        CUresult code = cuMemAlloc(&at, 16);
        return code ? code : cuMemFree(at);
    });
    fails("copy", CUDA_ERROR_ECC_UNCORRECTABLE, [&] { return cuMemsetD8Async(gpu.x, 0, bytes, gpu.a); });
    fails("launch", CUDA_ERROR_LAUNCH_FAILED, [&] { return cuLaunchHostFunc(gpu.a, [](void*) {}, nullptr); });
    fails("sync", CUDA_ERROR_UNKNOWN, [&] { return cuStreamSynchronize(gpu.a); });
    fails("stream", CUDA_ERROR_OUT_OF_MEMORY, [] {
        CUstream stream;
        CUresult code = cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING);
        return code ? code : cuStreamDestroy(stream);
    });
    fails("event", CUDA_ERROR_OUT_OF_MEMORY, [] {
        CUevent event;
        CUresult code = cuEventCreate(&event, 0);
        return code ? code : cuEventDestroy(event);
    });
    fails("context", CUDA_ERROR_OUT_OF_MEMORY, [] {
        CUdevice device;
        return cuDeviceGet(&device, 0);
    });
    fails("graph", CUDA_ERROR_OUT_OF_MEMORY, [] {
        CUgraph graph;
        CUresult code = cuGraphCreate(&graph, 0);
        return code ? code : cuGraphDestroy(graph);
    });
    EXPECT(softgpu_fail("no such kind", 1) != 0);
}

CASE("any call can be planned to fail, and a plan can be taken back") {
    Gpu gpu;
    fails("any", CUDA_ERROR_LAUNCH_FAILED, [&] { return cuLaunchHostFunc(gpu.a, [](void*) {}, nullptr); });
    SAME(0, softgpu_fail("any", 1));
    SAME(0, softgpu_fail("any", 0));
    OK(cuStreamSynchronize(gpu.a));
}

CASE("a capture that fails at its end leaves the stream usable") {
    Gpu gpu;
    CUgraph graph;
    OK(cuStreamBeginCapture(gpu.a, CU_STREAM_CAPTURE_MODE_GLOBAL));
    OK(cuMemsetD32Async(gpu.x, 0, n, gpu.a));
    softgpu_fail("graph", 1);
    SAME(CUDA_ERROR_OUT_OF_MEMORY, cuStreamEndCapture(gpu.a, &graph));
    EXPECT(graph == nullptr);
    OK(cuMemsetD32Async(gpu.x, 0, n, gpu.a));
    OK(cuStreamSynchronize(gpu.a));
    SAME(0, counter("live_graphs"));
}

KERNEL_CASE("modules and the compiler fail as planned") {
    Gpu gpu;
    kernel("scale");
    fails("module", CUDA_ERROR_NO_BINARY_FOR_GPU, [] {
        CUmodule module;
        const char* ptx = ".version 7.0\n.target sm_75\n.address_size 64\n";
        CUresult code = cuModuleLoadData(&module, ptx);
        return code ? code : cuModuleUnload(module);
    });
    void* program;
    softgpu_fail("nvrtc", 1);
    EXPECT(nvrtcCreateProgram(&program, "", "", 0, nullptr, nullptr) != 0);
    SAME(0, nvrtcCreateProgram(&program, "", "", 0, nullptr, nullptr));
    SAME(0, nvrtcDestroyProgram(&program));
}

CASE("what is not implemented says so and leaves everything as it was") {
    Gpu gpu;
    CUdeviceptr at = 7;
    SAME(CUDA_ERROR_NOT_SUPPORTED, cuMemAllocManaged(&at, 16, CU_MEM_ATTACH_GLOBAL));
    SAME(7, at);
    SAME(2 * bytes, counter("live_bytes"));
}

CASE("counters count calls by name, and unknown counters say so") {
    Gpu gpu;
    OK(cuMemsetD8Async(gpu.x, 0, bytes, gpu.a));
    OK(cuStreamSynchronize(gpu.a));
    SAME(1, counter("calls:cuMemsetD8Async"));
    SAME(1, counter("calls:cuStreamSynchronize"));
    SAME(0, counter("calls:cuMemAlloc_v2"));
    SAME(-1, counter("no such counter"));
    SAME(2, counter("live_streams"));
    SAME(1, counter("memsets"));
    SAME(2 * bytes, counter("peak_bytes"));
}
