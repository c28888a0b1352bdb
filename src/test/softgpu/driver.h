// Inside libcuda.so.1: handles, the queue of deferred work, capture, and what entry points need.
//
// One mutex serialises everything, as the interpreter runs one task at a time anyway. Handles are never deleted, only
// marked dead, so that using one after its destruction is an error with a name and not a crash.
#pragma once
#define __CUDA_API_VERSION_INTERNAL  // declares the versioned names (cuMemAlloc_v2) that the natives import
#include <cuda.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "gpu.h"
#include "memory.h"
#include "ptx.h"

namespace softgpu {

using Clock = std::vector<std::uint64_t>;  // per lane: the last sequence that happened before
void join(Clock& into, const Clock& other);

struct Failure {  // ends an entry point with its error code
    CUresult code;
};

enum class Kind { kernel, htod, dtoh, dtod, memset, host, library, marker };

// What a stream is asked to do. `run` captures by value: it runs later, and again at each launch of a graph.
struct Operation {
    Kind kind = Kind::marker;
    std::string name;
    std::size_t bytes = 0;
    std::function<void(Task&)> run;
};

// An operation, or a launched graph, in the queue.
struct Job {
    std::uint64_t number = 0;  // order of enqueueing: everything in `before` has a smaller one
    std::uint32_t lane = 0;
    std::uint64_t sequence = 0;  // the first of its own on the lane
    Clock after, done;           // what happened before its start, and before its end
    std::vector<std::shared_ptr<Job>> before;
    std::function<void(const Job&)> go;
    bool finished = false;
    double end = 0;  // milliseconds of this machine's clock, and what `delay` added
};

struct Context;

struct Handle {
    explicit Handle(Context* owner) : owner(owner) {}
    Context* owner;
    bool alive = true;
};

struct Context : Handle {
    using Handle::Handle;
    static constexpr const char* what = "context";
    unsigned flags = 0;
    CUdevice device = 0;
};

struct Node {
    Operation operation;
    std::vector<std::size_t> before;
};

struct Graph : Handle {
    using Handle::Handle;
    static constexpr const char* what = "graph";
    std::deque<Node> nodes;  // in order of capture, which is topological; a deque keeps their addresses
};

struct Capture {
    std::uint64_t number;
    CUstreamCaptureMode mode;
    const void* thread;
    Stream* origin;
    Graph* graph;
    bool active = true, invalidated = false;
};

struct Stream : Handle {
    using Handle::Handle;
    static constexpr const char* what = "stream";
    bool blocking = true;  // ordered with the legacy default stream
    int priority = 0;
    std::uint32_t lane = 0;
    std::uint64_t sequence = 0;
    Clock clock;
    std::shared_ptr<Job> last;
    std::shared_ptr<Capture> capture;
    std::vector<std::size_t> tail;  // while capturing: the nodes that the next one follows
    unsigned polls = 0;
};

struct Event : Handle {
    using Handle::Handle;
    static constexpr const char* what = "event";
    std::shared_ptr<Job> job;          // null: never recorded, which counts as complete
    std::shared_ptr<Capture> capture;  // or the captured nodes that it stands for
    std::vector<std::size_t> nodes;
    unsigned polls = 0;
};

// A graph made ready: its nodes by value, so that arguments are frozen, and who may run beside whom.
struct Plan {
    std::deque<Node> nodes;
    std::vector<std::uint32_t> branch;  // per node: 0 is the launching stream's own lane, k is lanes[k - 1]
    std::vector<std::uint32_t> lanes;
    ~Plan();
};

struct Exec : Handle {
    using Handle::Handle;
    static constexpr const char* what = "executable graph";
    std::shared_ptr<const Plan> plan;
    std::shared_ptr<Job> last;
};

struct Module : Handle {
    using Handle::Handle;
    static constexpr const char* what = "module";
    std::shared_ptr<const ptx::Module> code;  // stays: queued launches and dead functions still know their names
    std::unique_ptr<ptx::Image> image;
};

struct Function : Handle {
    using Handle::Handle;
    static constexpr const char* what = "function";
    Module* module = nullptr;
    const ptx::Kernel* kernel = nullptr;
    std::size_t dynamicShared = 0;  // what cuFuncSetAttribute allows
};

// --- control.cpp: faults, counters, violations
extern std::recursive_mutex mutex;
extern thread_local bool insideTask;  // a host function may not call CUDA
CUresult sticky();                    // CUDA_SUCCESS, or what every call answers after a violation
void violated(const std::string& message);  // sticky from now on
void misused(const std::string& message);   // a violation too, but only the call that made it fails
void tally(const Operation& operation);
void tally(const std::string& kernel, const ptx::LaunchReport& report);
void bump(const std::string& counter, std::int64_t by = 1);
std::uint64_t seed();
std::size_t liveBytes();

// --- scheduler.cpp: lanes, streams and deferred jobs
Memory& memory();
std::uint32_t takeLane();
void giveLane(std::uint32_t lane);
std::uint64_t advance(std::uint32_t lane, std::uint64_t by);  // the first of `by` new sequences
Stream& resolve(CUstream handle);                             // the default streams too
Stream& openStream(Context* owner, bool blocking);
void closeStream(Stream& stream);
void submit(Stream& stream, Operation operation);  // enqueues, or appends to the graph that is captured
std::shared_ptr<Job> enqueue(Stream& stream, std::uint64_t sequences, const std::shared_ptr<Job>& after,
                             std::function<void(const Job&)> go);
void finish(const std::shared_ptr<Job>& job);  // runs it and all it needs: the host waits. Throws the sticky error
void finish(Stream& stream);
void finishAll();
void drop();                                                  // everything that has not run
bool poll(const std::shared_ptr<Job>& job, unsigned& polls);  // as if time passed between polls

// --- capture.cpp: from streams to graphs and back
void forbidWhileCapturing();        // throws CUDA's code and invalidates the captures that forbid unsafe calls
void forbidLegacyWhileCapturing();  // the same for work in the default stream
void append(Stream& stream, Operation operation);
void record(Event& event, Stream& stream);
void wait(Stream& stream, Event& event);
void begin(Stream& stream, CUstreamCaptureMode mode);
Graph* end(Stream& stream);  // null when the capture was invalidated
void abandon(Stream& stream);
CUstreamCaptureMode& threadCaptureMode();
std::shared_ptr<const Plan> prepare(const Graph& graph);
void launch(Exec& exec, Stream& stream);

// --- handles
template <class T> std::unordered_map<const void*, std::unique_ptr<T>>& all() {
    static auto& handles = *new std::unordered_map<const void*, std::unique_ptr<T>>;
    return handles;
}

template <class T> T& create(Context* owner) {
    auto made = std::make_unique<T>(owner);
    T& handle = *made;
    all<T>().emplace(&handle, std::move(made));
    return handle;
}

template <class T> T& as(const void* handle) {
    auto found = all<T>().find(handle);
    if (found == all<T>().end()) throw Failure{CUDA_ERROR_INVALID_HANDLE};
    if (!found->second->alive) {
        misused(std::string(T::what) + " used after it was destroyed");
        throw Failure{CUDA_ERROR_INVALID_HANDLE};
    }
    return *found->second;
}

template <class T> std::int64_t living() {
    std::int64_t n = 0;
    for (auto& [address, handle] : all<T>()) n += handle->alive;
    return n;
}

Context& current();    // throws when the thread has none
int capability();      // 80, or what BASIN_SOFTGPU_CC says
int devices();         // 1, or what BASIN_SOFTGPU_COUNT says, at most maxDevices

// --- how every entry point is wrapped
CUresult injected(const char* kind, const char* function);
CUresult refused(const char* function);  // not initialised, inside a host function, ...

template <class Body> CUresult guarded(Body body) {
    try {
        body();
        return CUDA_SUCCESS;
    } catch (const Failure& failure) {
        return failure.code;
    } catch (const Violation& violation) {
        violated(violation.what());
        return sticky();
    }
}

// A call of a kind that faults can be injected into; it answers the sticky error once there is one.
template <class Body> CUresult call(const char* kind, const char* function, Body body) {
    std::lock_guard lock(mutex);
    if (CUresult code = refused(function)) return code;
    if (CUresult code = injected(kind, function)) return code;
    if (CUresult code = sticky()) return code;
    return guarded(body);
}

// A call that gives something back: never injected, and done even after a sticky error, which it then reports.
template <class Body> CUresult release(const char* function, Body body) {
    std::lock_guard lock(mutex);
    if (CUresult code = refused(function)) return code;
    CUresult code = guarded(body);
    return code ? code : sticky();
}

}  // namespace softgpu
