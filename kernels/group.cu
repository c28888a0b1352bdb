// Group norm (Wu and He 2018, arXiv 1803.08494): a sample's channels in groups, each normalised by its own moments.
//
//   forward    mean, var over a group's P pixels and W channels, var biased; r = 1 / sqrt(var + eps)
//              z = (x - mean) r      y = z scale[c] + shift[c]
//   backward   dShift = sum dy      dScale = sum dy z      over samples and pixels
//              dx = r (dy scale - a - z b)      a, b = means over the group of dy scale and of dy scale z
//
//   kernel            bytes                                            blocks
//   groupNorm         16 per element: x is read three times            a group
//   groupSums         8 per element                                    (samples, channels / 32) of (32, 8)
//   groupParameters   per channel: 8 samples + 8                       channels / 256
//   groupGradient     12 per element                                   a group
//
// "a group" is a grid of N G blocks of (lanes, 256 / lanes) threads, lanes a power of two up to 32: side by side over the
// group's channels, above one another over its pixels. x lies as (N, P, C). A sum is float32 in a thread and double over
// them, always in one order; the mean is found before the squares, so that a large one does not cancel.
//
//   groupNorm(float* y, const float* x, float2* moments /* (N, G): mean, r */, const float* scale, const float* shift,
//             float eps, u32 channels, u32 groups, u32 pixels)
//   groupSums(const float* x, const float* dy, const float2* moments, float2* sums /* (N, C): sum dy, sum dy z */,
//             u32 channels, u32 groups, u32 pixels)
//   groupParameters(const float2* sums, float* dScale, float* dShift, u32 samples, u32 channels)
//   groupGradient(float* dx, const float* x, const float* dy, const float2* moments, const float2* sums, const float* scale,
//                 u32 channels, u32 groups, u32 pixels)
//   groupNormBf16(...)     with bf16* for x, y, dx and dy
//   groupSumsBf16(...)
//   groupGradientBf16(...)
#include "basin.cuh"

const u32 WARPS = 8;

// The same in every thread of the block.
__device__ inline double blockSum(double v) {
    __shared__ double sums[WARPS];
    const u32 thread = threadIdx.y * blockDim.x + threadIdx.x;
    v = warpSum(v);
    __syncthreads();
    if (thread % 32 == 0) sums[thread / 32] = v;
    __syncthreads();
    v = 0;
    for (u32 w = 0; w < WARPS; w++) v += sums[w];
    return v;
}

// The block's group, of a sample.
struct Group {
    u32 first;    // channel
    u32 width;    // channels
    u32 channels;
    u32 pixels;
    u64 sample;   // where it begins

    __device__ Group(u32 channels, u32 groups, u32 pixels)
        : first(blockIdx.x % groups * (channels / groups)),
          width(channels / groups),
          channels(channels),
          pixels(pixels),
          sample((u64)(blockIdx.x / groups) * pixels * channels) {}

    // f(element, channel) for the thread's share.
    template <class F>
    __device__ void each(F f) const {
        for (u32 c = first + threadIdx.x; c < first + width; c += blockDim.x) {
            for (u32 p = threadIdx.y; p < pixels; p += blockDim.y) f(sample + (u64)p * channels + c, c);
        }
    }
};

template <class V>
__device__ inline void normaliseGroup(V* y, const V* x, float2* moments, const float* scale, const float* shift, float eps,
                                      const Group& group) {
    const double count = (double)group.pixels * group.width;
    const float pivot = get(x + group.sample + group.first);
    float sum = 0;
    group.each([&](u64 i, u32) { sum += get(x + i) - pivot; });
    const float mean = (float)(pivot + blockSum(sum) / count);
    float squares = 0;
    group.each([&](u64 i, u32) {
        const float d = get(x + i) - mean;
        squares += d * d;
    });
    const float r = (float)(1 / sqrt(blockSum(squares) / count + eps));
    if (threadIdx.x == 0 && threadIdx.y == 0) moments[blockIdx.x] = make_float2(mean, r);
    group.each([&](u64 i, u32 c) { set(y + i, (get(x + i) - mean) * r * scale[c] + shift[c]); });
}

