// Batch norm: training, evaluation and the population's statistics, each tensor passed over as seldom as can be.
//
//   batch        mean, var of each channel over the batch's n rows, var biased
//   forward      z = (x - mean) factor + shift [+ residual]      y = z, or z < 0 ? 0 : z      factor = scale / sqrt(var + eps)
//   backward     g = dy, or z > 0 ? dy : 0
//                dShift = sum g      dScale = sum g (x - mean) / sqrt(var + eps)
//                dx = factor (g - dShift / n - (x - mean) dScale / (n sqrt(var + eps)))      dresidual = g
//   running      mean = (1 - m) mean + m mean_b;  var = (1 - m) var + m var_b n / (n - 1)
//   population   delta = mean_b - mean; N' = N + n                    (Chan, Golub, LeVeque 1979)
//                mean += delta n / N';  squares += squares_b + delta^2 N n / N'
//
// A batch is summed in three stages, in a fixed order. A thread sums d = x - k and d^2 with k its own first row, so that
// neither a large mean nor one far value elsewhere cancels; a block merges its threads' (n, mean, squares) pairwise by
// Chan's rule; then a warp a channel adds the blocks'. Means are kept relative to the channel's pivot x[0]. The first two
// stages are float32 in training (moments) and double for the population (measure), the last is always double.
// Backward takes its ReLU's mask from x, by the forward's own arithmetic. With a residual it takes it from y, and
// gradientSums leaves g, the residual's gradient, for inputGradient to read as dy with relu = 0.
//
//   kernel               bytes                                               blocks
//   moments, measure     4 per element                                       rows
//   finalise             per channel: 8 slabs + 28                           channels / 8: a warp a channel
//   normalise            8 per element, 12 with residual                     rows
//   gradientSums         8 per element; 16 with residual and ReLU            rows
//   parameterGradients   per channel: 8 slabs + 12                           channels / 8
//   inputGradient        12 per element                                      rows
//   merge                per channel: 16 slabs + 60                          channels / 8
//   adopt, commit, reset per channel                                         channels / 256
//
// In all 12 per element forward (16 with residual) and 20 backward (28 with residual and ReLU): 3 and 5 passes. The kernels
// over rows also read their vectors once a thread and leave 8 per channel and slab, measure 16. Each has a twin for bfloat16 elements,
// which take half of the bytes: momentsBf16, measureBf16, normaliseBf16, gradientSumsBf16, inputGradientBf16, with bf16*
// for x, y, residual, dy, g and dx.
//
// "rows" is a grid (packs / lanes, slabs) of (lanes, 256 / lanes) threads, lanes a power of two up to 32. A pack is what a
// thread takes of a row: 16 bytes where those divide it, else one element. Slab s is rows [s l, (s + 1) l), l = ceil(rows / slabs).
//
//   moments(const float* x /* (rows, channels) */, Two<float>* partial /* (channels, slabs): mean - pivot, squares */,
//           float* pivot /* (channels) */, u32 rows, u32 channels)
//   measure(const float* x, Two<double>* partial, float* pivot, u32 rows, u32 channels)
//   finalise(const Two<float>* partial, const float* pivot, float* mean, float* var, float* runningMean, float* runningVar,
//            const float* bias /* that x lacks, or null */, double m, u32 rows, u32 channels, u32 slabs)
//   normalise(float* y, const float* x, const float* residual /* or null */, const float* mean, const float* var,
//             const float* scale, const float* shift, float eps, u32 rows, u32 channels, u32 relu)
//   gradientSums(const float* x, const float* dy, const float* y, float* g /* both null, or neither */, const float* mean,
//                const float* var, const float* scale, const float* shift, Two<float>* partial /* (channels, slabs): sum g,
//                sum g (x - mean) */, float eps, u32 rows, u32 channels, u32 relu)
//   parameterGradients(const Two<float>* partial, const float* var, float* dScale, float* dShift, float eps, u32 channels,
//                      u32 slabs)
//   inputGradient(float* dx, const float* x, const float* dy, const float* mean, const float* var, const float* scale,
//                 const float* shift, const float* dScale, const float* dShift, float eps, u32 rows, u32 channels, u32 relu)
//   merge(const Two<double>* partial, const float* pivot, Moments* population /* (channels) */, float* mean, float* var
//         /* of this batch, (channels) */, u32 rows, u32 channels, u32 slabs)
//   adopt(float* runningMean, float* runningVar, const float* mean, const float* var, u32 channels)
//   commit(float* runningMean, float* runningVar, const Moments* population, u32 channels)
//   reset(Moments* population, u32 channels)
//   momentsBf16(...)
//   measureBf16(...)
//   normaliseBf16(...)
//   gradientSumsBf16(...)
//   inputGradientBf16(...)
//
// rows = samples times pixels.
#include "basin.cuh"

