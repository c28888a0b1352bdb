// Runs the tests of libcuda.so.1 and libnvrtc.so.12, a line per case.
#include "test_cuda.h"

#include <algorithm>
#include <cstring>

namespace test {
namespace {

int failures = 0;
CUmodule module;

const char* const source = R"(
extern "C" __global__ void scale(float* x, float by, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) x[i] *= by;
}
extern "C" __global__ void add(float* to, const float* from, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) to[i] += from[i];
}
extern "C" __global__ void wide(float4* to, const float4* from, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (4 * i < n) to[i] = from[i];
}
extern "C" __global__ void tooFar(float* x, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i <= n) x[i] = 1;
}
extern "C" __global__ void __launch_bounds__(128) narrow(float* x) { x[threadIdx.x] = 1; }
__device__ float bias = 2.5f;
extern "C" __global__ void biased(float* x, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) x[i] = bias;
}
)";

}  // namespace

std::vector<Case>& cases() {
    static std::vector<Case> all;
    return all;
}

void expect(bool holds, const std::string& what, const char* file, int line) {
    if (holds) return;
    failures++;
    std::printf("    %s:%d: not so: %s\n", file, line, what.c_str());
}

void same(long long wanted, long long got, const char* text, const char* file, int line) {
    expect(wanted == got, std::string(text) + " is " + std::to_string(got) + ", expected " + std::to_string(wanted), file,
           line);
}

std::int64_t counter(const std::string& name) { return softgpu_counter(name.c_str()); }

std::string violation() {
    char text[4096];
    softgpu_last_violation(text, sizeof text);
    return text;
}

bool says(const std::string& part) {
    if (violation().find(part) != std::string::npos) return true;
    std::printf("    the last violation is \"%s\"\n", violation().c_str());
    return false;
}

Gpu::Gpu() {
    CUcontext context;
    cuInit(0);
    OK(cuDevicePrimaryCtxRetain(&context, 0));
    OK(cuCtxSetCurrent(context));
    OK(cuStreamCreate(&a, CU_STREAM_NON_BLOCKING));
    OK(cuStreamCreate(&b, CU_STREAM_NON_BLOCKING));
    OK(cuMemAlloc(&x, n * sizeof(float)));
    OK(cuMemAlloc(&y, n * sizeof(float)));
    OK(cuMemAllocHost(reinterpret_cast<void**>(&pinned), n * sizeof(float)));
    std::fill(pinned, pinned + n, 0.0f);
    fill(x, 1);
    fill(y, 2);
    softgpu_reset();
}

Gpu::~Gpu() {
    unloadKernels();
    if (x) cuMemFree(x);
    cuMemFree(y);
    cuMemFreeHost(pinned);
    cuStreamDestroy(a);
    cuStreamDestroy(b);
    cuDevicePrimaryCtxRelease(0);
    SAME(0, counter("live_bytes"));
    SAME(0, counter("live_streams"));
}

void Gpu::fill(CUdeviceptr at, float value) {
    std::vector<float> values(n, value);
    OK(cuMemcpyHtoD(at, values.data(), n * sizeof(float)));
    OK(cuStreamSynchronize(nullptr));  // till then it may not have arrived
}

std::vector<float> Gpu::read(CUdeviceptr at) {
    std::vector<float> values(n, -1);
    OK(cuMemcpyDtoH(values.data(), at, n * sizeof(float)));
    return values;
}

int compile(const char* text, std::vector<const char*> options, std::string& result, std::string& log, bool cubin) {
    void* program;
    SAME(0, nvrtcCreateProgram(&program, text, "kernels/test.cu", 0, nullptr, nullptr));
    int status = nvrtcCompileProgram(program, options.size(), options.data());
    std::size_t bytes = 0;
    nvrtcGetProgramLogSize(program, &bytes);
    log.resize(bytes);
    nvrtcGetProgramLog(program, log.data());
    (cubin ? nvrtcGetCUBINSize : nvrtcGetPTXSize)(program, &bytes);
    result.resize(bytes);
    if (status == 0) (cubin ? nvrtcGetCUBIN : nvrtcGetPTX)(program, result.data());
    SAME(0, nvrtcDestroyProgram(&program));
    return status;
}

CUfunction kernel(const char* name) {
    if (!module) {
        std::string image, log;
        SAME(0, compile(source, {"-arch=sm_80"}, image, log, true));
        OK(cuModuleLoadData(&module, image.data()));
    }
    CUfunction function = nullptr;
    OK(cuModuleGetFunction(&function, module, name));
    return function;
}

void unloadKernels() {
    if (module) cuModuleUnload(module);
    module = nullptr;
}

}  // namespace test

int main(int argc, char** argv) {
    int passed = 0, failed = 0, skipped = 0;
    bool nvcc = std::system("nvcc --version >/dev/null 2>&1") == 0;
    for (auto& each : test::cases()) {
        if (argc > 1 && !std::strstr(each.name, argv[1])) continue;
        if (each.kernels && !nvcc) {
            skipped++;
            continue;
        }
        test::failures = 0;
        softgpu_reset();
        each.body();
        std::printf("%s  %s\n", test::failures ? "FAILED" : "passed", each.name);
        std::fflush(stdout);
        ++(test::failures ? failed : passed);
    }
    if (skipped) std::printf("%d cases not covered: they need nvcc\n", skipped);
    std::printf("%d passed, %d failed\n", passed, failed);
    return failed || !passed;
}
