// libcuda.so.1: modules, functions, launches, occupancy.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

#include "cubin.h"
#include "driver.h"

namespace softgpu {
namespace {

constexpr unsigned threadsPerMultiprocessor = 1024, blocksPerMultiprocessor = 16;
constexpr std::size_t sharedPerMultiprocessor = 64 * 1024;

// PTX text, or what our libnvrtc calls a cubin: PTX in a container that names the architecture it was made for.
std::string ptxOf(const void* image) {
    const char* text = static_cast<const char*>(image);
    CubinHeader header;
    if (std::strncmp(text, cubinMagic, sizeof header.magic) != 0) return text;
    std::memcpy(&header, image, sizeof header);
    if (header.architecture != std::uint32_t(capability())) {
        std::fprintf(stderr, "softgpu: a cubin for sm_%u on a device of sm_%d\n", header.architecture, capability());
        throw Failure{CUDA_ERROR_NO_BINARY_FOR_GPU};
    }
    return std::string(text + sizeof header, header.bytes);
}

void say(const std::string& message, void* log, std::size_t bytes) {
    if (!log || !bytes) {
        std::fprintf(stderr, "softgpu: %s\n", message.c_str());
        return;
    }
    std::snprintf(static_cast<char*>(log), bytes, "%s", message.c_str());
}

void load(CUmodule* out, const void* image, void* log, std::size_t logBytes) {
    Context& context = current();
    forbidWhileCapturing();
    if (!image) throw Failure{CUDA_ERROR_INVALID_VALUE};
    std::shared_ptr<const ptx::Module> parsed;
    try {
        parsed = ptx::parse(ptxOf(image));
    } catch (const ptx::ParseError& error) {
        say(error.what(), log, logBytes);
        throw Failure{CUDA_ERROR_INVALID_PTX};
    }
    int target = std::atoi(parsed->target.c_str() + std::min<std::size_t>(3, parsed->target.size()));
    if (target > capability()) {
        say("PTX for " + parsed->target + " on a device of sm_" + std::to_string(capability()), log, logBytes);
        throw Failure{CUDA_ERROR_NO_BINARY_FOR_GPU};
    }
    auto placed = std::make_unique<ptx::Image>(parsed, memory());
    Module& module = create<Module>(&context);
    module.code = std::move(parsed);
    module.image = std::move(placed);
    liveBytes();
    *out = reinterpret_cast<CUmodule>(&module);
}

Function& functionOf(CUfunction handle) {
    Function& function = as<Function>(handle);
    if (function.module->alive) return function;
    misused("kernel " + function.kernel->name + " used after its module was unloaded");
    throw Failure{CUDA_ERROR_INVALID_HANDLE};
}

void require(bool holds, const std::string& kernel, const std::string& otherwise) {
    if (holds) return;
    std::fprintf(stderr, "softgpu: %s: %s\n", kernel.c_str(), otherwise.c_str());
    throw Failure{CUDA_ERROR_INVALID_VALUE};
}

void check(const Function& function, const ptx::LaunchConfig& config) {
    const ptx::Kernel& kernel = *function.kernel;
    auto in = [](unsigned value, unsigned most) { return value >= 1 && value <= most; };
    const ptx::Dim3 &grid = config.grid, &block = config.block;
    require(in(grid.x, 2147483647) && in(grid.y, 65535) && in(grid.z, 65535), kernel.name, "no such grid");
    require(in(block.x, 1024) && in(block.y, 1024) && in(block.z, 64) && block.count() <= ptx::maxThreadsPerBlock,
            kernel.name, "no such block");
    require(block.count() <= kernel.maxThreads, kernel.name,
            std::to_string(block.count()) + " threads, but __launch_bounds__ allows " + std::to_string(kernel.maxThreads));
    std::size_t allowed = std::max(ptx::maxSharedBytes, kernel.staticShared + function.dynamicShared);
    require(kernel.staticShared + config.dynamicShared <= allowed, kernel.name, "more shared memory than allowed");
}

std::vector<std::byte> frozen(const ptx::Kernel& kernel, void** params, void** extra) {
    std::vector<std::byte> block(kernel.paramBytes);
    if (params) {
        for (std::size_t i = 0; i < kernel.params.size(); i++) {
            if (!params[i]) throw Failure{CUDA_ERROR_INVALID_VALUE};
            std::memcpy(block.data() + kernel.params[i].offset, params[i], kernel.params[i].bytes);
        }
        return block;
    }
    const void* buffer = nullptr;
    std::size_t bytes = 0;
    for (; extra && *extra != CU_LAUNCH_PARAM_END; extra += 2) {
        if (extra[0] == CU_LAUNCH_PARAM_BUFFER_POINTER) buffer = extra[1];
        if (extra[0] == CU_LAUNCH_PARAM_BUFFER_SIZE) bytes = *static_cast<std::size_t*>(extra[1]);
    }
    require(bytes >= kernel.paramBytes && (buffer || !bytes), kernel.name,
            "arguments of " + std::to_string(bytes) + " bytes, expected " + std::to_string(kernel.paramBytes));
    if (buffer) std::memcpy(block.data(), buffer, kernel.paramBytes);
    return block;
}

// Arguments are copied now: a graph replays them as they are at its capture.
Operation launchOf(const Function& function, ptx::LaunchConfig config, std::vector<std::byte> arguments) {
    const Module* module = function.module;
    const ptx::Kernel* kernel = function.kernel;
    return {Kind::kernel, kernel->name, 0, [=, arguments = std::move(arguments)](Task& task) {
                if (!module->alive) throw Violation(task.name() + ": its module was unloaded while it was queued");
                ptx::LaunchConfig seeded = config;
                seeded.seed = seed();
                ptx::LaunchReport report;
                try {
                    ptx::launch(*module->image, *kernel, seeded, arguments, task, report);
                } catch (...) {
                    tally(kernel->name, report);
                    throw;
                }
                tally(kernel->name, report);
            }};
}

unsigned blocksThatFit(const Function& function, unsigned threads, std::size_t dynamicShared) {
    if (threads == 0 || threads > function.kernel->maxThreads) return 0;
    unsigned blocks = std::min(blocksPerMultiprocessor, threadsPerMultiprocessor / ((threads + 31) / 32 * 32));
    std::size_t shared = function.kernel->staticShared + dynamicShared;
    return shared ? std::min<std::size_t>(blocks, sharedPerMultiprocessor / shared) : blocks;
}

}  // namespace
}  // namespace softgpu

