// libcuda.so.1: device and pinned memory, copies, fills.
//
// Copies and fills without `Async` go to the legacy stream, which does not wait for non-blocking streams; only those
// that touch the host make it wait, as CUDA documents. A copy from pageable memory to the device makes it wait for what
// was in the stream before, and no longer: its bytes are staged and arrive when the stream comes to them, so work in a
// non-blocking stream that relies on them is a race. Async copies want pinned memory and look at it when they run.
#include <cstdlib>
#include <cstring>
#include <map>
#include <utility>

#include "driver.h"

namespace softgpu {
namespace {

struct Pinned {
    std::size_t bytes;
    Context* owner;
    bool ours;  // allocated, rather than registered
    std::uint64_t number;
};

auto& owners = *new std::map<Address, Context*>;
auto& pinned = *new std::map<const char*, Pinned>;
std::uint64_t pinnedCount = 0;
auto& staged = *new std::shared_ptr<Job>;  // the last copy from pageable memory

// Which pinned range holds these bytes; 0 when none does.
std::uint64_t pinnedRange(const void* host, std::size_t bytes) {
    const char* start = static_cast<const char*>(host);
    auto after = pinned.upper_bound(start);
    if (after == pinned.begin()) return 0;
    auto& [first, range] = *std::prev(after);
    return start + bytes <= first + range.bytes ? range.number : 0;
}

std::string sized(std::string function, std::size_t bytes) {
    return function.substr(0, function.rfind("_v2")) + " of " + std::to_string(bytes) + " bytes";
}

void requireDevice(const char* function, Address at, std::size_t bytes) {
    if (memory().valid(at, bytes)) return;
    misused(sized(function, bytes) + ": not all in live memory from " + memory().describe(at));
    throw Failure{CUDA_ERROR_INVALID_VALUE};
}

std::uint64_t requirePinned(const char* function, const void* host, std::size_t bytes) {
    if (std::uint64_t range = pinnedRange(host, bytes)) return range;
    misused(sized(function, bytes) + ": the host memory is not pinned, and the copy would outlive the call: " +
            "use cuMemAllocHost, or cuMemHostRegister");
    throw Failure{CUDA_ERROR_INVALID_VALUE};
}

void stillPinned(const Task& task, const void* host, std::size_t bytes, std::uint64_t range) {
    if (range && pinnedRange(host, bytes) != range)
        throw Violation(task.name() + ": its pinned host memory was freed while the copy was queued");
}

Operation toDevice(const char* function, Address to, const void* from, std::size_t n, std::uint64_t range) {
    return {Kind::htod, sized(function, n), n, [=](Task& task) {
                stillPinned(task, from, n, range);
                std::memcpy(task.write(to, n), from, n);
            }};
}

Operation toHost(const char* function, void* to, Address from, std::size_t n, std::uint64_t range) {
    return {Kind::dtoh, sized(function, n), n, [=](Task& task) {
                stillPinned(task, to, n, range);
                std::memcpy(to, task.read(from, n), n);
            }};
}

void blocking(Operation operation) {
    current();
    forbidWhileCapturing();
    Stream& legacy = resolve(nullptr);
    submit(legacy, std::move(operation));
    finish(legacy.last);
}

void copyStaged(const char* function, Address to, const void* from, std::size_t n) {
    current();
    forbidWhileCapturing();
    finish(resolve(nullptr));
    const char* first = static_cast<const char*>(from);
    auto taken = std::make_shared<const std::vector<char>>(first, first + n);
    submit(resolve(nullptr), {Kind::htod, sized(function, n), n, [=](Task& task) {
                                  std::memcpy(task.write(to, n), taken->data(), n);
                              }});
    staged = resolve(nullptr).last;
}

CUresult copyToDevice(const char* function, Address to, const void* from, std::size_t n, CUstream* handle) {
    return call("copy", function, [&] {
        if (!n) return;
        requireDevice(function, to, n);
        if (!handle && !pinnedRange(from, n)) return copyStaged(function, to, from, n);
        if (!handle) return blocking(toDevice(function, to, from, n, 0));
        current();
        submit(resolve(*handle), toDevice(function, to, from, n, requirePinned(function, from, n)));
    });
}

CUresult copyToHost(const char* function, void* to, Address from, std::size_t n, CUstream* handle) {
    return call("copy", function, [&] {
        if (!n) return;
        requireDevice(function, from, n);
        if (!handle) return blocking(toHost(function, to, from, n, 0));
        current();
        submit(resolve(*handle), toHost(function, to, from, n, requirePinned(function, to, n)));
    });
}

void enqueueOnDevice(Operation operation, CUstream* handle) {
    current();
    if (!handle) forbidWhileCapturing();
    submit(resolve(handle ? *handle : nullptr), std::move(operation));
}

CUresult copyOnDevice(const char* function, Address to, Address from, std::size_t n, CUstream* handle) {
    return call("copy", function, [&] {
        if (!n) return;
        requireDevice(function, to, n);
        requireDevice(function, from, n);
        if (from < to + n && to < from + n) {
            misused(sized(function, n) + ": source and destination overlap");
            throw Failure{CUDA_ERROR_INVALID_VALUE};
        }
        enqueueOnDevice({Kind::dtod, sized(function, n), n,
                         [=](Task& task) {
                             const void* source = task.read(from, n);
                             std::memcpy(task.write(to, n), source, n);
                         }},
                        handle);
    });
}

template <class T> CUresult fill(const char* function, Address to, T value, std::size_t n, CUstream* handle) {
    return call("copy", function, [&] {
        std::size_t bytes = n * sizeof(T);
        if (to % sizeof(T)) throw Failure{CUDA_ERROR_INVALID_VALUE};
        if (!n) return;
        requireDevice(function, to, bytes);
        enqueueOnDevice({Kind::memset, sized(function, bytes), bytes,
                         [=](Task& task) {
                             T* out = static_cast<T*>(task.write(to, bytes));
                             std::fill(out, out + n, value);
                         }},
                        handle);
    });
}

CUresult anyCopy(const char* function, Address to, Address from, std::size_t n, CUstream* handle) {
    bool toGpu = Memory::inRange(to), fromGpu = Memory::inRange(from);
    if (toGpu && fromGpu) return copyOnDevice(function, to, from, n, handle);
    if (toGpu) return copyToDevice(function, to, reinterpret_cast<const void*>(from), n, handle);
    if (fromGpu) return copyToHost(function, reinterpret_cast<void*>(to), from, n, handle);
    return CUDA_ERROR_INVALID_VALUE;
}

void pin(void* host, std::size_t bytes, bool ours) {
    pinned[static_cast<char*>(host)] = Pinned{bytes, &current(), ours, ++pinnedCount};
    bump("live_pinned", bytes);
}

CUresult allocateHost(const char* function, void** host, std::size_t bytes) {
    return call("alloc", function, [&] {
        current();
        forbidWhileCapturing();
        if (!bytes) throw Failure{CUDA_ERROR_INVALID_VALUE};
        if (posix_memalign(host, 4096, bytes)) throw Failure{CUDA_ERROR_OUT_OF_MEMORY};
        std::memset(*host, 0xCB, bytes);  // what nobody has written should look like it
        pin(*host, bytes, true);
    });
}

CUresult unpin(const char* function, void* host, bool ours, CUresult otherwise) {
    return release(function, [&] {
        forbidWhileCapturing();
        auto found = pinned.find(static_cast<char*>(host));
        if (found == pinned.end() || found->second.ours != ours) {
            misused(std::string(function) + ": not a pinned buffer, or no longer");
            throw Failure{otherwise};
        }
        bump("live_pinned", -std::int64_t(found->second.bytes));
        pinned.erase(found);
        if (ours) std::free(host);
    });
}

}  // namespace

void releaseMemory(Context& context, std::int64_t& leaks) {
    for (auto it = owners.begin(); it != owners.end();)
        if (it->second == &context) {
            memory().release(it->first);
            it = owners.erase(it);
            leaks++;
        } else {
            ++it;
        }
    for (auto it = pinned.begin(); it != pinned.end();)
        if (it->second.owner == &context) {
            bump("live_pinned", -std::int64_t(it->second.bytes));
            it = pinned.erase(it);  // the bytes themselves stay: the host may still look
            leaks++;
        } else {
            ++it;
        }
}

}  // namespace softgpu

