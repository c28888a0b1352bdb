// Draws the batch of step t from the image set that lives on the device.
//
// Shuffled: with S = count / rows whole batches an epoch, row r is place (t mod S) rows + r of epoch t / S in its keyed
// order. Otherwise it is sample t rows + r; past the end pixels are 0 and labels are `absent`. Augmentation crops at
// (dy, dx) from the image with `pad` black pixels around it and mirrors it or not, by Philox of (seed, epoch, sample),
// as io.basin.data.Augment defines. table[c][v] is what pixel v of channel c becomes: (v / 255 - mean[c]) / std[c],
// computed on the host, so that every device has the same bits; a float32 value v becomes (v - mean[c]) / std[c].
//
//   kernel        bytes per element       blocks
//   batch         1 read, 4 written       exactly rows: one per sample
//   batchFloats   4 read, 4 written       exactly rows
//
//   batch(float* out /* (rows, H, W, C) */, int* outLabels /* (rows, L) */, const u8* pixels /* (count, H, W, C) */,
//         const int* labels /* (count, L) */, const float* table /* (C, 256) */, const Control*, u32 rows, u32 count,
//         u32 height, u32 width, u32 channels, u64 seed, u32 pad, u32 flip, u32 shuffled, u32 labelWidth /* L */,
//         int absent)
//   batchFloats(the same with const float* pixels and const float* moments /* (C, 2): mean, std */)
//   batchBf16(...)         with bf16* out
//   batchFloatsBf16(...)
#include "basin.cuh"

// Where one row comes from.
struct Draw {
    u32 sample;
    int down;
    int right;
    bool mirror;
    bool present;
};

__device__ inline Draw draw(u64 step, u32 rows, u32 count, u64 seed, u32 pad, bool flip, bool shuffled) {
    const u64 batches = count / rows;
    const u64 epoch = shuffled ? step / batches : 0;
    const u64 place = (shuffled ? step % batches : step) * rows + blockIdx.x;
    Draw d = {0, 0, 0, false, place < count};
    if (!d.present) return d;
    d.sample = shuffled ? permuted((u32)place, count, seed, epoch) : (u32)place;
    if (pad == 0 && !flip) return d;
    const uint4 words = philox(d.sample, (u32)epoch, (u32)(epoch >> 32), AUGMENTATION, seed);
    d.down = (int)below(words.x, 2 * pad + 1) - (int)pad;
    d.right = (int)below(words.y, 2 * pad + 1) - (int)pad;
    d.mirror = flip && (words.x & 1) != 0;
    return d;
}

// value(pixel, c) is what a stored pixel of channel c becomes; outside an image pixels are 0.
template <class V, class P, class F>
__device__ inline void read(V* out, int* outLabels, const P* pixels, const int* labels, const Control* control,
                            u32 rows, u32 count, u32 height, u32 width, u32 channels, u64 seed, u32 pad, u32 flip,
                            u32 shuffled, u32 labelWidth, int absent, F value) {
    __shared__ Draw shared;
    if (threadIdx.x == 0) shared = draw(control->step, rows, count, seed, pad, flip != 0, shuffled != 0);
    __syncthreads();
    const Draw d = shared;
    for (u32 k = threadIdx.x; k < labelWidth; k += blockDim.x) {
        outLabels[(u64)blockIdx.x * labelWidth + k] = d.present ? labels[(u64)d.sample * labelWidth + k] : absent;
    }
    const u32 size = height * width * channels;
    const P* image = pixels + (u64)d.sample * size;
    V* row = out + (u64)blockIdx.x * size;
    for (u32 i = threadIdx.x; i < size; i += blockDim.x) {
        const u32 c = i % channels;
        const u32 x = i / channels % width;
        const u32 fromY = i / channels / width + d.down;  // wraps far above height where it is negative
        const u32 fromX = (d.mirror ? width - 1 - x : x) + d.right;
        const bool inside = fromY < height && fromX < width;
        const P pixel = d.present && inside ? image[(fromY * width + fromX) * channels + c] : 0;
        set(row + i, d.present ? value(pixel, c) : 0);
    }
}

extern "C" __global__ void __launch_bounds__(256)
batch(float* __restrict__ out, int* __restrict__ outLabels, const u8* __restrict__ pixels,
      const int* __restrict__ labels, const float* __restrict__ table, const Control* __restrict__ control, u32 rows,
      u32 count, u32 height, u32 width, u32 channels, u64 seed, u32 pad, u32 flip, u32 shuffled, u32 labelWidth,
      int absent) {
    read(out, outLabels, pixels, labels, control, rows, count, height, width, channels, seed, pad, flip, shuffled,
         labelWidth, absent, [=](u8 pixel, u32 c) { return table[c * 256 + pixel]; });
}

extern "C" __global__ void __launch_bounds__(256)
batchBf16(bf16* __restrict__ out, int* __restrict__ outLabels, const u8* __restrict__ pixels,
      const int* __restrict__ labels, const float* __restrict__ table, const Control* __restrict__ control, u32 rows,
      u32 count, u32 height, u32 width, u32 channels, u64 seed, u32 pad, u32 flip, u32 shuffled, u32 labelWidth,
      int absent) {
    read(out, outLabels, pixels, labels, control, rows, count, height, width, channels, seed, pad, flip, shuffled,
         labelWidth, absent, [=](u8 pixel, u32 c) { return table[c * 256 + pixel]; });
}

__device__ inline float normalised(float v, const float* moments, u32 c) {
    return __fdiv_rn(__fsub_rn(v, moments[2 * c]), moments[2 * c + 1]);
}

extern "C" __global__ void __launch_bounds__(256)
batchFloats(float* __restrict__ out, int* __restrict__ outLabels, const float* __restrict__ pixels,
            const int* __restrict__ labels, const float* __restrict__ moments, const Control* __restrict__ control,
            u32 rows, u32 count, u32 height, u32 width, u32 channels, u64 seed, u32 pad, u32 flip, u32 shuffled,
            u32 labelWidth, int absent) {
    read(out, outLabels, pixels, labels, control, rows, count, height, width, channels, seed, pad, flip, shuffled,
         labelWidth, absent, [=](float v, u32 c) { return normalised(v, moments, c); });
}

extern "C" __global__ void __launch_bounds__(256)
batchFloatsBf16(bf16* __restrict__ out, int* __restrict__ outLabels, const float* __restrict__ pixels,
            const int* __restrict__ labels, const float* __restrict__ moments, const Control* __restrict__ control,
            u32 rows, u32 count, u32 height, u32 width, u32 channels, u64 seed, u32 pad, u32 flip, u32 shuffled,
            u32 labelWidth, int absent) {
    read(out, outLabels, pixels, labels, control, rows, count, height, width, channels, seed, pad, flip, shuffled,
         labelWidth, absent, [=](float v, u32 c) { return normalised(v, moments, c); });
}
