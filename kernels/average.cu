// Arithmetic on whole arenas: points on curves and planes, and the spread of averaged weights.
//
//   combine   to = sum_j c[row][j] points[j]               row = t, or 0 where there is only one (control may be null);
//             a point whose c is 0 takes no part and is not read; past the last row nothing changes
//   moment    s = (1 - alpha[t]) s + alpha[t] / (1 - alpha[t]) (w - a)^2      after step has moved a; alpha[t] = 1: s = 0
//
// s is SWAG's second moment about the mean: with the table of an equal average the variance of the models averaged so
// far. The published code keeps the mean of squares and subtracts the mean's square, which in float32 leaves noise
// wherever weights vary by less than a thousandth of their size.
//
//   kernel    bytes per parameter                         blocks
//   combine   4 for each point that takes part, and 4, 6 with a copy in bfloat16     quads / 256
//   moment    16 where alpha[t] is not 0 nor 1; 1: 4      quads / 256
//
//   combine(float4* to, const float4* const* points /* (n), in device memory */, u32 n /* <= 32 */,
//           const float* coefficients /* (rows, n) */, u32 rows, const Control*, u32 quads,
//           uint2* copy /* or null */)
//   moment(float4* s, const float4* w, const float4* a, const Control*, u32 steps, u32 quads)
//
// A copy of an arena is the driver's own device-to-device copy.
#include "basin.cuh"

const u32 MAX_POINTS = 32;

extern "C" __global__ void __launch_bounds__(256)
combine(float4* __restrict__ to, const float4* const* __restrict__ points, u32 n,
        const float* __restrict__ coefficients, u32 rows, const Control* __restrict__ control, u32 quads,
        uint2* __restrict__ copy) {
    const u64 row = rows == 1 ? 0 : control->step;
    if (row >= rows) return;
    __shared__ const float4* point[MAX_POINTS];
    __shared__ float c[MAX_POINTS];
    if (threadIdx.x < n) {
        point[threadIdx.x] = points[threadIdx.x];
        c[threadIdx.x] = coefficients[row * n + threadIdx.x];
    }
    __syncthreads();
    float start = 0;
    for (u32 j = 0; j < n; j++) {
        if (c[j] != 0) start = -0.0f;  // what changes no sum, not even the sign of a zero
    }
    for (u32 i = firstIndex(); i < quads; i += gridStride()) {
        float4 sum = make_float4(start, start, start, start);
        for (u32 j = 0; j < n; j++) {
            if (c[j] == 0) continue;
            const float4* from = point[j];
            __builtin_assume(__isGlobal(from));
            const float4 x = from[i];
            sum.x = __fadd_rn(sum.x, __fmul_rn(c[j], x.x));
            sum.y = __fadd_rn(sum.y, __fmul_rn(c[j], x.y));
            sum.z = __fadd_rn(sum.z, __fmul_rn(c[j], x.z));
            sum.w = __fadd_rn(sum.w, __fmul_rn(c[j], x.w));
        }
        to[i] = sum;
        if (copy) copy[i] = rounded(sum);
    }
}

__device__ inline float spread(float s, float w, float a, float keep, float gain) {
    const float d = __fsub_rn(w, a);
    return __fadd_rn(__fmul_rn(keep, s), __fmul_rn(gain, __fmul_rn(d, d)));
}

extern "C" __global__ void __launch_bounds__(256)
moment(float4* __restrict__ s, const float4* __restrict__ w, const float4* __restrict__ a,
       const Control* __restrict__ control, u32 steps, u32 quads) {
    const Pace now = pace(control, steps);
    if (now.stopped || now.alpha == 0) return;
    const float keep = __fsub_rn(1, now.alpha);
    const float gain = __fdiv_rn(now.alpha, keep);
    for (u32 i = firstIndex(); i < quads; i += gridStride()) {
        if (keep == 0) {
            s[i] = make_float4(0, 0, 0, 0);
            continue;
        }
        const float4 x = w[i];
        const float4 m = a[i];
        const float4 v = s[i];
        s[i] = make_float4(
            spread(v.x, x.x, m.x, keep, gain), spread(v.y, x.y, m.y, keep, gain),
            spread(v.z, x.z, m.z, keep, gain), spread(v.w, x.w, m.w, keep, gain));
    }
}
