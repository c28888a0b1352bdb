// Loss, predictions, hits, and the gradient of the logits, in one pass over (N, K).
//
//   loss                 q_k = (1 - s) [k = y] + s / K      - sum_k q_k log p_k, p = softmax(x)     (p_k - q_k) / N
//                        of mixed rows [k = y] is m [k = y] + (1 - m) [k = y'], m the share, y' the other label
//   squaredError         mean_k (x_k - y_k)^2, prediction x                                         2 (x_k - y_k) / (N K)
//   binaryCrossEntropy   mean_k (max(x, 0) - x y + log(1 + exp(-|x|))), p = 1 / (1 + exp(-x))       (p_k - y_k) / (N K)
//
// Rows labelled below 0, or whose first target is not a number, do not count and have gradient 0. Exponentials and logarithms are taken in double, as on the
// CPU: N K of them are nothing beside the net. The sums of `total` run in a fixed order.
//
//   kernel   bytes                                        blocks
//   loss     per logit 4 read (again from cache), 8 written; per row 4 read, of mixed ones 12, 16 written      rows / 8: a warp a row
//   squaredError, binaryCrossEntropy    per logit 8 read, 8 written; per row 16 written      rows / 8: a warp a row
//   total    16 per row                                   1 of 32 threads
//
//   loss(const float* logits /* (N, K) */, const int* labels /* (N), of mixed rows (3, N): y, y', bits of m */,
//        float* probabilities /* (N, K) */,
//        float* gradient /* (N, K), or null in evaluation */, Row* result /* (N), 16 bytes each */, u32 rows, u32 classes,
//        double smoothing, u32 mixed)
//   squaredError(const float* logits, const float* targets /* (N, K) */, float* predictions, float* gradient, Row* result,
//        u32 rows, u32 outputs)
//   binaryCrossEntropy(the same)
//   total(const Row* result, Control*, u32 rows)
//   lossBf16(...)                  with bf16* for logits and gradient; predictions stay float32
//   squaredErrorBf16(...)
//   binaryCrossEntropyBf16(...)
#include "basin.cuh"

struct Row {
    double loss;
    u32 hit;
    u32 seen;
};

template <class V>
__device__ inline void overLabels(const V* logits, const int* labels, float* probabilities, V* gradient, Row* result,
                                  u32 rows, u32 classes, double smoothing, u32 mixed) {
    const u32 lane = threadIdx.x % 32;
    const double share = smoothing / classes;
    for (u32 row = firstIndex() / 32; row < rows; row += gridStride() / 32) {
        const u64 from = (u64)row * classes;
        const V* x = logits + from;
        const int label = labels[row];
        const int other = mixed ? labels[rows + row] : label;
        const double m = mixed ? __uint_as_float((u32)labels[2 * rows + row]) : 1;
        const Best<float> best = warpBest<float>(classes, [=](u32 k) { return get(x + k); });
        const double max = best.value;
        double sum = 0;
        for (u32 k = lane; k < classes; k += 32) sum += exp(get(x + k) - max);
        const double logSum = log(warpSum(sum));
        double all = 0;
        for (u32 k = lane; k < classes; k += 32) {
            const double logP = get(x + k) - max - logSum;
            const double p = exp(logP);
            all += logP;
            probabilities[from + k] = (float)p;
            if (gradient == nullptr) continue;
            const double both = ((int)k == label ? m : 0) + ((int)k == other ? 1 - m : 0);
            const double q = share + (1 - smoothing) * both;
            set(gradient + from + k, label < 0 ? 0 : (float)((p - q) / rows));
        }
        all = warpSum(all);
        if (lane != 0) continue;
        Row r = {0, 0, 0};
        if (label >= 0) {
            const double logP = get(x + label) - max - logSum;
            r.loss = -(1 - smoothing) * (m == 1 ? logP : m * logP + (1 - m) * (get(x + other) - max - logSum));
            if (smoothing > 0) r.loss -= share * all;
            r.hit = (int)best.index == (m < 0.5 ? other : label);
            r.seen = 1;
        }
        result[row] = r;
    }
}

// One term of a loss over float targets: its value, the prediction, the gradient before the mean, and whether it is a hit.
struct Term {
    double loss;
    double prediction;
    double gradient;
    bool hit;
};

