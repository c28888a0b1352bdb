// Compiling, modules, launches and what they count.
#include <algorithm>
#include <cstring>

#include "test_cuda.h"

using namespace test;

namespace {
constexpr std::size_t bytes = n * sizeof(float);
bool all(const std::vector<float>& values, float wanted) {
    return std::all_of(values.begin(), values.end(), [=](float v) { return v == wanted; });
}
}  // namespace

KERNEL_CASE("a kernel runs when the host waits, and its traffic is counted to the byte") {
    Gpu gpu;
    OK(launch(kernel("add"), gpu.a, gpu.x, gpu.y, n));
    SAME(0, counter("kernel:add:launches"));
    OK(cuStreamSynchronize(gpu.a));
    EXPECT(all(gpu.read(gpu.x), 3));
    SAME(1, counter("launches"));
    SAME(1, counter("kernel:add:launches"));
    SAME(2 * bytes, counter("kernel:add:loaded"));
    SAME(bytes, counter("kernel:add:stored"));
    SAME(0, counter("kernel:add:wide"));
    OK(launch(kernel("wide"), gpu.a, gpu.x, gpu.y, n));
    OK(cuStreamSynchronize(gpu.a));
    SAME(2 * bytes, counter("kernel:wide:wide"));
    SAME(0, counter("violations"));
    char table[4096];
    softgpu_report(table, sizeof table);
    EXPECT(std::strstr(table, "wide") && std::strstr(table, "100.0%"));
}

KERNEL_CASE("a kernel without an event between streams is a race that names both") {
    Gpu gpu;
    OK(launch(kernel("scale"), gpu.a, gpu.x, 2.0f, n));
    OK(launch(kernel("add"), gpu.b, gpu.y, gpu.x, n));
    OK(cuStreamSynchronize(gpu.b));
    EXPECT(cuStreamSynchronize(gpu.a) != CUDA_SUCCESS);
    EXPECT(says("race"));
    EXPECT(says("scale"));
    EXPECT(says("add"));
}

KERNEL_CASE("an access past the end names the kernel and the source line") {
    Gpu gpu;
    CUfunction tooFar = kernel("tooFar");
    OK(launch(tooFar, gpu.a, gpu.x, n));
    SAME(CUDA_ERROR_ILLEGAL_ADDRESS, cuStreamSynchronize(gpu.a));
    EXPECT(says("tooFar"));
    EXPECT(says("test.cu:16"));
    SAME(CUDA_ERROR_ILLEGAL_ADDRESS, launch(tooFar, gpu.a, gpu.x, n));
}

KERNEL_CASE("memory freed under a queued kernel is caught") {
    Gpu gpu;
    OK(launch(kernel("scale"), gpu.a, gpu.x, 2.0f, n));
    OK(cuMemFree(gpu.x));
    gpu.x = 0;
    SAME(CUDA_ERROR_ILLEGAL_ADDRESS, cuStreamSynchronize(gpu.a));
    EXPECT(says("freed"));
}

KERNEL_CASE("a module unloaded under a queued kernel is caught, and its functions are dead") {
    Gpu gpu;
    CUfunction scale = kernel("scale");
    OK(launch(scale, gpu.a, gpu.x, 2.0f, n));
    unloadKernels();
    SAME(CUDA_ERROR_INVALID_HANDLE, launch(scale, gpu.a, gpu.x, 2.0f, n));
    EXPECT(cuStreamSynchronize(gpu.a) != CUDA_SUCCESS);
    EXPECT(says("unloaded"));
}

KERNEL_CASE("impossible launches are refused") {
    Gpu gpu;
    CUfunction narrow = kernel("narrow"), scale = kernel("scale");
    float by = 1;
    int count = n;
    void* params[] = {&gpu.x, &by, &count};
    SAME(CUDA_ERROR_INVALID_VALUE, cuLaunchKernel(scale, 0, 1, 1, 256, 1, 1, 0, gpu.a, params, nullptr));
    SAME(CUDA_ERROR_INVALID_VALUE, cuLaunchKernel(scale, 1, 65536, 1, 256, 1, 1, 0, gpu.a, params, nullptr));
    SAME(CUDA_ERROR_INVALID_VALUE, cuLaunchKernel(scale, 1, 1, 1, 1025, 1, 1, 0, gpu.a, params, nullptr));
    SAME(CUDA_ERROR_INVALID_VALUE, cuLaunchKernel(scale, 1, 1, 1, 256, 1, 1, 48 * 1024 + 1, gpu.a, params, nullptr));
    SAME(CUDA_ERROR_INVALID_VALUE, cuLaunchKernel(narrow, 1, 1, 1, 129, 1, 1, 0, gpu.a, params, nullptr));
    OK(cuFuncSetAttribute(scale, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 64 * 1024));
    OK(cuLaunchKernel(scale, 4, 1, 1, 256, 1, 1, 64 * 1024, gpu.a, params, nullptr));
    OK(cuCtxSynchronize());
}

