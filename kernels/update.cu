// Any optimizer, fused with the running average: compiled once for each, with these put in front of this text,
//     #define BASIN_UPDATE ...     statements over float w, g, m, v and const float lr, wd, c[]
//     #define BASIN_MOMENTS 0..2   arrays of state
//     #define BASIN_SCALARS n      numbers of this step
// and without contraction of products and sums, so that the CPU's bits come out.
//
//   update   (w, m, v) = BASIN_UPDATE;  a = a + alpha[t] (w - a) only where alpha[t] != 0
//            w = w + pull[t] (a - w), pull[t] = 1: w = a                                        only where pull[t] != 0
//   fused    the same on arrays of others, with f g for g, and between the two averages
//            s = (1 - alpha[t]) s + alpha[t] / (1 - alpha[t]) (w - a)^2, alpha[t] = 1: s = 0    only where alpha[t] != 0
//            f = min(1, clip / (norm of all g + 1e-6)), where clip is 0 f = 1
//   squares  the sum of g^2 of each piece in double: thread i takes i, i + 256, ...; threads are added in halves
//
//   kernel    bytes per parameter                                                            blocks
//   update    12 + 8 for each moment: reads w g m v, writes w m v; 8 more where it averages,    quads / 256
//             2 for the copy in bfloat16, 4 where it pulls and does not average
//   fused     the same: SGD 20, AdamW 28; 8 more where it averages, 8 more with s               one a piece
//   squares   4, and 8 of each piece                                                            one a piece
//
// Besides, each block of fused reads 28 bytes of the control block, each thread its piece (64 bytes; of squares 16), the step's
// numbers, and where it clips a part of the sums. A piece is at most 16,384 elements of arrays of one length, read four elements
// an access where all of them begin at multiples of 16 bytes. Blocks of fused and squares are capped at what fills the device.
//
// Does nothing once a loss was not finite or the tables have ended. pull[steps] follows alpha[steps] in fused's control block, and in
// update's where `pulls` is not 0.
//
//   update(float4* w, const float4* g, float4* m, float4* v, float4* a, const Control*, const float* scalars /* (steps, n) */,
//          u32 steps, u32 quads, u32 split, float wd, u32 pulls, uint2* copy /* or null */)
//   fused(const Piece*, u32 count, const Control*, const float* scalars /* (steps, n) */, u32 steps, float wd,
//         const double* sums /* (count) */, double clip)
//   squares(double* sums, const Piece*, u32 count)
#include "basin.cuh"

#if !defined(BASIN_UPDATE) || !defined(BASIN_MOMENTS) || !defined(BASIN_SCALARS)
#error "update.cu needs BASIN_UPDATE, BASIN_MOMENTS and BASIN_SCALARS"
#endif

__device__ inline void rule(float& w, const float g, float& m, float& v, const float lr, const float wd, const float* c) {
    BASIN_UPDATE
}

extern "C" __global__ void __launch_bounds__(256)
update(float4* w, const float4* g, float4* m, float4* v, float4* a, const Control* control, const float* scalars,
       u32 steps, u32 quads, u32 split, float wd, u32 pulls, uint2* copy) {
    const Pace now = pace(control, steps, pulls);
    if (now.stopped) return;
    float c[BASIN_SCALARS + 1];
    for (u32 k = 0; k < BASIN_SCALARS; k++) c[k] = scalars[control->step * BASIN_SCALARS + k];
    const float4 zero = make_float4(0, 0, 0, 0);
#pragma unroll 1
    for (u32 i = firstIndex(); i < quads; i += gridStride()) {
        const float decay = i < split ? wd : 0;
        float4 weight = w[i];
        const float4 gradient = g[i];
        float4 first = BASIN_MOMENTS > 0 ? m[i] : zero;
        float4 second = BASIN_MOMENTS > 1 ? v[i] : zero;
        rule(weight.x, gradient.x, first.x, second.x, now.lr, decay, c);
        rule(weight.y, gradient.y, first.y, second.y, now.lr, decay, c);
        rule(weight.z, gradient.z, first.z, second.z, now.lr, decay, c);
        rule(weight.w, gradient.w, first.w, second.w, now.lr, decay, c);
        if (BASIN_MOMENTS > 0) m[i] = first;
        if (BASIN_MOMENTS > 1) v[i] = second;
        average(weight, a + i, now);
        w[i] = weight;
        if (copy) copy[i] = rounded(weight);
    }
}

struct Piece {
    float* w;
    const float* g;
    float* m;
    float* v;
    float* a;
    float* s;
    u64 n;
    u64 decayed;  // 0: its weights are spared decay
};
static_assert(sizeof(Piece) == 64, "as io.basin.cuda.CudaForeignStep lays it out");

