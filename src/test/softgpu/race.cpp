#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "shadow.h"

namespace softgpu {

void History::begin(const std::string& name, const TaskClock& clock) {
    const u32 number = numbers_.emplace(name, static_cast<u32>(names_.size())).first->second;
    if (number == names_.size()) names_.push_back(name);
    clock_ = clock;
    advance();
    ordered_ = now_ - 1;
    if (streams_.size() <= clock.stream) streams_.resize(clock.stream + 1);
    for (std::size_t s = 0; s < streams_.size(); ++s) {
        if (s == clock.stream) continue;
        const u64 after = s < clock.after.size() ? clock.after[s] : 0;
        const auto& stream = streams_[s];
        const auto next = std::upper_bound(stream.begin(), stream.end(), std::make_pair(after, ~0u));
        if (next != stream.end()) ordered_ = std::min(ordered_, next->second - 1);
    }
    streams_[clock.stream].emplace_back(clock.sequence, now_);
    tasks_.push_back({now_, number, clock.stream, clock.sequence});
    if (tasks_.size() > 2 * remembered) forgetOldest();
    ordered_ = std::max(ordered_, tasks_.front().epoch - 1);
}

// What lies a million tasks back counts as ordered before everything that comes.
void History::forgetOldest() {
    tasks_.erase(tasks_.begin(), tasks_.end() - remembered);
    const u32 first = tasks_.front().epoch;
    for (auto& stream : streams_) {
        const auto kept =
            std::find_if(stream.begin(), stream.end(), [first](const auto& task) { return task.second >= first; });
        stream.erase(stream.begin(), kept);
    }
}

const History::Past& History::at(u32 epoch) const {
    const auto next =
        std::upper_bound(tasks_.begin(), tasks_.end(), epoch, [](u32 e, const Past& task) { return e < task.epoch; });
    return next == tasks_.begin() ? *next : *(next - 1);
}

bool History::before(u32 epoch) const {
    if (epoch < tasks_.front().epoch) return true;
    const Past& task = at(epoch);
    if (task.stream == clock_.stream) return true;
    return task.stream < clock_.after.size() && clock_.after[task.stream] >= task.sequence;
}

const std::string& History::name(u32 epoch) const { return names_[at(epoch).name]; }

void History::forget() {
    tasks_.clear();
    for (auto& stream : streams_) stream.clear();
    sets_.assign(1, {});
    now_ = 0;
}

u32 History::join(u32 set, u32 epoch) {
    const u32 first = at(epoch).epoch;
    if (std::find(sets_[set].begin(), sets_[set].end(), first) != sets_[set].end()) return set;
    std::vector<u32> joined = sets_[set];
    joined.push_back(first);
    const auto known = std::find(sets_.rbegin(), sets_.rend(), joined);
    if (known != sets_.rend()) return static_cast<u32>(sets_.rend() - known) - 1;
    if (sets_.size() > 0xffff) sets_.resize(1);  // so many unordered readers: forgets, and may miss a race
    sets_.push_back(std::move(joined));
    return static_cast<u32>(sets_.size()) - 1;
}

namespace {

constexpr u32 several = who::lanes | who::warps | who::blocks;

// Whether a record is an access that nothing orders before this one.
bool unordered(u32 epoch, u32 by, u32 me, bool strong, const Moment& m) {
    if (epoch <= m.ordered) return false;
    const bool strongs = strong && (by & who::atomic);
    if (epoch < m.task) return !strongs && !m.history->before(epoch);
    if ((by & who::blocks) || epoch < m.block) return !strongs || (by & who::plain);
    if (epoch < m.now || strongs) return false;
    if (((by ^ me) & who::thread) == 0 && !(by & (who::lanes | who::warps))) return false;
    const bool warp = ((by ^ me) & who::thread) < 32 && !(by & who::warps);
    return !(warp && !(by & who::others) && (by ^ me) >> who::syncs);
}

// The epoch of a reader that nothing orders before this access, 0 when there is none: the last reader, or one of the
// earlier tasks that read beside it.
u32 unorderedReader(u32 epoch, u32 by, u32 me, bool strong, const Moment& m) {
    if (epoch > m.ordered && (by & who::others))
        for (u32 reader : m.history->set(by >> who::syncs))
            if (reader > m.ordered && !m.history->before(reader)) return reader;
    return unordered(epoch, by, me, strong, m) ? epoch : 0;
}

u32 readBy(u32 epoch, u32 by, u32 me, const Moment& m) {
    if (epoch <= m.ordered) return me;
    if (epoch < m.task) {
        const u32 earlier = by & who::others ? by >> who::syncs : 0;
        if (m.history->before(epoch) && !earlier) return me;
        return (me & 0xffff) | who::others | m.history->join(earlier, epoch) << who::syncs;
    }
    u32 flags = (by & who::blocks) | (epoch < m.block ? who::blocks : 0);
    if (epoch == m.now) {
        flags |= by & (who::lanes | who::warps);
        const u32 apart = (by ^ me) & who::thread;
        if (apart) flags |= apart < 32 ? who::lanes : who::warps;
    }
    const u32 mine = by & who::others ? (me & 0xffff) | who::others | (by & 0xffff0000) : me;
    return mine | flags;
}

u32 writtenBy(u32 epoch, u32 by, u32 me, const Moment& m) {
    if (!(me & who::atomic) || epoch < m.task || epoch <= m.ordered) return me;
    u32 flags = by & (who::blocks | who::plain);
    if (!(by & who::atomic)) flags |= who::plain;
    if (epoch < m.block) flags |= who::blocks;
    if (epoch == m.now) {
        flags |= by & (who::lanes | who::warps);
        const u32 apart = (by ^ me) & who::thread;
        if (apart) flags |= apart < 32 ? who::lanes : who::warps;
    }
    return me | flags;
}

bool touch(const Records& r, std::size_t i, Use use, u32 me, const Moment& m, Fault& fault) {
    const bool strong = use == Use::atomic || use == Use::strongRead || use == Use::strongWrite;
    if (strong) me |= who::atomic;
    if (unordered(r.writeEpoch[i], r.writeWho[i], me, strong, m)) {
        fault = {Fault::race, 0, r.writeEpoch[i], r.writeWho[i], true};
        return false;
    }
    if (use == Use::read || use == Use::strongRead) {
        r.readWho[i] = readBy(r.readEpoch[i], r.readWho[i], me, m);
        r.readEpoch[i] = m.now;
        return true;
    }
    if (const u32 reader = unorderedReader(r.readEpoch[i], r.readWho[i], me, strong, m)) {
        fault = {Fault::race, 0, reader, r.readWho[i], false};
        return false;
    }
    r.writeWho[i] = writtenBy(r.writeEpoch[i], r.writeWho[i], me, m);
    r.writeEpoch[i] = m.now;
    return true;
}

// The same judgements for runs of granules, without branches and for as many at once as the machine can. Thread i >>
// shift of those that follow `me` has granule i.
#define WIDE __attribute__((target_clones("avx2", "default")))

// Whether nothing later than what is ordered before touched any of them.
WIDE bool untouched(const Records& r, std::size_t n, s32 ordered) {
    const u32 *we = r.writeEpoch, *re = r.readEpoch;
    s32 later = 0;
    for (std::size_t i = 0; i < n; ++i)
        later |= (static_cast<s32>(we[i]) > ordered ? 1 : 0) | (static_cast<s32>(re[i]) > ordered ? 1 : 0);
    return later == 0;
}

// Whether, but for that, only the same threads did, in this epoch.
WIDE bool own(const Records& r, std::size_t n, int shift, u32 me, s32 ordered, s32 now) {
    const u32 *we = r.writeEpoch, *ww = r.writeWho, *re = r.readEpoch, *rw = r.readWho;
    u32 other = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const u32 mine = me + (static_cast<u32>(i) >> shift);
        const s32 w = static_cast<s32>(we[i]), x = static_cast<s32>(re[i]);
        other |= (w > ordered ? (w ^ now) | static_cast<s32>(ww[i] ^ mine) : 0) |
                 (x > ordered ? (x ^ now) | static_cast<s32>(rw[i] ^ mine) : 0);
    }
    return other == 0;
}

WIDE void note(u32* epochs, u32* whos, std::size_t n, int shift, u32 me, u32 now) {
#pragma GCC ivdep
    for (std::size_t i = 0; i < n; ++i) {
        whos[i] = me + (static_cast<u32>(i) >> shift);
        epochs[i] = now;
    }
}

WIDE bool harmless(const Records& r, std::size_t n, int shift, bool write, u32 me, const Moment& m) {
    const s32 ordered = static_cast<s32>(m.ordered), task = static_cast<s32>(m.task), block = static_cast<s32>(m.block),
              now = static_cast<s32>(m.now);
    u32 bad = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const u32 mine = me + (static_cast<u32>(i) >> shift);
        const s32 we = static_cast<s32>(r.writeEpoch[i]), re = static_cast<s32>(r.readEpoch[i]);
        const u32 ww = r.writeWho[i], rw = r.readWho[i];
        const u32 sameWriter = (we == now) & (((ww ^ mine) & (who::thread | several)) == 0);
        const u32 barrier = (we < now) & (we >= block) & ((ww & who::blocks) == 0);
        const u32 read = (re >= task) & ((rw & who::others) == 0);
        const u32 sameReader = (re == now) & (((rw ^ mine) & (who::thread | several | who::others)) == 0);
        const u32 barrierRead = (re < now) & (re >= block) & ((rw & (who::blocks | who::others)) == 0);
        const u32 reads = write ? sameReader | barrierRead : read;
        bad |= ((we > ordered) & ((sameWriter | barrier) ^ 1)) | ((re > ordered) & (reads ^ 1));
    }
    return bad == 0;
}

