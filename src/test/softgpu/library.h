// What libcublas and libcudnn share: entering a call, refusing it, and knowing which handles and descriptors live.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "gpu.h"

namespace softgpu {

struct Refusal {
    int status;
    std::string reason;
};

inline void require(bool holds, int status, const char* reason) {
    if (!holds) throw Refusal{status, reason};
}

// The libraries say no more than a number; with BASIN_SOFTGPU_EXPLAIN set the reason is printed.
inline void explain(const char* function, const Refusal& refusal) {
    static const bool wanted = std::getenv("BASIN_SOFTGPU_EXPLAIN") != nullptr;
    if (wanted) std::fprintf(stderr, "software GPU: %s: %d: %s\n", function, refusal.status, refusal.reason.c_str());
}

// Counts the call, asks for an injected fault, and turns a refusal into the library's status.
template <class Body>
int call(const char* library, const char* function, int failed, Body body) {
    count(function);
    if (fails(library, function)) return failed;
    try {
        body();
        return 0;
    } catch (const Refusal& refusal) {
        explain(function, refusal);
        return refusal.status;
    }
}

// Objects that the caller holds by an opaque pointer: a pointer which is not one of them is refused, not followed.
template <class T>
class Live {
public:
    explicit Live(int refused) : refused_(refused) {}
    T* create() {
        std::lock_guard<std::mutex> lock(mutex_);
        return *live_.insert(new T()).first;
    }
    T& get(T* at) {
        std::lock_guard<std::mutex> lock(mutex_);
        require(live_.count(at) != 0, refused_, "a handle or descriptor that is null, destroyed or of another kind");
        return *at;
    }
    void destroy(T* at) {
        get(at);
        std::lock_guard<std::mutex> lock(mutex_);
        live_.erase(at);
        delete at;
    }

private:
    int refused_;
    std::mutex mutex_;
    std::set<T*> live_;
};

// TF32 and bfloat16 exist from compute capability 8.0 on, which the device has unless the environment asks for another.
inline bool hasTf32() {
    const char* capability = std::getenv("BASIN_SOFTGPU_CC");
    return capability == nullptr || std::atoi(capability) >= 80;
}

// To the nearest, ties to even; NaN stays NaN.
inline std::uint16_t toBf16(float x) {
    std::uint32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    return x == x ? (bits + 0x7fff + (bits >> 16 & 1)) >> 16 : (bits | 0x400000) >> 16;
}

inline float fromBf16(std::uint16_t half) {
    std::uint32_t bits = std::uint32_t(half) << 16;
    float x;
    std::memcpy(&x, &bits, sizeof x);
    return x;
}

// Real libraries leave anything in a workspace. Here it is NaN, so that a workspace which overlaps live data shows.
inline void scribble(Accessor& memory, void* workspace, std::size_t bytes) {
    if (bytes != 0) std::memset(memory.write(reinterpret_cast<Address>(workspace), bytes), 0xff, bytes);
}

}  // namespace softgpu