using namespace softgpu;

extern "C" {

CUresult cuModuleLoadData(CUmodule* module, const void* image) {
    return call("module", __func__, [&] { load(module, image, nullptr, 0); });
}

CUresult cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned n, CUjit_option* options, void** values) {
    return call("module", __func__, [&] {
        void* log = nullptr;
        std::size_t bytes = 0;
        for (unsigned i = 0; i < n; i++) {
            if (options[i] == CU_JIT_ERROR_LOG_BUFFER) log = values[i];
            if (options[i] == CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES)
                bytes = static_cast<unsigned>(reinterpret_cast<std::uintptr_t>(values[i]));
        }
        load(module, image, log, bytes);
    });
}

CUresult cuModuleLoadFatBinary(CUmodule* module, const void* image) { return cuModuleLoadData(module, image); }

CUresult cuModuleLoad(CUmodule* module, const char* path) {
    return call("module", __func__, [&] {
        std::ifstream file(path, std::ios::binary);
        if (!file) throw Failure{CUDA_ERROR_FILE_NOT_FOUND};
        std::string image{std::istreambuf_iterator<char>(file), {}};
        load(module, image.c_str(), nullptr, 0);
    });
}

CUresult cuModuleUnload(CUmodule module) {
    return release(__func__, [&] {
        Module& dying = as<Module>(module);
        forbidWhileCapturing();
        dying.alive = false;
        dying.image = nullptr;
    });
}

CUresult cuModuleGetFunction(CUfunction* out, CUmodule module, const char* name) {
    return call("module", __func__, [&] {
        Module& owner = as<Module>(module);
        const ptx::Kernel* kernel = owner.image->kernel(name);
        if (!kernel) throw Failure{CUDA_ERROR_NOT_FOUND};
        Function& made = create<Function>(owner.owner);
        made.module = &owner;
        made.kernel = kernel;
        *out = reinterpret_cast<CUfunction>(&made);
    });
}

