// How a warp steps, and what its lanes do together. The lanes with the lowest pc go first; those that reach a
// *.sync instruction wait for the lanes that its mask names, those at a barrier for the block.
#include "ptx_pick.h"

namespace softgpu::ptx {

namespace {

u32 lanesAt(const Warp& w, u32 among, u32 pc) {
    u32 lanes = 0;
    only(among, [&](int i) { lanes |= static_cast<u32>(w.at[static_cast<std::size_t>(i)] == pc) << i; });
    return lanes;
}

u32 lowest(const Warp& w, u32 among) {
    u32 pc = ~0u;
    only(among, [&](int i) { pc = std::min(pc, w.at[static_cast<std::size_t>(i)]); });
    return pc;
}

void put(Warp& w, u32 lanes, u32 pc) {
    only(lanes, [&](int i) { w.at[static_cast<std::size_t>(i)] = pc; });
}

u32 members(const Warp& w, const Instruction& in, u32 lanes) { return w.in<u32>(in.e)[__builtin_ctz(lanes)]; }

// Lets lanes that waited for others go when those have meanwhile exited. Fails when they wait for ever.
void release(Warp& w) {
    for (u32 rest = w.met; rest;) {
        const u32 pc = lowest(w, rest), lanes = lanesAt(w, rest, pc);
        if (!(members(w, w.run->code->instructions[pc], lanes) & w.alive & ~lanes)) {
            w.met &= ~lanes;
            w.ready |= lanes;
            return;
        }
        rest &= ~lanes;
    }
    const u32 pc = lowest(w, w.met), lanes = lanesAt(w, w.met, pc);
    const Instruction& in = w.run->code->instructions[pc];
    const u32 missing = members(w, in, lanes) & w.alive & ~lanes;
    w.fail(in, __builtin_ctz(lanes),
           "waits for lanes of its warp that never arrive, the first being " +
               w.run->thread(w.first + static_cast<u32>(__builtin_ctz(missing))));
}

bool choose(Warp& w) {
    put(w, w.active, w.pc);
    w.ready |= w.active;
    w.active = 0;
    if (!w.ready && w.met) release(w);
    w.next = ~0u;
    if (!w.ready) return false;
    w.pc = lowest(w, w.ready);
    w.active = lanesAt(w, w.ready, w.pc);
    w.ready &= ~w.active;
    w.next = lowest(w, w.ready);
    return true;
}

void branch(Warp& w, const Instruction& in, u32 mask) {
    if (mask == w.active) {
        w.pc = in.target;
    } else {
        ++w.pc;
        if (!mask) return;
        put(w, mask, in.target);
        w.active &= ~mask;
        w.ready |= mask;
        w.next = std::min(w.next, in.target);
    }
}

void park(Warp& w, u32 mask, u32& among) {
    put(w, mask, w.pc);
    among |= mask;
    w.active &= ~mask;
    ++w.pc;
}

void meet(Warp& w, const Instruction& in, u32 mask) {
    if (!mask) return void(++w.pc);
    const u32 named = members(w, in, mask);
    only(mask, [&](int i) {
        if (!(named >> i & 1)) w.fail(in, i, "is not in the mask of lanes that it synchronises with");
    });
    const u32 here = (mask | lanesAt(w, w.met, w.pc)) & named;
    if (named & w.alive & ~here) return park(w, mask, w.met);
    w.met &= ~here;
    w.active |= here;
    in.run(w, in, here);
    ++w.pc;
}

void leave(Warp& w, u32 mask) {
    w.alive &= ~mask;
    w.active &= ~mask;
    ++w.pc;
}

enum Mode { up, down, butterfly, index };

void shuffle(Warp& w, const Instruction& in, u32 mask) {
    const u32 *a = w.in<u32>(in.a), *b = w.in<u32>(in.b), *c = w.in<u32>(in.c);
    u32 result[32], inside = 0;
    only(mask, [&](int i) {
        const int segment = static_cast<int>(c[i] >> 8 & 31), clamp = static_cast<int>(c[i] & 31),
                  n = static_cast<int>(b[i] & 31);
        const int last = (i & segment) | (clamp & ~segment), least = i & segment;
        const u32 mode = in.extra;
        int from = mode == up ? i - n : mode == down ? i + n : mode == butterfly ? i ^ n : least | (n & ~segment);
        const bool ok = mode == up ? from >= last : from <= last;
        if (!ok) from = i;
        if (!(mask >> from & 1)) w.fail(in, i, "shuffles from lane " + std::to_string(from) + ", which takes no part");
        inside |= static_cast<u32>(ok) << i;
        result[i] = a[from];
    });
    u32* d = w.out<u32>(in.d);
    only(mask, [&](int i) { d[i] = result[i]; });
    if (in.target == noPredicate) return;
    u32& p = w.predicates[in.target];
    p = (p & ~mask) | (inside & mask);
}

enum Vote { all, any, uniform, ballot };

void vote(Warp& w, const Instruction& in, u32 mask) {
    const u32 yes = (w.predicates[in.a] ^ (in.extra & negatedPredicate ? ~0u : 0u)) & mask;
    const u32 kind = in.extra & 3;
    if (kind == ballot) {
        u32* d = w.out<u32>(in.d);
        only(mask, [&](int i) { d[i] = yes; });
        return;
    }
    const bool result = kind == all ? yes == mask : kind == any ? yes != 0 : yes == mask || yes == 0;
    u32& p = w.predicates[in.d];
    p = (p & ~mask) | (result ? mask : 0);
}

template <class T, bool ALL> void match(Warp& w, const Instruction& in, u32 mask) {
    const T* a = w.in<T>(in.a);
    u32* d = w.out<u32>(in.d);
    u32 agree = mask;
    u32 result[32];
    only(mask, [&](int i) {
        u32 same = 0;
        only(mask, [&](int k) { same |= static_cast<u32>(a[k] == a[i]) << k; });
        if (same != mask) agree = 0;
        result[i] = same;
    });
    only(mask, [&](int i) { d[i] = ALL ? agree : result[i]; });
    if (!ALL || in.target == noPredicate) return;
    u32& p = w.predicates[in.target];
    p = (p & ~mask) | agree;
}

void meeting(Warp& w, const Instruction&, u32) { ++w.syncs; }

void activeMask(Warp& w, const Instruction& in, u32 mask) {
    u32* d = w.out<u32>(in.d);
    only(mask, [&](int i) { d[i] = w.active; });
}

}  // namespace

Choice pickWarp(Modifiers& m) {
    const std::string& op = m.statement.opcode;
    if (op == "activemask") return {activeMask, {m.type()}};
    if (op == "bar" && m.take("warp") && m.take("sync")) return {meeting, {}};
    if (!m.take("sync")) return {};
    if (op == "shfl") {
        const std::string mode = m.takeAny({"up", "down", "bfly", "idx"});
        m.type();
        const u32 kind = mode == "up" ? up : mode == "down" ? down : mode == "bfly" ? butterfly : index;
        return {shuffle, {Type::b32, Type::b32, Type::b32, Type::b32, Type::b32}, kind};
    }
    if (op == "vote") {
        const std::string mode = m.takeAny({"all", "any", "uni", "ballot"});
        const u32 kind = mode == "all" ? all : mode == "any" ? any : mode == "uni" ? uniform : ballot;
        return {vote, {m.type(), Type::pred}, kind};
    }
    if (op == "match") {
        const bool every = m.takeAny({"all", "any"}) == "all";
        const bool wide = bytesOf(m.type()) == 8;
        const Handler h =
            wide ? (every ? match<u64, true> : match<u64, false>) : (every ? match<u32, true> : match<u32, false>);
        return {h, {Type::b32, wide ? Type::b64 : Type::b32}};
    }
    return {};
}

Stop step(Warp& w, u64 steps) {
    const Instruction* code = w.run->code->instructions.data();
    u64 done = 0, lanes = 0;
    const auto settle = [&](Stop stop) {
        w.run->report->instructions += done;
        w.run->report->lanes += lanes;
        return stop;
    };
    for (; done < steps; ++done) {
        if ((w.pc >= w.next || !w.active) && !choose(w)) return settle(w.alive ? Stop::waiting : Stop::exited);
        const Instruction& in = code[w.pc];
        const u32 mask = w.active & (w.predicates[in.guard] ^ in.flip);
        lanes += static_cast<u64>(__builtin_popcount(mask));
        switch (in.step) {
            case Step::plain:
                if (mask) in.run(w, in, mask);
                ++w.pc;
                break;
            case Step::branch: branch(w, in, mask); break;
            case Step::exit: leave(w, mask); break;
            case Step::meet: meet(w, in, mask); break;
            case Step::barrier: park(w, mask, w.barred); break;
        }
    }
    return settle(Stop::rested);
}

}  // namespace softgpu::ptx