WIDE void noteReads(const Records& r, std::size_t n, int shift, u32 me, const Moment& m) {
    const s32 ordered = static_cast<s32>(m.ordered), block = static_cast<s32>(m.block), now = static_cast<s32>(m.now);
#pragma GCC ivdep
    for (std::size_t i = 0; i < n; ++i) {
        const u32 mine = me + (static_cast<u32>(i) >> shift);
        const s32 re = static_cast<s32>(r.readEpoch[i]);
        const u32 rw = r.readWho[i];
        const u32 apart = (rw ^ mine) & who::thread;
        u32 flags = (rw & who::blocks) | (re < block ? who::blocks : 0u);
        const u32 near = (rw & (who::lanes | who::warps)) | (apart == 0 ? 0u : apart < 32 ? who::lanes : who::warps);
        flags |= re == now ? near : 0u;
        r.readWho[i] = mine | (re <= ordered ? 0u : flags);
        r.readEpoch[i] = m.now;
    }
}

WIDE bool allSet(const u8* state, std::size_t n) {
    u8 other = 0;
    for (std::size_t i = 0; i < n; ++i) other |= state[i] ^ setByte;
    return other == 0;
}

bool quickly(const Records& r, std::size_t n, int shift, bool write, u32 me, const Moment& m) {
    const s32 ordered = static_cast<s32>(m.ordered), now = static_cast<s32>(m.now);
    if (untouched(r, n, ordered) || own(r, n, shift, me, ordered, now)) {
        write ? note(r.writeEpoch, r.writeWho, n, shift, me, m.now) : note(r.readEpoch, r.readWho, n, shift, me, m.now);
        return true;
    }
    if (!harmless(r, n, shift, write, me, m)) return false;
    write ? note(r.writeEpoch, r.writeWho, n, shift, me, m.now) : noteReads(r, n, shift, me, m);
    return true;
}

}  // namespace

