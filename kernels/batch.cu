// Draws the batch of step t from the image set that lives on the device, or from a ring of the samples of `ring` steps, in which
// row r of step t is place (t mod ring) rows + r.
//
// Shuffled: with S = count / rows whole batches an epoch, row r is place (t mod S) rows + r of epoch t / S in its keyed
// order. Otherwise it is sample t rows + r; past the end pixels are 0 and labels are `absent`. Augmentation crops at
// (dy, dx) from the image with `pad` black pixels around it and mirrors it or not, changes colours where jitter > 0, cuts a
// square out where cutout > 0 and mixes a row with the next one where mixup != 0, by Philox of (seed, epoch, sample),
// as io.basin.device.Augment defines. table[c][v] is what pixel v of channel c becomes: (v / 255 - mean[c]) / std[c],
// computed on the host, so that every device has the same bits; a float32 value v becomes (v - mean[c]) / std[c].
//
//   kernel        bytes per element                       blocks
//   batch         1 read, of mixed rows 2; 4 written      exactly rows: one per sample
//   batchFloats   4 read, of mixed rows 8; 4 written      exactly rows
//
//   batch(float* out /* (rows, H, W, C) */, int* outLabels /* (rows, L), of mixed rows (3, rows) */,
//         const u8* pixels /* (count, H, W, C) */, const int* labels /* (count, L) */,
//         const float* table /* (C, 256), then of what is distorted (C, 2): mean, std, then of what is mixed 1024 shares */,
//         const Control*, u32 rows, u32 count, u32 height, u32 width, u32 channels, u64 seed, u32 pad, u32 flip, u32 shuffled,
//         u32 labelWidth /* L */, int absent, float jitter, u32 cutout, u32 mixup,
//         u32 ring /* 0: all samples are there */)
//   batchFloats(the same with const float* pixels and a table that begins with (C, 2): mean, std)
//   batchBf16(...)         with bf16* out
//   batchFloatsBf16(...)
#include "basin.cuh"

// How rows are drawn.
struct Reader {
    u32 rows;
    u32 count;
    u32 height;
    u32 width;
    u32 channels;
    u64 seed;
    u32 pad;
    u32 flip;
    u32 shuffled;
    float jitter;
    u32 cutout;
    u32 ring;
};

// The source of one row, and its changes.
struct Draw {
    u64 epoch;
    u64 at;            // where it lies
    u32 sample;
    int down;
    int right;
    u32 mirror;
    u32 present;
    float factors[3];  // of brightness, contrast and saturation
    int top;           // of the square that is cut out
    int left;
};

__device__ inline uint4 words(const Reader& r, const Draw& d, Stream use) {
    return philox(d.sample, (u32)d.epoch, (u32)(d.epoch >> 32), use, r.seed);
}

__device__ inline Draw draw(const Reader& r, u64 step, u32 row) {
    const u64 batches = r.count / r.rows;
    const u64 place = (r.shuffled ? step % batches : step) * r.rows + row;
    Draw d = {r.shuffled ? step / batches : 0, 0, 0, 0, 0, 0, place < r.count};
    if (!d.present) return d;
    d.sample = r.shuffled ? permuted((u32)place, r.count, r.seed, d.epoch) : (u32)place;
    d.at = r.ring ? step % r.ring * r.rows + row : d.sample;
    if (r.pad != 0 || r.flip) {
        const uint4 w = words(r, d, AUGMENTATION);
        d.down = (int)below(w.x, 2 * r.pad + 1) - (int)r.pad;
        d.right = (int)below(w.y, 2 * r.pad + 1) - (int)r.pad;
        d.mirror = r.flip && (w.x & 1) != 0;
    }
    if (r.jitter > 0) {
        const uint4 w = words(r, d, JITTER);
        const u64 bits = w.x | (u64)w.y << 32;
        for (u32 k = 0; k < 3; k++) {
            const float unit = __fmul_rn((float)(u32)(bits >> 21 * k & 0x1FFFFF), 0x1p-21f);
            d.factors[k] = __fadd_rn(__fsub_rn(1, r.jitter), __fmul_rn(__fmul_rn(2, r.jitter), unit));
        }
    }
    if (r.cutout > 0) {
        const uint4 w = words(r, d, CUTOUT);
        d.top = (int)below(w.x, r.height) - (int)(r.cutout / 2);
        d.left = (int)below(w.y, r.width) - (int)(r.cutout / 2);
    }
    return d;
}