using namespace softgpu;

extern "C" {

CUresult cuMemAlloc_v2(CUdeviceptr* at, std::size_t bytes) {
    return call("alloc", __func__, [&] {
        Context& context = current();
        forbidWhileCapturing();
        if (!bytes) throw Failure{CUDA_ERROR_INVALID_VALUE};
        Address address = memory().allocate(bytes);
        if (!address) throw Failure{CUDA_ERROR_OUT_OF_MEMORY};
        owners[address] = &context;
        *at = address;
        bump("allocs");
        liveBytes();
    });
}

CUresult cuMemFree_v2(CUdeviceptr at) {
    return release(__func__, [&] {
        if (!at) return;
        forbidWhileCapturing();
        guarded([] { finish(std::exchange(staged, nullptr)); });  // whoever made the copy had no handle to wait for it
        auto found = owners.find(at);
        if (found == owners.end()) {
            misused("cuMemFree: not the start of live memory: " + memory().describe(at));
            throw Failure{CUDA_ERROR_INVALID_VALUE};
        }
        owners.erase(found);
        memory().release(at);
        bump("frees");
    });
}

CUresult cuMemGetInfo_v2(std::size_t* free, std::size_t* total) {
    return call("context", __func__, [&] {
        current();
        *total = memory().capacity();
        *free = memory().capacity() - memory().used();
    });
}

CUresult cuMemGetAddressRange_v2(CUdeviceptr* base, std::size_t* bytes, CUdeviceptr at) {
    return call("context", __func__, [&] {
        auto found = memory().find(at);
        if (!found) throw Failure{CUDA_ERROR_NOT_FOUND};
        if (base) *base = found->start;
        if (bytes) *bytes = found->bytes;
    });
}

CUresult cuPointerGetAttribute(void* value, CUpointer_attribute attribute, CUdeviceptr at) {
    return call("context", __func__, [&] {
        bool device = memory().find(at).has_value();
        if (!device && !pinnedRange(reinterpret_cast<void*>(at), 1)) throw Failure{CUDA_ERROR_INVALID_VALUE};
        if (attribute != CU_POINTER_ATTRIBUTE_MEMORY_TYPE) throw Failure{CUDA_ERROR_NOT_SUPPORTED};
        *static_cast<unsigned*>(value) = device ? CU_MEMORYTYPE_DEVICE : CU_MEMORYTYPE_HOST;
    });
}

CUresult cuMemAllocHost_v2(void** host, std::size_t bytes) { return allocateHost(__func__, host, bytes); }
CUresult cuMemHostAlloc(void** host, std::size_t bytes, unsigned) { return allocateHost(__func__, host, bytes); }
CUresult cuMemFreeHost(void* host) { return unpin(__func__, host, true, CUDA_ERROR_INVALID_VALUE); }

CUresult cuMemHostRegister_v2(void* host, std::size_t bytes, unsigned) {
    return call("alloc", __func__, [&] {
        forbidWhileCapturing();
        if (!host || !bytes) throw Failure{CUDA_ERROR_INVALID_VALUE};
        if (pinnedRange(host, 1)) throw Failure{CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED};
        pin(host, bytes, false);
    });
}

CUresult cuMemHostUnregister(void* host) {
    return unpin(__func__, host, false, CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED);
}

CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, std::size_t n) {
    return copyToDevice(__func__, to, from, n, nullptr);
}
CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, std::size_t n, CUstream stream) {
    return copyToDevice(__func__, to, from, n, &stream);
}
CUresult cuMemcpyDtoH_v2(void* to, CUdeviceptr from, std::size_t n) { return copyToHost(__func__, to, from, n, nullptr); }
CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, std::size_t n, CUstream stream) {
    return copyToHost(__func__, to, from, n, &stream);
}
CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, std::size_t n) {
    return copyOnDevice(__func__, to, from, n, nullptr);
}
CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, std::size_t n, CUstream stream) {
    return copyOnDevice(__func__, to, from, n, &stream);
}
CUresult cuMemcpy(CUdeviceptr to, CUdeviceptr from, std::size_t n) { return anyCopy(__func__, to, from, n, nullptr); }
CUresult cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, std::size_t n, CUstream stream) {
    return anyCopy(__func__, to, from, n, &stream);
}

CUresult cuMemsetD8_v2(CUdeviceptr to, unsigned char value, std::size_t n) {
    return fill(__func__, to, value, n, nullptr);
}
CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, std::size_t n, CUstream stream) {
    return fill(__func__, to, value, n, &stream);
}
CUresult cuMemsetD16_v2(CUdeviceptr to, unsigned short value, std::size_t n) {
    return fill(__func__, to, value, n, nullptr);
}
CUresult cuMemsetD16Async(CUdeviceptr to, unsigned short value, std::size_t n, CUstream stream) {
    return fill(__func__, to, value, n, &stream);
}
CUresult cuMemsetD32_v2(CUdeviceptr to, unsigned value, std::size_t n) { return fill(__func__, to, value, n, nullptr); }
CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value, std::size_t n, CUstream stream) {
    return fill(__func__, to, value, n, &stream);
}

}  // extern "C"
