// Convolutions of packed channels-last tensors: products with unfolded patches (im2col), a block of pixels at a time.
#pragma once
#include <cstddef>

namespace softgpu {

struct ConvShape {
    long n, h, w, c;  // x (N, H, W, C)
    long k, r, s;     // w (K, R, S, C / groups)
    long p, q;        // y (N, P, Q, K)
    long padH, padW, strideH, strideW, dilationH, dilationW, groups;
    bool flipped;  // a convolution proper: the filter is turned round
    bool tf32;     // operands are rounded

    std::size_t xCount() const { return std::size_t(n) * h * w * c; }
    std::size_t yCount() const { return std::size_t(n) * p * q * k; }
    std::size_t wCount() const { return std::size_t(k) * r * s * (c / groups); }
};

void convForward(const ConvShape& shape, const float* x, const float* w, float* y);
void convBackwardData(const ConvShape& shape, const float* w, const float* dy, float* dx);
void convBackwardFilter(const ConvShape& shape, const float* x, const float* dy, float* dw);

}  // namespace softgpu
