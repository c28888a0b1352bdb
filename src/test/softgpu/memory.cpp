#include "memory.h"

#include <algorithm>
#include <cstdio>
#include <new>

#include "shadow.h"

namespace softgpu {

namespace {

constexpr std::size_t redZone = 64 * 1024;  // address space only: nothing backs it
constexpr std::size_t largestSpan = std::size_t{1} << 40;

std::string hex(Address at) {
    char text[32];
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(at));
    return text;
}

std::string called(const Allocation& a) {
    return "allocation " + std::to_string(a.number) + " (" + std::to_string(a.bytes) + " bytes)";
}

std::unique_ptr<Shadow> reserve() {
    for (std::size_t span = largestSpan;; span /= 2) {
        try {
            return std::make_unique<Shadow>(span, sharedSpan);
        } catch (const std::bad_alloc&) {
            if (span < std::size_t{1} << 32) throw;
        }
    }
}

}  // namespace

Memory::Memory(std::size_t capacity)
    : capacity_(capacity), next_(globalBase + redZone), shadow_(reserve()), history_(std::make_unique<History>()) {}

Memory::~Memory() = default;

Address Memory::allocate(std::size_t bytes) {
    const std::size_t taken = (bytes + 511) / 512 * 512;
    const std::size_t offset = next_ - globalBase + 256;  // odd multiples of 256: no more alignment than promised
    if (bytes == 0 || used_ + bytes > capacity_ || used_ + bytes < bytes) return 0;
    if (offset + taken + redZone > shadow_->global.size) return 0;
    const Allocation a{globalBase + offset, bytes, ++numbers_};
    shadow_->global.enlarge(offset, bytes);
    std::fill_n(shadow_->global.state + offset, bytes, rawByte);
    live_[a.start] = a;
    used_ += bytes;
    next_ += taken + redZone;
    return a.start;
}

void Memory::release(Address start) {
    const auto found = live_.find(start);
    if (found == live_.end())
        throw Violation("free of " + describe(start) + ", which is not the start of a live allocation");
    shadow_->global.discard(start - globalBase, found->second.bytes);
    used_ -= found->second.bytes;
    freed_[start] = found->second;
    live_.erase(found);
}

bool Memory::valid(Address at, std::size_t bytes) const {
    const auto a = find(at);
    return a && bytes <= a->start + a->bytes - at;
}

std::optional<Allocation> Memory::find(Address at) const {
    auto after = live_.upper_bound(at);
    if (after == live_.begin()) return std::nullopt;
    const Allocation& a = std::prev(after)->second;
    return at < a.start + a.bytes ? std::optional<Allocation>(a) : std::nullopt;
}

std::vector<Allocation> Memory::live() const {
    std::vector<Allocation> all;
    for (const auto& [start, a] : live_) all.push_back(a);
    return all;
}

bool Memory::inRange(Address at) { return at >= globalBase && at < globalBase + largestSpan; }

std::string Memory::describe(Address at) const {
    if (!inRange(at)) return hex(at) + ", which is no device address";
    if (const auto a = find(at)) return hex(at) + ", byte " + std::to_string(at - a->start) + " of " + called(*a);
    const auto below = [at](const std::map<Address, Allocation>& all) -> const Allocation* {
        const auto after = all.upper_bound(at);
        return after == all.begin() ? nullptr : &std::prev(after)->second;
    };
    const Allocation *live = below(live_), *freed = below(freed_);
    if (freed && at < freed->start + freed->bytes)
        return hex(at) + ", byte " + std::to_string(at - freed->start) + " of " + called(*freed) + ", which was freed";
    const Allocation* left = !live || (freed && freed->start > live->start) ? freed : live;
    const auto right = live_.upper_bound(at);
    const std::size_t behind = left ? at - left->start - left->bytes : ~std::size_t{0};
    if (right != live_.end() && right->first - at < behind)
        return hex(at) + ", " + std::to_string(right->first - at) + " bytes before " + called(right->second);
    if (!left) return hex(at) + ", where nothing was allocated";
    return hex(at) + ", " + std::to_string(behind) + " bytes after the end of " + called(*left) +
           (left == freed ? ", which was freed" : "");
}

Task::Task(Memory& memory, std::string name, const TaskClock& clock) : memory_(memory), name_(std::move(name)) {
    History& history = *memory.history_;
    if (history.exhausted()) {
        history.forget();
        memory.shadow_->global.forgetRecords();
        memory.shadow_->block.forgetRecords();
    }
    history.begin(name_, clock);
}

Task::~Task() = default;

std::string otherTask(const Fault& fault, const History& history) {
    return std::string(fault.wrote ? "a write" : "a read") + " by " + history.name(fault.epoch);
}

void* Task::access(Use use, Address at, std::size_t bytes) {
    Space& space = memory_.shadow_->global;
    History& history = *memory_.history_;
    const u32 first = history.first();
    const Moment m{history.ordered(), first, first, first, &history};
    Fault fault;
    const std::size_t offset = Memory::inRange(at) ? at - globalBase : space.size;
    if (space.enter(use, offset, bytes, 0, 0, m, fault)) return space.data + offset;
    const std::string range = std::to_string(bytes) + " bytes at " + memory_.describe(at);
    const std::string where = Memory::inRange(at) ? memory_.describe(globalBase + fault.offset) : "";
    std::string text = name_ + (use == Use::write ? " writes " : " reads ") + range;
    if (fault.kind == Fault::outside) text += ": out of bounds" + (where.empty() ? "" : " at " + where);
    if (fault.kind == Fault::uninitialised) text += ": uninitialised from " + where;
    if (fault.kind == Fault::race)
        text += ": races with " + otherTask(fault, history) + " of " + where + "; nothing orders the two";
    throw Violation(text);
}

const void* Task::read(Address at, std::size_t bytes) { return access(Use::read, at, bytes); }

void* Task::write(Address at, std::size_t bytes) { return access(Use::write, at, bytes); }

void* Task::update(Address at, std::size_t bytes) {
    access(Use::read, at, bytes);
    return access(Use::write, at, bytes);
}

}  // namespace softgpu