const u32 THREADS = 256;

// Of one channel.
struct Moments {
    double count;
    double mean;
    double squares;  // sum of squared deviations from the mean
};

// Of one channel and slab.
template <class A>
struct alignas(2 * sizeof(A)) Two {
    A x;
    A y;
};

// Of a pack of channels over some rows; means are relative to the pivots.
template <int W, class A>
struct Spread {
    A count;
    A mean[W];
    A squares[W];

    __device__ void take(const Spread& other) {
        const A total = count + other.count;
        const A share = total > 0 ? other.count / total : 0;
        for (int w = 0; w < W; w++) {
            const A delta = other.mean[w] - mean[w];
            mean[w] += delta * share;
            squares[w] += other.squares[w] + delta * delta * count * share;
        }
        count = total;
    }
};

// Of a pack of channels: sum of g, and of g (x - mean).
template <int W>
struct Sums {
    float g[W];
    float product[W];

    __device__ void take(const Sums& other) {
        for (int w = 0; w < W; w++) {
            g[w] += other.g[w];
            product[w] += other.product[w];
        }
    }
};

// Forward's arithmetic, and backward's where it asks for z's sign: one expression, so that both round alike.
template <int W>
struct Affine {
    float mean[W];
    float deviation[W];  // 1 / sqrt(var + eps)
    float factor[W];
    float shift[W];

    __device__ Affine(const float* means, const float* vars, const float* scales, const float* shifts, float eps, u32 c) {
        load(mean, means + c);
        load(deviation, vars + c);
        load(factor, scales + c);
        load(shift, shifts + c);
        for (int w = 0; w < W; w++) {
            deviation[w] = rsqrtf(__fadd_rn(deviation[w], eps));
            factor[w] = __fmul_rn(factor[w], deviation[w]);
        }
    }

    __device__ float centred(float x, int w) const { return __fsub_rn(x, mean[w]); }

    __device__ float operator()(float x, int w) const { return __fmaf_rn(centred(x, w), factor[w], shift[w]); }
};

template <int W>
__device__ inline u32 firstChannel() {
    return (blockIdx.x * blockDim.x + threadIdx.x) * W;
}

__device__ inline u32 slabRows(u32 rows, u32 slabs) { return (rows + slabs - 1) / slabs; }

// f(r) for the thread's rows of the block's slab; as many at a time as leave registers for other blocks.
template <int W, class F>
__device__ inline void eachRow(u32 rows, F f) {
    const u32 length = slabRows(rows, gridDim.y);
    const u32 first = blockIdx.y * length;
    const u32 end = min(rows, first + length);
#pragma unroll(W == 8 ? 2 : 4)
    for (u32 r = first + threadIdx.y; r < end; r += blockDim.y) f(r);
}

// The sum over all stripes of the block, for its first stripe.
template <class T>
__device__ inline T overStripes(T own, T* shared) {
    T* mine = shared + threadIdx.y * blockDim.x + threadIdx.x;
    *mine = own;
    for (u32 half = blockDim.y / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.y < half) {
            own.take(mine[half * blockDim.x]);
            *mine = own;
        }
    }
    return own;
}

template <int W, class A>
__device__ inline void leave(Two<A>* partial, u32 c, u32 channels, const A (&a)[W], const A (&b)[W]) {
    if (threadIdx.y != 0 || c >= channels) return;
    for (int w = 0; w < W; w++) partial[(u64)(c + w) * gridDim.y + blockIdx.y] = {a[w], b[w]};
}

