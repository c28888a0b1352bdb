// Kernels as nvcc compiles them, for the interpreter's tests.
#include <cassert>

typedef unsigned int u32;
typedef unsigned long long u64;

extern "C" __global__ void sum(const float* __restrict__ x, float* y, u32 n) {
    __shared__ float parts[32];
    float v = 0;
    for (u32 i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) v += x[i];
    for (int o = 16; o; o >>= 1) v += __shfl_down_sync(~0u, v, o);
    if ((threadIdx.x & 31) == 0) parts[threadIdx.x / 32] = v;
    __syncthreads();
    if (threadIdx.x >= 32) return;
    v = threadIdx.x < blockDim.x / 32 ? parts[threadIdx.x] : 0;
    for (int o = 16; o; o >>= 1) v += __shfl_xor_sync(~0u, v, o);
    if (threadIdx.x == 0) atomicAdd(y, v);
}

// A tree in shared memory without shuffles: each round reads what other threads wrote before the barrier.
extern "C" __global__ void tree(const u32* x, u32* y) {
    extern __shared__ u32 s[];
    s[threadIdx.x] = x[blockIdx.x * blockDim.x + threadIdx.x];
    __syncthreads();
    for (u32 half = blockDim.x / 2; half; half /= 2) {
        if (threadIdx.x < half) s[threadIdx.x] += s[threadIdx.x + half];
        __syncthreads();
    }
    if (threadIdx.x == 0) y[blockIdx.x] = s[0];
}

// The same within a warp, ordered by __syncwarp only.
extern "C" __global__ void warpTree(const u32* x, u32* y) {
    __shared__ u32 s[32];
    s[threadIdx.x] = x[threadIdx.x];
    __syncwarp();
    for (u32 half = 16; half; half /= 2) {
        const u32 other = threadIdx.x < half ? s[threadIdx.x + half] : 0;
        __syncwarp();
        if (threadIdx.x < half) s[threadIdx.x] += other;
        __syncwarp();
    }
    if (threadIdx.x == 0) y[0] = s[0];
}

extern "C" __global__ void collatz(const u32* x, u32* steps, u32 n) {
    const u32 i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    u32 v = x[i], count = 0;
    while (v != 1) {
        if (v & 1)
            v = 3 * v + 1;
        else
            v >>= 1;
        if (++count > 10000) break;
    }
    steps[i] = count;
}

extern "C" __global__ void histogram(const unsigned char* x, u32* bins, u32 n) {
    __shared__ u32 own[256];
    for (u32 i = threadIdx.x; i < 256; i += blockDim.x) own[i] = 0;
    __syncthreads();
    for (u32 i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) atomicAdd(&own[x[i]], 1u);
    __syncthreads();
    for (u32 i = threadIdx.x; i < 256; i += blockDim.x) atomicAdd(&bins[i], own[i]);
}

extern "C" __global__ void copy4(const float4* x, float4* y, u32 n) {
    const u32 i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = x[i];
}

extern "C" __global__ void invert(unsigned char* x, u32 n) {  // bytes: neighbours share a word
    const u32 i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) x[i] = 255 - x[i];
}

__device__ __noinline__ float horner(const float* c, float x, int n) {
    float y = 0;
    for (int i = n; i-- > 0;) y = y * x + c[i];
    return y;
}

extern "C" __global__ void polynomial(const float* c, const float* x, float* y, int n) {
    y[threadIdx.x] = horner(c, x[threadIdx.x], n) + horner(c, 0.5f, n);
}

extern "C" __global__ void functions(const float* x, float* y, u32 n) {
    const u32 i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    const float a = x[i];
    y[8 * i] = expf(a);
    y[8 * i + 1] = logf(fabsf(a));
    y[8 * i + 2] = sinf(a);
    y[8 * i + 3] = cospif(a);
    y[8 * i + 4] = tanhf(a);
    y[8 * i + 5] = powf(fabsf(a), 1.5f);
    y[8 * i + 6] = sqrtf(fabsf(a)) / (1 + a * a);
    y[8 * i + 7] = fmodf(a, 0.75f);
}

extern "C" __global__ void doubles(const double* x, double* y) {
    const double a = x[threadIdx.x];
    y[4 * threadIdx.x] = exp(a);
    y[4 * threadIdx.x + 1] = log(fabs(a));
    y[4 * threadIdx.x + 2] = sin(a * 1e6);
    y[4 * threadIdx.x + 3] = a / 3;
}

__constant__ u32 primes[4] = {2, 3, 5, 7};
__device__ u32 total = 100;

extern "C" __global__ void variables(u32* y) { y[threadIdx.x] = primes[threadIdx.x & 3] + total; }

extern "C" __global__ void dims(u32* y) {  // a grid and a block of three dimensions
    const u32 block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    const u32 thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    y[block * blockDim.x * blockDim.y * blockDim.z + thread] =
        threadIdx.x | threadIdx.y << 4 | threadIdx.z << 8 | blockIdx.x << 12 | blockIdx.y << 16 | blockIdx.z << 20;
}