CUresult cuModuleGetGlobal_v2(CUdeviceptr* at, std::size_t* bytes, CUmodule module, const char* name) {
    return call("module", __func__, [&] {
        Module& owner = as<Module>(module);
        Address address = owner.image->address(name);
        if (!address) throw Failure{CUDA_ERROR_NOT_FOUND};
        if (at) *at = address;
        if (bytes) *bytes = owner.image->bytes(name);
    });
}

CUresult cuModuleGetLoadingMode(CUmoduleLoadingMode* mode) {
    *mode = CU_MODULE_EAGER_LOADING;
    return CUDA_SUCCESS;
}

CUresult cuFuncGetModule(CUmodule* module, CUfunction function) {
    return call("module", __func__, [&] { *module = reinterpret_cast<CUmodule>(functionOf(function).module); });
}

// Registers and spills are ptxas's business: the interpreter has none to report.
CUresult cuFuncGetAttribute(int* value, CUfunction_attribute attribute, CUfunction handle) {
    return call("module", __func__, [&] {
        Function& function = functionOf(handle);
        switch (attribute) {
            case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK: *value = function.kernel->maxThreads; break;
            case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES: *value = function.kernel->staticShared; break;
            case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
                *value = function.dynamicShared ? function.dynamicShared : ptx::maxSharedBytes - function.kernel->staticShared;
                break;
            case CU_FUNC_ATTRIBUTE_PTX_VERSION:
            case CU_FUNC_ATTRIBUTE_BINARY_VERSION: *value = capability(); break;
            default: throw Failure{CUDA_ERROR_NOT_SUPPORTED};
        }
    });
}

CUresult cuFuncSetAttribute(CUfunction handle, CUfunction_attribute attribute, int value) {
    return call("module", __func__, [&] {
        Function& function = functionOf(handle);
        if (attribute == CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT) return;
        if (attribute != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES) throw Failure{CUDA_ERROR_NOT_SUPPORTED};
        if (value < 0 || value + function.kernel->staticShared > ptx::maxSharedBytesOptin)
            throw Failure{CUDA_ERROR_INVALID_VALUE};
        function.dynamicShared = value;
    });
}

CUresult cuFuncSetCacheConfig(CUfunction function, CUfunc_cache) {
    return call("module", __func__, [&] { functionOf(function); });
}

CUresult cuLaunchKernel(CUfunction handle, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,
                        unsigned blockY, unsigned blockZ, unsigned shared, CUstream stream, void** params, void** extra) {
    return call("launch", __func__, [&] {
        current();
        Function& function = functionOf(handle);
        ptx::LaunchConfig config;
        config.grid = {gridX, gridY, gridZ};
        config.block = {blockX, blockY, blockZ};
        config.dynamicShared = shared;
        check(function, config);
        submit(resolve(stream), launchOf(function, config, frozen(*function.kernel, params, extra)));
    });
}

CUresult cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, CUfunction function, int threads,
                                                              std::size_t shared, unsigned) {
    return call("module", __func__, [&] { *blocks = blocksThatFit(functionOf(function), threads, shared); });
}

CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, CUfunction function, int threads, std::size_t shared) {
    return cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(blocks, function, threads, shared, 0);
}

CUresult cuOccupancyMaxPotentialBlockSizeWithFlags(int* grid, int* block, CUfunction handle,
                                                   CUoccupancyB2DSize sharedOf, std::size_t shared, int limit, unsigned) {
    return call("module", __func__, [&] {
        Function& function = functionOf(handle);
        unsigned most = limit > 0 ? std::min<unsigned>(limit, function.kernel->maxThreads) : function.kernel->maxThreads;
        unsigned best = 0;
        for (unsigned threads = most / 32 * 32; threads >= 32; threads -= 32) {
            unsigned fit = blocksThatFit(function, threads, sharedOf ? sharedOf(threads) : shared);
            if (fit * threads <= best) continue;
            best = fit * threads;
            *block = threads;
            *grid = fit * 32;
        }
    });
}

CUresult cuOccupancyMaxPotentialBlockSize(int* grid, int* block, CUfunction function, CUoccupancyB2DSize sharedOf,
                                          std::size_t shared, int limit) {
    return cuOccupancyMaxPotentialBlockSizeWithFlags(grid, block, function, sharedOf, shared, limit, 0);
}

}  // extern "C"
