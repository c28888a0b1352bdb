// What the software GPU remembers about memory, byte by byte and granule by granule. Only memory, tasks and the
// interpreter see this.
//
// Races are found by happens-before. A global counter, the epoch, advances at each task, at each block's start and at
// each block barrier. A granule keeps the epoch and the thread of its last write and of its last read; whether those
// are ordered before an access follows from comparing numbers: all epochs up to `ordered` are; of this launch, those of
// the running block before its last barrier are; within one epoch, only the same thread's, and a warp's before its last
// __syncwarp. Accesses narrower than a granule expand it to one record per byte.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "memory.h"

namespace softgpu {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using s8 = std::int8_t;
using s16 = std::int16_t;
using s32 = std::int32_t;
using s64 = std::int64_t;

constexpr u8 noByte = 0, rawByte = 1, setByte = 2;  // a byte's state: not to be accessed, not yet written, written

namespace who {                   // the bits of a record beside its epoch
constexpr u32 thread = 0x3ff;     // within its block
constexpr u32 lanes = 1u << 10;   // and other lanes of the same warp, in the same epoch
constexpr u32 warps = 1u << 11;   // and threads of other warps, in the same epoch
constexpr u32 blocks = 1u << 12;  // and other blocks, in the same launch
constexpr u32 atomic = 1u << 13;
constexpr u32 plain = 1u << 14;   // an atomic access that follows a plain one of the same block
constexpr u32 others = 1u << 15;  // reads only: the upper half is a set of unordered earlier tasks (History)
constexpr u32 alone = thread | lanes | warps | blocks;
constexpr int syncs = 16;         // else it counts the warp's __syncwarps, modulo 65536
}  // namespace who

constexpr u32 expanded = 0x7fffffff;  // a granule's write epoch when its bytes have their own records

struct Records {
    u32 *writeEpoch, *writeWho, *readEpoch, *readWho;
};

struct Fault {
    enum Kind { none, outside, uninitialised, race } kind = none;
    std::size_t offset = 0;
    u32 epoch = 0, who = 0;  // of the other access, for a race
    bool wrote = false;      // what the other access did
};

class History {
public:
    void begin(const std::string& name, const TaskClock& clock);  // the next task
    u32 advance() { return ++now_; }
    u32 now() const { return now_; }
    u32 first() const { return tasks_.back().epoch; }
    u32 ordered() const { return ordered_; }   // every epoch up to this one happens before the running task
    bool before(u32 epoch) const;              // whether the task of that epoch happens before the running one
    const std::string& name(u32 epoch) const;  // of the task of that epoch
    bool exhausted() const { return now_ > 0x70000000u; }
    void forget();  // starts over; the records must be cleared too

    u32 join(u32 set, u32 epoch);  // a set of reading tasks with one more
    const std::vector<u32>& set(u32 number) const { return sets_[number]; }

private:
    struct Past {
        u32 epoch, name, stream;
        u64 sequence;
    };
    static constexpr std::size_t remembered = std::size_t{1} << 20;  // tasks
    void forgetOldest();
    const Past& at(u32 epoch) const;
    std::vector<Past> tasks_;
    std::vector<std::vector<std::pair<u64, u32>>> streams_;  // of each: sequence, epoch
    std::vector<std::string> names_;
    std::unordered_map<std::string, u32> numbers_;
    std::vector<std::vector<u32>> sets_{1};
    TaskClock clock_;
    u32 now_ = 0, ordered_ = 0;
};

struct Moment {  // of an access: the borders in the epochs by which records are judged
    u32 ordered, task, block, now;
    History* history;
};

enum class Use { read, write, atomic, strongRead, strongWrite };  // strong: volatile or relaxed, no race with its like

// Bytes with their states and records: global memory is one space, a block's shared memory another.
class Space {
public:
    explicit Space(std::size_t size);  // sparse
    ~Space();
    Space(const Space&) = delete;

