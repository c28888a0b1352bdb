// Loads, stores and atomics. A warp's access is checked as one range where its lanes' addresses follow each other, and
// once where they all agree; else lane by lane.
#include <xmmintrin.h>

#include <algorithm>
#include <cstring>

#include "ptx_pick.h"

namespace softgpu::ptx {

namespace {

constexpr u64 homeMask = u64{0xffff} << 48;

struct Access {
    u64 at[32];  // within the space
    std::byte* memory[32];
    std::byte* whole = nullptr;  // of lane 0, where all 32 lanes' elements follow each other
};

Home homeOf(u64 address) {
    const u64 base = address & homeMask;
    return base == sharedBase ? Home::shared : base == localBase ? Home::local : Home::global;
}

void addresses(const Warp& w, const Instruction& in, u64* at) {
    const u64 offset = static_cast<u64>(in.offset);
    if (in.narrowAddress) {
        const u32* a = w.in<u32>(in.a);
        for (int i = 0; i < 32; ++i) at[i] = static_cast<u32>(a[i] + offset);
    } else {
        const u64* a = w.in<u64>(in.a);
        for (int i = 0; i < 32; ++i) at[i] = a[i] + offset;
    }
}

std::string bytesAt(const Warp& w, Home home, u64 at, std::size_t bytes) {
    const std::string count = std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes");
    if (home == Home::global) return count + " at " + w.run->task->memory().describe(at);
    return count + " at " + std::to_string(at) + " of " + (home == Home::shared ? "shared memory" : "its local memory");
}

[[noreturn]] void report(const Warp& w, const Instruction& in, Use use, Home home, int lane, u64 at, std::size_t bytes,
                         const Fault& fault) {
    const Run& run = *w.run;
    const std::string verb = use == Use::atomic                           ? "atomically updates "
                             : use == Use::read || use == Use::strongRead ? "loads "
                                                                          : "stores ";
    const std::string what = verb + bytesAt(w, home, at, bytes);
    if (fault.kind == Fault::outside) w.fail(in, lane, what + ": out of bounds");
    if (fault.kind == Fault::uninitialised)
        w.fail(
            in, lane,
            what + ": not initialised" + (home == Home::shared ? " by any thread so far; is a barrier missing?" : ""));
    std::string other = fault.wrote ? "a write" : "a read";
    const Moment& m = home == Home::shared ? run.sharedMoment : run.moment;
    if (fault.epoch < m.task)
        w.fail(in, lane, what + ": races with " + otherTask(fault, *run.history) + "; nothing orders the two");
    if ((fault.who & who::blocks) && fault.epoch >= m.block)
        w.fail(in, lane, what + ": races with " + other + " by another block");
    const auto block = std::upper_bound(run.blocks.begin(), run.blocks.end(), std::make_pair(fault.epoch, ~u64{0})) - 1;
    other += " by " + run.thread(fault.who & who::thread) + " of ";
    if (block->second != run.block) w.fail(in, lane, what + ": races with " + other + run.blockName(block->second));
    w.fail(in, lane, what + ": races with " + other + "the same block; no barrier lies between them");
}

void count(const Warp& w, const Instruction& in, Use use, u32 mask) {
    LaunchReport& r = *w.run->report;
    const u64 bytes = u64(__builtin_popcount(mask)) * in.width * in.count;
    if (use != Use::write && use != Use::strongWrite) r.loaded += bytes;
    if (use != Use::read && use != Use::strongRead) r.stored += bytes;
    if (in.width * in.count == 16) r.wide += bytes;
    if (use == Use::atomic) r.atomics += static_cast<u64>(__builtin_popcount(mask));
}

void reachLocal(Warp& w, const Instruction& in, u32 mask, Use use, Access& access) {
    Run& run = *w.run;
    const std::size_t size = static_cast<std::size_t>(in.width) * in.count;
    only(mask, [&](int i) {
        const u64 at = access.at[i];
        Fault fault;
        const std::size_t frame = (w.first + static_cast<u32>(i)) * run.frame;
        if (at > run.frame || size > run.frame - at) fault.kind = Fault::outside;
        for (std::size_t k = 0; k < size && fault.kind == Fault::none && use == Use::read; ++k)
            if (run.localState[frame + at + k] != setByte) fault.kind = Fault::uninitialised;
        if (fault.kind != Fault::none) report(w, in, use, Home::local, i, at, size, fault);
        if (use != Use::read) std::memset(&run.localState[frame + at], setByte, size);
        access.memory[i] = &run.local[frame + at];
    });
}

bool follows(const u64* at, u64 size) {
    u64 other = 0;
    for (u64 i = 0; i < 32; ++i) other |= at[i] ^ (at[0] + i * size);
    return other == 0;
}

void reachSpace(Warp& w, const Instruction& in, u32 mask, Use use, Home home, Access& access) {
    Run& run = *w.run;
    Space& space = home == Home::shared ? *run.shared : *run.global;
    const Moment& m = home == Home::shared ? run.sharedMoment : run.moment;
    const std::size_t size = static_cast<std::size_t>(in.width) * in.count;
    const u64 base = home == Home::shared ? 0 : globalBase;
    const int first = __builtin_ctz(mask), lanes = __builtin_popcount(mask);
    const u64 start = access.at[first], origin = reinterpret_cast<std::uintptr_t>(space.data);
    Fault fault;
    if (mask == ~0u && use != Use::atomic && follows(access.at, size) && (start & (size - 1)) == 0) {
        if (space.enter(use, start - base, size * 32, size, w.who(0), m, fault)) {
            access.whole = space.data + (start - base);
            return;
        }
    }
    const u32 pattern = mask >> first;
    bool follow = (pattern & (pattern + 1)) == 0 && use != Use::atomic, same = use == Use::read || lanes == 1;
    u64 crooked = 0;
    only(mask, [&](int i) {
        follow &= access.at[i] == start + static_cast<u64>(i - first) * size;
        same &= access.at[i] == start;
        crooked |= access.at[i];
        access.memory[i] = reinterpret_cast<std::byte*>(origin + (access.at[i] - base));  // not yet known to exist
    });
    if (crooked & (size - 1)) {
        only(mask, [&](int i) {
            if (access.at[i] & (size - 1))
                w.fail(in, i, "accesses " + bytesAt(w, home, access.at[i], size) + ": misaligned");
        });
    }
    if (follow && space.enter(use, start - base, size * static_cast<u64>(lanes), size, w.who(first), m, fault)) return;
    if (!follow && same &&
        space.enter(use, start - base, size, 0, w.who(first) | (lanes > 1 ? who::lanes : 0), m, fault))
        return;
    const bool plain = use == Use::read || use == Use::write;
    only(mask, [&](int i) {
        const u64 offset = access.at[i] - base;
        if (plain && space.glance(use == Use::write, offset, size, w.who(i), m)) return;
        if (!space.enter(use, offset, size, 0, w.who(i), m, fault))
            report(w, in, use, home, i, access.at[i], size, fault);
    });
}

// Checks the access of the lanes in `mask` and finds their memory.
void reach(Warp& w, const Instruction& in, u32 mask, Use use, Access& access) {
    addresses(w, in, access.at);
    if (!in.generic) {
        if (in.home == Home::global) count(w, in, use, mask);
        return in.home == Home::local ? reachLocal(w, in, mask, use, access)
                                      : reachSpace(w, in, mask, use, in.home, access);
    }
    for (const Home home : {Home::global, Home::shared, Home::local}) {
        u32 here = 0;
        only(mask, [&](int i) { here |= static_cast<u32>(homeOf(access.at[i]) == home) << i; });
        if (!here) continue;
        if (home == Home::global)
            count(w, in, use, here);
        else
            only(here, [&](int i) { access.at[i] &= ~homeMask; });
        home == Home::local ? reachLocal(w, in, here, use, access) : reachSpace(w, in, here, use, home, access);
        mask &= ~here;
    }
}

template <class M, class R> void gather(const Access& access, u32 mask, std::size_t offset, R* d) {
    only(mask, [&](int i) {
        M value;
        std::memcpy(&value, access.memory[i] + offset, sizeof value);
        d[i] = static_cast<R>(value);
    });
}

template <class R> void gather(const Access& access, u32 mask, const Instruction& in, std::size_t offset, R* d) {
    switch (in.width) {
        case 1: return in.extend ? gather<s8>(access, mask, offset, d) : gather<u8>(access, mask, offset, d);
        case 2: return in.extend ? gather<s16>(access, mask, offset, d) : gather<u16>(access, mask, offset, d);
        case 4: return in.extend ? gather<s32>(access, mask, offset, d) : gather<u32>(access, mask, offset, d);
        default: return gather<u64>(access, mask, offset, d);
    }
}

template <class M, class R> void scatter(const Access& access, u32 mask, std::size_t offset, const R* a) {
    only(mask, [&](int i) {
        const M value = static_cast<M>(a[i]);
        std::memcpy(access.memory[i] + offset, &value, sizeof value);
    });
}

template <class R> void scatter(const Access& access, u32 mask, int width, std::size_t offset, const R* a) {
    switch (width) {
        case 1: return scatter<u8>(access, mask, offset, a);
        case 2: return scatter<u16>(access, mask, offset, a);
        case 4: return scatter<u32>(access, mask, offset, a);
        default: return scatter<u64>(access, mask, offset, a);
    }
}

void point(Access& access, int size) {
    for (int i = 0; i < 32; ++i) access.memory[i] = access.whole + i * size;
}

// Four words of each lane, to and from four registers.
void spread4(const std::byte* from, u32* d0, u32* d1, u32* d2, u32* d3) {
    for (int i = 0; i < 32; i += 4, from += 64) {
        const auto* p = reinterpret_cast<const float*>(from);
        __m128 a = _mm_loadu_ps(p), b = _mm_loadu_ps(p + 4), c = _mm_loadu_ps(p + 8), d = _mm_loadu_ps(p + 12);
        _MM_TRANSPOSE4_PS(a, b, c, d);
        _mm_storeu_ps(reinterpret_cast<float*>(d0 + i), a);
        _mm_storeu_ps(reinterpret_cast<float*>(d1 + i), b);
        _mm_storeu_ps(reinterpret_cast<float*>(d2 + i), c);
        _mm_storeu_ps(reinterpret_cast<float*>(d3 + i), d);
    }
}

void collect4(std::byte* to, const u32* a0, const u32* a1, const u32* a2, const u32* a3) {
    const auto at = [](const u32* a, int i) { return _mm_loadu_ps(reinterpret_cast<const float*>(a + i)); };
    for (int i = 0; i < 32; i += 4, to += 64) {
        __m128 a = at(a0, i), b = at(a1, i), c = at(a2, i), d = at(a3, i);
        _MM_TRANSPOSE4_PS(a, b, c, d);
        auto* p = reinterpret_cast<float*>(to);
        _mm_storeu_ps(p, a), _mm_storeu_ps(p + 4, b), _mm_storeu_ps(p + 8, c), _mm_storeu_ps(p + 12, d);
    }
}

struct AtomicAdd {
    template <class T> static T of(T x, T b, T) { return static_cast<T>(x + b); }
};
struct AtomicMin {
    template <class T> static T of(T x, T b, T) { return std::min(x, b); }
};
struct AtomicMax {
    template <class T> static T of(T x, T b, T) { return std::max(x, b); }
};
struct AtomicAnd {
    template <class T> static T of(T x, T b, T) { return x & b; }
};
struct AtomicOr {
    template <class T> static T of(T x, T b, T) { return x | b; }
};
struct AtomicXor {
    template <class T> static T of(T x, T b, T) { return x ^ b; }
};
struct AtomicExch {
    template <class T> static T of(T, T b, T) { return b; }
};
struct AtomicCas {
    template <class T> static T of(T x, T b, T c) { return x == b ? c : x; }
};
struct AtomicInc {
    template <class T> static T of(T x, T b, T) { return x >= b ? 0 : x + 1; }
};
struct AtomicDec {
    template <class T> static T of(T x, T b, T) { return x == 0 || x > b ? b : x - 1; }
};

template <class T, class F> void atomic(Warp& w, const Instruction& in, u32 mask) {
    Access access;
    reach(w, in, mask, Use::atomic, access);
    const auto *b = w.in<T>(in.b), *c = w.in<T>(in.c);
    auto* d = w.out<T>(in.d);
    only(mask, [&](int i) {
        T x;
        std::memcpy(&x, access.memory[i], sizeof x);
        const T y = F::of(x, static_cast<T>(b[i]), static_cast<T>(c[i]));
        std::memcpy(access.memory[i], &y, sizeof y);
        d[i] = x;
    });
}

template <class F> Handler integral(Type t) {
    switch (t) {
        case Type::s32: return atomic<s32, F>;
        case Type::s64: return atomic<s64, F>;
        case Type::u32:
        case Type::b32: return atomic<u32, F>;
        case Type::u64:
        case Type::b64: return atomic<u64, F>;
        default: return nullptr;
    }
}

}  // namespace

void load(Warp& w, const Instruction& in, u32 mask) {
    Access access;
    reach(w, in, mask, in.strong ? Use::strongRead : Use::read, access);
    if (access.whole && in.width == 4 && !in.wideRegister) {
        if (in.count == 1) return void(std::memcpy(w.out<u32>(in.v[0]), access.whole, 128));
        if (in.count == 4)
            return spread4(access.whole, w.out<u32>(in.v[0]), w.out<u32>(in.v[1]), w.out<u32>(in.v[2]),
                           w.out<u32>(in.v[3]));
    }
    if (access.whole) point(access, in.width * in.count);
    for (u32 k = 0; k < in.count; ++k) {
        if (in.wideRegister)
            gather(access, mask, in, k * in.width, w.out<u64>(in.v[k]));
        else
            gather(access, mask, in, k * in.width, w.out<u32>(in.v[k]));
    }
}

void store(Warp& w, const Instruction& in, u32 mask) {
    Access access;
    reach(w, in, mask, in.strong ? Use::strongWrite : Use::write, access);
    if (access.whole && in.width == 4 && !in.wideRegister) {
        if (in.count == 1) return void(std::memcpy(access.whole, w.in<u32>(in.v[0]), 128));
        if (in.count == 4)
            return collect4(access.whole, w.in<u32>(in.v[0]), w.in<u32>(in.v[1]), w.in<u32>(in.v[2]),
                            w.in<u32>(in.v[3]));
    }
    if (access.whole) point(access, in.width * in.count);
    for (u32 k = 0; k < in.count; ++k) {
        if (in.wideRegister)
            scatter(access, mask, in.width, k * in.width, w.in<u64>(in.v[k]));
        else
            scatter(access, mask, in.width, k * in.width, w.in<u32>(in.v[k]));
    }
}

void loadParameter(Warp& w, const Instruction& in, u32 mask) {
    Access access;
    addresses(w, in, access.at);
    const std::vector<std::byte>& parameters = *w.run->parameters;
    const std::size_t size = static_cast<std::size_t>(in.width) * in.count;
    const auto find = [&](int i) {
        if (access.at[i] > parameters.size() || size > parameters.size() - access.at[i])
            w.fail(in, i, "loads " + std::to_string(size) + " bytes behind the end of its parameters");
        return const_cast<std::byte*>(parameters.data()) + access.at[i];
    };
    if (in.a & 1 && in.count == 1 && in.width == (in.wideRegister ? 8 : 4)) {  // the same for all lanes
        u64 value = 0;
        std::memcpy(&value, find(0), size);
        if (in.wideRegister)
            each(w, mask, [value, d = w.out<u64>(in.v[0])](int i) { d[i] = value; });
        else
            each(w, mask, [value = static_cast<u32>(value), d = w.out<u32>(in.v[0])](int i) { d[i] = value; });
        return;
    }
    only(mask, [&](int i) { access.memory[i] = find(i); });
    for (u32 k = 0; k < in.count; ++k) {
        if (in.wideRegister)
            gather(access, mask, in, k * in.width, w.out<u64>(in.v[k]));
        else
            gather(access, mask, in, k * in.width, w.out<u32>(in.v[k]));
    }
}

Handler pickAtomic(const std::string& op, Type t) {
    if (op == "add" && t == Type::f32) return atomic<float, AtomicAdd>;
    if (op == "add" && t == Type::f64) return atomic<double, AtomicAdd>;
    if (op == "add" && (t == Type::s32 || t == Type::u32)) return atomic<u32, AtomicAdd>;
    if (op == "add") return t == Type::u64 || t == Type::s64 ? atomic<u64, AtomicAdd> : nullptr;
    if (op == "min") return integral<AtomicMin>(t);
    if (op == "max") return integral<AtomicMax>(t);
    if (op == "and") return integral<AtomicAnd>(t);
    if (op == "or") return integral<AtomicOr>(t);
    if (op == "xor") return integral<AtomicXor>(t);
    if (op == "exch") return integral<AtomicExch>(t);
    if (op == "cas") return t == Type::b16 || t == Type::u16 ? atomic<u16, AtomicCas> : integral<AtomicCas>(t);
    if (op == "inc") return t == Type::u32 ? atomic<u32, AtomicInc> : nullptr;
    if (op == "dec") return t == Type::u32 ? atomic<u32, AtomicDec> : nullptr;
    return nullptr;
}

}  // namespace softgpu::ptx
