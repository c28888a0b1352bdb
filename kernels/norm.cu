// Batch norm's statistics: the population's, merged exactly over batches of any size, and the running ones.
//
// With k = x[0], s = sum (x - k) and q = sum (x - k)^2 over a batch's n rows, in double:
//   batch        mean = k + s/n        squares = q - s^2/n            (k takes away a large mean before it cancels)
//   population   delta = mean_b - mean; N' = N + n                    (Chan, Golub, LeVeque 1979)
//                mean += delta n / N';  squares += squares_b + delta^2 N n / N'
//   running      mean = (1 - m) mean + m mean_b;  var = (1 - m) var + m var_b n / (n - 1)
//
//   kernel     bytes                                     blocks
//   measure    4 per element, 16 per partial sum         (channels / 32, slabs) of (32, 8) threads
//   merge      per channel: 16 slabs + 60                channels / 256
//   adopt, commit, reset, remember: per channel          channels / 256
//
//   measure(const float* x /* (rows, channels) */, double2* partial /* (slabs, channels) */, u32 rows, u32 channels)
//   merge(const float* x, const double2* partial, Moments* population /* (channels) */, float* mean, float* var
//         /* of this batch, (channels) */, u32 rows, u32 channels, u32 slabs)
//   adopt(float* runningMean, float* runningVar, const float* mean, const float* var, u32 channels)
//   commit(float* runningMean, float* runningVar, const Moments* population, u32 channels)
//   reset(Moments* population, u32 channels)
//   remember(float* runningMean, float* runningVar, const float* mean, const float* inverse, double m, double eps,
//            u32 rows, u32 channels)       inverse = 1 / sqrt(var + eps), biased, as cuDNN saves it
//   normalise(float* y, const float* x, const float* mean, const float* var, const float* scale, const float* shift,
//             float eps, u32 rows, u32 channels, u32 relu)
//
// rows = samples times pixels; a good number of slabs is rows / 256, between 1 and 128.
#include "basin.cuh"

// Of one channel.
struct Moments {
    double count;
    double mean;
    double squares;  // sum of squared deviations from the mean
};
