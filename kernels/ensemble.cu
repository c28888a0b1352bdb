// Combining members' predictions, one member at a time, so that memory does not grow with their number.
//
//   accumulate   sum += weight p;  votes[row][argmax p] += 1
//   argmax       choice = the first class with the largest sum
//   vote         choice = the class with most votes; of several the one with the larger sum, then the first
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
