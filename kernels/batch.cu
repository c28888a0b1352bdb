// Draws the batch of step t from the image set that lives on the device.
//
// Shuffled: with S = count / rows whole batches an epoch, row r is place (t mod S) rows + r of epoch t / S in its keyed
// order. Otherwise it is sample t rows + r; past the end pixels are 0 and the label is -1. Augmentation crops at
// (dy, dx) from the image with `pad` black pixels around it and mirrors it or not, by Philox of (seed, epoch, sample),
// as io.basin.data.Augment defines. table[c][v] is what pixel v of channel c becomes: (v / 255 - mean[c]) / std[c],
// computed on the host, so that every device has the same bits.
//
//   kernel   bytes per element       blocks
//   batch    1 read, 4 written       rows: one per sample
//
//   batch(float* out /* (rows, H, W, C) */, int* outLabels /* (rows) */, const u8* pixels /* (count, H, W, C) */,
//         const int* labels /* (count) */, const float* table /* (C, 256) */, const Control*, u32 rows, u32 count,
//         u32 height, u32 width, u32 channels, u64 seed, u32 pad, u32 flip, u32 shuffled)
#include "basin.cuh"
