// Capture, graphs, and what is forbidden while a graph is recorded.
#include <algorithm>

#include "test_cuda.h"

using namespace test;

namespace {

constexpr std::size_t bytes = n * sizeof(float);
constexpr unsigned three = 0x40400000, four = 0x40800000;  // as floats

bool all(const std::vector<float>& values, float wanted) {
    return std::all_of(values.begin(), values.end(), [=](float v) { return v == wanted; });
}

void begin(CUstream stream, CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_GLOBAL) {
    OK(cuStreamBeginCapture(stream, mode));
}

CUgraphExec end(CUstream stream) {
    CUgraph graph;
    CUgraphExec exec = nullptr;
    OK(cuStreamEndCapture(stream, &graph));
    OK(cuGraphInstantiate(&exec, graph, 0));
    OK(cuGraphDestroy(graph));
    return exec;
}

CUresult endBroken(CUstream stream) {
    CUgraph graph = reinterpret_cast<CUgraph>(1);
    CUresult code = cuStreamEndCapture(stream, &graph);
    EXPECT(graph == nullptr);
    return code;
}

}  // namespace

CASE("a captured graph runs when it is launched, as often as it is") {
    Gpu gpu;
    begin(gpu.a);
    OK(cuMemcpyDtoDAsync(gpu.y, gpu.x, bytes, gpu.a));
    OK(cuMemsetD32Async(gpu.x, three, n, gpu.a));
    CUgraphExec exec = end(gpu.a);
    OK(cuCtxSynchronize());
    EXPECT(all(gpu.read(gpu.y), 2));
    SAME(0, counter("dtod"));
    OK(cuGraphLaunch(exec, gpu.a));
    OK(cuStreamSynchronize(gpu.a));
    EXPECT(all(gpu.read(gpu.y), 1));
    OK(cuGraphLaunch(exec, gpu.a));
    OK(cuStreamSynchronize(gpu.a));
    EXPECT(all(gpu.read(gpu.y), 3));
    SAME(2, counter("graph_launches"));
    SAME(2, counter("dtod"));
    SAME(2, counter("memsets"));
    OK(cuGraphExecDestroy(exec));
    SAME(0, counter("violations"));
}

CASE("a captured copy reads the pinned buffer at each replay") {
    Gpu gpu;
    begin(gpu.a);
    OK(cuMemcpyHtoDAsync(gpu.x, gpu.pinned, bytes, gpu.a));
    CUgraphExec exec = end(gpu.a);
    for (float value : {5.0f, 6.0f}) {
        std::fill(gpu.pinned, gpu.pinned + n, value);
        OK(cuGraphLaunch(exec, gpu.a));
        OK(cuStreamSynchronize(gpu.a));
        EXPECT(all(gpu.read(gpu.x), value));
    }
    OK(cuGraphExecDestroy(exec));
}

CASE("allocation during capture fails and spoils the graph") {
    Gpu gpu;
    CUdeviceptr at;
    begin(gpu.a);
    OK(cuMemsetD32Async(gpu.x, three, n, gpu.a));
    SAME(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuMemAlloc(&at, 16));
    SAME(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuMemsetD32Async(gpu.x, three, n, gpu.a));
    SAME(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, endBroken(gpu.a));
    OK(cuMemAlloc(&at, 16));
    OK(cuMemFree(at));
}

CASE("freeing, pinning and waiting during capture fail") {
    Gpu gpu;
    void* host;
    CUdeviceptr x = gpu.x;
    const std::function<CUresult()> forbidden[] = {
        [&] { return cuMemFree(x); },
        [&] { return cuMemAllocHost(&host, 16); },
        [&] { return cuStreamSynchronize(gpu.a); },
        [&] { return cuStreamSynchronize(gpu.b); },
        [&] { return cuStreamQuery(gpu.b); },
        [&] { return cuCtxSynchronize(); },
        [&] { return cuMemcpyHtoD(gpu.x, gpu.pinned, bytes); },
        [&] { return cuMemcpyDtoH(gpu.pinned, gpu.x, bytes); },
        [&] { return cuMemsetD8(gpu.x, 0, bytes); },
    };
    for (auto& call : forbidden) {
        begin(gpu.a);
        SAME(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, call());
        SAME(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, endBroken(gpu.a));
    }
}

