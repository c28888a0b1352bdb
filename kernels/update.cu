// A user's own optimizer, fused with the running average: compiled once for each, with these put in front of this text,
//     #define BASIN_UPDATE ...     statements over float w, g, m, v and const float lr, wd, c[]
//     #define BASIN_MOMENTS 0..2   arrays of state
//     #define BASIN_SCALARS n      numbers of this step
// and without contraction of products and sums, so that the CPU's bits come out.
//
//   update  (w, m, v) = BASIN_UPDATE;  a = a + alpha[t] (w - a) only where alpha[t] != 0
//
//   kernel   bytes per parameter                                                         blocks
//   update   12 + 8 for each moment: reads w g m v, writes w m v; 8 more where it averages,
//            2 for the copy in bfloat16     quads / 256
//
// Does nothing once a loss was not finite or the tables have ended.
//
//   update(float4* w, const float4* g, float4* m, float4* v, float4* a, const Control*, const float* scalars /* (steps, n) */,
//          u32 steps, u32 quads, u32 split, float wd, uint2* copy /* or null */)
#include "basin.cuh"

#if !defined(BASIN_UPDATE) || !defined(BASIN_MOMENTS) || !defined(BASIN_SCALARS)
#error "update.cu needs BASIN_UPDATE, BASIN_MOMENTS and BASIN_SCALARS"
#endif

__device__ inline void rule(float& w, const float g, float& m, float& v, const float lr, const float wd, const float* c) {
    BASIN_UPDATE
}

extern "C" __global__ void __launch_bounds__(256)
update(float4* w, const float4* g, float4* m, float4* v, float4* a, const Control* control, const float* scalars,
       u32 steps, u32 quads, u32 split, float wd, uint2* copy) {
    const Pace now = pace(control, steps);
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
        w[i] = weight;
        if (copy) copy[i] = rounded(weight);
        if (BASIN_MOMENTS > 0) m[i] = first;
        if (BASIN_MOMENTS > 1) v[i] = second;
        if (now.alpha != 0) {
            const float4 mean = a[i];
            a[i] = make_float4(
                toward(mean.x, weight.x, now.alpha), toward(mean.y, weight.y, now.alpha),
                toward(mean.z, weight.z, now.alpha), toward(mean.w, weight.w, now.alpha));
        }
    }
}
