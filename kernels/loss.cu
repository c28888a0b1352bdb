// Softmax, cross-entropy with label smoothing, hits, and the gradient of the logits, in one pass over (N, K).
//
//   q_k = (1 - s) [k = y] + s / K      loss = - sum_k q_k log p_k      gradient_k = (p_k - q_k) / N
//
// Rows labelled below 0 do not count and have gradient 0. Exponentials and logarithms are taken in double, as on the
// CPU: N K of them are nothing beside the net. The sums of `total` run in a fixed order.
//
//   kernel   bytes                                        blocks
//   loss     per logit 4 read (again from cache), 8 written; per row 4 read, 16 written      rows / 8: a warp a row
//   total    16 per row                                   1
//
//   loss(const float* logits /* (N, K) */, const int* labels /* (N) */, float* probabilities /* (N, K) */,
//        float* gradient /* (N, K), or null in evaluation */, Row* result /* (N), 16 bytes each */, u32 rows, u32 classes,
//        double smoothing)
//   total(const Row* result, Control*, u32 rows)
#include "basin.cuh"

struct Row {
    double loss;
    u32 hit;
    u32 seen;
};
