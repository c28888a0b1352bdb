// What the tests of the interpreter share: cases that are counted, and PTX that runs on a fresh device.
#pragma once
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "ptx.h"

namespace test {

using softgpu::Address;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using s16 = std::int16_t;
using s32 = std::int32_t;
using s64 = std::int64_t;

void report(const std::string& name, bool passed, const std::string& detail = "");
void section(const std::string& name, const std::function<void()>& body);  // an exception fails the section
int finish();                                                              // prints the sum; the exit code

float asFloat(u64 bits);
double asDouble(u64 bits);
u64 bitsOf(float x);
u64 bitsOf(double x);

// A device with its tasks in one stream.
class Device {
public:
    Device() : memory(std::size_t{1} << 32) {}
    template <class T> Address put(const std::vector<T>& values) {
        return put(values.data(), values.size() * sizeof(T));
    }
    Address put(const void* from, std::size_t bytes);
    template <class T> std::vector<T> get(Address from, std::size_t count) {
        std::vector<T> values(count);
        get(values.data(), from, count * sizeof(T));
        return values;
    }
    void get(void* to, Address from, std::size_t bytes);
    softgpu::TaskClock next() { return {0, ++sequence_, {}}; }

    softgpu::Memory memory;

private:
    u64 sequence_ = 0;
};

struct Arguments {
    std::vector<std::byte> bytes;
    template <class T> Arguments& add(T value) {
        const std::size_t at = (bytes.size() + sizeof(T) - 1) / sizeof(T) * sizeof(T);
        bytes.resize(at + sizeof(T));
        std::memcpy(bytes.data() + at, &value, sizeof(T));
        return *this;
    }
};

// A module on a device. run() launches, and gives back what a violation said, or "".
class Program {
public:
    Program(Device& device, const std::string& text)
        : device_(device), image_(softgpu::ptx::parse(text), device.memory) {}
    std::string run(const std::string& kernel, u32 grid, u32 block, const Arguments& arguments, std::size_t shared = 0,
                    u64 seed = 1);
    softgpu::ptx::LaunchReport counted;
    u64 budget = 20'000'000;
    const softgpu::ptx::Image& image() const { return image_; }

private:
    Device& device_;
    softgpu::ptx::Image image_;
};

std::string compiled(const std::string& file);  // the PTX of a .cu file beside the tests
std::string textOf(const std::string& file);

// One instruction over many operands. Types are PTX's, destination first ("f32 f32 f32"; pred allowed); the operands of
// case i are row i. Predicate results are 0 or 1. An instruction that mentions %v0, %v1, ... stands as it is.
using Row = std::vector<u64>;
std::vector<u64> evaluate(const std::string& instruction, const std::string& types, const std::vector<Row>& rows);

// Runs the instruction on all rows and compares each result.
void expect(const std::string& instruction, const std::string& types, const std::vector<Row>& rows,
            const std::function<u64(const Row&)>& expected);

std::vector<Row> rowsOf(const std::string& types);  // edge cases in all combinations, and random ones, for the operands

void integerCases();
void floatCases();
void convertCases();
void warpCases();
void memoryCases();
void taskCases();
void kernelCases();
void bugCases();

}  // namespace test
