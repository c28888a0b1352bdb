// Streams as queues of deferred jobs: nothing runs until the host waits, and then only what it waits for.
#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "driver.h"

namespace softgpu {
namespace {

constexpr std::size_t longestQueue = 16384;  // then the oldest job runs, as hardware would have come to it by then
constexpr unsigned pollsUntilDone = 3;

// Never destroyed, here and elsewhere: a JVM's threads may still call while the process ends.
std::uint64_t jobs = 0;
auto& pending = *new std::deque<std::shared_ptr<Job>>;
auto& laneEnds = *new std::vector<std::uint64_t>{0};  // lane 0 is the host's
auto& freeLanes = *new std::vector<std::uint32_t>;
auto& host = *new Clock;                              // what the host has waited for
auto& blockingStreams = *new std::vector<Stream*>;    // those that the legacy stream waits for
Stream* legacy = nullptr;
double late = 0;  // what tasks were said to take beyond this machine's time

Stream& legacyStream() {
    if (!legacy) {
        legacy = &create<Stream>(nullptr);
        legacy->lane = takeLane();
    }
    return *legacy;
}

void follow(Job& job, const std::shared_ptr<Job>& other) {
    if (!other) return;
    join(job.after, other->done);
    if (!other->finished) job.before.push_back(other);
}

void run(Job& job) {
    if (job.finished) return;
    auto go = std::move(job.go);
    auto before = std::move(job.before);
    job.go = nullptr;
    job.before.clear();
    job.finished = true;
    insideTask = true;
    try {
        if (go && !sticky()) go(job);
    } catch (const Violation& violation) {
        violated(violation.what());
    } catch (const std::exception& error) {
        violated(std::string("the software GPU itself failed: ") + error.what());
    }
    insideTask = false;
    auto now = std::chrono::steady_clock::now().time_since_epoch();
    job.end = std::chrono::duration<double, std::milli>(now).count() + late;
}

// The job and all it needs, oldest first.
std::vector<std::shared_ptr<Job>> closure(const std::shared_ptr<Job>& last) {
    std::unordered_map<const Job*, bool> seen{{last.get(), true}};
    std::vector<std::shared_ptr<Job>> found{last};
    for (std::size_t i = 0; i < found.size(); i++)
        for (auto& other : std::vector(found[i]->before))
            if (!other->finished && seen.emplace(other.get(), true).second) found.push_back(other);
    std::sort(found.begin(), found.end(), [](auto& a, auto& b) { return a->number < b->number; });
    return found;
}

void runClosure(const std::shared_ptr<Job>& job) {
    if (!job->finished)
        for (auto& each : closure(job)) run(*each);
    while (!pending.empty() && pending.front()->finished) pending.pop_front();
    if (sticky()) drop();
}

}  // namespace

void delay(double milliseconds) { late += milliseconds; }

void join(Clock& into, const Clock& other) {
    if (into.size() < other.size()) into.resize(other.size());
    for (std::size_t i = 0; i < other.size(); i++) into[i] = std::max(into[i], other[i]);
}

Memory& memory() {
    static Memory& memory = *[] {
        const char* asked = std::getenv("BASIN_SOFTGPU_MEMORY");
        return new Memory(asked ? std::strtoull(asked, nullptr, 0) : std::size_t{8} << 30);
    }();
    return memory;
}

std::uint32_t takeLane() {
    if (!freeLanes.empty()) {
        std::uint32_t lane = freeLanes.back();
        freeLanes.pop_back();
        return lane;
    }
    laneEnds.push_back(0);
    return laneEnds.size() - 1;
}

// A lane that the host has not waited for keeps its number, or its next user would look ordered after it.
void giveLane(std::uint32_t lane) {
    if (laneEnds[lane] == 0 || (lane < host.size() && host[lane] >= laneEnds[lane])) freeLanes.push_back(lane);
}

std::uint64_t advance(std::uint32_t lane, std::uint64_t by) {
    laneEnds[lane] += by;
    return laneEnds[lane] - by + 1;
}

Stream& resolve(CUstream handle) {
    if (!handle || handle == CU_STREAM_LEGACY) return legacyStream();
    if (handle == CU_STREAM_PER_THREAD) {
        static thread_local Stream* own = nullptr;
        if (!own) own = &openStream(nullptr, true);
        return *own;
    }
    return as<Stream>(handle);
}

Stream& openStream(Context* owner, bool blocking) {
    Stream& stream = create<Stream>(owner);
    stream.blocking = blocking;
    stream.lane = takeLane();
    if (blocking) blockingStreams.push_back(&stream);
    return stream;
}

// Its work stays queued, as CUDA says.
void closeStream(Stream& stream) {
    stream.alive = false;
    abandon(stream);
    giveLane(stream.lane);
}

std::shared_ptr<Job> enqueue(Stream& stream, std::uint64_t sequences, const std::shared_ptr<Job>& after,
                             std::function<void(const Job&)> go) {
    auto job = std::make_shared<Job>();
    job->number = ++jobs;
    job->lane = stream.lane;
    job->after = host;
    follow(*job, stream.last);
    follow(*job, after);
    if (&stream == legacy) {
        auto idle = [](Stream* s) { return !s->alive && (!s->last || s->last->finished); };
        for (Stream* other : blockingStreams) follow(*job, other->last);
        blockingStreams.erase(std::remove_if(blockingStreams.begin(), blockingStreams.end(), idle), blockingStreams.end());
    } else if (stream.blocking) {
        follow(*job, legacyStream().last);
    }
    job->sequence = advance(stream.lane, sequences);
    job->done = job->after;
    if (job->done.size() <= stream.lane) job->done.resize(stream.lane + 1);
    job->done[stream.lane] = job->sequence + sequences - 1;
    job->go = std::move(go);
    stream.last = job;
    pending.push_back(job);
    if (pending.size() > longestQueue) runClosure(std::shared_ptr<Job>(pending.front()));
    return job;
}

void submit(Stream& stream, Operation operation) {
    if (stream.capture) return append(stream, std::move(operation));
    if (&stream == legacy) forbidLegacyWhileCapturing();
    tally(operation);
    enqueue(stream, 1, nullptr, [operation = std::move(operation)](const Job& job) {
        Task task(memory(), operation.name, TaskClock{job.lane, job.sequence, job.after});
        operation.run(task);
    });
}

void finish(const std::shared_ptr<Job>& job) {
    if (!job) return;
    runClosure(job);
    join(host, job->done);
    if (CUresult code = sticky()) throw Failure{code};
}

void finish(Stream& stream) {
    if (&stream == legacy)
        for (Stream* other : std::vector(blockingStreams)) finish(other->last);
    finish(stream.last);
}

void finishAll() {
    while (!pending.empty()) finish(std::shared_ptr<Job>(pending.front()));
    for (auto& [address, stream] : all<Stream>())
        if (stream->last) join(host, stream->last->done);
}

void drop() {
    for (auto& job : pending) {
        job->finished = true;
        job->go = nullptr;
        job->before.clear();
    }
    pending.clear();
}

bool poll(const std::shared_ptr<Job>& job, unsigned& polls) {
    if (!job) return true;
    if (!job->finished && ++polls % pollsUntilDone != 0) return false;
    finish(job);
    return true;
}

}  // namespace softgpu
