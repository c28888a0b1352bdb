// A launch: its blocks one after another, each block's warps in turns, barriers between.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "ptx_pick.h"

namespace softgpu::ptx {

namespace {

constexpr u64 turn = 4096;  // instructions of a warp before another goes on, so that one may wait for the other

class Random {  // splitmix64
public:
    explicit Random(u64 seed) : state_(seed) {}
    u64 below(u64 n) {
        u64 z = (state_ += 0x9e3779b97f4a7c15);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return (z ^ (z >> 31)) % n;
    }
    template <class T> void shuffle(std::vector<T>& all) {
        for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[below(i)]);
    }

private:
    u64 state_;
};

std::string triple(const Dim3& d, u64 number) {
    const u64 x = number % d.x, y = number / d.x % d.y, z = number / d.x / d.y;
    return "(" + std::to_string(x) + "," + std::to_string(y) + "," + std::to_string(z) + ")";
}

void require(bool holds, const Kernel& kernel, const std::string& what) {
    if (!holds) throw std::invalid_argument("launch of " + kernel.name + ": " + what);
}

void check(const Kernel& kernel, const LaunchConfig& c, std::size_t parameters) {
    require(c.grid.x && c.grid.y && c.grid.z, kernel, "empty grid");
    require(c.block.x && c.block.y && c.block.z, kernel, "empty block");
    require(c.grid.x <= 0x7fffffff && c.grid.y <= 65535 && c.grid.z <= 65535, kernel, "grid too large");
    require(c.block.x <= 1024 && c.block.y <= 1024 && c.block.z <= 64, kernel, "block too large");
    require(c.block.count() <= kernel.maxThreads, kernel,
            std::to_string(c.block.count()) + " threads per block, at most " + std::to_string(kernel.maxThreads));
    require(kernel.staticShared + c.dynamicShared <= maxSharedBytesOptin, kernel, "too much shared memory");
    require(parameters >= kernel.paramBytes, kernel,
            std::to_string(parameters) + " bytes of parameters, not " + std::to_string(kernel.paramBytes));
}

class Launch {
public:
    Launch(const Image& image, const Kernel& kernel, const LaunchConfig& config, const std::vector<std::byte>& params,
           Task& task, LaunchReport& report)
        : config_(config), random_(config.seed) {
        run_.kernel = &kernel;
        run_.code = kernel.code.get();
        run_.config = &config;
        run_.parameters = &params;
        run_.task = &task;
        run_.history = &Internals::history(task);
        run_.global = &Internals::shadow(task).global;
        run_.shared = &Internals::shadow(task).block;
        run_.report = &report;
        run_.frame = (run_.code->localBytes + 7) / 8 * 8;
        threads_ = static_cast<u32>(config.block.count());
        run_.local.resize(run_.frame * ((threads_ + 31) / 32 * 32));
        run_.localState.resize(run_.local.size());
        layOut(image.constants(*run_.code));
    }

    void go() {
        const u64 count = config_.grid.count();
        std::vector<u32> order(count);
        std::iota(order.begin(), order.end(), 0u);
        random_.shuffle(order);
        for (const u32 number : order) {
            begin(number);
            while (!turns()) synchronise();
        }
    }

    ~Launch() { std::memset(run_.shared->state, noByte, sharedEnd()); }
    Launch(const Launch&) = delete;

private:
    std::size_t sharedEnd() const { return run_.code->dynamicShared + config_.dynamicShared; }

    // Registers of all warps, special ones first, and the warps that use them.
    void layOut(const std::vector<std::byte>& constants) {
        const u32 count = (threads_ + 31) / 32;
        const std::size_t bytes = run_.code->registerBytes;
        run_.registers.resize(bytes * count + 64);
        run_.predicates.assign(run_.code->predicates * count, 0);
        std::byte* start = run_.registers.data();
        start += 64 - reinterpret_cast<std::uintptr_t>(start) % 64;
        for (u32 i = 0; i < count; ++i) {
            Warp w{};
            w.base[0] = start + bytes * i;
            w.base[1] = const_cast<std::byte*>(constants.data());
            w.predicates = run_.predicates.data() + run_.code->predicates * i;
            w.predicates[always] = ~0u;
            w.first = 32 * i;
            w.threads = threads_ - w.first >= 32 ? ~0u : (1u << (threads_ - w.first)) - 1;
            w.run = &run_;
            constantSpecials(w, i, count);
            run_.warps.push_back(w);
            order_.push_back(i);
        }
    }

