#include "product.h"

#include <algorithm>
#include <vector>

namespace softgpu {
namespace {

constexpr std::ptrdiff_t DEPTH = 512, ROWS = 6, TALL = 8 * ROWS;

// What sums are of, double or float: a tile is twelve vector registers of them.
template <class Real> struct Tile {
    typedef Real Lanes __attribute__((vector_size(32), aligned(sizeof(Real)), may_alias));
    static constexpr std::ptrdiff_t LANES = 32 / sizeof(Real), COLUMNS = 2 * LANES, WIDE = 32 * COLUMNS;
    Lanes sum[ROWS][2];
};

float rounded(float x, bool tf32) { return tf32 ? tf32Rounded(x) : x; }

// Strips of `width` rows of a view, k-major, the last one filled with zeros.
template <class Real>
void pack(Real* to, View from, std::ptrdiff_t rows, std::ptrdiff_t k, std::ptrdiff_t width, bool tf32) {
    for (std::ptrdiff_t first = 0; first < rows; first += width) {
        std::ptrdiff_t present = std::min(width, rows - first);
        for (std::ptrdiff_t l = 0; l < k; l++, to += width) {
            const float* at = from.at + first * from.row + l * from.column;
            for (std::ptrdiff_t i = 0; i < present; i++) to[i] = rounded(at[i * from.row], tf32);
            std::fill(to + present, to + width, Real(0));
        }
    }
}

template <class Real>
__attribute__((always_inline)) inline void tile(const Real* a, const Real* b, std::ptrdiff_t k, Tile<Real>& result) {
    using Lanes = typename Tile<Real>::Lanes;
    Lanes sum[ROWS][2] = {};  // local, hence in registers
    for (std::ptrdiff_t l = 0; l < k; l++, a += ROWS, b += Tile<Real>::COLUMNS) {
        Lanes left = *reinterpret_cast<const Lanes*>(b), right = *reinterpret_cast<const Lanes*>(b + Tile<Real>::LANES);
        for (std::ptrdiff_t i = 0; i < ROWS; i++) {
            sum[i][0] += a[i] * left;
            sum[i][1] += a[i] * right;
        }
    }
    std::memcpy(&result, &sum, sizeof sum);
}

// Wider vectors where the machine has them: the same sums in the same order, so the same bits.
#define WIDEST __attribute__((target_clones("avx2", "default")))
WIDEST void sums(const double* a, const double* b, std::ptrdiff_t k, Tile<double>& result) { tile(a, b, k, result); }
WIDEST void sums(const float* a, const float* b, std::ptrdiff_t k, Tile<float>& result) { tile(a, b, k, result); }

template <class Real>
void store(const Tile<Real>& tile, std::ptrdiff_t rows, std::ptrdiff_t columns, float* c, std::ptrdiff_t pitch,
           bool grow) {
    for (std::ptrdiff_t i = 0; i < rows; i++, c += pitch) {
        const Real* from = reinterpret_cast<const Real*>(tile.sum[i]);
        for (std::ptrdiff_t j = 0; j < columns; j++) c[j] = float(grow ? c[j] + from[j] : from[j]);
    }
}

std::ptrdiff_t up(std::ptrdiff_t n, std::ptrdiff_t to) { return (n + to - 1) / to * to; }

template <class Real>
void productIn(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, View a, View b, float* c, std::ptrdiff_t pitch,
               bool grow, bool tf32) {
    constexpr std::ptrdiff_t COLUMNS = Tile<Real>::COLUMNS, WIDE = Tile<Real>::WIDE;
    static thread_local std::vector<Real> tall, wide;
    if (k == 0 && !grow) {
        for (std::ptrdiff_t i = 0; i < m; i++) std::fill(c + i * pitch, c + i * pitch + n, 0.0f);
    }
    for (std::ptrdiff_t l = 0; l < k; l += DEPTH) {
        std::ptrdiff_t depth = std::min(DEPTH, k - l);
        for (std::ptrdiff_t j = 0; j < n; j += WIDE) {
            std::ptrdiff_t width = std::min(WIDE, n - j);
            wide.resize(up(width, COLUMNS) * depth);
            pack(wide.data(), {b.at + l * b.row + j * b.column, b.column, b.row}, width, depth, COLUMNS, tf32);
            for (std::ptrdiff_t i = 0; i < m; i += TALL) {
                std::ptrdiff_t height = std::min(TALL, m - i);
                tall.resize(up(height, ROWS) * depth);
                pack(tall.data(), {a.at + i * a.row + l * a.column, a.row, a.column}, height, depth, ROWS, tf32);
                for (std::ptrdiff_t y = 0; y < width; y += COLUMNS)
                    for (std::ptrdiff_t x = 0; x < height; x += ROWS) {
                        Tile<Real> sum;
                        sums(tall.data() + x * depth, wide.data() + y * depth, depth, sum);
                        store(sum, std::min(ROWS, height - x), std::min(COLUMNS, width - y),
                              c + (i + x) * pitch + j + y, pitch, grow || l > 0);
                    }
            }
        }
    }
}

}  // namespace

void product(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, View a, View b, float* c, std::ptrdiff_t pitch,
             bool grow, bool tf32) {
    auto in = sumsInFloat() ? productIn<float> : productIn<double>;
    in(m, n, k, a, b, c, pitch, grow, tf32);
}

}  // namespace softgpu
