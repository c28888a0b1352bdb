#include "product.h"

#include <algorithm>
#include <vector>

namespace softgpu {
namespace {

constexpr std::ptrdiff_t ROWS = 6, LANES = 4, COLUMNS = 2 * LANES;  // a tile: twelve vector registers of sums
constexpr std::ptrdiff_t DEPTH = 512, TALL = 8 * ROWS, WIDE = 32 * COLUMNS;

typedef double Lanes __attribute__((vector_size(LANES * sizeof(double)), aligned(sizeof(double)), may_alias));

float rounded(float x, bool tf32) { return tf32 ? tf32Rounded(x) : x; }

// Strips of `width` rows of a view, k-major, the last one filled with zeros.
void pack(double* to, View from, std::ptrdiff_t rows, std::ptrdiff_t k, std::ptrdiff_t width, bool tf32) {
    for (std::ptrdiff_t first = 0; first < rows; first += width) {
        std::ptrdiff_t present = std::min(width, rows - first);
        for (std::ptrdiff_t l = 0; l < k; l++, to += width) {
            const float* at = from.at + first * from.row + l * from.column;
            for (std::ptrdiff_t i = 0; i < present; i++) to[i] = rounded(at[i * from.row], tf32);
            std::fill(to + present, to + width, 0.0);
        }
    }
}

// Wider vectors where the machine has them: the same sums in the same order, so the same bits.
__attribute__((target_clones("avx2", "default"))) void tile(const double* a, const double* b, std::ptrdiff_t k,
                                                            Lanes (&result)[ROWS][2]) {
    Lanes sum[ROWS][2] = {};  // local, hence in registers
    for (std::ptrdiff_t l = 0; l < k; l++, a += ROWS, b += COLUMNS) {
        Lanes left = *reinterpret_cast<const Lanes*>(b), right = *reinterpret_cast<const Lanes*>(b + LANES);
        for (std::ptrdiff_t i = 0; i < ROWS; i++) {
            sum[i][0] += a[i] * left;
            sum[i][1] += a[i] * right;
        }
    }
    std::memcpy(&result, &sum, sizeof sum);
}

void store(const Lanes (&sum)[ROWS][2], std::ptrdiff_t rows, std::ptrdiff_t columns, float* c, std::ptrdiff_t pitch,
           bool grow) {
    for (std::ptrdiff_t i = 0; i < rows; i++, c += pitch) {
        const double* from = reinterpret_cast<const double*>(sum[i]);
        for (std::ptrdiff_t j = 0; j < columns; j++) c[j] = float(grow ? c[j] + from[j] : from[j]);
    }
}

std::ptrdiff_t up(std::ptrdiff_t n, std::ptrdiff_t to) { return (n + to - 1) / to * to; }

}  // namespace

void product(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, View a, View b, float* c, std::ptrdiff_t pitch,
             bool grow, bool tf32) {
    static thread_local std::vector<double> tall, wide;
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
                        Lanes sum[ROWS][2];
                        tile(tall.data() + x * depth, wide.data() + y * depth, depth, sum);
                        store(sum, std::min(ROWS, height - x), std::min(COLUMNS, width - y),
                              c + (i + x) * pitch + j + y, pitch, grow || l > 0);
                    }
            }
        }
    }
}

}  // namespace softgpu
