// What tests ask of the software GPU: counters, planned failures, violations; and the contract of gpu.h.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>

#include "driver.h"

namespace softgpu {
namespace {

struct KernelTotals {
    std::int64_t launches = 0, loaded = 0, stored = 0, wide = 0;
};

const auto& kinds = *new std::map<std::string, CUresult>{
    {"alloc", CUDA_ERROR_OUT_OF_MEMORY},   {"copy", CUDA_ERROR_ECC_UNCORRECTABLE}, {"launch", CUDA_ERROR_LAUNCH_FAILED},
    {"graph", CUDA_ERROR_OUT_OF_MEMORY},   {"module", CUDA_ERROR_NO_BINARY_FOR_GPU}, {"stream", CUDA_ERROR_OUT_OF_MEMORY},
    {"event", CUDA_ERROR_OUT_OF_MEMORY},   {"sync", CUDA_ERROR_UNKNOWN},           {"context", CUDA_ERROR_OUT_OF_MEMORY},
    {"cublas", CUDA_ERROR_UNKNOWN},        {"cudnn", CUDA_ERROR_UNKNOWN},          {"nvrtc", CUDA_ERROR_UNKNOWN},
    {"any", CUDA_ERROR_UNKNOWN},
};
const auto& plain = *new std::set<std::string>{"launches", "graph_launches", "kernels",    "syncs",      "htod",    "dtoh",
                                     "dtod",     "memsets",        "allocs",     "frees",      "library", "host_functions",
                                     "bytes_htod", "bytes_dtoh",   "bytes_dtod", "violations", "leaks"};

using Counts = std::unordered_map<std::string, std::int64_t>;
auto &counters = *new Counts, &calls = *new Counts, &planned = *new Counts;
auto& kernels = *new std::map<std::string, KernelTotals>;
auto &last = *new std::string, &failed = *new std::string;
CUresult stickyCode = CUDA_SUCCESS;
std::uint64_t seedValue = 1;

CUresult codeOf(const std::string& message) {
    auto says = [&](const char* word) { return message.find(word) != std::string::npos; };
    if (says("misaligned")) return CUDA_ERROR_MISALIGNED_ADDRESS;
    return says("out of bounds") || says("freed") ? CUDA_ERROR_ILLEGAL_ADDRESS : CUDA_ERROR_LAUNCH_FAILED;
}

std::int64_t kernelCounter(const std::string& name) {  // kernel:NAME:launches
    std::size_t split = name.rfind(':');
    if (split <= 7) return -1;
    auto found = kernels.find(name.substr(7, split - 7));
    KernelTotals totals = found == kernels.end() ? KernelTotals() : found->second;
    std::string what = name.substr(split + 1);
    if (what == "launches") return totals.launches;
    if (what == "loaded") return totals.loaded;
    if (what == "stored") return totals.stored;
    return what == "wide" ? totals.wide : -1;
}

std::int64_t counter(const std::string& name) {
    if (name == "live_bytes") return liveBytes();
    if (name == "live_streams") return living<Stream>() - (all<Stream>().count(&resolve(nullptr)) ? 1 : 0);
    if (name == "live_events") return living<Event>();
    if (name == "live_graphs") return living<Graph>() + living<Exec>();
    if (name == "live_modules") return living<Module>();
    if (name == "live_contexts") return living<Context>();
    if (name == "live_pinned" || name == "peak_bytes") return counters[name];
    if (name.rfind("calls:", 0) == 0) return counters[name];
    if (name.rfind("kernel:", 0) == 0) return kernelCounter(name);
    return plain.count(name) ? counters[name] : -1;
}

std::string table() {
    char line[256];
    std::snprintf(line, sizeof line, "%-32s %10s %14s %14s %8s\n", "kernel", "launches", "bytes loaded", "bytes stored",
                  "128-bit");
    std::string text = line;
    for (auto& [name, totals] : kernels) {
        double moved = totals.loaded + totals.stored;
        std::snprintf(line, sizeof line, "%-32s %10lld %14lld %14lld %7.1f%%\n", name.c_str(), (long long)totals.launches,
                      (long long)totals.loaded, (long long)totals.stored, moved ? 100 * totals.wide / moved : 0.0);
        text += line;
    }
    return text;
}

void copyOut(const std::string& text, char* out, int n) {
    if (!out || n <= 0) return;
    std::size_t bytes = std::min(text.size(), std::size_t(n) - 1);
    std::memcpy(out, text.data(), bytes);
    out[bytes] = 0;
}

void resetCounters() {
    std::int64_t pinned = counters["live_pinned"];
    counters.clear();
    calls.clear();
    planned.clear();
    kernels.clear();
    counters["live_pinned"] = pinned;
    counters["peak_bytes"] = liveBytes();
    last.clear();
    failed.clear();
    stickyCode = CUDA_SUCCESS;
}

}  // namespace

std::recursive_mutex mutex;
thread_local bool insideTask = false;

CUresult sticky() { return stickyCode; }

void misused(const std::string& message) {
    last = message;
    counters["violations"]++;
    std::fprintf(stderr, "softgpu: %s\n", message.c_str());
}

void violated(const std::string& message) {
    misused(message);
    if (!stickyCode) stickyCode = codeOf(message);
}

void bump(const std::string& counter, std::int64_t by) { counters[counter] += by; }

void tally(const Operation& operation) {
    switch (operation.kind) {
        case Kind::kernel: bump("launches"); break;
        case Kind::htod: bump("htod"), bump("bytes_htod", operation.bytes); break;
        case Kind::dtoh: bump("dtoh"), bump("bytes_dtoh", operation.bytes); break;
        case Kind::dtod: bump("dtod"), bump("bytes_dtod", operation.bytes); break;
        case Kind::memset: bump("memsets"); break;
        case Kind::library: bump("library"); break;
        case Kind::host: bump("host_functions"); break;
        case Kind::marker: break;
    }
}

void tally(const std::string& kernel, const ptx::LaunchReport& report) {
    KernelTotals& totals = kernels[kernel];
    bump("kernels");
    totals.launches++;
    totals.loaded += report.loaded;
    totals.stored += report.stored;
    totals.wide += report.wide;
}

std::uint64_t seed() { return seedValue; }

std::size_t liveBytes() {
    std::size_t bytes = memory().used();
    counters["peak_bytes"] = std::max(counters["peak_bytes"], std::int64_t(bytes));
    return bytes;
}

CUresult injected(const char* kind, const char* function) {
    return fails(kind, function) ? kinds.at(kind) : CUDA_SUCCESS;
}

// --- gpu.h

bool enqueue(Stream* handle, std::string name, Work work) {
    std::lock_guard lock(mutex);
    if (sticky()) return false;
    auto run = [work = std::move(work)](Task& task) { work(task); };
    CUresult code = guarded([&] {
        submit(resolve(reinterpret_cast<CUstream>(handle)), Operation{Kind::library, std::move(name), 0, std::move(run)});
    });
    return code == CUDA_SUCCESS;
}

bool valid(Address at, std::size_t bytes) {
    std::lock_guard lock(mutex);
    return memory().valid(at, bytes);
}

bool capturing(Stream* handle) {
    std::lock_guard lock(mutex);
    bool answer = false;
    guarded([&] { answer = resolve(reinterpret_cast<CUstream>(handle)).capture != nullptr; });
    return answer;
}

bool fails(const char* kind, const char* function) {
    std::lock_guard lock(mutex);
    bool fail = false;
    for (const char* each : {kind, "any"}) {
        calls[each]++;
        auto plan = planned.find(each);
        if (plan == planned.end() || --plan->second > 0) continue;
        planned.erase(plan);
        fail = true;
    }
    static const bool explain = std::getenv("BASIN_SOFTGPU_EXPLAIN") != nullptr;
    if (fail) failed = function;
    if (fail && explain) std::fprintf(stderr, "softgpu: %s fails, as a test asked\n", function);
    return fail;
}

void count(const char* function) {
    std::lock_guard lock(mutex);
    counters[std::string("calls:") + function]++;
}

void moved(const char* function, std::int64_t loaded, std::int64_t stored) {
    std::lock_guard lock(mutex);
    KernelTotals& totals = kernels[function];
    totals.launches++;
    totals.loaded += loaded;
    totals.stored += stored;
}

}  // namespace softgpu

