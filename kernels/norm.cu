// Batch norm's statistics: the population's, merged exactly over batches of any size, and the running ones.
//
// With k = x[0], s = sum (x - k) and q = sum (x - k)^2 over a batch's n rows, in double:
//   batch        mean = k + s/n        squares = q - s^2/n            (k takes away a large mean before it cancels)
//   population   delta = mean_b - mean; N' = N + n                    (Chan, Golub, LeVeque 1979)
//                mean += delta n / N';  squares += squares_b + delta^2 N n / N'
//   running      mean = (1 - m) mean + m mean_b;  var = (1 - m) var + m var_b n / (n - 1)
//   normalise    y = (x - mean) / sqrt(var + eps) scale + shift, then ReLU if asked
//
//   kernel     bytes                                     blocks
//   measure    4 per element, 16 per partial sum         (channels / 32, slabs) of (32, 8) threads
//   merge      per channel: 16 slabs + 60                channels / 8: a warp a channel
//   adopt, commit, reset, remember: per channel          channels / 256
//   normalise  8 per element                             quads / 256
//
//   measure(const float* x /* (rows, channels) */, double2* partial /* (channels, slabs) */, u32 rows, u32 channels)
//   merge(const float* x, const double2* partial, Moments* population /* (channels) */, float* mean, float* var
//         /* of this batch, (channels) */, u32 rows, u32 channels, u32 slabs)
//   adopt(float* runningMean, float* runningVar, const float* mean, const float* var, u32 channels)
//   commit(float* runningMean, float* runningVar, const Moments* population, u32 channels)
//   reset(Moments* population, u32 channels)
//   remember(float* runningMean, float* runningVar, const float* mean, const float* inverse, double m, double eps,
//            u32 rows, u32 channels)       inverse = 1 / sqrt(var + eps), biased, as cuDNN saves it
//   normalise(float* y, const float* x, const float* mean, const float* var, const float* scale, const float* shift,
//             float eps, u32 n, u32 channels, u32 relu)
//
// rows = samples times pixels; a good number of slabs is rows / 256, between 1 and 128.
#include "basin.cuh"

// Of one channel.
struct Moments {
    double count;
    double mean;
    double squares;  // sum of squared deviations from the mean
};

const u32 LANES = 32;   // channels of a block
const u32 STRIPES = 8;  // rows a block reads at once

__device__ inline double2 plus(double2 a, double2 b) { return make_double2(a.x + b.x, a.y + b.y); }

extern "C" __global__ void __launch_bounds__(256)
measure(const float* __restrict__ x, double2* __restrict__ partial, u32 rows, u32 channels) {
    __shared__ double2 sums[STRIPES][LANES];
    const u32 c = blockIdx.x * LANES + threadIdx.x;
    double2 sum = make_double2(0, 0);
    if (c < channels) {
        const double k = x[c];
        for (u32 r = blockIdx.y * STRIPES + threadIdx.y; r < rows; r += gridDim.y * STRIPES) {
            const double d = x[(u64)r * channels + c] - k;
            sum = plus(sum, make_double2(d, d * d));
        }
    }
    sums[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y != 0 || c >= channels) return;
    for (u32 s = 1; s < STRIPES; s++) sum = plus(sum, sums[s][threadIdx.x]);
    partial[(u64)c * gridDim.y + blockIdx.y] = sum;
}

extern "C" __global__ void __launch_bounds__(256)
merge(const float* __restrict__ x, const double2* __restrict__ partial, Moments* __restrict__ population,
      float* __restrict__ mean, float* __restrict__ var, u32 rows, u32 channels, u32 slabs) {
    for (u32 c = firstIndex() / 32; c < channels; c += gridStride() / 32) {
        double2 sum = make_double2(0, 0);
        for (u32 s = threadIdx.x % 32; s < slabs; s += 32) sum = plus(sum, partial[(u64)c * slabs + s]);
        sum = make_double2(warpSum(sum.x), warpSum(sum.y));
        if (threadIdx.x % 32 != 0) continue;
        const double n = rows;
        const double batchMean = x[c] + sum.x / n;
        const double batchSquares = sum.y - sum.x * sum.x / n;
        mean[c] = (float)batchMean;
        var[c] = (float)(batchSquares / n);
        Moments all = population[c];
        const double delta = batchMean - all.mean;
        const double total = all.count + n;
        all.mean += delta * n / total;
        all.squares += batchSquares + delta * delta * all.count * n / total;
        all.count = total;
        population[c] = all;
    }
}

extern "C" __global__ void __launch_bounds__(256)
adopt(float* runningMean, float* runningVar, const float* mean, const float* var, u32 channels) {
    for (u32 c = firstIndex(); c < channels; c += gridStride()) {
        runningMean[c] = mean[c];
        runningVar[c] = var[c];
    }
}

extern "C" __global__ void __launch_bounds__(256)
commit(float* runningMean, float* runningVar, const Moments* population, u32 channels) {
    for (u32 c = firstIndex(); c < channels; c += gridStride()) {
        const Moments all = population[c];
        runningMean[c] = (float)all.mean;
        runningVar[c] = (float)(all.squares / all.count);
    }
}

extern "C" __global__ void __launch_bounds__(256) reset(Moments* population, u32 channels) {
    for (u32 c = firstIndex(); c < channels; c += gridStride()) population[c] = {0, 0, 0};
}

extern "C" __global__ void __launch_bounds__(256)
remember(float* runningMean, float* runningVar, const float* mean, const float* inverse, double m, double eps, u32 rows,
         u32 channels) {
    const double share = rows > 1 ? rows / (rows - 1.0) : 1;
    for (u32 c = firstIndex(); c < channels; c += gridStride()) {
        const double i = inverse[c];
        const double biased = 1 / (i * i) - eps;
        runningMean[c] = (float)((1 - m) * runningMean[c] + m * mean[c]);
        runningVar[c] = (float)((1 - m) * runningVar[c] + m * share * biased);
    }
}

extern "C" __global__ void __launch_bounds__(256)
normalise(float* y, const float* x, const float* mean, const float* var, const float* scale, const float* shift,
          float eps, u32 n, u32 channels, u32 relu) {
    each(y, x, n, [=](float v, u32 i) {
        const u32 c = i % channels;
        const float z = (v - mean[c]) * (scale[c] * rsqrtf(var[c] + eps)) + shift[c];
        return relu && z < 0 ? 0 : z;
    });
}
