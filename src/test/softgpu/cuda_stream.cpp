// libcuda.so.1: streams, events, host functions, capture and graphs.
#include "driver.h"

using namespace softgpu;

namespace {

CUstream handle(Stream& stream) { return reinterpret_cast<CUstream>(&stream); }

void requireUncaptured(Stream& stream) {
    if (!stream.capture) return;
    stream.capture->invalidated = true;
    throw Failure{CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED};
}

void requireUncaptured(Event& event) {
    if (!event.capture) return;
    event.capture->invalidated = true;
    throw Failure{CUDA_ERROR_CAPTURED_EVENT};
}

CUresult openIn(const char* function, CUstream* stream, unsigned flags, int priority) {
    return call("stream", function, [&] {
        if (flags & ~CU_STREAM_NON_BLOCKING) throw Failure{CUDA_ERROR_INVALID_VALUE};
        Stream& made = openStream(&current(), !(flags & CU_STREAM_NON_BLOCKING));
        made.priority = priority;
        *stream = handle(made);
    });
}

CUstreamCaptureStatus status(const Stream& stream) {
    if (!stream.capture) return CU_STREAM_CAPTURE_STATUS_NONE;
    return stream.capture->invalidated ? CU_STREAM_CAPTURE_STATUS_INVALIDATED : CU_STREAM_CAPTURE_STATUS_ACTIVE;
}

CUgraphNodeType type(Kind kind) {
    switch (kind) {
        case Kind::memset: return CU_GRAPH_NODE_TYPE_MEMSET;
        case Kind::host: return CU_GRAPH_NODE_TYPE_HOST;
        case Kind::htod:
        case Kind::dtoh:
        case Kind::dtod: return CU_GRAPH_NODE_TYPE_MEMCPY;
        case Kind::marker: return CU_GRAPH_NODE_TYPE_EMPTY;
        default: return CU_GRAPH_NODE_TYPE_KERNEL;  // what a library captures is kernels
    }
}

void listNodes(Graph& graph, CUgraphNode* out, std::size_t* n, bool rootsOnly) {
    std::vector<Node*> nodes;
    for (Node& node : graph.nodes)
        if (!rootsOnly || node.before.empty()) nodes.push_back(&node);
    if (out)
        for (std::size_t i = 0; i < *n; i++) out[i] = i < nodes.size() ? reinterpret_cast<CUgraphNode>(nodes[i]) : nullptr;
    if (!out || *n > nodes.size()) *n = nodes.size();
}

}  // namespace

extern "C" {

CUresult cuStreamCreate(CUstream* stream, unsigned flags) { return openIn(__func__, stream, flags, 0); }
CUresult cuStreamCreateWithPriority(CUstream* stream, unsigned flags, int priority) {
    return openIn(__func__, stream, flags, priority);
}

CUresult cuStreamDestroy_v2(CUstream stream) {
    return release(__func__, [&] {
        if (!stream || stream == CU_STREAM_LEGACY || stream == CU_STREAM_PER_THREAD)
            throw Failure{CUDA_ERROR_INVALID_HANDLE};
        closeStream(as<Stream>(stream));
    });
}

CUresult cuStreamSynchronize(CUstream stream) {
    return call("sync", __func__, [&] {
        current();
        Stream& waited = resolve(stream);
        requireUncaptured(waited);
        forbidWhileCapturing();
        bump("syncs");
        finish(waited);
    });
}

CUresult cuStreamQuery(CUstream stream) {
    return call("sync", __func__, [&] {
        Stream& asked = resolve(stream);
        requireUncaptured(asked);
        forbidWhileCapturing();
        if (!poll(asked.last, asked.polls)) throw Failure{CUDA_ERROR_NOT_READY};
    });
}

CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned) {
    return call("stream", __func__, [&] { wait(resolve(stream), as<Event>(event)); });
}

CUresult cuStreamGetFlags(CUstream stream, unsigned* flags) {
    return call("stream", __func__, [&] { *flags = resolve(stream).blocking ? CU_STREAM_DEFAULT : CU_STREAM_NON_BLOCKING; });
}

CUresult cuStreamGetPriority(CUstream stream, int* priority) {
    return call("stream", __func__, [&] { *priority = resolve(stream).priority; });
}

CUresult cuStreamGetCtx(CUstream stream, CUcontext* context) {
    return call("stream", __func__, [&] {
        Context* owner = resolve(stream).owner;
        *context = reinterpret_cast<CUcontext>(owner ? owner : &current());
    });
}

CUresult cuStreamGetId(CUstream stream, unsigned long long* id) {
    return call("stream", __func__, [&] { *id = resolve(stream).lane; });
}

CUresult cuLaunchHostFunc(CUstream stream, CUhostFn function, void* data) {
    return call("launch", __func__, [&] {
        current();
        submit(resolve(stream), {Kind::host, "host function", 0, [=](Task&) { function(data); }});
    });
}

CUresult cuEventCreate(CUevent* event, unsigned) {
    return call("event", __func__, [&] { *event = reinterpret_cast<CUevent>(&create<Event>(&current())); });
}

CUresult cuEventDestroy_v2(CUevent event) {
    return release(__func__, [&] {
        Event& dying = as<Event>(event);
        dying.alive = false;
        dying.job = nullptr;
        dying.capture = nullptr;
    });
}