using namespace softgpu;

extern "C" {

int softgpu_present() { return 1; }

void softgpu_reset() {
    std::lock_guard lock(mutex);
    resetCounters();
}

std::int64_t softgpu_counter(const char* name) {
    std::lock_guard lock(mutex);
    return counter(name);
}

// The n-th following call of the kind fails, once; 0 forgets it. Non-zero when there is no such kind.
int softgpu_fail(const char* kind, std::int64_t n) {
    std::lock_guard lock(mutex);
    if (!kinds.count(kind)) return 1;
    if (n > 0)
        planned[kind] = n;
    else
        planned.erase(kind);
    return 0;
}

std::int64_t softgpu_calls(const char* kind) {
    std::lock_guard lock(mutex);
    return calls[kind];
}

void softgpu_seed(std::uint64_t seed) {
    std::lock_guard lock(mutex);
    seedValue = seed;
}

void softgpu_last_violation(char* out, int n) {
    std::lock_guard lock(mutex);
    copyOut(last, out, n);
}

// The function that a planned failure hit last, by its symbol.
void softgpu_last_failure(char* out, int n) {
    std::lock_guard lock(mutex);
    copyOut(failed, out, n);
}

// The table of kernels; on stderr where there is nowhere else to put it.
void softgpu_report(char* out, int n) {
    std::lock_guard lock(mutex);
    std::string text = table();
    if (out) return copyOut(text, out, n);
    std::fputs(text.c_str(), stderr);
}

}  // extern "C"