template <int W, class V, class A>
__device__ inline void measureRows(const V* x, Two<A>* partial, float* pivots, u32 rows, u32 channels) {
    __shared__ Spread<W, A> shared[THREADS];
    const u32 c = firstChannel<W>();
    Spread<W, A> own = {};
    if (c < channels) {
        float pivot[W], k[W];
        A sum[W] = {}, squares[W] = {};
        load(pivot, x + c);
        u32 n = 0;
        eachRow<W>(rows, [&](u32 r) {
            float v[W];
            load(v, x + r * channels + c);
            for (int w = 0; w < W; w++) {
                if (n == 0) k[w] = v[w];
                const A d = (A)v[w] - k[w];
                sum[w] += d;
                squares[w] += d * d;
            }
            n++;
        });
        own.count = n;
        for (int w = 0; w < W && n > 0; w++) {
            const A d = sum[w] / own.count;
            const A rest = squares[w] - sum[w] * d;
            own.mean[w] = ((A)k[w] - pivot[w]) + d;
            own.squares[w] = rest < 0 ? 0 : rest;
        }
        if (blockIdx.y == 0 && threadIdx.y == 0) {
            for (int w = 0; w < W; w++) pivots[c + w] = pivot[w];
        }
    }
    own = overStripes(own, shared);
    leave(partial, c, channels, own.mean, own.squares);
}

template <int W, class V>
__device__ inline void normaliseRows(V* y, const V* x, const V* residual, const float* mean, const float* var,
                                     const float* scale, const float* shift, float eps, u32 rows, u32 channels, u32 relu) {
    const u32 c = firstChannel<W>();
    if (c >= channels) return;
    const Affine<W> affine(mean, var, scale, shift, eps, c);
    eachRow<W>(rows, [&](u32 r) {
        const u32 at = r * channels + c;
        float v[W], add[W] = {};
        load(v, x + at);
        if (residual) load(add, residual + at);
        for (int w = 0; w < W; w++) {
            const float z = affine(v[w], w);
            v[w] = residual ? z + add[w] : z;
            if (relu && v[w] < 0) v[w] = 0;
        }
        store(y + at, v);
    });
}

template <int W, class V>
__device__ inline void sumRows(const V* x, const V* dy, const V* y, V* g, const float* mean, const float* var,
                               const float* scale, const float* shift, Two<float>* partial, float eps, u32 rows,
                               u32 channels, u32 relu) {
    __shared__ Sums<W> shared[THREADS];
    const u32 c = firstChannel<W>();
    Sums<W> own = {};
    if (c < channels) {
        const Affine<W> affine(mean, var, scale, shift, eps, c);
        eachRow<W>(rows, [&](u32 r) {
            const u32 at = r * channels + c;
            float v[W], d[W], sign[W];
            load(v, x + at);
            load(d, dy + at);
            if (y) load(sign, y + at);
            for (int w = 0; w < W; w++) {
                if (relu && !((y ? sign[w] : affine(v[w], w)) > 0)) d[w] = 0;
                own.g[w] += d[w];
                own.product[w] += d[w] * affine.centred(v[w], w);
            }
            if (g) store(g + at, d);
        });
    }
    own = overStripes(own, shared);
    leave(partial, c, channels, own.g, own.product);
}

template <int W, class V>
__device__ inline void descendRows(V* dx, const V* x, const V* dy, const float* mean, const float* var,
                                   const float* scale, const float* shift, const float* dScale, const float* dShift,
                                   float eps, u32 rows, u32 channels, u32 relu) {
    const u32 c = firstChannel<W>();
    if (c >= channels) return;
    const Affine<W> affine(mean, var, scale, shift, eps, c);
    float slope[W], level[W];
    load(slope, dScale + c);
    load(level, dShift + c);
    const float share = __frcp_rn((float)rows);
    for (int w = 0; w < W; w++) {
        slope[w] *= affine.deviation[w] * share;
        level[w] *= share;
    }
    eachRow<W>(rows, [&](u32 r) {
        const u32 at = r * channels + c;
        float v[W], d[W];
        load(v, x + at);
        load(d, dy + at);
        for (int w = 0; w < W; w++) {
            if (relu && !(affine(v[w], w) > 0)) d[w] = 0;
            d[w] = affine.factor[w] * (d[w] - level[w] - affine.centred(v[w], w) * slope[w]);
        }
        store(dx + at, d);
    });
}

// A batch's moments of channel c, by a warp; the mean is relative to the pivot.
template <class A>
__device__ inline Moments batchMoments(const Two<A>* partial, u32 c, u32 rows, u32 slabs) {
    const u32 length = slabRows(rows, slabs);
    double sum = 0;
    double squares = 0;
    for (u32 s = threadIdx.x % 32; s < slabs && s * length < rows; s += 32) {
        const double n = min(length, rows - s * length);
        const Two<A> p = partial[(u64)c * slabs + s];
        sum += n * p.x;
        squares += p.y + n * p.x * p.x;
    }
    sum = warpSum(sum);
    const double mean = sum / rows;
    return {(double)rows, mean, warpSum(squares) - sum * mean};
}

