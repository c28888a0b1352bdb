// Shared by the kernels: the control block, the random numbers, and how threads find their work.
//
// Rules for every kernel here.
//   - A scalar passed by value is frozen when a step is captured. So only sizes and the constants of a run (momentum,
//     decay, seed) come by value; step, rates and coefficients are read from device memory.
//   - Results do not depend on the launch's timing: no atomics, sums in a fixed order.
//   - Values and their gradients are float32 or bfloat16: a kernel over them has a twin whose name ends with Bf16, and whose
//     arguments of that kind are bf16*; it moves half of their bytes. Arithmetic is float32 in both.
//   - Tensors are (rows, channels) with channels innermost: an NHWC image is (N H W, C), a batch of vectors (N, C).
//   - Where a result must equal the CPU's bit for bit, products and sums are written __fmul_rn and __fadd_rn, as the
//     compiler would otherwise contract them into one rounding; these kernels wait for memory, so it costs nothing.
//   - Blocks have 256 threads in x unless the header says otherwise. "packs / 256" blocks means a thread for every 16 bytes,
//     capped at a full device, "quads / 256" one for every four elements: loops stride over the grid, so any number of blocks is correct. Only where a header
//     gives the grid's shape (batch, columnSums, those over rows of norm.cu) it has to be that one.
//   - Compiles under NVRTC: this file includes nothing.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

// The counters and tables that drive a run, as io.basin.device.RunState lays them out; lr[steps], alpha[steps] follow.
struct Control {
    u64 step;
    double loss;   // sum over samples since the epoch's start
    u64 hits;
    u64 seen;
    u64 broken;    // the first step whose loss was not finite, plus one; 0: none
    u64 unused[3];
};
static_assert(sizeof(Control) == 64, "the tables begin at byte 64");

// Numbers of the uses of randomness, as in io.basin.random.Streams.
enum Stream : u32 { ORDER = 1, AUGMENTATION = 2, DROPOUT = 4, JITTER = 10, CUTOUT = 11, MIXUP = 12 };

__device__ inline u32 firstIndex() { return blockIdx.x * blockDim.x + threadIdx.x; }

__device__ inline u32 gridStride() { return gridDim.x * blockDim.x; }