    // One access of `bytes` from `offset`. A warp's contiguous access names the first thread and the bytes of each;
    // each = 0: all bytes belong to the one thread (or flagged group) of `by`.
    bool enter(Use use, std::size_t offset, std::size_t bytes, std::size_t each, u32 by, const Moment& m,
               Fault& fault) {
        if (offset > size || bytes > size - offset) return miss(offset, fault);
        const bool reads = use == Use::read || use == Use::strongRead;
        if (!(reads || use == Use::atomic ? written(offset, bytes) : reachable(offset, bytes)))
            return diagnose(offset, bytes, fault);
        if (!track(use, offset, bytes, each, by, m, fault)) return false;
        if (!reads) fill(offset, bytes);
        return true;
    }
    // The same for one thread's whole granules where nothing is unusual; false where enter() must look closer.
    bool glance(bool write, std::size_t offset, std::size_t bytes, u32 by, const Moment& m);
    void enlarge(std::size_t offset, std::size_t bytes);  // in large pages where the host has them: far fewer faults
    void discard(std::size_t offset, std::size_t bytes);  // back to nothing; memory returns to the host
    void forgetRecords();

    std::byte* data;
    u8* state;
    std::size_t size;

private:
    bool written(std::size_t offset, std::size_t bytes) const;
    bool reachable(std::size_t offset, std::size_t bytes) const;
    void fill(std::size_t offset, std::size_t bytes);
    bool miss(std::size_t offset, Fault& fault) const;
    bool diagnose(std::size_t offset, std::size_t bytes, Fault& fault) const;
    bool track(Use use, std::size_t offset, std::size_t bytes, std::size_t each, u32 by, const Moment& m, Fault& fault);
    bool slowly(Use use, std::size_t offset, std::size_t bytes, std::size_t each, u32 by, const Moment& m,
                Fault& fault);
    void expand(std::size_t granule);
    Records granules_, bytes_;
    std::vector<std::pair<void*, std::size_t>> maps_;
    static constexpr int mostEnlarged = 1000;  // each splits mappings, of which a process has some ten thousand
    int enlarged_ = 0;
};

inline bool Space::glance(bool write, std::size_t offset, std::size_t bytes, u32 by, const Moment& m) {
    if (offset > size || bytes > size - offset || ((offset | bytes) & 3)) return false;
    for (std::size_t g = offset / 4; g < (offset + bytes) / 4; ++g) {
        u32 states;
        std::memcpy(&states, state + 4 * g, 4);
        if (states != 0x01010101 * setByte) return false;
        const u32 we = granules_.writeEpoch[g], ww = granules_.writeWho[g];
        const u32 re = granules_.readEpoch[g], rw = granules_.readWho[g];
        const bool before = we >= m.block && we < m.now && !(ww & who::blocks);
        const bool own = we == m.now && ((ww ^ by) & who::alone) == 0;
        if (we > m.ordered && !before && !own) return false;
        if (write) {
            const bool readBefore = re >= m.block && re < m.now && !(rw & (who::blocks | who::others));
            const bool readOwn = re == m.now && ((rw ^ by) & (who::alone | who::others)) == 0;
            if (re > m.ordered && !readBefore && !readOwn) return false;
            granules_.writeEpoch[g] = m.now;
            granules_.writeWho[g] = by;
            continue;
        }
        u32 flags = 0;
        if (re > m.ordered) {
            if (re < m.task || (rw & who::others)) return false;
            const u32 apart = (rw ^ by) & who::thread;
            flags = (rw & who::blocks) | (re < m.block ? who::blocks : 0u);
            if (re == m.now)
                flags |= (rw & (who::lanes | who::warps)) | (apart == 0 ? 0u : apart < 32 ? who::lanes : who::warps);
        }
        granules_.readEpoch[g] = m.now;
        granules_.readWho[g] = by | flags;
    }
    return true;
}

struct Shadow {
    Shadow(std::size_t span, std::size_t shared) : global(span), block(shared) {}
    Space global, block;
};

struct Internals {  // for the interpreter
    static Shadow& shadow(Task& task) { return *task.memory_.shadow_; }
    static History& history(Task& task) { return *task.memory_.history_; }
    static Space& global(Memory& memory) { return memory.shadow_->global; }
};

// What a fault says: "races with a write by ...", without who did it and where.
std::string otherTask(const Fault& fault, const History& history);

constexpr Address globalBase = Address{1} << 48;  // not canonical on x86-64
constexpr Address sharedBase = Address{2} << 48;  // of generic addresses
constexpr Address localBase = Address{3} << 48;
constexpr std::size_t sharedSpan = 128 * 1024;  // variables lie apart in it

}  // namespace softgpu
