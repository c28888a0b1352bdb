#include "conv.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "product.h"

namespace softgpu {
namespace {

constexpr long BLOCK_FLOATS = 1 << 16;  // of unfolded patches: they stay in the second-level cache

struct Patches {
    const ConvShape& shape;
    long depth, channels, rows, block;

    explicit Patches(const ConvShape& s) : shape(s) {
        channels = s.c / s.groups;
        depth = s.r * s.s * channels;
        rows = s.n * s.p * s.q;
        block = std::clamp(BLOCK_FLOATS / depth, 1L, rows);
    }

    bool trivial() const {  // the patches are x itself
        return shape.r == 1 && shape.s == 1 && shape.padH == 0 && shape.padW == 0 && shape.strideH == 1 &&
               shape.strideW == 1;
    }

    // Calls body(offset in x or -1, offset in the patches) for every filter tap of the pixels [first, first + count).
    template <class Body>
    void eachTap(long first, long count, long group, Body body) const {
        long to = 0;
        for (long row = first; row < first + count; row++) {
            long q = row % shape.q, p = row / shape.q % shape.p, n = row / shape.q / shape.p;
            for (long r = 0; r < shape.r; r++) {
                long h = p * shape.strideH - shape.padH + (shape.flipped ? shape.r - 1 - r : r) * shape.dilationH;
                for (long s = 0; s < shape.s; s++, to += channels) {
                    long w = q * shape.strideW - shape.padW + (shape.flipped ? shape.s - 1 - s : s) * shape.dilationW;
                    bool inside = h >= 0 && h < shape.h && w >= 0 && w < shape.w;
                    body(inside ? ((n * shape.h + h) * shape.w + w) * shape.c + group * channels : -1, to);
                }
            }
        }
    }

    View unfolded(const float* x, long first, long count, long group, std::vector<float>& buffer) const {
        if (trivial()) return {x + first * shape.c + group * channels, shape.c, 1};
        buffer.resize(count * depth);
        eachTap(first, count, group, [&](long from, long to) {
            float* at = buffer.data() + to;
            if (from < 0) {
                std::fill(at, at + channels, 0.0f);
            } else {
                std::copy(x + from, x + from + channels, at);
            }
        });
        return {buffer.data(), depth, 1};
    }
};

// Calls body(first pixel, pixels, group, first filter, filters) block by block.
template <class Body>
void blocks(const Patches& patches, Body body) {
    long filters = patches.shape.k / patches.shape.groups;
    for (long group = 0; group < patches.shape.groups; group++)
        for (long first = 0; first < patches.rows; first += patches.block)
            body(first, std::min(patches.block, patches.rows - first), group, group * filters, filters);
}

}  // namespace

void convForward(const ConvShape& shape, const float* x, const float* w, float* y) {
    Patches patches(shape);
    std::vector<float> buffer;
    blocks(patches, [&](long first, long count, long group, long filter, long filters) {
        View rows = patches.unfolded(x, first, count, group, buffer);
        View filtersByTap{w + filter * patches.depth, 1, patches.depth};
        product(count, filters, patches.depth, rows, filtersByTap, y + first * shape.k + filter, shape.k, false,
                shape.tf32);
    });
}

void convBackwardData(const ConvShape& shape, const float* w, const float* dy, float* dx) {
    Patches patches(shape);
    std::vector<float> buffer;
    std::fill(dx, dx + shape.xCount(), 0.0f);
    blocks(patches, [&](long first, long count, long group, long filter, long filters) {
        buffer.resize(count * patches.depth);
        View gradients{dy + first * shape.k + filter, shape.k, 1};
        View taps{w + filter * patches.depth, patches.depth, 1};
        product(count, patches.depth, filters, gradients, taps, buffer.data(), patches.depth, false, shape.tf32);
        patches.eachTap(first, count, group, [&](long to, long from) {
            if (to < 0) return;
            for (long c = 0; c < patches.channels; c++) dx[to + c] += buffer[from + c];
        });
    });
}

void convBackwardFilter(const ConvShape& shape, const float* x, const float* dy, float* dw) {
    Patches patches(shape);
    std::vector<float> buffer;
    blocks(patches, [&](long first, long count, long group, long filter, long filters) {
        View rows = patches.unfolded(x, first, count, group, buffer);
        View gradients{dy + first * shape.k + filter, 1, shape.k};
        product(filters, patches.depth, count, gradients, rows, dw + filter * patches.depth, patches.depth, first > 0,
                shape.tf32);
    });
}

}  // namespace softgpu
