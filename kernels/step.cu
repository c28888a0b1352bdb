// The fused update of every parameter: momentum, decay, the rate of this step, and the running average, in one pass.
//
//   step   d = g + wd w                 wd only for quads before split
//          v = mu v + d
//          w = w - lr[t] v              Nesterov: w - lr[t] (d + mu v)
//          a = a + alpha[t] (w - a)     only where alpha[t] != 0: a uniform branch, no traffic otherwise
//          w = w + pull[t] (a - w)      only where pull[t] != 0; 1: w = a. Of runs whose control block has pull[steps]
//   bend   d = c (g + wd w);  then as step with p for w: a curve's control point, c = dw(t)/dp, w = w(t)
//   tick   t = t + 1
//
// Both updates do nothing once a loss was not finite (the weights stay those from before it) or the tables have ended.
// Rounding is the CPU's: every product and sum by itself.
//
//   kernel   bytes per parameter                                            blocks
//   step     20: reads w g v, writes w v; where it averages 28: also a      quads / 256
//            2 more where it leaves w in bfloat16 in `copy`: 22 and 30; 4 more where it pulls and does not average
//   bend     24: reads w g v p, writes v p                                  quads / 256
//   tick     8 read, 8 written                                              1 of 1 thread
//
// All parameter traffic is 16 bytes an access: slots are 64 floats apart or more, so arenas and the split are whole
// quads. Besides, each block reads 24 bytes of the control block, 28 where it pulls (bend: 36 with its coefficient).
//
//   step(float4* w, const float4* g, float4* v, float4* a, const Control*, u32 steps, u32 quads, u32 split,
//        float mu, float wd, u32 nesterov, u32 pulls, uint2* copy /* or null */)
//   bend(float4* p, float4* v, const float4* w, const float4* g, const Control*, u32 steps, u32 quads, u32 split,
//        float mu, float wd, u32 nesterov, const float* coefficients /* (rows, points) */, u32 rows, u32 points,
//        u32 point)
//   tick(Control*)
#include "basin.cuh"

// Momentum, and the move against it.
struct Rule {
    float mu;
    float lr;
    bool nesterov;

    __device__ void operator()(float& w, float& v, float d) const {
        v = __fadd_rn(__fmul_rn(mu, v), d);
        const float direction = nesterov ? __fadd_rn(d, __fmul_rn(mu, v)) : v;
        w = __fsub_rn(w, __fmul_rn(lr, direction));
    }
};

// The loss' gradient with that of wd/2 |w|^2.
__device__ inline float decayed(float g, float w, float wd) { return __fadd_rn(g, __fmul_rn(wd, w)); }

extern "C" __global__ void __launch_bounds__(256)
step(float4* __restrict__ w, const float4* __restrict__ g, float4* __restrict__ v, float4* __restrict__ a,
     const Control* __restrict__ control, u32 steps, u32 quads, u32 split, float mu, float wd, u32 nesterov,
     u32 pulls, uint2* __restrict__ copy) {
    const Pace now = pace(control, steps, pulls);
    if (now.stopped) return;
    const Rule rule = {mu, now.lr, nesterov != 0};
#pragma unroll 1
    for (u32 i = firstIndex(); i < quads; i += gridStride()) {
        const float decay = i < split ? wd : 0;
        float4 weight = w[i];
        float4 velocity = v[i];
        const float4 gradient = g[i];
        rule(weight.x, velocity.x, decayed(gradient.x, weight.x, decay));
        rule(weight.y, velocity.y, decayed(gradient.y, weight.y, decay));
        rule(weight.z, velocity.z, decayed(gradient.z, weight.z, decay));
        rule(weight.w, velocity.w, decayed(gradient.w, weight.w, decay));
        v[i] = velocity;
        average(weight, a + i, now);
        w[i] = weight;
        if (copy) copy[i] = rounded(weight);
    }
}

extern "C" __global__ void __launch_bounds__(256)
bend(float4* __restrict__ p, float4* __restrict__ v, const float4* __restrict__ w, const float4* __restrict__ g,
     const Control* __restrict__ control, u32 steps, u32 quads, u32 split, float mu, float wd,
     u32 nesterov, const float* __restrict__ coefficients, u32 rows, u32 points, u32 point) {
    __shared__ float coefficient;
    const Pace now = pace(control, steps);
    if (now.stopped) return;
    if (threadIdx.x == 0) coefficient = coefficients[(rows == 1 ? 0 : control->step) * points + point];
    __syncthreads();
    const Rule rule = {mu, now.lr, nesterov != 0};
    const float c = coefficient;
#pragma unroll 1
    for (u32 i = firstIndex(); i < quads; i += gridStride()) {
        const float decay = i < split ? wd : 0;
        float4 place = p[i];
        float4 velocity = v[i];
        const float4 weight = w[i];
        const float4 gradient = g[i];
        rule(place.x, velocity.x, __fmul_rn(c, decayed(gradient.x, weight.x, decay)));
        rule(place.y, velocity.y, __fmul_rn(c, decayed(gradient.y, weight.y, decay)));
        rule(place.z, velocity.z, __fmul_rn(c, decayed(gradient.z, weight.z, decay)));
        rule(place.w, velocity.w, __fmul_rn(c, decayed(gradient.w, weight.w, decay)));
        v[i] = velocity;
        p[i] = place;
    }
}

extern "C" __global__ void tick(Control* control) { control->step++; }