extern "C" __global__ void __launch_bounds__(256)
moments(const float* __restrict__ x, Two<float>* __restrict__ partial, float* __restrict__ pivot, u32 rows,
        u32 channels) {
    if (channels % 4 == 0) measureRows<4>(x, partial, pivot, rows, channels);
    else measureRows<1>(x, partial, pivot, rows, channels);
}

extern "C" __global__ void __launch_bounds__(256)
momentsBf16(const bf16* __restrict__ x, Two<float>* __restrict__ partial, float* __restrict__ pivot, u32 rows,
            u32 channels) {
    if (channels % 8 == 0) measureRows<8>(x, partial, pivot, rows, channels);
    else measureRows<1>(x, partial, pivot, rows, channels);
}

// Three blocks, for ptxas would spill to fit a fourth.
extern "C" __global__ void __launch_bounds__(256, 3)
measure(const float* __restrict__ x, Two<double>* __restrict__ partial, float* __restrict__ pivot, u32 rows,
        u32 channels) {
    if (channels % 4 == 0) measureRows<4>(x, partial, pivot, rows, channels);
    else measureRows<1>(x, partial, pivot, rows, channels);
}

extern "C" __global__ void __launch_bounds__(256)
measureBf16(const bf16* __restrict__ x, Two<double>* __restrict__ partial, float* __restrict__ pivot, u32 rows,
            u32 channels) {
    if (channels % 8 == 0) measureRows<8>(x, partial, pivot, rows, channels);
    else measureRows<1>(x, partial, pivot, rows, channels);
}

extern "C" __global__ void __launch_bounds__(256)
finalise(const Two<float>* __restrict__ partial, const float* __restrict__ pivot, float* __restrict__ mean,
         float* __restrict__ var, float* __restrict__ runningMean, float* __restrict__ runningVar,
         const float* __restrict__ bias, double m, u32 rows, u32 channels, u32 slabs) {
    const double unbiased = rows > 1 ? rows - 1.0 : 1;
    for (u32 c = firstIndex() / 32; c < channels; c += gridStride() / 32) {
        const Moments batch = batchMoments(partial, c, rows, slabs);
        if (threadIdx.x % 32 != 0) continue;
        const double batchMean = pivot[c] + batch.mean;
        mean[c] = (float)batchMean;
        var[c] = (float)(batch.squares / rows);
        const double biased = bias ? batchMean + bias[c] : batchMean;
        runningMean[c] = (float)((1 - m) * runningMean[c] + m * biased);
        runningVar[c] = (float)((1 - m) * runningVar[c] + m * batch.squares / unbiased);
    }
}

extern "C" __global__ void __launch_bounds__(256)
normalise(float* __restrict__ y, const float* __restrict__ x, const float* __restrict__ residual,
          const float* __restrict__ mean, const float* __restrict__ var, const float* __restrict__ scale,
          const float* __restrict__ shift, float eps, u32 rows, u32 channels, u32 relu) {
    if (channels % 4 == 0) normaliseRows<4>(y, x, residual, mean, var, scale, shift, eps, rows, channels, relu);
    else normaliseRows<1>(y, x, residual, mean, var, scale, shift, eps, rows, channels, relu);
}

// Four blocks, for ptxas would spill to fit a fifth.
extern "C" __global__ void __launch_bounds__(256, 4)
normaliseBf16(bf16* __restrict__ y, const bf16* __restrict__ x, const bf16* __restrict__ residual,
              const float* __restrict__ mean, const float* __restrict__ var, const float* __restrict__ scale,
              const float* __restrict__ shift, float eps, u32 rows, u32 channels, u32 relu) {
    if (channels % 8 == 0) normaliseRows<8>(y, x, residual, mean, var, scale, shift, eps, rows, channels, relu);
    else normaliseRows<1>(y, x, residual, mean, var, scale, shift, eps, rows, channels, relu);
}

