// The PTX interpreter: parse a module once, place it into device memory, launch its kernels.
//
// Bytecode over 32 lanes at once; the lanes of a warp with the lowest pc go first, so diverged lanes meet again; the
// order of blocks and warps is shuffled by a seed. Everything a kernel does wrong is a Violation that names the kernel,
// the .cu file and line, the address, its allocation and the threads.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "memory.h"

namespace softgpu::ptx {

// Text that is not PTX, or an opcode that the interpreter does not know; names both and the line of the text.
struct ParseError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Param {
    std::size_t offset, bytes, alignment;
};

struct Variable {  // of module scope: .global or .const
    std::string name;
    std::size_t bytes, alignment;
    std::vector<std::byte> initial;  // empty: all zero
    bool constant;
};

struct Code;  // the decoded instructions

struct Kernel {
    std::string name;
    std::vector<Param> params;
    std::size_t paramBytes = 0;
    std::size_t staticShared = 0;
    unsigned maxThreads = 1024;  // smaller under __launch_bounds__
    std::shared_ptr<const Code> code;
};

struct Module {
    std::vector<Kernel> kernels;
    std::vector<Variable> variables;
    std::string target;  // "sm_75"

    const Kernel* find(const std::string& kernel) const;  // null when there is none
};

std::shared_ptr<const Module> parse(const std::string& text);

// A module in a device's memory: its variables have addresses and their initial values. Frees them at the end, so the
// memory must outlive it. Placing and freeing are not tasks: do them where the host has synchronised, as CUDA does.
class Image {
public:
    Image(std::shared_ptr<const Module> module, Memory& memory);
    ~Image();
    Image(const Image&) = delete;

    const Module& module() const { return *module_; }
    const Kernel* kernel(const std::string& name) const { return module_->find(name); }
    Address address(const std::string& variable) const;  // 0 when there is none
    std::size_t bytes(const std::string& variable) const;
    const std::vector<std::byte>& constants(const Code& code) const;  // with the variables' addresses in them

private:
    std::shared_ptr<const Module> module_;
    Memory& memory_;
    std::map<std::string, Address> addresses_;
    std::map<const Code*, std::vector<std::byte>> constants_;
};

struct Dim3 {
    unsigned x = 1, y = 1, z = 1;
    std::uint64_t count() const { return std::uint64_t{x} * y * z; }
};

constexpr unsigned maxThreadsPerBlock = 1024;
constexpr std::size_t maxSharedBytes = 48 * 1024;       // static and dynamic together, without opting in to more
constexpr std::size_t maxSharedBytesOptin = 64 * 1024;  // of compute capability 7.5

struct LaunchConfig {
    Dim3 grid, block;
    std::size_t dynamicShared = 0;
    std::uint64_t seed = 1;              // of the order of blocks and warps
    std::uint64_t budget = 400'000'000;  // warp instructions, before the launch counts as endless: some ten seconds
};

struct LaunchReport {
    std::uint64_t instructions = 0;  // of warps
    std::uint64_t lanes = 0;         // the same, times the lanes that took part
    std::uint64_t loaded = 0;        // bytes from global memory, the reading half of atomics included
    std::uint64_t stored = 0;        // bytes to global memory, likewise
    std::uint64_t wide = 0;          // those of both that 128-bit accesses moved
    std::uint64_t atomics = 0;       // lanes' atomic operations on global memory
};

// Runs a kernel to its end. `params` is the parameter block, laid out as Kernel::params says. Throws
// std::invalid_argument when the configuration is impossible (libcuda answers CUDA_ERROR_INVALID_VALUE), Violation when
// the kernel does something forbidden. The report is filled as far as the launch came.
void launch(const Image& image, const Kernel& kernel, const LaunchConfig& config, const std::vector<std::byte>& params,
            Task& task, LaunchReport& report);

}  // namespace softgpu::ptx
