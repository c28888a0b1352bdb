// What the tests of libcuda and libnvrtc share: cases, expectations, and a device with two streams.
#pragma once
#include <cuda.h>

#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

extern "C" {
void softgpu_reset();
std::int64_t softgpu_counter(const char* name);
int softgpu_fail(const char* kind, std::int64_t n);
std::int64_t softgpu_calls(const char* kind);
void softgpu_last_violation(char* out, int n);
void softgpu_report(char* out, int n);

int nvrtcCreateProgram(void** out, const char* text, const char* name, int n, const char* const* headers,
                       const char* const* names);
int nvrtcCompileProgram(void* program, int n, const char* const* options);
int nvrtcGetPTXSize(void* program, std::size_t* bytes);
int nvrtcGetPTX(void* program, char* out);
int nvrtcGetCUBINSize(void* program, std::size_t* bytes);
int nvrtcGetCUBIN(void* program, char* out);
int nvrtcGetProgramLogSize(void* program, std::size_t* bytes);
int nvrtcGetProgramLog(void* program, char* out);
int nvrtcAddNameExpression(void* program, const char* name);
int nvrtcGetLoweredName(void* program, const char* name, const char** out);
int nvrtcDestroyProgram(void** program);
int nvrtcVersion(int* major, int* minor);
}

namespace test {

struct Case {
    const char* name;
    void (*body)();
    bool kernels;  // whether it needs nvcc
};
std::vector<Case>& cases();

struct Register {
    Register(const char* name, void (*body)(), bool kernels = false) { cases().push_back({name, body, kernels}); }
};

void expect(bool holds, const std::string& what, const char* file, int line);
void same(long long wanted, long long got, const char* text, const char* file, int line);
#define EXPECT(condition) test::expect(condition, #condition, __FILE__, __LINE__)
#define SAME(wanted, got) test::same((long long)(wanted), (long long)(got), #got, __FILE__, __LINE__)
#define OK(call) SAME(CUDA_SUCCESS, call)

// A case; its name is a sentence.
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define CASE_(name, id, kernels)                                     \
    static void id();                                                \
    static test::Register JOIN(id, _registered)(name, id, kernels);  \
    static void id()
#define CASE(name) CASE_(name, JOIN(case_, __LINE__), false)
#define KERNEL_CASE(name) CASE_(name, JOIN(case_, __LINE__), true)

constexpr int n = 1000;  // floats in each buffer

// A context with two non-blocking streams, two device buffers and a pinned one. Everything is given back at the end.
struct Gpu {
    CUstream a, b;
    CUdeviceptr x, y;
    float* pinned;
    Gpu();
    ~Gpu();
    void fill(CUdeviceptr at, float value);  // and waits
    std::vector<float> read(CUdeviceptr at);  // blocking
};

std::int64_t counter(const std::string& name);
std::string violation();
bool says(const std::string& part);  // the last violation does

// test kernels: scale(float* x, float by, int n), add(float* to, const float* from, int n), and some with bugs
CUfunction kernel(const char* name);
void unloadKernels();
int compile(const char* source, std::vector<const char*> options, std::string& result, std::string& log,
            bool cubin = false);

template <class... Arguments> CUresult launch(CUfunction function, CUstream stream, Arguments... arguments) {
    void* params[] = {&arguments...};
    return cuLaunchKernel(function, (n + 255) / 256, 1, 1, 256, 1, 1, 0, stream, params, nullptr);
}

}  // namespace test
