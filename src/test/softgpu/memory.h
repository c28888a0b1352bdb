// The software GPU's device memory: every byte knows whether it may be accessed and whether it was written, and every
// four-byte granule who touched it last.
//
// Addresses lie where x86-64 can map nothing (non-canonical), so that host code which dereferences a device pointer
// dies at once. Storage and shadows are reserved as one sparse range each, at fixed distances: translation is an
// addition, and a check of a whole warp's access is a few vector compares. Addresses are never reused.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gpu.h"

namespace softgpu {

struct Allocation {
    Address start;
    std::size_t bytes;
    std::uint64_t number;  // 1 for the device's first: reports call it by this number
};

// When a task happens, relative to others. The host is a stream too. Sequences count from 1 in the order of execution.
struct TaskClock {
    std::uint32_t stream = 0;          // dense: 0, 1, 2, ...
    std::uint64_t sequence = 1;        // within its stream
    std::vector<std::uint64_t> after;  // after[s]: all tasks of stream s up to this sequence happen before this one
};

struct Shadow;  // bytes' states and granules' last accesses (shadow.h)
class History;  // which task an access belonged to, and what is ordered before what
enum class Use;

// Not thread-safe: one task runs at a time.
class Memory {
public:
    explicit Memory(std::size_t capacity);  // the bytes that the device claims to have, at most 256 GiB
    ~Memory();
    Memory(const Memory&) = delete;

    Address allocate(std::size_t bytes);  // uninitialised; aligned to 256 and to no more; 0 when memory is exhausted
    void release(Address start);          // Violation unless it is the start of a live allocation

    bool valid(Address at, std::size_t bytes) const;   // inside one live allocation
    std::optional<Allocation> find(Address at) const;  // the live allocation around an address
    std::vector<Allocation> live() const;
    std::size_t capacity() const { return capacity_; }
    std::size_t used() const { return used_; }
    static bool inRange(Address at);  // a device address, live or not

    std::string describe(Address at) const;  // "0x1000000000100, 4 bytes after allocation 3 (4096 bytes)"

private:
    friend class Task;
    friend struct Internals;
    std::size_t capacity_, used_ = 0;
    Address next_;
    std::uint64_t numbers_ = 0;
    std::map<Address, Allocation> live_, freed_;
    std::unique_ptr<Shadow> shadow_;
    std::unique_ptr<History> history_;
};

// One piece of work while it runs: its checked view of memory, and its name in reports. Tasks are built in the order
// in which they are executed, one at a time. A copy, a memset and a library call use it as the Accessor that it is;
// a kernel hands it to the interpreter.
class Task : public Accessor {
public:
    Task(Memory& memory, std::string name, const TaskClock& clock);
    ~Task() override;

    const void* read(Address at, std::size_t bytes) override;
    void* write(Address at, std::size_t bytes) override;
    void* update(Address at, std::size_t bytes) override;

    Memory& memory() { return memory_; }
    const std::string& name() const { return name_; }

private:
    friend struct Internals;
    void* access(Use use, Address at, std::size_t bytes);
    Memory& memory_;
    std::string name_;
};

}  // namespace softgpu