KERNEL_CASE("arguments also come as one buffer, and a short one is refused") {
    Gpu gpu;
    struct {
        CUdeviceptr x;
        float by;
        int count;
    } block = {gpu.x, 5, n};
    std::size_t size = sizeof block;
    void* extra[] = {CU_LAUNCH_PARAM_BUFFER_POINTER, &block, CU_LAUNCH_PARAM_BUFFER_SIZE, &size, CU_LAUNCH_PARAM_END};
    OK(cuLaunchKernel(kernel("scale"), 4, 1, 1, 256, 1, 1, 0, gpu.a, nullptr, extra));
    OK(cuStreamSynchronize(gpu.a));
    EXPECT(all(gpu.read(gpu.x), 5));
    size = 12;
    SAME(CUDA_ERROR_INVALID_VALUE, cuLaunchKernel(kernel("scale"), 4, 1, 1, 256, 1, 1, 0, gpu.a, nullptr, extra));
}

KERNEL_CASE("a module's variables are in device memory and keep their values") {
    Gpu gpu;
    CUfunction biased = kernel("biased");
    CUmodule module;
    CUdeviceptr at;
    std::size_t size;
    float bias = 0;
    OK(cuFuncGetModule(&module, biased));
    OK(cuModuleGetGlobal(&at, &size, module, "bias"));
    SAME(sizeof bias, size);
    OK(cuMemcpyDtoH(&bias, at, size));
    EXPECT(bias == 2.5f);
    bias = 8;
    OK(cuMemcpyHtoD(at, &bias, size));
    OK(cuStreamSynchronize(nullptr));
    OK(launch(biased, gpu.a, gpu.x, n));
    OK(cuStreamSynchronize(gpu.a));
    EXPECT(all(gpu.read(gpu.x), 8));
    SAME(CUDA_ERROR_NOT_FOUND, cuModuleGetGlobal(&at, &size, module, "none"));
    CUfunction none;
    SAME(CUDA_ERROR_NOT_FOUND, cuModuleGetFunction(&none, module, "none"));
}

KERNEL_CASE("occupancy follows threads and shared memory") {
    Gpu gpu;
    CUfunction scale = kernel("scale");
    int blocks = 0, grid = 0, block = 0, threads = 0;
    OK(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, scale, 256, 0));
    SAME(4, blocks);
    OK(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, scale, 32, 0));
    SAME(16, blocks);
    OK(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, scale, 256, 32 * 1024));
    SAME(2, blocks);
    OK(cuOccupancyMaxPotentialBlockSize(&grid, &block, scale, nullptr, 0, 0));
    SAME(32 * 1024, grid * block);
    OK(cuFuncGetAttribute(&threads, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, kernel("narrow")));
    SAME(128, threads);
}

KERNEL_CASE("a cubin is for one architecture, PTX for it and newer ones") {
    Gpu gpu;
    const char* text = "extern \"C\" __global__ void k(float* x) { *x = 1; }";
    std::string image, log;
    CUmodule module;
    SAME(0, compile(text, {"-arch=sm_86"}, image, log, true));
    SAME(CUDA_ERROR_NO_BINARY_FOR_GPU, cuModuleLoadData(&module, image.data()));
    SAME(0, compile(text, {"--gpu-architecture=compute_75"}, image, log));
    OK(cuModuleLoadData(&module, image.data()));
    OK(cuModuleUnload(module));
    SAME(0, compile(text, {"-arch=compute_86"}, image, log));
    SAME(CUDA_ERROR_NO_BINARY_FOR_GPU, cuModuleLoadData(&module, image.data()));
    SAME(CUDA_ERROR_INVALID_PTX, cuModuleLoadData(&module, "no ptx at all"));
}

KERNEL_CASE("a compile error comes back with file and line, an unknown option and a missing header too") {
    std::string image, log;
    SAME(6, compile("extern \"C\" __global__ void k(float* x) {\n *y = 1; }", {}, image, log));
    EXPECT(log.find("kernels/test.cu(2): error") != std::string::npos);
    SAME(6, compile("#include <cstdint>\n", {}, image, log));
    EXPECT(log.find("cstdint") != std::string::npos);
    SAME(5, compile("", {"--no-such-option"}, image, log));
    EXPECT(log.find("--no-such-option") != std::string::npos);
    SAME(0, compile("#if VALUE != 3\n#error\n#endif\n", {"-DVALUE=3"}, image, log));
}

KERNEL_CASE("headers are found by the names they were given, and names are lowered") {
    void* program;
    const char *text = "#include \"half.cuh\"\nnamespace ours { __global__ void k(float* x) { *x = half_of(*x); } }",
               *header = "__device__ float half_of(float x) { return x / 2; }", *name = "half.cuh", *lowered = nullptr;
    int major, minor;
    SAME(0, nvrtcVersion(&major, &minor));
    SAME(126, 10 * major + minor);
    SAME(0, nvrtcCreateProgram(&program, text, "half.cu", 1, &header, &name));
    SAME(0, nvrtcAddNameExpression(program, "ours::k"));
    SAME(0, nvrtcCompileProgram(program, 0, nullptr));
    SAME(0, nvrtcGetLoweredName(program, "ours::k", &lowered));
    EXPECT(lowered && std::string(lowered) == "_ZN4ours1kEPf");
    SAME(10, nvrtcGetLoweredName(program, "ours::other", &lowered));
    SAME(0, nvrtcDestroyProgram(&program));
    SAME(4, nvrtcCompileProgram(program, 0, nullptr));
}
