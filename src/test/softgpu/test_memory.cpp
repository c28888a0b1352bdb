// Device memory by itself: bounds, states, and races between tasks of several streams.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "test_ptx.h"

namespace test {

namespace {

using softgpu::Memory;
using softgpu::Task;
using softgpu::TaskClock;
using softgpu::Violation;

std::string said(const std::function<void()>& body) {
    try {
        body();
    } catch (const Violation& violation) {
        return violation.what();
    }
    return "";
}

void says(const std::string& name, const std::function<void()>& body, const std::vector<std::string>& parts) {
    const std::string text = said(body);
    bool right = !text.empty();
    for (const std::string& part : parts) right &= text.find(part) != std::string::npos;
    report(name, right, text.empty() ? "nothing was said" : text);
}

void silent(const std::string& name, const std::function<void()>& body) {
    const std::string text = said(body);
    report(name, text.empty(), text);
}

void allocations() {
    Memory memory(10000);
    const Address a = memory.allocate(1000), b = memory.allocate(7);
    report("addresses are multiples of 256 and of no more", a % 256 == 0 && a % 512 && b % 256 == 0 && b % 512);
    report("what is used is counted", memory.used() == 1007 && memory.live().size() == 2);
    report("memory runs out at its capacity", memory.allocate(8994) == 0 && memory.allocate(8993) != 0);
    report("ranges are valid within one allocation only", memory.valid(a, 1000) && memory.valid(a + 999, 1) &&
                                                              !memory.valid(a, 1001) && !memory.valid(a - 1, 1) &&
                                                              !memory.valid(a + 1000, 1));
    const int null = open("/dev/zero", O_RDONLY);
    report("the host cannot touch device memory", read(null, reinterpret_cast<void*>(a), 1) == -1 && errno == EFAULT);
    close(null);
    says("free of what is not an allocation's start", [&] { memory.release(a + 256); },
         {"not the start", "byte 256 of allocation 1"});
    memory.release(a);
    says("free twice", [&] { memory.release(a); }, {"not the start", "which was freed"});
    report("freed memory is available again", memory.used() == 7 + 8993 && memory.allocate(1000) != 0);
}

void states() {
    Memory memory(1 << 20);
    u64 sequence = 0;
    const Address a = memory.allocate(100), far = memory.allocate(50);
    const auto with = [&](const std::function<void(Task&)>& body) {
        return [&, body] {
            Task task(memory, "some work", {0, ++sequence, {}});
            body(task);
        };
    };
    says("reading what was never written", with([&](Task& t) { t.read(a, 100); }),
         {"some work reads 100 bytes", "uninitialised", "byte 0 of allocation 1"});
    silent("writing", with([&](Task& t) { t.write(a, 60); }));
    silent("reading what was written", with([&](Task& t) { t.read(a + 10, 50); }));
    says("reading beyond what was written", with([&](Task& t) { t.read(a + 10, 51); }),
         {"uninitialised", "byte 60 of allocation 1"});
    says("updating what was not written", with([&](Task& t) { t.update(a + 80, 8); }), {"uninitialised"});
    says("writing beyond the end", with([&](Task& t) { t.write(a + 60, 41); }),
         {"writes 41 bytes", "out of bounds", "0 bytes after the end of allocation 1"});
    says("writing before the start", with([&](Task& t) { t.write(far - 4, 8); }),
         {"out of bounds", "4 bytes before allocation 2"});
    says("a range over two allocations", with([&](Task& t) { t.write(a, far - a + 1); }), {"out of bounds"});
    says("an address that is none", with([&](Task& t) { t.read(1234, 1); }), {"no device address"});
    silent("no bytes at the end", with([&](Task& t) { t.read(a + 100, 0); }));
    memory.release(far);
    says("writing to freed memory", with([&](Task& t) { t.write(far, 1); }),
         {"out of bounds", "allocation 2", "which was freed"});
}

// Two tasks of different streams: `later` is or is not ordered after `earlier`.
void pair(const std::string& name, bool ordered, const std::function<void(Task&, Address)>& earlier,
          const std::function<void(Task&, Address)>& later, bool races) {
    Memory memory(1 << 20);
    const Address a = memory.allocate(4096);
    { Task(memory, "upload", {0, 1, {}}).write(a, 4096); }
    {
        Task first(memory, "the earlier task", {1, 1, {1}});
        earlier(first, a);
    }
    const auto body = [&] {
        Task second(memory, "the later task", {2, 1, {1, ordered ? u64{1} : u64{0}}});
        later(second, a);
    };
    if (races && !ordered)
        says(name + " without an event", body,
             {"the later task", "races with", "by the earlier task", "nothing orders"});
    else
        silent(name + (ordered ? " with an event" : " without an event"), body);
}

void streams() {
    const auto reads = [](std::size_t from, std::size_t bytes) {
        return [=](Task& t, Address a) { t.read(a + from, bytes); };
    };
    const auto writes = [](std::size_t from, std::size_t bytes) {
        return [=](Task& t, Address a) { t.write(a + from, bytes); };
    };
    for (const bool ordered : {false, true}) {
        pair("write after write", ordered, writes(0, 4096), writes(4092, 4), true);
        pair("read after write", ordered, writes(100, 4), reads(0, 4096), true);
        pair("write after read", ordered, reads(0, 4096), writes(2000, 8), true);
        pair("read after read", ordered, reads(0, 4096), reads(0, 4096), false);
        pair("writes side by side", ordered, writes(0, 2048), writes(2048, 2048), false);
        pair("writes of neighbouring bytes", ordered, writes(0, 5), writes(5, 3), false);
        pair("writes of the same byte", ordered, writes(0, 6), writes(5, 3), true);
        pair("read of a word of which a byte was written", ordered, writes(7, 1), reads(4, 4), true);
    }
}

// Several readers are all remembered: a writer must be ordered after each.
void manyReaders() {
    for (const u32 missing : {0u, 1u, 2u, 3u}) {
        Memory memory(1 << 20);
        const Address a = memory.allocate(64);
        { Task(memory, "upload", {0, 1, {}}).write(a, 64); }
        for (u32 s = 1; s <= 3; ++s) Task(memory, "reader " + std::to_string(s), {s, 1, {1}}).read(a, 64);
        std::vector<u64> after{1, 1, 1, 1};
        if (missing) after[missing] = 0;
        const auto body = [&] { Task(memory, "writer", {4, 1, after}).write(a + 32, 4); };
        if (missing)
            says("a writer that waits for all readers but " + std::to_string(missing), body,
                 {"writer", "reader " + std::to_string(missing)});
        else
            silent("a writer that waits for all readers", body);
    }
}

// A kernel is a task like others.
void kernels() {
    const std::string text =
        ".version 9.0\n.target sm_75\n.address_size 64\n.visible .entry fill(.param .u64 y)\n{\n.reg .b32 %r<3>; .reg .b64 %rd<4>;\n"
        "ld.param.u64 %rd1, [y]; mov.u32 %r1, %tid.x; mul.wide.u32 %rd2, %r1, 4; add.s64 %rd1, %rd1, %rd2; st.global.u32 [%rd1], %r1; ret;\n}\n";
    for (const bool ordered : {false, true}) {
        Memory memory(1 << 20);
        softgpu::ptx::Image image(softgpu::ptx::parse(text), memory);
        const Address a = memory.allocate(256);
        softgpu::ptx::LaunchConfig config;
        config.block.x = 64;
        softgpu::ptx::LaunchReport counted;
        { Task(memory, "copy", {1, 1, {}}).write(a, 256); }
        const auto body = [&] {
            Task task(memory, "fill", {2, 1, {0, ordered ? u64{1} : u64{0}}});
            softgpu::ptx::launch(image, *image.kernel("fill"), config, Arguments().add(a).bytes, task, counted);
        };
        if (ordered)
            silent("a kernel after a copy in another stream, with an event", body);
        else
            says("a kernel after a copy in another stream, without an event", body,
                 {"kernel fill", "races with a write by copy"});
    }
}

}  // namespace

void taskCases() {
    section("allocations", allocations);
    section("states", states);
    section("streams", streams);
    section("many readers", manyReaders);
    section("kernels as tasks", kernels);
}

}  // namespace test
