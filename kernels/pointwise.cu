// Elementwise work between the vendor's layers, each in one pass.
//
//   relu          y = x < 0 ? 0 : x: NaN stays NaN               8 bytes per element    packs / 256
//   reluBackward  dx = y > 0 ? dy : 0                             12                     packs / 256
//   add           y = a + b, then ReLU if asked; a fork's backward is add of its branches' gradients, two at a time
//                                                                 12                     packs / 256
//   finish        y = y + bias[channel] + residual, then ReLU if asked; either may be null
//                                                                 8, 12 with residual    packs / 256
//   columnSums    sums[slab][c] = sum of x over the slab's rows   4                      (channels / 32, slabs) of (32, 8)
//                 The gradient of a bias. For many rows launch twice: over slabs of dy, then over their sums with one.
//   dropout       y = kept ? x scale : 0; backward is the same on dy      8                      packs / 256
//                 Element i in LOGICAL order (n, c, y, x) is kept where word i mod 4 of Philox block (i / 4, t) is at
//                 least p, as on every device: threshold = ceil(p 2^24), compared with the word's upper 24 bits.
//
//   join          y[r, from + c] = x[r, c]: an input's channels among those of all        8      elements / 256
//   part          dx[r, c] = dy[r, from + c], its gradient                                8      elements / 256
//
//   narrow        y = x in bfloat16                               6                      quads / 256
//   widen         y = x in float32                                6                      quads / 256
//   noise         y uniform in [-1, 1), by Philox of (i / 4, seed)  4                     quads / 256
//
//   relu(float* y, const float* x, u32 n)
//   reluBackward(float* dx, const float* dy, const float* y, u32 n)
//   add(float* y, const float* a, const float* b, u32 n, u32 relu)
//   finish(float* y, const float* bias, const float* residual, u32 n, u32 channels, u32 relu)
//   columnSums(float* sums, const float* x, u32 rows, u32 channels)
//   dropout(float* y, const float* x, const Control*, u32 n, u32 channels, u32 pixels /* H W; 1 for (N, C) */, u64 seed,
//           u32 threshold, float scale)
//   join(float* y, const float* x, u32 n /* of x */, u32 channels, u32 all /* channels of y */, u32 from)
//   part(float* dx, const float* dy, u32 n, u32 channels, u32 all, u32 from)
//   reluBf16(...)          with bf16* for y, x, dy, dx, a, b and residual
//   reluBackwardBf16(...)
//   addBf16(...)
//   finishBf16(...)
//   columnSumsBf16(...)
//   dropoutBf16(...)
//   joinBf16(...)
//   partBf16(...)
//   narrow(bf16* y, const float* x, u32 n)
//   widen(float* y, const bf16* x, u32 n)
//   noise(float* y, u32 n, u64 seed)
//   noiseBf16(...)
//
// y may be x, a, b, dx or dy: each thread reads what it overwrites. Dense layers after an image need no flattening: pack
// their weights in (out, H W, C) order.
#include "basin.cuh"

template <class V>
__device__ inline void rectify(V* y, const V* x, u32 n) {
    each(y, x, n, [](float v, u32) { return v < 0 ? 0 : v; });
}

template <class V>
__device__ inline void mask(V* dx, const V* dy, const V* y, u32 n) {
    each(dx, dy, y, n, [](float g, float v, u32) { return v > 0 ? g : 0; });
}

template <class V>
__device__ inline void sum(V* y, const V* a, const V* b, u32 n, u32 relu) {
    each(y, a, b, n, [=](float v, float w, u32) {
        const float sum = v + w;
        return relu && sum < 0 ? 0 : sum;
    });
}

template <class V>
__device__ inline void end(V* y, const float* bias, const V* residual, u32 n, u32 channels, u32 relu) {
    const auto biased = [=](float v, u32 i) { return bias ? v + bias[i % channels] : v; };
    const auto ended = [=](float v) { return relu && v < 0 ? 0 : v; };
    if (residual) {
        each(y, y, residual, n, [=](float v, float r, u32 i) { return ended(biased(v, i) + r); });
    } else {
        each(y, y, n, [=](float v, u32 i) { return ended(biased(v, i)); });
    }
}