// Philox4x32-10 (Salmon et al. 2011), as io.basin.random.Philox: four random words from a counter and a seed.
__device__ inline uint4 philox(u32 c0, u32 c1, u32 c2, u32 c3, u64 seed) {
    u32 k0 = (u32)seed;
    u32 k1 = (u32)(seed >> 32);
#pragma unroll 1
    for (int round = 0; round < 10; round++) {
        const u64 p0 = (u64)0xD2511F53u * c0;
        const u64 p1 = (u64)0xCD9E8D57u * c2;
        c0 = (u32)(p1 >> 32) ^ c1 ^ k0;
        c1 = (u32)p1;
        c2 = (u32)(p0 >> 32) ^ c3 ^ k1;
        c3 = (u32)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return make_uint4(c0, c1, c2, c3);
}

// An integer in [0, n).
__device__ inline u32 below(u32 bits, u32 n) { return __umulhi(bits, n); }

__device__ inline u32 mix(u32 x) {
    x ^= x >> 16;
    x *= 0x7FEB352Du;
    x ^= x >> 15;
    x *= 0x846CA68Bu;
    return x ^ (x >> 16);
}

// The sample at a place of an epoch's order, as io.basin.random.Permutation: an 8-round Feistel network over the
// smallest power of two that holds n, walked until it falls inside [0, n).
__device__ inline u32 permuted(u32 place, u32 n, u64 seed, u64 epoch) {
    const uint4 words = philox((u32)epoch, (u32)(epoch >> 32), 0, ORDER, seed);
    const u32 stride = words.y | 1;
    u32 bits = 0;
    while ((1u << bits) < n) bits++;
    const u32 low = bits - bits / 2;
    const u32 lowMask = (1u << low) - 1;
    const u32 highMask = (1u << (bits / 2)) - 1;
    u32 x = place;
    do {
        u32 left = x >> low;
        u32 right = x & lowMask;
        u32 key = words.x;
#pragma unroll 1
        for (int round = 0; round < 8; round += 2) {
            left ^= mix(right ^ key) & highMask;
            key += stride;
            right ^= mix(left ^ key) & lowMask;
            key += stride;
        }
        x = (left << low) | right;
    } while (x >= n);
    return x;
}

// The tables' entries for this step.
struct Pace {
    float lr;
    float alpha;
    float pull;
    bool stopped;  // the loss was not finite, or the tables have ended: nothing may change any more
};

// One thread asks for the whole block: 24 bytes, 28 where the control block has pull[steps] too, instead of 6 KiB.
__device__ inline Pace pace(const Control* control, u32 steps, bool pulls = false) {
    __shared__ Pace shared;
    if (threadIdx.x == 0) {
        const u64 t = control->step;
        const float* lr = (const float*)(control + 1);
        const bool stopped = control->broken != 0 || t >= steps;
        shared.stopped = stopped;
        shared.lr = stopped ? 0 : lr[t];
        shared.alpha = stopped ? 0 : lr[steps + t];
        shared.pull = stopped || !pulls ? 0 : lr[2 * steps + t];
    }
    __syncthreads();
    return shared;
}

// a moves toward w by alpha of the way.
__device__ inline float toward(float a, float w, float alpha) {
    return __fadd_rn(a, __fmul_rn(alpha, __fsub_rn(w, a)));
}

__device__ inline float4 toward(float4 a, float4 w, float alpha) {
    return make_float4(toward(a.x, w.x, alpha), toward(a.y, w.y, alpha), toward(a.z, w.z, alpha), toward(a.w, w.w, alpha));
}

// After an update: the average moves toward the weights, then they toward it.
__device__ inline void average(float4& w, float4* a, const Pace& now) {
    if (now.alpha == 0 && now.pull == 0) return;
    float4 mean = *a;
    if (now.alpha != 0) *a = mean = toward(mean, w, now.alpha);
    if (now.pull != 0) w = now.pull == 1 ? mean : toward(w, mean, now.pull);
}

// The upper half of a float32. Kernels compute in float32; their results are rounded to nearest, ties to even, by
// integer arithmetic, for conversions to bfloat16 begin with sm_80.
struct bf16 {
    u16 bits;
};

__device__ inline u32 bf16Bits(float v) {
    const u32 bits = __float_as_uint(v);
    return (v == v ? bits + 0x7FFF + (bits >> 16 & 1) : bits | 0x400000) >> 16;
}

// W neighbouring elements as float32: W is 1, or what 16 bytes hold, and then p is aligned to 16 bytes.
__device__ inline void load(float (&v)[1], const float* p) { v[0] = *p; }

__device__ inline void load(float (&v)[4], const float* p) {
    const float4 quad = *(const float4*)p;
    v[0] = quad.x, v[1] = quad.y, v[2] = quad.z, v[3] = quad.w;
}

__device__ inline void load(float (&v)[8], const float* p) {
    const float4 a = *(const float4*)p;
    const float4 b = *(const float4*)(p + 4);
    v[0] = a.x, v[1] = a.y, v[2] = a.z, v[3] = a.w, v[4] = b.x, v[5] = b.y, v[6] = b.z, v[7] = b.w;
}

__device__ inline void load(float (&v)[1], const bf16* p) { v[0] = __uint_as_float((u32)p->bits << 16); }

__device__ inline void load(float (&v)[8], const bf16* p) {
    const uint4 words = *(const uint4*)p;
    const u32 pairs[4] = {words.x, words.y, words.z, words.w};
    for (int i = 0; i < 4; i++) {
        v[2 * i] = __uint_as_float(pairs[i] << 16);
        v[2 * i + 1] = __uint_as_float(pairs[i] & 0xFFFF0000u);
    }
}

__device__ inline void store(float* p, const float (&v)[1]) { *p = v[0]; }

__device__ inline void store(float* p, const float (&v)[4]) { *(float4*)p = make_float4(v[0], v[1], v[2], v[3]); }

__device__ inline void store(float* p, const float (&v)[8]) {
    *(float4*)p = make_float4(v[0], v[1], v[2], v[3]);
    *(float4*)(p + 4) = make_float4(v[4], v[5], v[6], v[7]);
}

// Four weights beside a pass over them, 8 bytes.
__device__ inline uint2 rounded(float4 v) {
    return make_uint2(bf16Bits(v.x) | bf16Bits(v.y) << 16, bf16Bits(v.z) | bf16Bits(v.w) << 16);
}

__device__ inline void store(bf16* p, const float (&v)[1]) { p->bits = (u16)bf16Bits(v[0]); }

__device__ inline void store(bf16* p, const float (&v)[8]) {
    u32 pairs[4];
    for (int i = 0; i < 4; i++) pairs[i] = bf16Bits(v[2 * i]) | bf16Bits(v[2 * i + 1]) << 16;
    *(uint4*)p = make_uint4(pairs[0], pairs[1], pairs[2], pairs[3]);
}

template <class V>
__device__ inline float get(const V* p) {
    float v[1];
    load(v, p);
    return v[0];
}

template <class V>
__device__ inline void set(V* p, float x) {
    const float v[1] = {x};
    store(p, v);
}

// y[i] = f(x[i], i) or f(a[i], b[i], i), 16 bytes an access, and what is left over one by one. In place is allowed.
template <class V, class F>
__device__ inline void each(V* y, const V* x, u32 n, F f) {
    const u32 W = 16 / sizeof(V);
    for (u32 q = firstIndex(); q < n / W; q += gridStride()) {
        float v[W];
        load(v, x + W * q);
        for (u32 i = 0; i < W; i++) v[i] = f(v[i], W * q + i);
        store(y + W * q, v);
    }
    for (u32 i = n / W * W + firstIndex(); i < n; i += gridStride()) set(y + i, f(get(x + i), i));
}

template <class V, class F>
__device__ inline void each(V* y, const V* a, const V* b, u32 n, F f) {
    const u32 W = 16 / sizeof(V);
    for (u32 q = firstIndex(); q < n / W; q += gridStride()) {
        float v[W], w[W];
        load(v, a + W * q);
        load(w, b + W * q);
        for (u32 i = 0; i < W; i++) v[i] = f(v[i], w[i], W * q + i);
        store(y + W * q, v);
    }
    for (u32 i = n / W * W + firstIndex(); i < n; i += gridStride()) set(y + i, f(get(a + i), get(b + i), i));
}

// Sum over a warp, the same in every lane and in every run.
template <class T>
__device__ inline T warpSum(T x) {
    for (int lanes = 16; lanes > 0; lanes /= 2) x += __shfl_xor_sync(0xFFFFFFFFu, x, lanes);
    return x;
}

// A value and its index; of equal values the lower index is better.
template <class T>
struct Best {
    T value;
    u32 index;

    __device__ void take(T other, u32 at) {
        if (other > value || (other == value && at < index)) {
            value = other;
            index = at;
        }
    }
};

// The first largest of at(0) .. at(n - 1), found by a warp, known to every lane.
template <class T, class F>
__device__ inline Best<T> warpBest(u32 n, F at) {
    const u32 lane = threadIdx.x % 32;
    const u32 start = lane < n ? lane : 0;
    Best<T> best = {at(start), start};
    for (u32 k = start + 32; k < n; k += 32) best.take(at(k), k);
    for (int lanes = 16; lanes > 0; lanes /= 2) {
        const T value = __shfl_xor_sync(0xFFFFFFFFu, best.value, lanes);
        best.take(value, __shfl_xor_sync(0xFFFFFFFFu, best.index, lanes));
    }
    return best;
}