    void fill(Warp& w, Special s, u32 value) {
        u32* d = w.out<u32>(static_cast<Ref>(s) * static_cast<Ref>(lane4));
        std::fill_n(d, 32, value);
    }

    void constantSpecials(Warp& w, u32 index, u32 count) {
        const Dim3 &b = config_.block, &g = config_.grid;
        const auto lanes = [&](Special s) { return w.out<u32>(static_cast<Ref>(s) * static_cast<Ref>(lane4)); };
        for (u32 i = 0; i < 32; ++i) {
            const u32 t = w.first + i;
            lanes(tidX)[i] = t % b.x;
            lanes(tidY)[i] = t / b.x % b.y;
            lanes(tidZ)[i] = t / b.x / b.y;
            lanes(laneId)[i] = i;
            lanes(maskEq)[i] = 1u << i;
            lanes(maskLt)[i] = (1u << i) - 1;
            lanes(maskLe)[i] = (2u << i) - 1;
            lanes(maskGt)[i] = ~((2u << i) - 1);
            lanes(maskGe)[i] = ~((1u << i) - 1);
        }
        fill(w, ntidX, b.x), fill(w, ntidY, b.y), fill(w, ntidZ, b.z);
        fill(w, nctaidX, g.x), fill(w, nctaidY, g.y), fill(w, nctaidZ, g.z);
        fill(w, warpId, index), fill(w, warps, count), fill(w, multiprocessor, 0), fill(w, multiprocessors, 1);
        fill(w, dynamicShared, static_cast<u32>(config_.dynamicShared));
        fill(w, totalShared, static_cast<u32>(config_.dynamicShared + run_.kernel->staticShared));
    }

    void begin(u32 number) {
        run_.block = number;
        const u32 epoch = run_.history->advance();
        run_.blocks.emplace_back(epoch, number);
        run_.moment = {run_.history->ordered(), run_.history->first(), epoch, epoch, run_.history};
        run_.sharedMoment = {epoch - 1, epoch, epoch, epoch, run_.history};
        for (const Extent& e : run_.code->shared) std::memset(run_.shared->state + e.offset, rawByte, e.bytes);
        std::memset(run_.shared->state + run_.code->dynamicShared, rawByte, config_.dynamicShared);
        std::fill(run_.localState.begin(), run_.localState.end(), rawByte);
        const Dim3& g = config_.grid;
        for (Warp& w : run_.warps) {
            w.alive = w.active = w.threads;
            w.ready = w.met = w.barred = 0;
            w.pc = 0;
            w.next = ~0u;
            fill(w, ctaidX, number % g.x), fill(w, ctaidY, number / g.x % g.y), fill(w, ctaidZ, number / g.x / g.y);
        }
    }

    // Lets every warp go until all wait for the block or have exited; true when all have exited.
    bool turns() {
        random_.shuffle(order_);
        for (bool rested = true; rested;) {
            rested = false;
            for (const u32 i : order_) {
                Warp& w = run_.warps[i];
                if (step(w, turn) == Stop::rested) rested = true;
                if (run_.report->instructions > config_.budget) {
                    const u32 lane = static_cast<u32>(__builtin_ctz(w.active ? w.active : w.threads));
                    w.fail(run_.code->instructions[std::min<std::size_t>(w.pc, run_.code->instructions.size() - 1)],
                           static_cast<int>(lane),
                           "still runs after " + std::to_string(config_.budget) +
                               " instructions of the launch: an endless loop");
                }
            }
        }
        return std::all_of(run_.warps.begin(), run_.warps.end(), [](const Warp& w) { return w.alive == 0; });
    }

