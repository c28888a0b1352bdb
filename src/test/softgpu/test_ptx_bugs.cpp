// Planted bugs: each must be caught, with a message that names the kernel and the marked line, and says what is wrong.
// The kernels stay silent where the same launch is made without its bug.
#include <sstream>

#include "test_ptx.h"

namespace test {

namespace {

// The lines of the file that carry the kernel's mark.
std::vector<int> marked(const std::string& kernel) {
    std::istringstream in(textOf(SOURCES "/test_ptx_bugs.cu"));
    std::vector<int> lines;
    int number = 0;
    for (std::string line; std::getline(in, line);) {
        ++number;
        const std::size_t at = line.find("// BUG ");
        if (at != std::string::npos && line.substr(at + 7) == kernel) lines.push_back(number);
    }
    if (lines.empty()) throw std::runtime_error("no line is marked BUG " + kernel);
    return lines;
}

void caught(Program& program, const std::string& kernel, u32 grid, u32 block, const Arguments& arguments,
            const std::vector<std::string>& says) {
    const std::string said = program.run(kernel, grid, block, arguments);
    bool right = said.find("kernel " + kernel + " at ") != std::string::npos;
    bool line = false;
    for (const int number : marked(kernel))
        line |= said.find("test_ptx_bugs.cu:" + std::to_string(number)) != std::string::npos;
    for (const std::string& part : says) right &= said.find(part) != std::string::npos;
    report("caught: " + kernel, right && line, said.empty() ? "nothing was said" : said);
}

void silent(Program& program, const std::string& kernel, u32 grid, u32 block, const Arguments& arguments) {
    const std::string said = program.run(kernel, grid, block, arguments);
    report("silent without its bug: " + kernel, said.empty(), said);
}

std::string allocationOf(Device& device, Address at) {
    return "allocation " + std::to_string(device.memory.find(at)->number);
}

void bounds(Device& device, Program& program) {
    const Address x = device.put(std::vector<float>(128)), y = device.put(std::vector<float>(101));
    caught(
        program, "outside", 1, 128, Arguments().add(x).add(y).add(101u),
        {"out of bounds", "0 bytes after the end of " + allocationOf(device, y), "thread (101,0,0)", "block (0,0,0)"});
    silent(program, "outside", 1, 128, Arguments().add(x).add(y).add(100u));
    caught(program, "outsideRead", 2, 32, Arguments().add(x).add(y).add(32u),
           {"loads 16 bytes", "out of bounds", "thread (0,0,0) of block (1,0,0)"});
    silent(program, "outsideRead", 1, 32, Arguments().add(x).add(y).add(32u));
    caught(program, "outsideShared", 1, 32, Arguments().add(y), {"shared memory", "out of bounds", "thread (31,0,0)"});
    caught(program, "hostPointer", 1, 32, Arguments().add(reinterpret_cast<u64>(&device)), {"no device address"});
    caught(program, "hostPointer", 1, 32, Arguments().add(u64{0}), {"0x0", "no device address"});
    silent(program, "hostPointer", 1, 32, Arguments().add(x));
    caught(program, "misaligned", 1, 8, Arguments().add(x).add(y), {"misaligned"});
    const Address at = device.put(std::vector<int>{64, 1, 2}), inside = device.put(std::vector<int>{7, 1, 2});
    caught(program, "localArray", 1, 32, Arguments().add(y).add(at), {"local memory", "out of bounds"});
    silent(program, "localArray", 1, 32, Arguments().add(y).add(inside));
}

void lifetimes(Device& device, Program& program) {
    const Address y = device.put(std::vector<float>(64)), raw = device.memory.allocate(64 * 4);
    caught(program, "unwritten", 1, 64, Arguments().add(raw).add(y),
           {"not initialised", allocationOf(device, raw), "thread (0,0,0)"});
    silent(program, "unwritten", 1, 64, Arguments().add(y).add(raw));  // which writes it
    silent(program, "unwritten", 1, 64, Arguments().add(raw).add(y));
    const std::string number = allocationOf(device, raw);
    device.memory.release(raw);
    caught(program, "unwritten", 1, 64, Arguments().add(raw).add(y), {"out of bounds", number, "which was freed"});
    const Address again = device.memory.allocate(64 * 4);
    report("freed memory is not reused", again != raw);
    caught(program, "unwritten", 1, 64, Arguments().add(again).add(y), {"not initialised"});
    caught(program, "unwrittenShared", 1, 32, Arguments().add(y),
           {"not initialised", "shared memory", "thread (31,0,0)"});
    silent(program, "unwrittenShared", 1, 31, Arguments().add(y));
}

void races(Device& device, Program& program) {
    const Address y = device.put(std::vector<float>(256));
    caught(program, "missingBarrier", 1, 64, Arguments().add(y),
           {"races with a", "by thread", "same block", "no barrier"});
    caught(program, "tooEarly", 1, 64, Arguments().add(y), {"not initialised", "is a barrier missing"});
    caught(program, "missingSecondBarrier", 1, 64, Arguments().add(y).add(2),
           {"races with a", "by thread", "no barrier"});
    silent(program, "missingSecondBarrier", 1, 64, Arguments().add(y).add(1));
    caught(program, "missingWarpSync", 1, 32, Arguments().add(y), {"races with a write by thread"});
    bool readFirst = false, writtenFirst = false, each = true;
    const Address z = device.put(std::vector<float>(64));
    for (u64 seed = 1; seed <= 12; ++seed) {  // either block may run first
        const std::string said = program.run("oneReadsOneWrites", 2, 32, Arguments().add(y).add(z), 0, seed);
        const bool read = said.find("races with a read by thread") != std::string::npos,
                   write = said.find("races with a write by thread") != std::string::npos;
        readFirst |= read;
        writtenFirst |= write;
        each &= (read || write) && said.find("of block (") != std::string::npos;
    }
    report("caught in any order: oneReadsOneWrites", each && readFirst && writtenFirst);
    caught(program, "betweenBlocks", 4, 32, Arguments().add(y), {"races with a", allocationOf(device, y)});
    silent(program, "betweenBlocks", 1, 32, Arguments().add(y));
    caught(program, "betweenBlocksReadWrite", 4, 32, Arguments().add(y), {"races with a"});
    caught(program, "plainThenAtomic", 3, 32, Arguments().add(y), {"races with a"});
    silent(program, "plainThenAtomic", 1, 32, Arguments().add(y));
    caught(program, "withinBlock", 1, 32, Arguments().add(y),
           {"races with a write by thread (0,0,0) of the same block"});
    silent(program, "withinBlock", 1, 1, Arguments().add(y));
}

// Of several blocks that read, each counts, whichever ran last; neighbours and strides alike.
void readers(Device& device, Program& program) {
    const Address y = device.put(std::vector<float>(256)), z = device.put(std::vector<float>(256));
    for (const u32 stride : {1u, 3u}) {
        bool each = true;
        for (u64 seed = 1; seed <= 6; ++seed)
            for (u32 writer = 0; writer < 3; ++writer) {
                const Arguments arguments = Arguments().add(y).add(z).add(writer).add(stride);
                const std::string said = program.run("allReadOneWrites", 3, 32, arguments, 0, seed);
                each &= said.find("another block") != std::string::npos || said.find("of block (") != said.rfind("of block (");
            }
        report("caught in any order: allReadOneWrites, stride " + std::to_string(stride), each);
        silent(program, "allReadOneWrites", 3, 32, Arguments().add(y).add(z).add(3u).add(stride));
        silent(program, "allReadOneWrites", 1, 32, Arguments().add(y).add(z).add(0u).add(stride));
        caught(program, "shift", 1, 64, Arguments().add(y).add(stride), {"races with a", "by thread"});
        silent(program, "shift", 1, 1, Arguments().add(y).add(stride));
    }
    caught(program, "shiftBytes", 1, 32, Arguments().add(y).add(1u), {" 1 byte at", "races with a", "by thread"});
    silent(program, "shiftBytes", 1, 32, Arguments().add(y).add(32u));
    caught(program, "squares", 1, 17, Arguments().add(y).add(z), {"thread (16,0,0)", "out of bounds"});
    silent(program, "squares", 1, 16, Arguments().add(y).add(z));
}

void control(Device& device, Program& program) {
    const Address y = device.put(std::vector<float>(64)), zeros = device.put(std::vector<u32>{0, 0}),
                  ones = device.put(std::vector<u32>{1, 1});
    program.budget = 100'000;
    caught(program, "endless", 1, 1, Arguments().add(zeros), {"endless loop"});
    silent(program, "endless", 1, 1, Arguments().add(ones));
    program.budget = 20'000'000;
    caught(program, "halfBarrier", 1, 64, Arguments().add(y), {"barrier not reached by all threads", "has exited"});
    silent(program, "halfBarrier", 1, 32, Arguments().add(y));
    caught(program, "exitedBarrier", 1, 64, Arguments().add(y).add(40u),
           {"barrier not reached by all threads", "thread (40,0,0) has exited"});
    silent(program, "exitedBarrier", 1, 64, Arguments().add(y).add(64u));
    caught(program, "absentLane", 1, 32, Arguments().add(y), {"shuffles from lane", "takes no part"});
    caught(program, "stuckWarp", 1, 32, Arguments().add(y), {"waits for lanes of its warp that never arrive"});
    caught(program, "notInMask", 1, 32, Arguments().add(y), {"not in the mask"});
    silent(program, "notInMask", 1, 16, Arguments().add(y));
    std::vector<u32> divisors(32, 3);
    const Address fine = device.put(divisors), out = device.put(divisors);
    divisors[9] = 0;
    const Address wrong = device.put(divisors);
    caught(program, "divides", 1, 32, Arguments().add(wrong).add(out),
           {"divides an integer by zero", "thread (9,0,0)"});
    silent(program, "divides", 1, 32, Arguments().add(fine).add(out));
    divisors[11] = 41;
    const Address large = device.put(divisors);
    caught(program, "asserts", 1, 32, Arguments().add(large), {"x[threadIdx.x] < 40", "thread (11,0,0)"});
    silent(program, "asserts", 1, 32, Arguments().add(fine));
}

}  // namespace

void bugCases() {
    Device device;
    Program program(device, compiled("test_ptx_bugs.cu"));
    bounds(device, program);
    lifetimes(device, program);
    races(device, program);
    readers(device, program);
    control(device, program);
}

}  // namespace test