extern "C" __global__ void __launch_bounds__(256)
gradientSums(const float* __restrict__ x, const float* __restrict__ dy, const float* __restrict__ y,
             float* __restrict__ g, const float* __restrict__ mean, const float* __restrict__ var,
             const float* __restrict__ scale, const float* __restrict__ shift, Two<float>* __restrict__ partial, float eps,
             u32 rows, u32 channels, u32 relu) {
    if (channels % 4 == 0) sumRows<4>(x, dy, y, g, mean, var, scale, shift, partial, eps, rows, channels, relu);
    else sumRows<1>(x, dy, y, g, mean, var, scale, shift, partial, eps, rows, channels, relu);
}

extern "C" __global__ void __launch_bounds__(256)
gradientSumsBf16(const bf16* __restrict__ x, const bf16* __restrict__ dy, const bf16* __restrict__ y,
                 bf16* __restrict__ g, const float* __restrict__ mean, const float* __restrict__ var,
                 const float* __restrict__ scale, const float* __restrict__ shift, Two<float>* __restrict__ partial,
                 float eps, u32 rows, u32 channels, u32 relu) {
    if (channels % 8 == 0) sumRows<8>(x, dy, y, g, mean, var, scale, shift, partial, eps, rows, channels, relu);
    else sumRows<1>(x, dy, y, g, mean, var, scale, shift, partial, eps, rows, channels, relu);
}

extern "C" __global__ void __launch_bounds__(256)
parameterGradients(const Two<float>* __restrict__ partial, const float* __restrict__ var, float* __restrict__ dScale,
                   float* __restrict__ dShift, float eps, u32 channels, u32 slabs) {
    for (u32 c = firstIndex() / 32; c < channels; c += gridStride() / 32) {
        double g = 0;
        double product = 0;
        for (u32 s = threadIdx.x % 32; s < slabs; s += 32) {
            const Two<float> p = partial[(u64)c * slabs + s];
            g += p.x;
            product += p.y;
        }
        g = warpSum(g);
        product = warpSum(product);
        if (threadIdx.x % 32 != 0) continue;
        dShift[c] = (float)g;
        dScale[c] = (float)(product * rsqrtf(__fadd_rn(var[c], eps)));
    }
}

extern "C" __global__ void __launch_bounds__(256)
inputGradient(float* __restrict__ dx, const float* __restrict__ x, const float* __restrict__ dy,
              const float* __restrict__ mean, const float* __restrict__ var, const float* __restrict__ scale,
              const float* __restrict__ shift, const float* __restrict__ dScale, const float* __restrict__ dShift,
              float eps, u32 rows, u32 channels, u32 relu) {
    if (channels % 4 == 0) {
        descendRows<4>(dx, x, dy, mean, var, scale, shift, dScale, dShift, eps, rows, channels, relu);
    } else {
        descendRows<1>(dx, x, dy, mean, var, scale, shift, dScale, dShift, eps, rows, channels, relu);
    }
}

extern "C" __global__ void __launch_bounds__(256)
inputGradientBf16(bf16* __restrict__ dx, const bf16* __restrict__ x, const bf16* __restrict__ dy,
                  const float* __restrict__ mean, const float* __restrict__ var, const float* __restrict__ scale,
                  const float* __restrict__ shift, const float* __restrict__ dScale, const float* __restrict__ dShift,
                  float eps, u32 rows, u32 channels, u32 relu) {
    if (channels % 8 == 0) {
        descendRows<8>(dx, x, dy, mean, var, scale, shift, dScale, dShift, eps, rows, channels, relu);
    } else {
        descendRows<1>(dx, x, dy, mean, var, scale, shift, dScale, dShift, eps, rows, channels, relu);
    }
}

extern "C" __global__ void __launch_bounds__(256)
merge(const Two<double>* __restrict__ partial, const float* __restrict__ pivot, Moments* __restrict__ population,
      float* __restrict__ mean, float* __restrict__ var, u32 rows, u32 channels, u32 slabs) {
    for (u32 c = firstIndex() / 32; c < channels; c += gridStride() / 32) {
        const Moments batch = batchMoments(partial, c, rows, slabs);
        if (threadIdx.x % 32 != 0) continue;
        const double batchMean = pivot[c] + batch.mean;
        mean[c] = (float)batchMean;
        var[c] = (float)(batch.squares / rows);
        Moments all = population[c];
        const double delta = batchMean - all.mean;
        const double total = all.count + rows;
        all.mean += delta * rows / total;
        all.squares += batch.squares + delta * delta * all.count * rows / total;
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