bool Space::track(Use use, std::size_t offset, std::size_t bytes, std::size_t each, u32 by, const Moment& m,
                  Fault& fault) {
    const int shift = each == 4 ? 0 : each == 8 ? 1 : each == 16 ? 2 : each == 0 ? 31 : -1;
    const bool granular = (offset & 3) == 0 && ((bytes & 3) == 0 || each == 0);
    if ((use == Use::read || use == Use::write) && shift >= 0 && granular) {
        // Piece by piece, so that what is unusual in one makes nothing else slow and records stay in the cache.
        const std::size_t n = bytes / 4, piece = each ? n : std::size_t{1} << 12;
        for (std::size_t done = 0; done < n; done += piece) {
            const std::size_t g = offset / 4 + done, count = std::min(piece, n - done);
            const Records r{granules_.writeEpoch + g, granules_.writeWho + g, granules_.readEpoch + g,
                            granules_.readWho + g};
            if (!quickly(r, count, shift, use == Use::write, by, m) &&
                !slowly(use, 4 * g, 4 * count, each, by, m, fault))
                return false;
        }
        return bytes % 4 == 0 || slowly(use, offset + 4 * n, bytes % 4, each, by, m, fault);  // of a workspace
    }
    if ((use == Use::read || use == Use::write) && (each == 1 || each == 2)) {
        for (std::size_t g = offset / 4; g <= (offset + bytes - 1) / 4; ++g)
            if (granules_.writeEpoch[g] != expanded) expand(g);
        const Records r{bytes_.writeEpoch + offset, bytes_.writeWho + offset, bytes_.readEpoch + offset,
                        bytes_.readWho + offset};
        if (quickly(r, bytes, each == 1 ? 0 : 1, use == Use::write, by, m)) return true;
    }
    return slowly(use, offset, bytes, each, by, m, fault);
}

bool Space::slowly(Use use, std::size_t offset, std::size_t bytes, std::size_t each, u32 by, const Moment& m,
                   Fault& fault) {
    const std::size_t end = offset + bytes;
    for (std::size_t at = offset; at < end;) {
        const u32 me = by + (each ? static_cast<u32>((at - offset) / each) : 0);
        const std::size_t laneEnd = each ? offset + ((at - offset) / each + 1) * each : end;
        const std::size_t g = at / 4;
        const bool whole = at % 4 == 0 && at + 4 <= laneEnd;
        if (whole && granules_.writeEpoch[g] != expanded) {
            if (!touch(granules_, g, use, me, m, fault)) return fault.offset = at, false;
            at += 4;
            continue;
        }
        if (granules_.writeEpoch[g] != expanded) expand(g);
        const std::size_t stop = std::min(laneEnd, g * 4 + 4);
        for (; at < stop; ++at)
            if (!touch(bytes_, at, use, me, m, fault)) return fault.offset = at, false;
        if (whole && use == Use::write) {  // one write covers it again
            granules_.writeEpoch[g] = m.now;
            granules_.writeWho[g] = me;
            granules_.readEpoch[g] = 0;
        }
    }
    return true;
}

