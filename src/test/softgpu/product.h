// The matrix product under every convolution and GEMM of the software GPU.
//
// Sums run in double over k in one fixed order for every element, whatever the sizes, the strides and the machine's
// vectors are: results are the same bits everywhere, and so near the exact ones that a comparison with a reference
// finds the caller's errors and not rounding. With BASIN_SOFTGPU_SUM=float32 they run in float, as a GPU's do, and so
// say whether tolerances allow for that. Packing panels takes transposition and TF32 rounding for free.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace softgpu {

struct View {  // element (i, j) is at[i * row + j * column]
    const float* at;
    std::ptrdiff_t row, column;
};

// Whether products and poolings sum in float; asked anew each time, so that a test can change it.
inline bool sumsInFloat() {
    const char* asked = std::getenv("BASIN_SOFTGPU_SUM");
    return asked != nullptr && std::strcmp(asked, "float32") == 0;
}

// c (m, n), rows `pitch` apart, becomes a (m, k) b (k, n), or grows by it.
void product(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, View a, View b, float* c, std::ptrdiff_t pitch,
             bool grow, bool tf32);

// To 10 mantissa bits, to nearest, ties away from zero (cvt.rna.tf32); infinities and NaN stay.
inline float tf32Rounded(float x) {
    std::uint32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    if ((bits & 0x7f800000u) != 0x7f800000u) bits = (bits + 0x1000u) & ~0x1fffu;
    std::memcpy(&x, &bits, sizeof bits);
    return x;
}

}  // namespace softgpu