    void synchronise() {
        const Warp& some =
            *std::find_if(run_.warps.begin(), run_.warps.end(), [](const Warp& w) { return w.barred != 0; });
        const int lane = __builtin_ctz(some.barred);
        const u32 pc = some.at[static_cast<std::size_t>(lane)];
        const Instruction& in = run_.code->instructions[pc];
        u32 votes = 0;
        for (const Warp& w : run_.warps) {
            for (u32 i = 0; i < 32; ++i) {
                if (!(w.threads >> i & 1) || (w.barred >> i & 1 && w.at[i] == pc)) continue;
                const std::string who = run_.thread(w.first + i);
                const Instruction& other = run_.code->instructions[w.at[i]];
                const bool waits = w.barred >> i & 1;
                some.fail(in, lane,
                          "waits: barrier not reached by all threads of the block, " + who +
                              (waits ? " waits at " + run_.where(other) : " has exited"));
            }
            if (in.extra & 7) votes += static_cast<u32>(__builtin_popcount(predicate(w, in) & w.barred));
        }
        const u32 epoch = run_.history->advance();
        run_.moment.now = run_.sharedMoment.now = epoch;
        for (Warp& w : run_.warps) {
            reduce(w, in, votes);
            for (u32& at : w.at) at = pc + 1;
            w.ready = w.barred;
            w.barred = 0;
        }
    }

    static u32 predicate(const Warp& w, const Instruction& in) {
        return w.predicates[in.c] ^ (in.extra & negatedPredicate ? ~0u : 0u);
    }

    void reduce(Warp& w, const Instruction& in, u32 votes) {
        const u32 kind = in.extra & 7;
        if (kind == 1) only(w.barred, [&](int i) { w.out<u32>(in.d)[i] = votes; });
        if (kind < 2) return;
        const bool yes = kind == 2 ? votes == threads_ : votes != 0;
        u32& p = w.predicates[in.d];
        p = (p & ~w.barred) | (yes ? w.barred : 0);
    }

    const LaunchConfig& config_;
    Random random_;
    Run run_{};
    u32 threads_;
    std::vector<u32> order_;
};

}  // namespace

std::string Run::where(const Instruction& in) const {
    const std::size_t pc = static_cast<std::size_t>(&in - code->instructions.data());
    const Place& p = code->places[pc];
    const auto name = [this](int file) {
        const std::string& path =
            static_cast<std::size_t>(file) < code->files.size() ? code->files[static_cast<std::size_t>(file)] : "";
        return path.substr(path.rfind('/') + 1);
    };
    if (p.line == 0) return "PTX line " + std::to_string(code->lines[pc]);
    const std::string inner = name(p.file) + ":" + std::to_string(p.line);
    return p.outerLine == 0 ? inner : name(p.outerFile) + ":" + std::to_string(p.outerLine) + " (in " + inner + ")";
}

std::string Run::thread(u32 number) const { return "thread " + triple(config->block, number); }

std::string Run::blockName(u64 number) const { return "block " + triple(config->grid, number); }

void Warp::fail(const Instruction& in, int lane, const std::string& what) const {
    throw Violation("kernel " + run->kernel->name + " at " + run->where(in) + ": " +
                    run->thread(first + static_cast<u32>(lane)) + " of " + run->blockName(run->block) + " " + what);
}

void trap(Warp& w, const Instruction& in, u32 mask) { w.fail(in, __builtin_ctz(mask), "executes trap"); }

void nothing(Warp&, const Instruction&, u32) {}

void readClock(Warp& w, const Instruction& in, u32 mask) {
    const u64 now = w.run->report->instructions + ++w.steps;
    only(mask, [&](int i) {
        if (in.wideRegister)
            w.out<u64>(in.d)[i] = now;
        else
            w.out<u32>(in.d)[i] = static_cast<u32>(now);
    });
}

void failAssertion(Warp& w, const Instruction& in, u32 mask) {
    const int lane = __builtin_ctz(mask);
    const std::byte* frame = w.run->local.data() + (w.first + static_cast<u32>(lane)) * w.run->frame;
    const auto text = [&](Ref slot) {
        Address at;
        std::memcpy(&at, frame + slot, 8);
        std::string all;
        for (; Memory::inRange(at) && w.run->global->state[at - globalBase] == setByte; ++at) {
            const char c = static_cast<char>(w.run->global->data[at - globalBase]);
            if (!c) break;
            all += c;
        }
        return all;
    };
    u32 line;
    std::memcpy(&line, frame + in.v[2], 4);
    w.fail(in, lane,
           "fails its assertion `" + text(in.v[0]) + "` (" + text(in.v[1]) + ":" + std::to_string(line) + ")");
}

void launch(const Image& image, const Kernel& kernel, const LaunchConfig& config, const std::vector<std::byte>& params,
            Task& task, LaunchReport& report) {
    check(kernel, config, params.size());
    Launch(image, kernel, config, params, task, report).go();
}

}  // namespace softgpu::ptx
