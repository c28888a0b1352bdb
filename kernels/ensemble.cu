// Combining members' predictions, one member at a time, so that memory does not grow with their number.
//
//   accumulate   sum += weight p;  votes[row][argmax p] += 1
//   argmax       choice = the first class with the largest sum
//   vote         choice = the class with most votes; of several the one with the larger sum, then the first. A sum that
//                is not a number is the smallest, but takes no member's votes away
//
//   kernel       bytes per element (row, class)                     blocks
//   accumulate   20: reads p and sum, writes sum (votes: 8 a row)   rows / 8: a warp a row
//   argmax       8                                                  rows / 8
//   vote         12                                                 rows / 8
//
//   accumulate(double* sum, u32* votes /* or null */, const float* p, double weight, u32 rows, u32 classes)
//   argmax(int* choice /* (rows) */, const double* sum, u32 rows, u32 classes)
//   vote(int* choice, const u32* votes, const double* sum, u32 rows, u32 classes)
//
// sum and votes are (rows, classes) and begin as zeros.
#include "basin.cuh"

const double LEAST = -1.7976931348623157e308;

extern "C" __global__ void __launch_bounds__(256)
accumulate(double* __restrict__ sum, u32* __restrict__ votes, const float* __restrict__ p, double weight, u32 rows,
           u32 classes) {
    const u32 lane = threadIdx.x % 32;
    for (u32 row = firstIndex() / 32; row < rows; row += gridStride() / 32) {
        const u64 from = (u64)row * classes;
        for (u32 k = lane; k < classes; k += 32) {
            sum[from + k] = __dadd_rn(sum[from + k], __dmul_rn(weight, p[from + k]));
        }
        if (votes == nullptr) continue;
        const Best<float> best = warpBest<float>(classes, [=](u32 k) { return p[from + k]; });
        if (lane == 0) votes[from + best.index]++;
    }
}

extern "C" __global__ void __launch_bounds__(256)
argmax(int* __restrict__ choice, const double* __restrict__ sum, u32 rows, u32 classes) {
    for (u32 row = firstIndex() / 32; row < rows; row += gridStride() / 32) {
        const double* x = sum + (u64)row * classes;
        const Best<double> best = warpBest<double>(classes, [=](u32 k) { return x[k]; });
        if (threadIdx.x % 32 == 0) choice[row] = (int)best.index;
    }
}

extern "C" __global__ void __launch_bounds__(256)
vote(int* __restrict__ choice, const u32* __restrict__ votes, const double* __restrict__ sum, u32 rows, u32 classes) {
    for (u32 row = firstIndex() / 32; row < rows; row += gridStride() / 32) {
        const u32* v = votes + (u64)row * classes;
        const double* x = sum + (u64)row * classes;
        const u32 most = warpBest<u32>(classes, [=](u32 k) { return v[k]; }).value;
        const Best<double> best =
            warpBest<double>(classes, [=](u32 k) { return v[k] == most ? fmax(x[k], LEAST / 2) : LEAST; });
        if (threadIdx.x % 32 == 0) choice[row] = (int)best.index;
    }
}
