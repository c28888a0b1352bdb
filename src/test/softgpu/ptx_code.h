// The bytecode and what runs it: a warp's registers are flat arrays of 32 lanes, an instruction is a function over
// them. Operands are offsets, so that constants and special registers cost nothing to tell apart.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "ptx.h"
#include "ptx_text.h"
#include "shadow.h"

namespace softgpu::ptx {

struct Warp;
struct Instruction;
struct Run;
using Handler = void (*)(Warp&, const Instruction&, u32 mask);
using Ref = u32;  // a byte offset into the warp's registers, or (bit 0 set) into the constants; a predicate's number

enum class Step : u8 { plain, branch, exit, meet, barrier };  // meet: the lanes of a mask must arrive together

struct Instruction {
    Handler run = nullptr;
    Step step = Step::plain;
    Home home = Home::global;  // of memory
    bool generic = false;      // the home is told by the address
    u8 width = 0, count = 1;   // bytes of an element, elements of a vector
    bool wideRegister = false, extend = false, strong = false, narrowAddress = false;
    u32 guard = 0, flip = 0;
    Ref d = 0, a = 0, b = 0, c = 0, e = 0;
    std::array<Ref, 4> v{};   // a vector's registers
    std::int64_t offset = 0;  // added to an address
    u32 target = 0;           // of a branch
    u32 extra = 0;
};

constexpr u32 always = 0, never = 1;  // the first two predicates
constexpr u32 noPredicate = ~0u;
constexpr u32 negatedPredicate = 8;  // in `extra`: the source predicate has a !

struct Relocation {
    std::size_t offset;  // into the constants, where 32 lanes of 8 bytes hold it
    std::string symbol;
    std::int64_t addend;
};

struct Extent {
    std::size_t offset, bytes;
};

struct Code {
    std::vector<Instruction> instructions;
    std::vector<Place> places;
    std::vector<int> lines;
    std::vector<std::string> files;
    std::vector<Extent> shared;     // apart from each other, so that running over the end of one is noticed
    std::size_t dynamicShared = 0;  // where the dynamic part begins
    std::vector<std::byte> constants;
    std::vector<Relocation> relocations;
    std::size_t registerBytes = 0, predicates = 2, localBytes = 0;
};

constexpr std::size_t lane4 = 32 * 4, lane8 = 32 * 8;

template <class T> using Cell = std::conditional_t<(sizeof(T) < 4), u32, T>;

struct Warp {
    std::byte* base[2];
    u32* predicates;
    u32 alive;               // lanes that exist and have not exited
    u32 active, pc;          // the lanes that step, and where
    u32 next;                // the lowest pc of the ready ones
    u32 ready, met, barred;  // lanes elsewhere: may step, wait for lanes of their warp, wait for their block
    std::array<u32, 32> at;  // of lanes that are not active
    u32 threads;             // lanes that exist
    u32 first, syncs;        // number of lane 0's thread; how often the warp met in bar.warp.sync
    u64 steps;
    Run* run;

    template <class T> const Cell<T>* in(Ref r) const {
        return reinterpret_cast<const Cell<T>*>(base[r & 1] + (r & ~1u));
    }
    template <class T> Cell<T>* out(Ref r) { return reinterpret_cast<Cell<T>*>(base[0] + r); }
    u32 who(int lane) const { return (first + static_cast<u32>(lane)) | syncs << softgpu::who::syncs; }
    [[noreturn]] void fail(const Instruction& in, int lane, const std::string& what) const;
};

// A launch while it runs.
struct Run {
    const Kernel* kernel;
    const Code* code;
    const LaunchConfig* config;
    const std::vector<std::byte>* parameters;
    Task* task;
    History* history;
    Space *global, *shared;
    Moment moment, sharedMoment;
    LaunchReport* report;
    std::vector<Warp> warps;
    std::vector<std::byte> local;  // a frame per thread
    std::vector<u8> localState;
    std::size_t frame;
    u64 block;                                // the running block's number
    std::vector<std::pair<u32, u64>> blocks;  // first epoch and number of each that ran
    std::vector<std::byte> registers;
    std::vector<u32> predicates;

    std::string where(const Instruction& in) const;  // "step.cu:31"
    std::string thread(u32 number) const;            // "thread (3,0,0)"
    std::string blockName(u64 number) const;
};

enum class Stop { exited, waiting, rested };
Stop step(Warp& warp,
          u64 steps);  // until the warp has exited, all its lanes wait for the block, or the steps are used up

// Runs `body` for every lane of the mask; lanes that do not exist or have exited may be written too.
template <class Body> inline __attribute__((always_inline)) void each(const Warp& w, u32 mask, Body body) {
    if (mask == w.alive) {
#pragma GCC ivdep
        for (int i = 0; i < 32; ++i) body(i);
    } else {
        for (u32 m = mask; m; m &= m - 1) body(__builtin_ctz(m));
    }
}

// The same for what must not touch other lanes.
template <class Body> inline __attribute__((always_inline)) void only(u32 mask, Body body) {
    for (u32 m = mask; m; m &= m - 1) body(__builtin_ctz(m));
}

}  // namespace softgpu::ptx
