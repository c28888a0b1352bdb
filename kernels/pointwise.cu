// Elementwise work between the vendor's layers, each in one pass.
//
//   relu          y = max(x, 0)                                   8 bytes per element    quads / 256
//   reluBackward  dx = y > 0 ? dy : 0                             12                     quads / 256
//   add           y = a + b, then ReLU if asked; a fork's backward is add of its branches' gradients, two at a time
//                                                                 12                     quads / 256
//   finish        y = y + bias[channel] + residual, then ReLU if asked; either may be null
//                                                                 8, 12 with residual    n / 256
//   columnSums    sums[slab][c] = sum of x over the slab's rows   4                      (channels / 32, slabs) of (32, 8)
//                 The gradient of a bias. For many rows launch twice: over slabs of dy, then over their sums with one.
//   dropout       y = kept ? x scale : 0; backward is the same on dy      8              n / 256
//                 Element i in LOGICAL order (n, c, y, x) is kept where word i mod 4 of Philox block (i / 4, t) is at
//                 least p, as on every device: threshold = ceil(p 2^24), compared with the word's upper 24 bits.
//
//   relu(float* y, const float* x, u32 n)
//   reluBackward(float* dx, const float* dy, const float* y, u32 n)
//   add(float* y, const float* a, const float* b, u32 n, u32 relu)
//   finish(float* y, const float* bias, const float* residual, u32 n, u32 channels, u32 relu)
//   columnSums(float* sums, const float* x, u32 rows, u32 channels)
//   dropout(float* y, const float* x, const Control*, u32 n, u32 channels, u32 pixels /* H W; 1 for (N, C) */, u64 seed,
//           u32 threshold, float scale)
//
// y may be x, a, b, dx or dy: each thread reads what it overwrites. Dense layers after an image need no flattening: pack
// their weights in (out, H W, C) order.
#include "basin.cuh"
