// Runs all cases; one line each.
#include "test_ptx.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>
#include <sstream>

namespace test {

namespace {

int passes = 0, failures = 0;

std::vector<std::string> words(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> all;
    for (std::string word; in >> word;) all.push_back(word);
    return all;
}

std::string hex(u64 bits) {
    char text[32];
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(bits));
    return text;
}

// The register that PTX wants for a type, and the type by which memory holds it.
std::string plain(const std::string& type) {
    if (type == "pred") return "u32";
    return type.substr(1) == "8" ? "b8" : "b" + type.substr(1);
}

std::string registerOf(const std::string& type) {
    return type.substr(1) == "8" ? "b16" : type == "pred" ? "u32" : "b" + type.substr(1);
}

const std::vector<u64>& edges(const std::string& type) {
    static const std::vector<u64> f32{
        0,          0x80000000, 1,          0x80000001, 0x007fffff, 0x00800000, 0x3f800000, 0xbf800000, 0x3f800001,
        0x3f7fffff, 0x40490fdb, 0x4b000001, 0xcb000000, 0x4f000000, 0xcf000000, 0x4f800000, 0x5f000000, 0x7f7fffff,
        0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc12345, 0x3f000000, 0x3fc00000, 0x40200000, 0xbf000000};
    static const std::vector<u64> f64{0,
                                      u64{1} << 63,
                                      1,
                                      0x000fffffffffffff,
                                      0x0010000000000000,
                                      0x3ff0000000000000,
                                      0xbff0000000000000,
                                      0x3ff0000000000001,
                                      0x3fefffffffffffff,
                                      0x400921fb54442d18,
                                      0x43e0000000000000,
                                      0xc3e0000000000000,
                                      0x43f0000000000000,
                                      0x41dfffffffc00000,
                                      0x7fefffffffffffff,
                                      0xffefffffffffffff,
                                      0x7ff0000000000000,
                                      0xfff0000000000000,
                                      0x7ff8000000000000,
                                      0x3fe0000000000000,
                                      0x3ff8000000000000,
                                      0x4004000000000000};
    static const std::vector<u64> integers{0,
                                           1,
                                           2,
                                           3,
                                           5,
                                           7,
                                           31,
                                           32,
                                           33,
                                           63,
                                           64,
                                           0x7f,
                                           0x80,
                                           0xff,
                                           0x7fff,
                                           0x8000,
                                           0xffff,
                                           0x7fffffff,
                                           0x80000000,
                                           0xffffffff,
                                           0x100000000,
                                           0x7fffffffffffffff,
                                           u64{1} << 63,
                                           ~u64{0},
                                           0x123456789abcdef0};
    static const std::vector<u64> booleans{0, 1};
    return type == "f32" ? f32 : type == "f64" ? f64 : type == "pred" ? booleans : integers;
}

u64 maskOf(const std::string& type) {
    const int bits = type == "pred" ? 1 : std::atoi(type.c_str() + 1);
    return bits == 64 ? ~u64{0} : (u64{1} << bits) - 1;
}

}  // namespace

void report(const std::string& name, bool passed, const std::string& detail) {
    ++(passed ? passes : failures);
    std::printf("%s %s%s%s\n", passed ? "ok    " : "FAILED", name.c_str(), passed ? "" : ": ",
                passed ? "" : detail.c_str());
}

void section(const std::string& name, const std::function<void()>& body) {
    try {
        body();
    } catch (const std::exception& e) {
        report(name, false, e.what());
    }
}

int finish() {
    std::printf("%d passed, %d failed\n", passes, failures);
    return failures || !passes ? 1 : 0;
}

float asFloat(u64 bits) {
    const u32 low = static_cast<u32>(bits);
    float x;
    std::memcpy(&x, &low, 4);
    return x;
}

double asDouble(u64 bits) {
    double x;
    std::memcpy(&x, &bits, 8);
    return x;
}

u64 bitsOf(float x) {
    u32 bits;
    std::memcpy(&bits, &x, 4);
    return bits;
}

u64 bitsOf(double x) {
    u64 bits;
    std::memcpy(&bits, &x, 8);
    return bits;
}

Address Device::put(const void* from, std::size_t bytes) {
    const Address at = memory.allocate(bytes);
    softgpu::Task task(memory, "upload", next());
    std::memcpy(task.write(at, bytes), from, bytes);
    return at;
}

void Device::get(void* to, Address from, std::size_t bytes) {
    softgpu::Task task(memory, "download", next());
    std::memcpy(to, task.read(from, bytes), bytes);
}

std::string Program::run(const std::string& kernel, u32 grid, u32 block, const Arguments& arguments, std::size_t shared,
                         u64 seed) {
    const softgpu::ptx::Kernel* found = image_.kernel(kernel);
    if (!found) throw std::runtime_error("no kernel " + kernel);
    softgpu::ptx::LaunchConfig config;
    config.grid.x = grid;
    config.block.x = block;
    config.dynamicShared = shared;
    config.seed = seed;
    config.budget = budget;
    counted = {};
    softgpu::Task task(device_.memory, kernel, device_.next());
    try {
        softgpu::ptx::launch(image_, *found, config, arguments.bytes, task, counted);
    } catch (const softgpu::Violation& violation) {
        return violation.what();
    }
    return "";
}

