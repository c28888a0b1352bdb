// Kernels that nvcc compiled, against plain C++.
#include <cmath>
#include <numeric>
#include <random>

#include "test_ptx.h"

namespace test {

namespace {

template <class T> bool near(T x, T y, double tolerance) {
    return std::fabs(double(x) - double(y)) <= tolerance * std::max(1.0, std::fabs(double(y)));
}

void quiet(const std::string& name, const std::string& said) {
    if (!said.empty()) throw std::runtime_error(name + ": " + said);
}

void reductions(Device& device, Program& program) {
    const u32 n = 10007;
    std::vector<float> x(n);
    std::iota(x.begin(), x.end(), -5000.0f);
    const Address from = device.put(x);
    for (const u64 seed : {1, 2, 3}) {
        const Address to = device.put(std::vector<float>{0});
        quiet("sum", program.run("sum", 5, 256, Arguments().add(from).add(to).add(n), 0, seed));
        const float y = device.get<float>(to, 1)[0];
        report("sum over blocks, warps and lanes, seed " + std::to_string(seed), y == 10007.0f * 3, std::to_string(y));
    }
    report("sum counts its traffic",
           program.counted.loaded == 4 * n + 5 * 4 && program.counted.stored == 5 * 4 && program.counted.atomics == 5,
           std::to_string(program.counted.loaded) + " and " + std::to_string(program.counted.stored));
    std::vector<u32> words(512);
    std::iota(words.begin(), words.end(), 3u);
    const Address in = device.put(words), out = device.put(std::vector<u32>(4));
    quiet("tree", program.run("tree", 4, 128, Arguments().add(in).add(out), 512));
    const std::vector<u32> sums = device.get<u32>(out, 4);
    bool right = true;
    for (u32 b = 0; b < 4; ++b)
        right &= sums[b] == std::accumulate(words.begin() + b * 128, words.begin() + (b + 1) * 128, 0u);
    report("tree in dynamic shared memory", right);
    quiet("warpTree", program.run("warpTree", 1, 32, Arguments().add(in).add(out)));
    report("tree ordered by __syncwarp",
           device.get<u32>(out, 1)[0] == std::accumulate(words.begin(), words.begin() + 32, 0u));
}

void divergence(Device& device, Program& program) {
    const u32 n = 1000;
    std::vector<u32> x(n);
    std::iota(x.begin(), x.end(), 1u);
    const Address from = device.put(x), to = device.put(std::vector<u32>(n));
    quiet("collatz", program.run("collatz", 8, 128, Arguments().add(from).add(to).add(n)));
    const std::vector<u32> steps = device.get<u32>(to, n);
    bool right = true;
    for (u32 i = 0; i < n; ++i) {
        u32 count = 0;
        for (u32 v = x[i]; v != 1; v = v % 2 ? 3 * v + 1 : v / 2) ++count;
        right &= steps[i] == count;
    }
    report("branches and loops that diverge", right);
}

void bytesAndBins(Device& device, Program& program) {
    std::mt19937 random(3);
    std::vector<unsigned char> x(5003);
    std::vector<u32> want(256);
    for (auto& b : x) b = static_cast<unsigned char>(random() % 97), ++want[b];
    const Address from = device.put(x), bins = device.put(std::vector<u32>(256));
    const u32 n = static_cast<u32>(x.size());
    quiet("histogram", program.run("histogram", 7, 96, Arguments().add(from).add(bins).add(n)));
    report("histogram by atomics, shared and global", device.get<u32>(bins, 256) == want);
    quiet("invert", program.run("invert", 40, 128, Arguments().add(from).add(n)));
    for (auto& b : x) b = static_cast<unsigned char>(255 - b);
    report("bytes whose neighbours belong to other threads", device.get<unsigned char>(from, n) == x);
}

void copies(Device& device, Program& program) {
    std::vector<float> x(4 * 999);
    std::iota(x.begin(), x.end(), 0.5f);
    const Address from = device.put(x), to = device.put(std::vector<float>(x.size()));
    quiet("copy4", program.run("copy4", 8, 128, Arguments().add(from).add(to).add(999u)));
    const auto& r = program.counted;
    report("128-bit copies", device.get<float>(to, x.size()) == x);
    report("128-bit copies are counted", r.loaded == 999 * 16 && r.stored == 999 * 16 && r.wide == 2 * 999 * 16);
}

void functions(Device& device, Program& program) {
    std::vector<float> x;
    for (int i = -300; i < 300; ++i) x.push_back(static_cast<float>(i) * 0.037f);
    const u32 n = static_cast<u32>(x.size());
    const Address from = device.put(x), to = device.put(std::vector<float>(8 * n));
    quiet("functions", program.run("functions", 5, 128, Arguments().add(from).add(to).add(n)));
    const std::vector<float> y = device.get<float>(to, 8 * n);
    double worst[8] = {};
    for (u32 i = 0; i < n; ++i) {
        const double a = x[i];
        const double want[8] = {std::exp(a),
                                std::log(std::fabs(a)),
                                std::sin(a),
                                std::cos(M_PI * a),
                                std::tanh(a),
                                std::pow(std::fabs(a), 1.5),
                                std::sqrt(std::fabs(a)) / (1 + a * a),
                                std::fmod(x[i], 0.75f)};
        for (u32 k = 0; k < 8; ++k)
            if (want[k] != y[8 * i + k])
                worst[k] = std::max(worst[k], std::fabs(want[k] - y[8 * i + k]) / std::max(1e-3, std::fabs(want[k])));
    }
    const char* names[] = {"expf", "logf", "sinf", "cospif", "tanhf", "powf", "sqrtf and a quotient", "fmodf"};
    for (u32 k = 0; k < 8; ++k)
        report(std::string("library function ") + names[k], worst[k] < (k == 3 || k == 2 ? 1e-4 : 2e-6),
               "off by " + std::to_string(worst[k]));
    const std::vector<double> d{0.1, -2.5, 3, 7.25, 100, -0.001, 12.5, 1};
    const Address df = device.put(d), dt = device.put(std::vector<double>(32));
    quiet("doubles", program.run("doubles", 1, 8, Arguments().add(df).add(dt)));
    const std::vector<double> e = device.get<double>(dt, 32);
    bool right = true;
    for (std::size_t i = 0; i < 8; ++i)
        right &= near(e[4 * i], std::exp(d[i]), 1e-14) && near(e[4 * i + 1], std::log(std::fabs(d[i])), 1e-14) &&
                 near(e[4 * i + 2], std::sin(d[i] * 1e6), 1e-14) && e[4 * i + 3] == d[i] / 3;
    report("library functions of doubles", right);
}

void callsAndVariables(Device& device, Program& program) {
    const std::vector<float> c{1, -2, 3, 0.5f}, x{0, 1, 2, -1};
    const Address cc = device.put(c), xx = device.put(x), yy = device.put(std::vector<float>(4));
    quiet("polynomial", program.run("polynomial", 1, 4, Arguments().add(cc).add(xx).add(yy).add(4)));
    const std::vector<float> y = device.get<float>(yy, 4);
    bool right = true;
    const auto p = [&](float v) { return std::fma(std::fma(std::fma(0.5f, v, 3.0f), v, -2.0f), v, 1.0f); };
    for (std::size_t i = 0; i < 4; ++i) right &= near(y[i], p(x[i]) + p(0.5f), 1e-6);
    report("calls of a device function", right);
    const Address out = device.put(std::vector<u32>(4));
    quiet("variables", program.run("variables", 1, 4, Arguments().add(out)));
    report("module variables and constants", device.get<u32>(out, 4) == std::vector<u32>({102, 103, 105, 107}));
    report("the address of a module variable",
           program.image().address("total") != 0 && device.get<u32>(program.image().address("total"), 1)[0] == 100);
}

void shapes(Device& device, Program& program) {
    const Address out = device.put(std::vector<u32>(2 * 3 * 2 * 4 * 5 * 3));
    softgpu::ptx::LaunchConfig config;
    config.grid = {2, 3, 2};
    config.block = {4, 5, 3};
    softgpu::ptx::LaunchReport counted;
    {
        softgpu::Task task(device.memory, "dims", device.next());
        softgpu::ptx::launch(program.image(), *program.image().kernel("dims"), config, Arguments().add(out).bytes, task,
                             counted);
    }
    const std::vector<u32> y = device.get<u32>(out, 2 * 3 * 2 * 4 * 5 * 3);
    bool right = true;
    std::size_t i = 0;
    for (u32 bz = 0; bz < 2; ++bz)
        for (u32 by = 0; by < 3; ++by)
            for (u32 bx = 0; bx < 2; ++bx)
                for (u32 z = 0; z < 3; ++z)
                    for (u32 v = 0; v < 5; ++v)
                        for (u32 u = 0; u < 4; ++u)
                            right &= y[i++] == (u | v << 4 | z << 8 | bx << 12 | by << 16 | bz << 20);
    report("three dimensions of grid and block", right);
    config.block = {1025, 1, 1};
    bool refused = false;
    try {
        softgpu::Task task(device.memory, "dims", device.next());
        softgpu::ptx::launch(program.image(), *program.image().kernel("dims"), config, Arguments().add(out).bytes, task,
                             counted);
    } catch (const std::invalid_argument&) {
        refused = true;
    }
    report("a block of 1025 threads is refused", refused);
}

}  // namespace

void kernelCases() {
    Device device;
    Program program(device, compiled("test_ptx_kernels.cu"));
    reductions(device, program);
    divergence(device, program);
    bytesAndBins(device, program);
    copies(device, program);
    functions(device, program);
    callsAndVariables(device, program);
    shapes(device, program);
}

}  // namespace test