void Space::expand(std::size_t g) {
    for (std::size_t i = g * 4; i < g * 4 + 4; ++i) {
        bytes_.writeEpoch[i] = granules_.writeEpoch[g];
        bytes_.writeWho[i] = granules_.writeWho[g];
        bytes_.readEpoch[i] = granules_.readEpoch[g];
        bytes_.readWho[i] = granules_.readWho[g];
    }
    granules_.writeEpoch[g] = expanded;
}

bool Space::written(std::size_t offset, std::size_t bytes) const { return allSet(state + offset, bytes); }

bool Space::reachable(std::size_t offset, std::size_t bytes) const {
    const u8* s = state + offset;
    u8 missing = 0;
    for (std::size_t i = 0; i < bytes; ++i) missing |= s[i] == noByte;
    return missing == 0;
}

void Space::fill(std::size_t offset, std::size_t bytes) { std::memset(state + offset, setByte, bytes); }

bool Space::miss(std::size_t offset, Fault& fault) const {
    fault = {Fault::outside, offset, 0, 0, false};
    return false;
}

bool Space::diagnose(std::size_t offset, std::size_t bytes, Fault& fault) const {
    for (std::size_t i = offset; i < offset + bytes; ++i)
        if (state[i] == noByte) return miss(i, fault);
    for (std::size_t i = offset; i < offset + bytes; ++i)
        if (state[i] == rawByte) return fault = {Fault::uninitialised, i, 0, 0, false}, false;
    return false;
}

Space::Space(std::size_t span) : size(span) {
    const auto map = [this](std::size_t bytes) {
        void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (at == MAP_FAILED) throw std::bad_alloc();
        madvise(at, bytes, MADV_DONTDUMP);
        madvise(at, bytes, MADV_DONTFORK);
        maps_.emplace_back(at, bytes);
        return at;
    };
    const auto records = [&](std::size_t count) {
        const auto words = [&] { return static_cast<u32*>(map(count * 4)); };
        Records r;
        r.writeEpoch = words(), r.writeWho = words(), r.readEpoch = words(), r.readWho = words();
        return r;
    };
    try {
        data = static_cast<std::byte*>(map(span));
        state = static_cast<u8*>(map(span));
        granules_ = records(span / 4);
        bytes_ = records(span);
    } catch (...) {
        for (auto [at, bytes] : maps_) munmap(at, bytes);
        throw;
    }
}

Space::~Space() {
    for (auto [at, bytes] : maps_) munmap(at, bytes);
}

// Records of bytes stay out: they are touched here and there, and a large page is cleared as a whole.
void Space::enlarge(std::size_t offset, std::size_t bytes) {
    const std::size_t page = std::size_t{2} << 20, from = (offset + page - 1) / page * page;
    const std::size_t to = (offset + bytes) / page * page;
    if (from >= to || enlarged_ == mostEnlarged) return;
    enlarged_++;
    for (void* base : {static_cast<void*>(data), static_cast<void*>(state), static_cast<void*>(granules_.writeEpoch),
                       static_cast<void*>(granules_.writeWho), static_cast<void*>(granules_.readEpoch),
                       static_cast<void*>(granules_.readWho)})
        madvise(static_cast<char*>(base) + from, to - from, MADV_HUGEPAGE);
}

void Space::discard(std::size_t offset, std::size_t bytes) {
    std::memset(state + offset, noByte, bytes);
    const std::size_t page = 4096, from = (offset + page - 1) / page * page, to = (offset + bytes) / page * page;
    if (from >= to) return;
    const auto drop = [&](void* base, std::size_t scale) {
        madvise(static_cast<char*>(base) + from * scale, (to - from) * scale, MADV_DONTNEED);
    };
    drop(data, 1);
    drop(state, 1);
    for (u32* words : {granules_.writeEpoch, granules_.writeWho, granules_.readEpoch, granules_.readWho})
        drop(words, 1);
    for (u32* words : {bytes_.writeEpoch, bytes_.writeWho, bytes_.readEpoch, bytes_.readWho}) drop(words, 4);
}

void Space::forgetRecords() {
    for (auto [at, bytes] : maps_)
        if (at != data && at != state) madvise(at, bytes, MADV_DONTNEED);
}

}  // namespace softgpu