// The numbers that a step applies to every element.
struct Move {
    float lr, alpha, pull, factor, decay, keep, gain;
    float c[BASIN_SCALARS + 1];
};

// The i-th N elements of a piece.
template <u32 N>
__device__ inline void advance(const Piece& p, u64 i, const Move& move) {
    float w[N], g[N], m[N] = {}, v[N] = {}, a[N] = {}, s[N] = {};
    load(w, p.w + N * i);
    load(g, p.g + N * i);
    if (BASIN_MOMENTS > 0) load(m, p.m + N * i);
    if (BASIN_MOMENTS > 1) load(v, p.v + N * i);
    const bool averages = move.alpha != 0;
    if (averages || move.pull != 0) load(a, p.a + N * i);
    if (averages && p.s) load(s, p.s + N * i);
    for (u32 j = 0; j < N; j++) {
        rule(w[j], __fmul_rn(move.factor, g[j]), m[j], v[j], move.lr, move.decay, move.c);
        if (averages) a[j] = toward(a[j], w[j], move.alpha);
        const float d = __fsub_rn(w[j], a[j]);
        s[j] = move.keep == 0 ? 0 : __fadd_rn(__fmul_rn(move.keep, s[j]), __fmul_rn(move.gain, __fmul_rn(d, d)));
        if (move.pull != 0) w[j] = move.pull == 1 ? a[j] : toward(w[j], a[j], move.pull);
    }
    store(p.w + N * i, w);
    if (BASIN_MOMENTS > 0) store(p.m + N * i, m);
    if (BASIN_MOMENTS > 1) store(p.v + N * i, v);
    if (averages) store(p.a + N * i, a);
    if (averages && p.s) store(p.s + N * i, s);
}

// The sum over a block, the same in every thread: threads are added in halves.
__device__ inline double blockSum(double mine) {
    __shared__ double lanes[256];
    __syncthreads();
    lanes[threadIdx.x] = mine;
    for (u32 half = 128; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) lanes[threadIdx.x] = __dadd_rn(lanes[threadIdx.x], lanes[threadIdx.x + half]);
    }
    __syncthreads();
    return lanes[0];
}

__device__ inline float clipping(const double* sums, u32 count, double clip) {
    double mine = 0;
    for (u32 k = threadIdx.x; k < count; k += 256) mine = __dadd_rn(mine, sums[k]);
    const double factor = __ddiv_rn(clip, __dadd_rn(__dsqrt_rn(blockSum(mine)), 1e-6));
    return factor >= 1 ? 1 : (float)factor;
}

extern "C" __global__ void __launch_bounds__(256)
fused(const Piece* pieces, u32 count, const Control* control, const float* scalars, u32 steps, float wd, const double* sums,
      double clip) {
    const Pace now = pace(control, steps, true);
    if (now.stopped) return;
    const u64 t = control->step;
    Move move;
    move.lr = now.lr;
    move.alpha = now.alpha;
    move.pull = now.pull;
    move.factor = clip == 0 ? 1 : clipping(sums, count, clip);
    move.keep = __fsub_rn(1, now.alpha);
    move.gain = __fdiv_rn(now.alpha, move.keep);
    for (u32 k = 0; k < BASIN_SCALARS; k++) move.c[k] = scalars[t * BASIN_SCALARS + k];
    for (u32 k = blockIdx.x; k < count; k += gridDim.x) {
        const Piece p = pieces[k];
        __builtin_assume(__isGlobal(p.w));
        __builtin_assume(__isGlobal(p.g));
        __builtin_assume(__isGlobal(p.m));
        __builtin_assume(__isGlobal(p.v));
        __builtin_assume(__isGlobal(p.a));
        __builtin_assume(__isGlobal(p.s));
        move.decay = p.decayed ? wd : 0;
        const u64 places = (u64)p.w | (u64)p.g | (u64)p.m | (u64)p.v | (u64)p.a | (u64)p.s;
        const u64 quads = places % 16 == 0 ? p.n / 4 : 0;
#pragma unroll 1
        for (u64 i = threadIdx.x; i < quads; i += blockDim.x) advance<4>(p, i, move);
#pragma unroll 1
        for (u64 i = 4 * quads + threadIdx.x; i < p.n; i += blockDim.x) advance<1>(p, i, move);
    }
}

extern "C" __global__ void __launch_bounds__(256)
squares(double* sums, const Piece* pieces, u32 count) {
    for (u32 k = blockIdx.x; k < count; k += gridDim.x) {
        const float* g = pieces[k].g;
        __builtin_assume(__isGlobal(g));
        double mine = 0;
        for (u64 i = threadIdx.x; i < pieces[k].n; i += 256) mine = __dadd_rn(mine, __dmul_rn(g[i], g[i]));
        const double sum = blockSum(mine);
        if (threadIdx.x == 0) sums[k] = sum;
    }
}