__device__ inline float clip(float v) { return v < 0 ? 0 : v > 1 ? 1 : v; }

// gain (v - about) + about, in [0, 1].
__device__ inline float contrasted(float v, float about, float gain) {
    return clip(__fadd_rn(about, __fmul_rn(gain, __fsub_rn(v, about))));
}

__device__ inline float normalised(float v, const float* moments, u32 c) {
    return __fdiv_rn(__fsub_rn(v, moments[2 * c]), moments[2 * c + 1]);
}

// Channel c of a pixel whose colours change; null is black.
template <class P>
__device__ inline float jittered(const Draw& d, const P* pixel, u32 channels, u32 c, const float* moments) {
    const auto toned = [&](u32 k) {
        const float v = pixel == nullptr ? 0 : __fdiv_rn((float)pixel[k], 255);
        return contrasted(clip(__fmul_rn(v, d.factors[0])), moments[2 * k], d.factors[1]);
    };
    float v = toned(c);
    if (channels == 3) {
        const float colours = __fadd_rn(__fmul_rn(0.2989f, toned(0)), __fmul_rn(0.587f, toned(1)));
        v = contrasted(v, __fadd_rn(colours, __fmul_rn(0.114f, toned(2))), d.factors[2]);
    }
    return normalised(v, moments, c);
}

// Element i of a row; value(pixel, c) is what a stored pixel of channel c becomes; outside an image pixels are 0.
template <class P, class F>
__device__ inline float element(const Reader& r, const Draw& d, const P* pixels, const float* moments, u32 i, F value) {
    const u32 c = i % r.channels;
    const u32 x = i / r.channels % r.width;
    const u32 y = i / r.channels / r.width;
    if (!d.present || (y - d.top < r.cutout && x - d.left < r.cutout)) return 0;  // wraps far above where it is negative
    const u32 fromY = y + d.down;
    const u32 fromX = (d.mirror ? r.width - 1 - x : x) + d.right;
    const bool inside = fromY < r.height && fromX < r.width;
    const P* pixel = pixels + ((d.at * r.height + fromY) * r.width + fromX) * r.channels;
    // Float samples have no colours to change.
    if (sizeof(P) == 1 && r.jitter > 0) return jittered(d, inside ? pixel : nullptr, r.channels, c, moments);
    return value(inside ? pixel[c] : 0, c);
}

template <class V, class P, class F>
__device__ inline void read(const Reader r, V* out, int* outLabels, const P* pixels, const int* labels,
                            const float* moments, const Control* control, u32 labelWidth, int absent, u32 mixup,
                            F value) {
    __shared__ Draw shared[2];
    __shared__ float share;
    const u32 row = blockIdx.x;
    if (threadIdx.x == 0) {
        const Draw own = shared[0] = draw(r, control->step, row);
        const Draw other = shared[1] = mixup ? draw(r, control->step, (row + 1) % r.rows) : own;
        share = 1;
        if (mixup) {
            const float* shares = moments + 2 * r.channels;
            share = shares[words(r, own, MIXUP).x >> 22];
            outLabels[r.rows + row] = labels[other.at];
            outLabels[2 * r.rows + row] = (int)__float_as_uint(share);
        }
    }
    __syncthreads();
    const Draw own = shared[0];
    for (u32 k = threadIdx.x; k < labelWidth; k += blockDim.x) {
        outLabels[(u64)row * labelWidth + k] = own.present ? labels[own.at * labelWidth + k] : absent;
    }
    const u32 size = r.height * r.width * r.channels;
    for (u32 i = threadIdx.x; i < size; i += blockDim.x) {
        float v = 0;
        // One place for both rows: two would take more registers than there are around the divisions.
#pragma unroll 1
        for (u32 k = 0; k <= mixup; k++) {
            const float w = element(r, shared[k], pixels, moments, i, value);
            v = k == 0 ? w : __fadd_rn(__fmul_rn(share, v), __fmul_rn(__fsub_rn(1, share), w));
        }
        set(out + (u64)row * size + i, v);
    }
}