CUresult cuEventRecord(CUevent event, CUstream stream) {
    return call("event", __func__, [&] { record(as<Event>(event), resolve(stream)); });
}
CUresult cuEventRecordWithFlags(CUevent event, CUstream stream, unsigned) { return cuEventRecord(event, stream); }

CUresult cuEventSynchronize(CUevent event) {
    return call("sync", __func__, [&] {
        Event& waited = as<Event>(event);
        requireUncaptured(waited);
        forbidWhileCapturing();
        bump("syncs");
        finish(waited.job);
    });
}

CUresult cuEventQuery(CUevent event) {
    return call("sync", __func__, [&] {
        Event& asked = as<Event>(event);
        requireUncaptured(asked);
        forbidWhileCapturing();
        if (!poll(asked.job, asked.polls)) throw Failure{CUDA_ERROR_NOT_READY};
    });
}

// What this machine took to emulate the work between: no time that anybody should read as a GPU's.
CUresult cuEventElapsedTime(float* milliseconds, CUevent first, CUevent second) {
    return call("event", __func__, [&] {
        Event &from = as<Event>(first), &to = as<Event>(second);
        if (!milliseconds || !from.job || !to.job) throw Failure{CUDA_ERROR_INVALID_HANDLE};
        if (!from.job->finished || !to.job->finished) throw Failure{CUDA_ERROR_NOT_READY};
        *milliseconds = float(to.job->end - from.job->end);
    });
}

CUresult cuEventElapsedTime_v2(float* time, CUevent first, CUevent second) { return cuEventElapsedTime(time, first, second); }

CUresult cuStreamBeginCapture_v2(CUstream stream, CUstreamCaptureMode mode) {
    return call("graph", __func__, [&] {
        current();
        begin(resolve(stream), mode);
    });
}

CUresult cuStreamEndCapture(CUstream stream, CUgraph* graph) {
    *graph = nullptr;
    // Even when this call is made to fail, the stream must not stay in capture.
    CUresult code = release(__func__, [&] {
        Graph* ended = end(resolve(stream));
        if (!ended) throw Failure{CUDA_ERROR_STREAM_CAPTURE_INVALIDATED};
        *graph = reinterpret_cast<CUgraph>(ended);
    });
    std::lock_guard lock(mutex);
    CUresult fault = injected("graph", __func__);
    if (code || !fault) return code;
    as<Graph>(*graph).alive = false;
    *graph = nullptr;
    return fault;
}

CUresult cuStreamIsCapturing(CUstream stream, CUstreamCaptureStatus* out) {
    return call("graph", __func__, [&] { *out = status(resolve(stream)); });
}

CUresult cuStreamGetCaptureInfo_v2(CUstream stream, CUstreamCaptureStatus* out, cuuint64_t* id, CUgraph* graph,
                                   const CUgraphNode** dependencies, std::size_t* count) {
    return call("graph", __func__, [&] {
        Stream& asked = resolve(stream);
        *out = status(asked);
        if (id) *id = asked.capture ? asked.capture->number : 0;
        if (graph) *graph = asked.capture ? reinterpret_cast<CUgraph>(asked.capture->graph) : nullptr;
        if (count) *count = asked.tail.size();
        if (dependencies) throw Failure{CUDA_ERROR_NOT_SUPPORTED};
    });
}

CUresult cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode* mode) {
    return release(__func__, [&] { std::swap(*mode, threadCaptureMode()); });
}

CUresult cuGraphInstantiateWithFlags(CUgraphExec* exec, CUgraph graph, unsigned long long) {
    return call("graph", __func__, [&] {
        Graph& source = as<Graph>(graph);
        Exec& made = create<Exec>(&current());
        made.plan = prepare(source);
        *exec = reinterpret_cast<CUgraphExec>(&made);
    });
}

CUresult cuGraphUpload(CUgraphExec exec, CUstream stream) {
    return call("graph", __func__, [&] { as<Exec>(exec), resolve(stream); });
}

CUresult cuGraphLaunch(CUgraphExec exec, CUstream stream) {
    return call("launch", __func__, [&] {
        current();
        launch(as<Exec>(exec), resolve(stream));
    });
}

CUresult cuGraphExecDestroy(CUgraphExec exec) {
    return release(__func__, [&] {
        Exec& dying = as<Exec>(exec);  // a launch that is queued keeps the plan
        dying.alive = false;
        dying.plan = nullptr;
        dying.last = nullptr;
    });
}

CUresult cuGraphCreate(CUgraph* graph, unsigned) {
    return call("graph", __func__, [&] { *graph = reinterpret_cast<CUgraph>(&create<Graph>(&current())); });
}

CUresult cuGraphDestroy(CUgraph graph) {
    return release(__func__, [&] {
        Graph& dying = as<Graph>(graph);
        dying.alive = false;
        dying.nodes.clear();
    });
}

CUresult cuGraphGetNodes(CUgraph graph, CUgraphNode* nodes, std::size_t* count) {
    return call("graph", __func__, [&] { listNodes(as<Graph>(graph), nodes, count, false); });
}

CUresult cuGraphGetRootNodes(CUgraph graph, CUgraphNode* nodes, std::size_t* count) {
    return call("graph", __func__, [&] { listNodes(as<Graph>(graph), nodes, count, true); });
}

CUresult cuGraphNodeGetType(CUgraphNode node, CUgraphNodeType* out) {
    return call("graph", __func__, [&] { *out = type(reinterpret_cast<Node*>(node)->operation.kind); });
}

}  // extern "C"