const u32 LANES = 32;   // channels of a block
const u32 STRIPES = 8;  // rows a block reads at once

template <class V>
__device__ inline void sumColumns(float* sums, const V* x, u32 rows, u32 channels) {
    __shared__ float partial[STRIPES][LANES];
    const u32 c = blockIdx.x * LANES + threadIdx.x;
    float sum = 0;
    if (c < channels) {
        for (u32 r = blockIdx.y * STRIPES + threadIdx.y; r < rows; r += gridDim.y * STRIPES) {
            sum += get(x + (u64)r * channels + c);
        }
    }
    partial[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y != 0 || c >= channels) return;
    for (u32 s = 1; s < STRIPES; s++) sum += partial[s][threadIdx.x];
    sums[(u64)blockIdx.y * channels + c] = sum;
}

template <class V>
__device__ inline void drop(V* y, const V* x, u64 step, u32 n, u32 channels, u32 pixels, u64 seed, u32 threshold,
                            float scale) {
    u32 drawn = 0xFFFFFFFFu;  // the block in `words`: without pixels four neighbours share one
    uint4 words;
    each(y, x, n, [=](float v, u32 i) mutable {
        const u32 c = i % channels;
        const u32 pixel = i / channels % pixels;
        const u32 logical = (i / channels / pixels * channels + c) * pixels + pixel;
        if (logical / 4 != drawn) {
            drawn = logical / 4;
            words = philox(drawn, (u32)step, (u32)(step >> 32), DROPOUT, seed);
        }
        const u32 pair = logical & 2 ? (logical & 1 ? words.w : words.z) : (logical & 1 ? words.y : words.x);
        return (pair >> 8) >= threshold ? v * scale : 0;
    });
}

extern "C" __global__ void __launch_bounds__(256) relu(float* y, const float* x, u32 n) {
    rectify(y, x, n);
}

extern "C" __global__ void __launch_bounds__(256) reluBf16(bf16* y, const bf16* x, u32 n) {
    rectify(y, x, n);
}

extern "C" __global__ void __launch_bounds__(256) reluBackward(float* dx, const float* dy, const float* y, u32 n) {
    mask(dx, dy, y, n);
}

extern "C" __global__ void __launch_bounds__(256) reluBackwardBf16(bf16* dx, const bf16* dy, const bf16* y, u32 n) {
    mask(dx, dy, y, n);
}

extern "C" __global__ void __launch_bounds__(256) add(float* y, const float* a, const float* b, u32 n, u32 relu) {
    sum(y, a, b, n, relu);
}

extern "C" __global__ void __launch_bounds__(256) addBf16(bf16* y, const bf16* a, const bf16* b, u32 n, u32 relu) {
    sum(y, a, b, n, relu);
}

extern "C" __global__ void __launch_bounds__(256)
finish(float* y, const float* bias, const float* residual, u32 n, u32 channels, u32 relu) {
    end(y, bias, residual, n, channels, relu);
}

extern "C" __global__ void __launch_bounds__(256)
finishBf16(bf16* y, const float* bias, const bf16* residual, u32 n, u32 channels, u32 relu) {
    end(y, bias, residual, n, channels, relu);
}

extern "C" __global__ void __launch_bounds__(256)
columnSums(float* __restrict__ sums, const float* __restrict__ x, u32 rows, u32 channels) {
    sumColumns(sums, x, rows, channels);
}

extern "C" __global__ void __launch_bounds__(256)
columnSumsBf16(float* __restrict__ sums, const bf16* __restrict__ x, u32 rows, u32 channels) {
    sumColumns(sums, x, rows, channels);
}