extern "C" __global__ void __launch_bounds__(256)
batch(float* __restrict__ out, int* __restrict__ outLabels, const u8* __restrict__ pixels,
      const int* __restrict__ labels, const float* __restrict__ table, const Control* __restrict__ control, u32 rows,
      u32 count, u32 height, u32 width, u32 channels, u64 seed, u32 pad, u32 flip, u32 shuffled, u32 labelWidth,
      int absent, float jitter, u32 cutout, u32 mixup, u32 ring) {
    const Reader r = {rows, count, height, width, channels, seed, pad, flip, shuffled, jitter, cutout, ring};
    read(r, out, outLabels, pixels, labels, table + channels * 256, control, labelWidth, absent, mixup,
         [=](u8 pixel, u32 c) { return table[c * 256 + pixel]; });
}

extern "C" __global__ void __launch_bounds__(256)
batchBf16(bf16* __restrict__ out, int* __restrict__ outLabels, const u8* __restrict__ pixels,
      const int* __restrict__ labels, const float* __restrict__ table, const Control* __restrict__ control, u32 rows,
      u32 count, u32 height, u32 width, u32 channels, u64 seed, u32 pad, u32 flip, u32 shuffled, u32 labelWidth,
      int absent, float jitter, u32 cutout, u32 mixup, u32 ring) {
    const Reader r = {rows, count, height, width, channels, seed, pad, flip, shuffled, jitter, cutout, ring};
    read(r, out, outLabels, pixels, labels, table + channels * 256, control, labelWidth, absent, mixup,
         [=](u8 pixel, u32 c) { return table[c * 256 + pixel]; });
}

extern "C" __global__ void __launch_bounds__(256)
batchFloats(float* __restrict__ out, int* __restrict__ outLabels, const float* __restrict__ pixels,
            const int* __restrict__ labels, const float* __restrict__ table, const Control* __restrict__ control,
            u32 rows, u32 count, u32 height, u32 width, u32 channels, u64 seed, u32 pad, u32 flip, u32 shuffled,
            u32 labelWidth, int absent, float jitter, u32 cutout, u32 mixup, u32 ring) {
    const Reader r = {rows, count, height, width, channels, seed, pad, flip, shuffled, jitter, cutout, ring};
    read(r, out, outLabels, pixels, labels, table, control, labelWidth, absent, mixup,
         [=](float v, u32 c) { return normalised(v, table, c); });
}

extern "C" __global__ void __launch_bounds__(256)
batchFloatsBf16(bf16* __restrict__ out, int* __restrict__ outLabels, const float* __restrict__ pixels,
            const int* __restrict__ labels, const float* __restrict__ table, const Control* __restrict__ control,
            u32 rows, u32 count, u32 height, u32 width, u32 channels, u64 seed, u32 pad, u32 flip, u32 shuffled,
            u32 labelWidth, int absent, float jitter, u32 cutout, u32 mixup, u32 ring) {
    const Reader r = {rows, count, height, width, channels, seed, pad, flip, shuffled, jitter, cutout, ring};
    read(r, out, outLabels, pixels, labels, table, control, labelWidth, absent, mixup,
         [=](float v, u32 c) { return normalised(v, table, c); });
}