template <class V>
__device__ inline void sumGroup(const V* x, const V* dy, const float2* moments, float2* sums, u32 channels, u32 groups,
                                u32 pixels) {
    __shared__ float2 partial[WARPS][32];
    const u32 c = blockIdx.y * 32 + threadIdx.x;
    const u32 n = blockIdx.x;
    float2 sum = make_float2(0, 0);
    if (c < channels) {
        const float2 m = moments[n * groups + c / (channels / groups)];
        for (u32 p = threadIdx.y; p < pixels; p += WARPS) {
            const u64 i = ((u64)n * pixels + p) * channels + c;
            const float d = get(dy + i);
            sum.x += d;
            sum.y += d * (get(x + i) - m.x) * m.y;
        }
    }
    partial[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y != 0 || c >= channels) return;
    for (u32 w = 1; w < WARPS; w++) {
        sum.x += partial[w][threadIdx.x].x;
        sum.y += partial[w][threadIdx.x].y;
    }
    sums[n * channels + c] = sum;
}

template <class V>
__device__ inline void descendGroup(V* dx, const V* x, const V* dy, const float2* moments, const float2* sums,
                                    const float* scale, const Group& group, u32 groups) {
    const u64 row = (u64)(blockIdx.x / groups) * group.channels;
    double level = 0;
    double slope = 0;
    for (u32 c = threadIdx.y * blockDim.x + threadIdx.x; c < group.width; c += blockDim.x * blockDim.y) {
        const float2 s = sums[row + group.first + c];
        level += (double)s.x * scale[group.first + c];
        slope += (double)s.y * scale[group.first + c];
    }
    const double count = (double)group.pixels * group.width;
    const float a = (float)(blockSum(level) / count);
    const float b = (float)(blockSum(slope) / count);
    const float2 m = moments[blockIdx.x];
    group.each([&](u64 i, u32 c) {
        const float z = (get(x + i) - m.x) * m.y;
        set(dx + i, m.y * (get(dy + i) * scale[c] - a - z * b));
    });
}

extern "C" __global__ void __launch_bounds__(256)
groupNorm(float* __restrict__ y, const float* __restrict__ x, float2* __restrict__ moments, const float* __restrict__ scale,
          const float* __restrict__ shift, float eps, u32 channels, u32 groups, u32 pixels) {
    normaliseGroup(y, x, moments, scale, shift, eps, Group(channels, groups, pixels));
}

extern "C" __global__ void __launch_bounds__(256)
groupNormBf16(bf16* __restrict__ y, const bf16* __restrict__ x, float2* __restrict__ moments,
              const float* __restrict__ scale, const float* __restrict__ shift, float eps, u32 channels, u32 groups,
              u32 pixels) {
    normaliseGroup(y, x, moments, scale, shift, eps, Group(channels, groups, pixels));
}

extern "C" __global__ void __launch_bounds__(256)
groupSums(const float* __restrict__ x, const float* __restrict__ dy, const float2* __restrict__ moments,
          float2* __restrict__ sums, u32 channels, u32 groups, u32 pixels) {
    sumGroup(x, dy, moments, sums, channels, groups, pixels);
}

extern "C" __global__ void __launch_bounds__(256)
groupSumsBf16(const bf16* __restrict__ x, const bf16* __restrict__ dy, const float2* __restrict__ moments,
              float2* __restrict__ sums, u32 channels, u32 groups, u32 pixels) {
    sumGroup(x, dy, moments, sums, channels, groups, pixels);
}

extern "C" __global__ void __launch_bounds__(256)
groupParameters(const float2* __restrict__ sums, float* __restrict__ dScale, float* __restrict__ dShift, u32 samples,
                u32 channels) {
    for (u32 c = firstIndex(); c < channels; c += gridStride()) {
        double shift = 0;
        double scale = 0;
        for (u32 n = 0; n < samples; n++) {
            const float2 s = sums[(u64)n * channels + c];
            shift += s.x;
            scale += s.y;
        }
        dShift[c] = (float)shift;
        dScale[c] = (float)scale;
    }
}

extern "C" __global__ void __launch_bounds__(256)
groupGradient(float* __restrict__ dx, const float* __restrict__ x, const float* __restrict__ dy,
              const float2* __restrict__ moments, const float2* __restrict__ sums, const float* __restrict__ scale,
              u32 channels, u32 groups, u32 pixels) {
    descendGroup(dx, x, dy, moments, sums, scale, Group(channels, groups, pixels), groups);
}

extern "C" __global__ void __launch_bounds__(256)
groupGradientBf16(bf16* __restrict__ dx, const bf16* __restrict__ x, const bf16* __restrict__ dy,
                  const float2* __restrict__ moments, const float2* __restrict__ sums, const float* __restrict__ scale,
                  u32 channels, u32 groups, u32 pixels) {
    descendGroup(dx, x, dy, moments, sums, scale, Group(channels, groups, pixels), groups);
}