template <class V, class F>
__device__ inline void overTargets(const V* logits, const float* targets, float* predictions, V* gradient,
                                   Row* result, u32 rows, u32 outputs, F term) {
    const u32 lane = threadIdx.x % 32;
    for (u32 row = firstIndex() / 32; row < rows; row += gridStride() / 32) {
        const u64 from = (u64)row * outputs;
        const float first = targets[from];
        const bool absent = first != first;
        double sum = 0;
        u32 misses = 0;
        for (u32 k = lane; k < outputs; k += 32) {
            const Term t = term((double)get(logits + from + k), (double)targets[from + k]);
            sum += t.loss;
            misses += t.hit ? 0 : 1;
            predictions[from + k] = (float)t.prediction;
            if (gradient == nullptr) continue;
            set(gradient + from + k, absent ? 0 : (float)(t.gradient / ((double)rows * outputs)));
        }
        sum = warpSum(sum);
        misses = warpSum(misses);
        if (lane != 0) continue;
        Row r = {0, 0, 0};
        if (!absent) {
            r.loss = sum / outputs;
            r.hit = misses == 0;
            r.seen = 1;
        }
        result[row] = r;
    }
}

__device__ inline Term squared(double x, double y) { return Term{(x - y) * (x - y), x, 2 * (x - y), false}; }

__device__ inline Term binary(double x, double y) {
    const double z = exp(x > 0 ? -x : x);
    const double p = (x > 0 ? 1 : z) / (1 + z);
    const double loss = (x > 0 ? x : 0) - x * y + log(1 + z);
    return Term{loss, p, (double)(float)p - y, x > 0 == y > 0.5};
}

extern "C" __global__ void __launch_bounds__(256)
loss(const float* __restrict__ logits, const int* __restrict__ labels, float* __restrict__ probabilities,
     float* __restrict__ gradient, Row* __restrict__ result, u32 rows, u32 classes, double smoothing, u32 mixed) {
    overLabels(logits, labels, probabilities, gradient, result, rows, classes, smoothing, mixed);
}

extern "C" __global__ void __launch_bounds__(256)
lossBf16(const bf16* __restrict__ logits, const int* __restrict__ labels, float* __restrict__ probabilities,
     bf16* __restrict__ gradient, Row* __restrict__ result, u32 rows, u32 classes, double smoothing, u32 mixed) {
    overLabels(logits, labels, probabilities, gradient, result, rows, classes, smoothing, mixed);
}

extern "C" __global__ void __launch_bounds__(256)
squaredError(const float* __restrict__ logits, const float* __restrict__ targets, float* __restrict__ predictions,
     float* __restrict__ gradient, Row* __restrict__ result, u32 rows, u32 outputs) {
    const auto term = [](double x, double y) { return squared(x, y); };
    overTargets(logits, targets, predictions, gradient, result, rows, outputs, term);
}

extern "C" __global__ void __launch_bounds__(256)
squaredErrorBf16(const bf16* __restrict__ logits, const float* __restrict__ targets, float* __restrict__ predictions,
     bf16* __restrict__ gradient, Row* __restrict__ result, u32 rows, u32 outputs) {
    const auto term = [](double x, double y) { return squared(x, y); };
    overTargets(logits, targets, predictions, gradient, result, rows, outputs, term);
}

extern "C" __global__ void __launch_bounds__(256)
binaryCrossEntropy(const float* __restrict__ logits, const float* __restrict__ targets, float* __restrict__ predictions,
     float* __restrict__ gradient, Row* __restrict__ result, u32 rows, u32 outputs) {
    const auto term = [](double x, double y) { return binary(x, y); };
    overTargets(logits, targets, predictions, gradient, result, rows, outputs, term);
}

extern "C" __global__ void __launch_bounds__(256)
binaryCrossEntropyBf16(const bf16* __restrict__ logits, const float* __restrict__ targets, float* __restrict__ predictions,
     bf16* __restrict__ gradient, Row* __restrict__ result, u32 rows, u32 outputs) {
    const auto term = [](double x, double y) { return binary(x, y); };
    overTargets(logits, targets, predictions, gradient, result, rows, outputs, term);
}

extern "C" __global__ void __launch_bounds__(32)
total(const Row* __restrict__ result, Control* __restrict__ control, u32 rows) {
    Row sum = {0, 0, 0};
    for (u32 i = threadIdx.x; i < rows; i += 32) {
        sum.loss += result[i].loss;
        sum.hit += result[i].hit;
        sum.seen += result[i].seen;
    }
    sum.loss = warpSum(sum.loss);
    sum.hit = warpSum(sum.hit);
    sum.seen = warpSum(sum.seen);
    if (threadIdx.x != 0) return;
    control->loss += sum.loss;
    control->hits += sum.hit;
    control->seen += sum.seen;
    const bool finite = sum.loss - sum.loss == 0;
    if (!finite && control->broken == 0) control->broken = control->step + 1;
}