extern "C" __global__ void __launch_bounds__(256)
dropout(float* y, const float* x, const Control* control, u32 n, u32 channels, u32 pixels, u64 seed, u32 threshold,
        float scale) {
    drop(y, x, control->step, n, channels, pixels, seed, threshold, scale);
}

extern "C" __global__ void __launch_bounds__(256)
dropoutBf16(bf16* y, const bf16* x, const Control* control, u32 n, u32 channels, u32 pixels, u64 seed, u32 threshold,
        float scale) {
    drop(y, x, control->step, n, channels, pixels, seed, threshold, scale);
}

// f(element of the input, element of all)
template <class F>
__device__ inline void eachJoined(u32 n, u32 channels, u32 all, u32 from, F f) {
    for (u32 i = firstIndex(); i < n; i += gridStride()) f(i, i / channels * all + from + i % channels);
}

extern "C" __global__ void __launch_bounds__(256)
join(float* __restrict__ y, const float* __restrict__ x, u32 n, u32 channels, u32 all, u32 from) {
    eachJoined(n, channels, all, from, [=](u32 i, u32 at) { y[at] = x[i]; });
}

extern "C" __global__ void __launch_bounds__(256)
joinBf16(bf16* __restrict__ y, const bf16* __restrict__ x, u32 n, u32 channels, u32 all, u32 from) {
    eachJoined(n, channels, all, from, [=](u32 i, u32 at) { y[at] = x[i]; });
}

extern "C" __global__ void __launch_bounds__(256)
part(float* __restrict__ dx, const float* __restrict__ dy, u32 n, u32 channels, u32 all, u32 from) {
    eachJoined(n, channels, all, from, [=](u32 i, u32 at) { dx[i] = dy[at]; });
}

extern "C" __global__ void __launch_bounds__(256)
partBf16(bf16* __restrict__ dx, const bf16* __restrict__ dy, u32 n, u32 channels, u32 all, u32 from) {
    eachJoined(n, channels, all, from, [=](u32 i, u32 at) { dx[i] = dy[at]; });
}

extern "C" __global__ void __launch_bounds__(256) narrow(bf16* __restrict__ y, const float* __restrict__ x, u32 n) {
    for (u32 q = firstIndex(); q < n / 4; q += gridStride()) ((uint2*)y)[q] = rounded(((const float4*)x)[q]);
    for (u32 i = n / 4 * 4 + firstIndex(); i < n; i += gridStride()) set(y + i, x[i]);
}

extern "C" __global__ void __launch_bounds__(256) widen(float* __restrict__ y, const bf16* __restrict__ x, u32 n) {
    for (u32 q = firstIndex(); q < n / 4; q += gridStride()) {
        const uint2 words = ((const uint2*)x)[q];
        ((float4*)y)[q] = make_float4(
            __uint_as_float(words.x << 16), __uint_as_float(words.x & 0xFFFF0000u), __uint_as_float(words.y << 16),
            __uint_as_float(words.y & 0xFFFF0000u));
    }
    for (u32 i = n / 4 * 4 + firstIndex(); i < n; i += gridStride()) y[i] = get(x + i);
}

__device__ inline float centred(u32 bits) { return (float)(bits >> 8) * 0x1p-23f - 1; }

template <class V>
__device__ inline void fill(V* y, u32 n, u64 seed) {
    for (u32 q = firstIndex(); q < n / 4 + (n % 4 != 0); q += gridStride()) {
        const uint4 words = philox(q, 0, 0, 0, seed);
        const float v[4] = {centred(words.x), centred(words.y), centred(words.z), centred(words.w)};
        for (u32 i = 0; i < 4 && 4 * q + i < n; i++) set(y + 4 * q + i, v[i]);
    }
}

extern "C" __global__ void __launch_bounds__(256) noise(float* y, u32 n, u64 seed) { fill(y, n, seed); }

extern "C" __global__ void __launch_bounds__(256) noiseBf16(bf16* y, u32 n, u64 seed) { fill(y, n, seed); }