CASE("a relaxed capture lets allocation pass") {
    Gpu gpu;
    CUdeviceptr at;
    begin(gpu.a, CU_STREAM_CAPTURE_MODE_RELAXED);
    OK(cuMemAlloc(&at, 16));
    OK(cuMemFree(at));
    OK(cuGraphExecDestroy(end(gpu.a)));
}

CASE("work in the default stream during capture fails") {
    Gpu gpu;
    begin(gpu.a);
    SAME(CUDA_ERROR_STREAM_CAPTURE_IMPLICIT, cuMemsetD32Async(gpu.x, three, n, nullptr));
    SAME(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, endBroken(gpu.a));
    SAME(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuStreamBeginCapture(nullptr, CU_STREAM_CAPTURE_MODE_GLOBAL));
}

CASE("a stream says whether it is captured") {
    Gpu gpu;
    CUstreamCaptureStatus status;
    OK(cuStreamIsCapturing(gpu.a, &status));
    SAME(CU_STREAM_CAPTURE_STATUS_NONE, status);
    begin(gpu.a);
    OK(cuStreamIsCapturing(gpu.a, &status));
    SAME(CU_STREAM_CAPTURE_STATUS_ACTIVE, status);
    cuCtxSynchronize();
    OK(cuStreamIsCapturing(gpu.a, &status));
    SAME(CU_STREAM_CAPTURE_STATUS_INVALIDATED, status);
    endBroken(gpu.a);
    CUgraph graph;
    SAME(CUDA_ERROR_ILLEGAL_STATE, cuStreamEndCapture(gpu.a, &graph));
}

CASE("branches of a graph run by their events alone") {
    Gpu gpu;
    CUevent forked, joined;
    CUgraph graph;
    OK(cuEventCreate(&forked, 0));
    OK(cuEventCreate(&joined, 0));
    begin(gpu.a);
    OK(cuMemsetD32Async(gpu.x, three, n, gpu.a));
    OK(cuEventRecord(forked, gpu.a));
    OK(cuStreamWaitEvent(gpu.b, forked, 0));
    OK(cuMemcpyDtoDAsync(gpu.y, gpu.x, bytes, gpu.b));
    OK(cuEventRecord(joined, gpu.b));
    OK(cuStreamWaitEvent(gpu.a, joined, 0));
    OK(cuMemsetD32Async(gpu.x, four, n, gpu.a));
    OK(cuStreamEndCapture(gpu.a, &graph));
    std::size_t count = 0;
    OK(cuGraphGetNodes(graph, nullptr, &count));
    SAME(3, count);
    OK(cuGraphGetRootNodes(graph, nullptr, &count));
    SAME(1, count);
    CUgraphExec exec;
    OK(cuGraphInstantiate(&exec, graph, 0));
    for (int i = 0; i < 3; i++) OK(cuGraphLaunch(exec, gpu.a));
    OK(cuStreamSynchronize(gpu.a));
    EXPECT(all(gpu.read(gpu.y), 3));
    EXPECT(all(gpu.read(gpu.x), 4));
    SAME(0, counter("violations"));
    OK(cuGraphExecDestroy(exec));
    OK(cuGraphDestroy(graph));
    OK(cuEventDestroy(forked));
    OK(cuEventDestroy(joined));
}

CASE("branches of a graph that share memory race") {
    Gpu gpu;
    CUevent forked, joined;
    OK(cuEventCreate(&forked, 0));
    OK(cuEventCreate(&joined, 0));
    begin(gpu.a);
    OK(cuMemsetD32Async(gpu.x, three, n, gpu.a));
    OK(cuEventRecord(forked, gpu.a));
    OK(cuStreamWaitEvent(gpu.b, forked, 0));
    OK(cuMemcpyDtoDAsync(gpu.y, gpu.x, bytes, gpu.b));
    OK(cuEventRecord(joined, gpu.b));
    OK(cuMemsetD32Async(gpu.x, four, n, gpu.a));  // beside the copy
    OK(cuStreamWaitEvent(gpu.a, joined, 0));
    CUgraphExec exec = end(gpu.a);
    OK(cuGraphLaunch(exec, gpu.a));
    EXPECT(cuStreamSynchronize(gpu.a) != CUDA_SUCCESS);
    EXPECT(says("race"));
    cuGraphExecDestroy(exec);
    cuEventDestroy(forked);
    cuEventDestroy(joined);
}