std::string textOf(const std::string& file) {
    std::ifstream in(file);
    if (!in) throw std::runtime_error("cannot read " + file);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

std::string compiled(const std::string& file) {
    const std::string out = std::string(BUILT) + "/" + file + ".ptx";
    const std::string command =
        std::string(NVCC) + " -ptx -O3 -arch=compute_75 -lineinfo " SOURCES "/" + file + " -o " + out;
    if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
    return textOf(out);
}

std::vector<u64> evaluate(const std::string& instruction, const std::string& types, const std::vector<Row>& rows) {
    const std::vector<std::string> all = words(types);
    const std::size_t operands = all.size() - 1;
    std::ostringstream code;
    code
        << ".version 9.0\n.target sm_75\n.address_size 64\n.visible .entry one(.param .u64 x, .param .u64 y, .param .u32 n)\n{\n"
        << ".reg .pred %p<10>; .reg .b64 %rd<10>; .reg .b32 %r<10>;\n";
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (all[i] == "pred")
            code << ".reg .pred %v" << i << ";\n.reg .b32 %w" << i << ";\n";
        else
            code << ".reg ." << registerOf(all[i]) << " %v" << i << ";\n";
    }
    code << "mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ntid.x; mov.u32 %r3, %tid.x; mad.lo.s32 %r4, %r1, %r2, %r3;\n"
         << "ld.param.u32 %r5, [n]; setp.ge.u32 %p1, %r4, %r5; @%p1 ret;\n"
         << "ld.param.u64 %rd1, [x]; ld.param.u64 %rd2, [y]; mul.wide.u32 %rd3, %r4, " << 8 * operands
         << "; add.s64 %rd1, %rd1, %rd3; mul.wide.u32 %rd4, %r4, 8; add.s64 %rd2, %rd2, %rd4;\n";
    std::ostringstream line;
    line << instruction << " %v0";
    for (std::size_t i = 1; i <= operands; ++i) {
        const std::string into = all[i] == "pred" ? "%w" : "%v";
        code << "ld.global." << plain(all[i]) << " " << into << i << ", [%rd1+" << 8 * (i - 1) << "];\n";
        if (all[i] == "pred") code << "setp.ne.u32 %v" << i << ", %w" << i << ", 0;\n";
        line << ", %v" << i;
    }
    code << (instruction.find("%v") == std::string::npos ? line.str() + ";" : instruction) << "\n";
    if (all[0] == "pred") code << "selp.u32 %w0, 1, 0, %v0;\n";
    code << "st.global." << plain(all[0]) << " [%rd2], " << (all[0] == "pred" ? "%w0" : "%v0") << ";\nret;\n}\n";

    Device device;
    std::vector<u64> flat;
    for (const Row& row : rows) flat.insert(flat.end(), row.begin(), row.end());
    if (flat.empty()) flat.push_back(0);
    const Address x = device.put(flat), y = device.put(std::vector<u64>(rows.size()));
    Program program(device, code.str());
    const u32 n = static_cast<u32>(rows.size());
    const std::string said = program.run("one", (n + 127) / 128, 128, Arguments().add(x).add(y).add(n));
    if (!said.empty()) throw std::runtime_error(said);
    return device.get<u64>(y, rows.size());
}

void expect(const std::string& instruction, const std::string& types, const std::vector<Row>& rows,
            const std::function<u64(const Row&)>& expected) {
    section(instruction, [&] {
        const std::vector<u64> results = evaluate(instruction, types, rows);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const u64 want = expected(rows[i]);
            if (results[i] == want) continue;
            std::string detail = "of";
            for (const u64 x : rows[i]) detail += " " + hex(x);
            return report(instruction, false, detail + " gives " + hex(results[i]) + ", not " + hex(want));
        }
        report(instruction + " (" + std::to_string(rows.size()) + " cases)", true);
    });
}

std::vector<Row> rowsOf(const std::string& types) {
    std::vector<std::string> all = words(types);
    all.erase(all.begin());
    std::vector<Row> rows{{}};
    std::mt19937_64 random(7);
    for (const std::string& type : all) {
        std::vector<Row> longer;
        for (const Row& row : rows) {
            for (const u64 edge : edges(type)) {
                if (rows.size() > 400 && random() % 8) continue;  // three operands: a part of the combinations
                longer.push_back(row);
                longer.back().push_back(edge & maskOf(type));
            }
        }
        rows = std::move(longer);
    }
    for (int i = 0; i < 1000; ++i) {
        Row row;
        for (const std::string& type : all) {
            const u64 bits = random() & maskOf(type);
            const bool near = type == "f32" && i % 2;  // exponents close enough to interact
            row.push_back(near ? (bits & 0x80ffffff) | (0x3c + random() % 8) << 24 : bits);
        }
        rows.push_back(row);
    }
    return rows;
}

}  // namespace test

int main() {
    test::integerCases();
    test::floatCases();
    test::convertCases();
    test::warpCases();
    test::memoryCases();
    test::taskCases();
    test::section("kernels", test::kernelCases);
    test::section("planted bugs", test::bugCases);
    return test::finish();
}
