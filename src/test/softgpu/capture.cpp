// From streams to graphs and back: what capture allows, and the order in which a launched graph's nodes may run.
#include <algorithm>
#include <set>

#include "driver.h"

namespace softgpu {
namespace {

auto& active = *new std::vector<std::shared_ptr<Capture>>;
std::uint64_t captures = 0;

const void* thisThread() {
    static thread_local char identity;
    return &identity;
}

void close(Capture& capture) {
    capture.active = false;
    for (auto& [address, stream] : all<Stream>())
        if (stream->capture.get() == &capture) {
            stream->capture = nullptr;
            stream->tail.clear();
        }
    active.erase(std::remove_if(active.begin(), active.end(), [&](auto& c) { return c.get() == &capture; }),
                 active.end());
}

void unite(std::vector<std::size_t>& into, const std::vector<std::size_t>& nodes) {
    for (std::size_t node : nodes)
        if (std::find(into.begin(), into.end(), node) == into.end()) into.push_back(node);
}

// Whether every captured node leads to what the origin did last.
bool joined(const Capture& capture) {
    std::set<std::size_t> reached(capture.origin->tail.begin(), capture.origin->tail.end());
    auto& nodes = capture.graph->nodes;
    for (std::size_t i = nodes.size(); i-- > 0;)
        if (reached.count(i)) reached.insert(nodes[i].before.begin(), nodes[i].before.end());
    for (auto& [address, stream] : all<Stream>())
        if (stream->capture.get() == &capture)
            for (std::size_t node : stream->tail)
                if (!reached.count(node)) return false;
    return true;
}

// Runs the nodes in order, each as a task that happens after exactly those that it depends on.
void runNodes(const Plan& plan, const std::vector<std::uint64_t>& sequences, const Job& job) {
    std::vector<Clock> done(plan.nodes.size());
    for (std::size_t i = 0; i < plan.nodes.size(); i++) {
        const Node& node = plan.nodes[i];
        TaskClock clock{plan.branch[i] ? plan.lanes[plan.branch[i] - 1] : job.lane, sequences[i], job.after};
        for (std::size_t other : node.before) join(clock.after, done[other]);
        done[i] = clock.after;
        if (done[i].size() <= clock.stream) done[i].resize(clock.stream + 1);
        done[i][clock.stream] = clock.sequence;
        Task task(memory(), node.operation.name + " [graph]", clock);
        node.operation.run(task);
    }
}

}  // namespace

CUstreamCaptureMode& threadCaptureMode() {
    static thread_local CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_GLOBAL;
    return mode;
}

void forbidWhileCapturing() {
    bool forbidden = false;
    for (auto& capture : active) {
        bool own = capture->thread == thisThread();
        bool unsafe = threadCaptureMode() == CU_STREAM_CAPTURE_MODE_GLOBAL
                          ? capture->mode == CU_STREAM_CAPTURE_MODE_GLOBAL ||
                                (own && capture->mode == CU_STREAM_CAPTURE_MODE_THREAD_LOCAL)
                          : threadCaptureMode() == CU_STREAM_CAPTURE_MODE_THREAD_LOCAL && own &&
                                capture->mode != CU_STREAM_CAPTURE_MODE_RELAXED;
        if (unsafe) capture->invalidated = forbidden = true;
    }
    if (forbidden) throw Failure{CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED};
}

void forbidLegacyWhileCapturing() {
    for (auto& capture : active) capture->invalidated = true;
    if (!active.empty()) throw Failure{CUDA_ERROR_STREAM_CAPTURE_IMPLICIT};
}

void append(Stream& stream, Operation operation) {
    if (stream.capture->invalidated) throw Failure{CUDA_ERROR_STREAM_CAPTURE_INVALIDATED};
    auto& nodes = stream.capture->graph->nodes;
    nodes.push_back(Node{std::move(operation), stream.tail});
    stream.tail = {nodes.size() - 1};
}

void record(Event& event, Stream& stream) {
    event.polls = 0;
    if (stream.capture) {
        if (stream.capture->invalidated) throw Failure{CUDA_ERROR_STREAM_CAPTURE_INVALIDATED};
        event.capture = stream.capture;
        event.nodes = stream.tail;
        event.job = nullptr;
        return;
    }
    if (&stream == &resolve(nullptr)) forbidLegacyWhileCapturing();
    event.capture = nullptr;
    event.job = enqueue(stream, 1, nullptr, [](const Job&) {});
}

void wait(Stream& stream, Event& event) {
    if (stream.capture && stream.capture->invalidated) throw Failure{CUDA_ERROR_STREAM_CAPTURE_INVALIDATED};
    if (!event.capture) {
        if (!event.job) return;
        if (stream.capture) {
            stream.capture->invalidated = true;
            throw Failure{CUDA_ERROR_STREAM_CAPTURE_ISOLATION};
        }
        enqueue(stream, 1, event.job, [](const Job&) {});
        return;
    }
    if (!event.capture->active) throw Failure{CUDA_ERROR_CAPTURED_EVENT};
    if (&stream == &resolve(nullptr)) forbidLegacyWhileCapturing();
    if (stream.capture && stream.capture != event.capture) {
        stream.capture->invalidated = event.capture->invalidated = true;
        throw Failure{CUDA_ERROR_STREAM_CAPTURE_MERGE};
    }
    stream.capture = event.capture;
    unite(stream.tail, event.nodes);
}

void begin(Stream& stream, CUstreamCaptureMode mode) {
    if (&stream == &resolve(nullptr)) throw Failure{CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED};
    if (stream.capture) throw Failure{CUDA_ERROR_ILLEGAL_STATE};
    Graph& graph = create<Graph>(stream.owner);
    stream.capture = std::make_shared<Capture>(Capture{++captures, mode, thisThread(), &stream, &graph});
    active.push_back(stream.capture);
}

Graph* end(Stream& stream) {
    auto capture = stream.capture;
    if (!capture) throw Failure{CUDA_ERROR_ILLEGAL_STATE};
    if (capture->origin != &stream) {
        capture->invalidated = true;
        throw Failure{CUDA_ERROR_STREAM_CAPTURE_UNMATCHED};
    }
    if (capture->thread != thisThread() && capture->mode != CU_STREAM_CAPTURE_MODE_RELAXED)
        throw Failure{CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD};
    bool unjoined = !joined(*capture);
    close(*capture);
    if (!capture->invalidated && !unjoined) return capture->graph;
    capture->graph->alive = false;
    capture->graph->nodes.clear();
    if (!capture->invalidated) throw Failure{CUDA_ERROR_STREAM_CAPTURE_UNJOINED};
    return nullptr;
}

void abandon(Stream& stream) {
    auto capture = stream.capture;
    if (!capture) return;
    capture->invalidated = true;
    if (capture->origin != &stream) return;
    close(*capture);
    capture->graph->alive = false;
}

Plan::~Plan() {
    for (std::uint32_t lane : lanes) giveLane(lane);
}

// A node goes on in the lane of the first node before it whose lane nobody has continued; else it opens a lane.
std::shared_ptr<const Plan> prepare(const Graph& graph) {
    auto plan = std::make_shared<Plan>();
    plan->nodes = graph.nodes;
    std::vector<bool> continued(graph.nodes.size());
    bool started = false;
    for (const Node& node : plan->nodes) {
        std::uint32_t branch = ~0u;
        for (std::size_t other : node.before)
            if (!continued[other] && branch == ~0u) {
                continued[other] = true;
                branch = plan->branch[other];
            }
        if (node.before.empty() && !started) branch = 0;
        started = true;
        if (branch == ~0u) {
            plan->lanes.push_back(takeLane());
            branch = plan->lanes.size();
        }
        plan->branch.push_back(branch);
    }
    return plan;
}

static void launchInCapture(const Plan& plan, Stream& stream) {
    if (stream.capture->invalidated) throw Failure{CUDA_ERROR_STREAM_CAPTURE_INVALIDATED};
    auto& nodes = stream.capture->graph->nodes;
    std::size_t first = nodes.size();
    std::set<std::size_t> sinks;
    for (const Node& node : plan.nodes) {
        Node copy = node;
        for (std::size_t& other : copy.before) sinks.erase(other += first);
        if (copy.before.empty()) copy.before = stream.tail;
        sinks.insert(nodes.size());
        nodes.push_back(std::move(copy));
    }
    if (!sinks.empty()) stream.tail.assign(sinks.begin(), sinks.end());
}

void launch(Exec& exec, Stream& stream) {
    const Plan& plan = *exec.plan;
    if (stream.capture) return launchInCapture(plan, stream);
    if (&stream == &resolve(nullptr)) forbidLegacyWhileCapturing();
    for (const Node& node : plan.nodes)
        if (node.operation.kind != Kind::kernel) tally(node.operation);
    bump("graph_launches");
    std::uint64_t own = std::count(plan.branch.begin(), plan.branch.end(), 0u);
    auto sequences = std::make_shared<std::vector<std::uint64_t>>(plan.nodes.size());
    auto job = enqueue(stream, std::max<std::uint64_t>(own, 1), exec.last,
                       [plan = exec.plan, sequences](const Job& job) { runNodes(*plan, *sequences, job); });
    std::uint64_t next = job->sequence;
    for (std::size_t i = 0; i < plan.nodes.size(); i++) {
        if (!plan.branch[i]) {
            (*sequences)[i] = next++;
            continue;
        }
        std::uint32_t lane = plan.lanes[plan.branch[i] - 1];
        (*sequences)[i] = advance(lane, 1);
        if (job->done.size() <= lane) job->done.resize(lane + 1);
        job->done[lane] = (*sequences)[i];
    }
    exec.last = job;
}

}  // namespace softgpu