CASE("a branch that is not joined, and uncaptured work waited for, end a capture with CUDA's codes") {
    Gpu gpu;
    CUevent event;
    OK(cuEventCreate(&event, 0));
    begin(gpu.a);
    OK(cuEventRecord(event, gpu.a));
    OK(cuStreamWaitEvent(gpu.b, event, 0));
    OK(cuMemsetD32Async(gpu.x, three, n, gpu.b));
    SAME(CUDA_ERROR_CAPTURED_EVENT, cuEventQuery(event));
    SAME(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, endBroken(gpu.a));

    begin(gpu.a);
    OK(cuEventRecord(event, gpu.a));
    OK(cuStreamWaitEvent(gpu.b, event, 0));
    OK(cuMemsetD32Async(gpu.x, three, n, gpu.b));
    SAME(CUDA_ERROR_STREAM_CAPTURE_UNJOINED, endBroken(gpu.a));

    OK(cuEventRecord(event, gpu.b));
    begin(gpu.a);
    SAME(CUDA_ERROR_STREAM_CAPTURE_ISOLATION, cuStreamWaitEvent(gpu.a, event, 0));
    SAME(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, endBroken(gpu.a));
    OK(cuEventDestroy(event));
}

CASE("a graph launched with freed memory is caught") {
    Gpu gpu;
    begin(gpu.a);
    OK(cuMemsetD32Async(gpu.x, three, n, gpu.a));
    CUgraphExec exec = end(gpu.a);
    OK(cuMemFree(gpu.x));
    gpu.x = 0;
    OK(cuGraphLaunch(exec, gpu.a));
    SAME(CUDA_ERROR_ILLEGAL_ADDRESS, cuStreamSynchronize(gpu.a));
    EXPECT(says("freed"));
    EXPECT(says("[graph]"));
    cuGraphExecDestroy(exec);
}

CASE("a destroyed graph cannot be launched, but one destroyed in flight ends") {
    Gpu gpu;
    begin(gpu.a);
    OK(cuMemsetD32Async(gpu.x, three, n, gpu.a));
    CUgraphExec exec = end(gpu.a);
    OK(cuGraphLaunch(exec, gpu.a));
    OK(cuGraphExecDestroy(exec));
    SAME(CUDA_ERROR_INVALID_HANDLE, cuGraphLaunch(exec, gpu.a));
    OK(cuStreamSynchronize(gpu.a));
    EXPECT(all(gpu.read(gpu.x), 3));
}

CASE("two launches of one graph follow each other, whatever their streams") {
    Gpu gpu;
    begin(gpu.a);
    OK(cuMemsetD32Async(gpu.x, three, n, gpu.a));
    CUgraphExec exec = end(gpu.a);
    OK(cuGraphLaunch(exec, gpu.a));
    OK(cuGraphLaunch(exec, gpu.b));
    OK(cuCtxSynchronize());
    SAME(0, counter("violations"));
    OK(cuGraphExecDestroy(exec));
}

KERNEL_CASE("a scalar is frozen in a graph: the replay keeps the value of its capture") {
    Gpu gpu;
    CUfunction scale = kernel("scale");
    CUdeviceptr x = gpu.x;
    float by = 2;
    int count = n;
    void* params[] = {&x, &by, &count};
    begin(gpu.a);
    OK(cuLaunchKernel(scale, 4, 1, 1, 256, 1, 1, 0, gpu.a, params, nullptr));
    CUgraphExec exec = end(gpu.a);
    by = 100;  // a rate that "changes": nothing of it arrives
    OK(cuGraphLaunch(exec, gpu.a));
    OK(cuGraphLaunch(exec, gpu.a));
    OK(cuStreamSynchronize(gpu.a));
    EXPECT(all(gpu.read(gpu.x), 4));
    SAME(2, counter("kernel:scale:launches"));
    SAME(0, counter("launches"));
    OK(cuGraphExecDestroy(exec));
}
