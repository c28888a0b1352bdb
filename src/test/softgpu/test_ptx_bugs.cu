// Kernels with one bug each, marked where the interpreter must point.
#include <cassert>

typedef unsigned int u32;

extern "C" __global__ void outside(const float* x, float* y, u32 n) {
    const u32 i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i <= n) y[i] = 1;  // BUG outside
}

extern "C" __global__ void outsideRead(const float4* x, float* y, u32 n) {
    const u32 i = blockIdx.x * blockDim.x + threadIdx.x;
    const float4 v = x[i];  // BUG outsideRead
    y[i] = v.x + v.y + v.z + v.w + n;
}

extern "C" __global__ void outsideShared(float* y) {
    __shared__ float a[32], b[32];
    a[threadIdx.x] = 1;
    b[threadIdx.x] = 2;
    __syncthreads();
    y[threadIdx.x] = a[threadIdx.x + 1] + b[threadIdx.x];  // BUG outsideShared
}

extern "C" __global__ void unwritten(const float* x, float* y) {
    y[threadIdx.x] = x[threadIdx.x];  // BUG unwritten
}

extern "C" __global__ void unwrittenShared(float* y) {
    __shared__ float s[64];
    if (threadIdx.x < 31) s[threadIdx.x] = 1;
    __syncthreads();
    y[threadIdx.x] = s[threadIdx.x];  // BUG unwrittenShared
}

extern "C" __global__ void missingBarrier(float* y) {
    __shared__ float s[64];
    s[threadIdx.x] = 0;
    __syncthreads();
    s[threadIdx.x] += y[threadIdx.x];      // BUG missingBarrier
    y[threadIdx.x] = s[63 - threadIdx.x];  // BUG missingBarrier
}

extern "C" __global__ void tooEarly(float* y) {
    __shared__ float s[64];
    s[threadIdx.x] = y[threadIdx.x];
    y[threadIdx.x] = s[63 - threadIdx.x];  // BUG tooEarly
}

extern "C" __global__ void missingSecondBarrier(float* y, int rounds) {
    __shared__ float s[64];
    float v = y[threadIdx.x];
    for (int i = 0; i < rounds; i++) {
        s[threadIdx.x] = v;  // BUG missingSecondBarrier
        __syncthreads();
        v += s[63 - threadIdx.x];  // BUG missingSecondBarrier
    }
    y[threadIdx.x] = v;
}

extern "C" __global__ void missingWarpSync(float* y) {
    __shared__ float s[32];
    s[threadIdx.x] = 1;
    y[threadIdx.x] = s[31 - threadIdx.x];  // BUG missingWarpSync
}

extern "C" __global__ void betweenBlocks(float* y) {
    if (threadIdx.x == 0) y[0] += 1;  // BUG betweenBlocks
}

extern "C" __global__ void betweenBlocksReadWrite(float* y) {
    const u32 i = blockIdx.x * blockDim.x + threadIdx.x, next = (i + 1) % (gridDim.x * blockDim.x);
    y[i] = y[next];  // BUG betweenBlocksReadWrite
}

extern "C" __global__ void oneReadsOneWrites(float* y, const float* z) {
    if (blockIdx.x == 0) y[threadIdx.x + 64] = y[threadIdx.x];  // BUG oneReadsOneWrites
    else y[threadIdx.x] = z[threadIdx.x];                       // BUG oneReadsOneWrites
}

extern "C" __global__ void allReadOneWrites(float* y, float* z, u32 writer, u32 stride) {
    const u32 i = stride * threadIdx.x;
    const float v = y[i];  // BUG allReadOneWrites
    z[blockIdx.x * blockDim.x + threadIdx.x] = v;
    if (blockIdx.x == writer) y[i] = v + 1;  // BUG allReadOneWrites
}

extern "C" __global__ void shift(float* y, u32 stride) {
    const float v = y[stride * (threadIdx.x + 1)];  // BUG shift
    y[stride * threadIdx.x] = v;                    // BUG shift
}

extern "C" __global__ void shiftBytes(unsigned char* y, u32 distance) {
    const unsigned char v = y[threadIdx.x + distance];  // BUG shiftBytes
    y[threadIdx.x] = v;                                 // BUG shiftBytes
}

extern "C" __global__ void squares(const float* x, float* y) {
    y[threadIdx.x] = x[threadIdx.x * threadIdx.x];  // BUG squares
}

extern "C" __global__ void plainThenAtomic(u32* y) {
    if (blockIdx.x == 0 && threadIdx.x == 0) *(volatile u32*)y = 0, y[1] = 0;  // BUG plainThenAtomic
    __syncthreads();
    atomicAdd(y + 1, 1u);  // BUG plainThenAtomic
}

extern "C" __global__ void withinBlock(u32* y) {
    y[threadIdx.x / 2] = threadIdx.x;  // BUG withinBlock
}

extern "C" __global__ void misaligned(const float* x, float* y) {
    const float4 v = *reinterpret_cast<const float4*>(x + threadIdx.x + 1);  // BUG misaligned
    y[threadIdx.x] = v.x + v.y + v.z + v.w;
}

extern "C" __global__ void endless(volatile u32* y) {
    while (y[0] == 0) {}  // BUG endless
    y[1] = 1;
}

extern "C" __global__ void halfBarrier(float* y) {
    if (threadIdx.x < 32) __syncthreads();  // BUG halfBarrier
    y[threadIdx.x] = 1;
}

extern "C" __global__ void exitedBarrier(float* y, u32 n) {
    __shared__ float s[64];
    if (threadIdx.x >= n) return;
    s[threadIdx.x] = y[threadIdx.x];
    __syncthreads();  // BUG exitedBarrier
    y[threadIdx.x] = s[n - 1 - threadIdx.x];
}

extern "C" __global__ void absentLane(float* y) {
    float v = y[threadIdx.x];
    if (threadIdx.x < 16) v += __shfl_xor_sync(0xffff, v, 16);  // BUG absentLane
    y[threadIdx.x] = v;
}

extern "C" __global__ void stuckWarp(float* y) {
    float v = y[threadIdx.x];
    if (threadIdx.x < 16) v += __shfl_xor_sync(~0u, v, 1);  // BUG stuckWarp
    else __syncthreads();
    y[threadIdx.x] = v;
}

extern "C" __global__ void notInMask(float* y) {
    y[threadIdx.x] += __shfl_xor_sync(0xffff, y[threadIdx.x], 1);  // BUG notInMask
}

extern "C" __global__ void divides(const u32* x, u32* y) {
    y[threadIdx.x] = 7 / x[threadIdx.x];  // BUG divides
}

extern "C" __global__ void asserts(const u32* x) {
    assert(x[threadIdx.x] < 40);  // BUG asserts
}

extern "C" __global__ void hostPointer(float* x) {
    x[threadIdx.x] = 1;  // BUG hostPointer
}

extern "C" __global__ void localArray(float* y, const int* at) {
    float own[8];
    for (int i = 0; i < 8; i++) own[i] = y[i];
    own[at[0]] = 3;  // BUG localArray
    y[threadIdx.x + 8] = own[at[1]] + own[at[2]];
}
