// The passes over whole arenas on the processor, at memory speed: io.basin.cpu calls them through JNA, each thread on its range.
//
//   step      d = c (f g + wd w)          c = 1; of a curve's control point p its coefficient; f = 1 or what clips the gradients
//             v = mu v + d
//             p = p - lr v                Nesterov: p - lr (d + mu v); p = w where no curve is trained
//             decoupled decay: d = f g and first p = p - lr wd p
//   adamw     io.basin.device.AdamW's, with f g for g
//             after both, where alpha != 0: a = a + alpha (p - a), and where s is there average.cu's moment of it;
//             then, where pull != 0: p = p + pull (a - p), pull = 1: p = a
//   squares   sum of g^2 of at most 2^14 elements in double: lane i takes i, i + 256, ...; lanes are added in halves
//   combine   to = sum_j c[j] points[j]   a point whose c is 0 takes no part and is not read
//   pass      one of kernels/arrays.cu's on an array of float32, bf16 or f16
//
// The bits are those of step.cu, average.cu and arrays.cu and of plain Java, which does the same where this is not built:
// compile with -ffp-contract=off, as every product and sum rounds by itself, and without -ffast-math. Bytes an element are
// the GPU's where output that is not read goes past the caches (large != 0), as a processor otherwise reads what it overwrites;
// that is right for arrays larger than the caches alone. Arrays that are read and written gain nothing by it.
//
// Each function exists three times, for AVX-512, AVX2 and any x86-64; the first call's processor chooses.
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

// Floats that stay in the first-level cache from one formula to the next.
enum { TILE = 1024 };

#define INLINE static inline __attribute__((always_inline))

// GCC would otherwise test whether w is p, which it may be, element by element.
#ifdef __clang__
#define EACH_FROM(i, begin, end) _Pragma("clang loop vectorize(assume_safety)") for (long i = begin; i < (end); i++)
#else
#define EACH_FROM(i, begin, end) _Pragma("GCC ivdep") for (long i = begin; i < (end); i++)
#endif
#define EACH(i, n) EACH_FROM(i, 0, n)

// A function for each kind of processor, and the one that is called.
#define VERSIONS(name, parameters, arguments)                                                                \
    __attribute__((target("avx512f,avx512bw"))) static void name##_avx512 parameters { name arguments; }     \
    __attribute__((target("avx2"))) static void name##_avx2 parameters { name arguments; }                   \
    static void name##_x86 parameters { name arguments; }                                                    \
    void basin_##name parameters {                                                                           \
        const int level = basin_level();                                                                     \
        (level == 2 ? name##_avx512 : level == 1 ? name##_avx2 : name##_x86) arguments;                      \
    }

// No higher level is chosen: for tests.
int basin_most = 2;

// 2 for AVX-512, 1 for AVX2, else 0.
int basin_level(void) {
    if (basin_most > 1 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")) return 2;
    return basin_most > 0 && __builtin_cpu_supports("avx2") ? 1 : 0;
}

// A tile to where it was made for, past the caches or not; the caller fences.
INLINE void put(float* to, const float* tile, long n, int large) {
    long i = 0;
    if (large && (uintptr_t)to % 16 == 0) {
        for (; i + 4 <= n; i += 4) _mm_stream_ps(to + i, _mm_loadu_ps(tile + i));
    }
    memcpy(to + i, tile + i, (n - i) * sizeof *to);
}

INLINE void toward(float* a, const float* w, long n, float alpha) { EACH(i, n) a[i] = a[i] + alpha * (w[i] - a[i]); }

INLINE void moment(float* s, const float* w, const float* a, long n, float keep, float gain) {
    if (keep == 0) memset(s, 0, n * sizeof *s);
    else EACH(i, n) {
        const float d = w[i] - a[i];
        s[i] = keep * s[i] + gain * (d * d);
    }
}

// After the update of a tile.
INLINE void average(float* p, float* a, float* s, long at, long n, float alpha, float pull) {
    if (alpha != 0) toward(a + at, p + at, n, alpha);
    if (alpha != 0 && s) moment(s + at, p + at, a + at, n, 1 - alpha, alpha / (1 - alpha));
    if (pull == 1) memcpy(p + at, a + at, n * sizeof *p);
    else if (pull != 0) toward(p + at, a + at, n, pull);
}

INLINE void move(float* p, float* v, const float* w, const float* g, long n, float c, float mu, float wd, float lr, float f,
                 int nesterov, int decoupled) {
    const float decay = lr * wd;
    EACH(i, n) {
        const float d = decoupled ? f * g[i] : c * (f * g[i] + wd * w[i]);
        const float x = mu * v[i] + d;
        v[i] = x;
        p[i] = (decoupled ? p[i] - decay * p[i] : p[i]) - lr * (nesterov ? d + mu * x : x);
    }
}

INLINE void step(float* p, float* v, const float* w, const float* g, float* a, float* s, long n, float c, float mu, float wd, float lr,
                 float alpha, float pull, float f, int nesterov, int decoupled) {
    for (long at = 0; at < n; at += TILE) {
        const long m = n - at < TILE ? n - at : TILE;
        float* to = p + at;
        if (nesterov && decoupled) move(to, v + at, w + at, g + at, m, c, mu, wd, lr, f, 1, 1);
        else if (nesterov) move(to, v + at, w + at, g + at, m, c, mu, wd, lr, f, 1, 0);
        else if (decoupled) move(to, v + at, w + at, g + at, m, c, mu, wd, lr, f, 0, 1);
        else move(to, v + at, w + at, g + at, m, c, mu, wd, lr, f, 0, 0);
        average(p, a, s, at, m, alpha, pull);
    }
}

INLINE void adamw(float* w, const float* g, float* m, float* v, float* a, float* s, long n, float b1, float r1, float b2, float r2,
                  float eps, float decay, float rate, float scale, float alpha, float pull, float f) {
    for (long at = 0; at < n; at += TILE) {
        const long end = n - at < TILE ? n : at + TILE;
        EACH_FROM(i, at, end) {
            const float d = f * g[i];
            m[i] = b1 * m[i] + r1 * d;
            v[i] = b2 * v[i] + r2 * d * d;
            w[i] = (w[i] - decay * w[i]) - rate * m[i] / (sqrtf(v[i]) * scale + eps);
        }
        average(w, a, s, at, end - at, alpha, pull);
    }
}

INLINE void squares(const float* g, long n, double* sum) {
    double lanes[256] = {0};
    for (long at = 0; at < n; at += 256) {
        const long m = n - at < 256 ? n - at : 256;
        EACH(i, m) lanes[i] = lanes[i] + (double)g[at + i] * g[at + i];
    }
    for (int half = 128; half > 0; half /= 2) EACH(i, half) lanes[i] = lanes[i] + lanes[i + half];
    *sum = lanes[0];
}

// n elements from `at` on of the points that take part.
INLINE void sum_of(float* sum, const float* const* x, const float* c, int taken, long at, long n) {
    EACH(i, n) sum[i] = c[0] * x[0][at + i];
    for (int j = 1; j < taken; j++) EACH(i, n) sum[i] = sum[i] + c[j] * x[j][at + i];
}

// A few cache lines of all points at a time, as a processor fetches ahead in each of several streams, but not past a page: a
// page of one point after a page of another takes a third longer.
INLINE void combine(float* to, const float* const* points, const float* c, int count, long from, long n, int large) {
    enum { FEW = 64, MOST = 32 };  // io.basin.device.Coefficients.MAX_POINTS
    const float* x[MOST];
    float share[MOST], sum[FEW] = {0};
    int taken = 0;
    for (int j = 0; j < count; j++) {
        if (c[j] != 0) x[taken] = points[j], share[taken++] = c[j];
    }
    for (long at = from; at < from + n; at += FEW) {
        const long m = from + n - at < FEW ? from + n - at : FEW;
        if (taken > 0 && m == FEW) sum_of(sum, x, share, taken, at, FEW);
        else if (taken > 0) sum_of(sum, x, share, taken, at, m);
        put(to + at, sum, m, large);
    }
    _mm_sfence();
}

enum Type { F32, BF16, F16 };
enum Pass { COPY, AVERAGE, MEAN, MOMENT, DEVIATION, PULL, EXCHANGE, SHOW, HIDE };

INLINE float float_of(uint32_t bits) {
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

INLINE uint32_t bits_of(float v) {
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

// As arrays.cu and io.basin.io.Half.
INLINE float widen(uint32_t bits, int type) {
    if (type == BF16) return float_of(bits << 16);
    const uint32_t magnitude = bits & 0x7FFF;
    const uint32_t small = bits_of((float)(int32_t)magnitude * 0x1p-24f);
    const uint32_t normal = (magnitude << 13) + (112u << 23);
    const uint32_t wide = magnitude < 0x400 ? small : magnitude < 0x7C00 ? normal : 0x7F800000 | magnitude << 13;
    return float_of(wide | (bits & 0x8000) << 16);
}

INLINE uint32_t narrow(float v, int type) {
    const uint32_t bits = bits_of(v);
    const uint32_t magnitude = bits & 0x7FFFFFFF;
    if (type == BF16) return (magnitude <= 0x7F800000 ? bits + 0x7FFF + (bits >> 16 & 1) : bits | 0x400000) >> 16;
    const uint32_t normal = (magnitude - 0x38000000 + 0xFFF + (magnitude >> 13 & 1)) >> 13;
    const uint32_t small = bits_of(float_of(magnitude) + 0.5f) - 0x3F000000;
    const uint32_t half = magnitude > 0x7F800000    ? 0x7E00 | (magnitude >> 13 & 0x3FF)
                          : magnitude >= 0x477FF000 ? 0x7C00
                          : magnitude >= 0x38800000 ? normal
                                                    : small;
    return half | (bits >> 16 & 0x8000);
}

// At most a tile of floats.
INLINE void on_floats(int pass, float* w, float* x, float* y, long n, float p, float q, int large) {
    float made[TILE];
    switch (pass) {
        case COPY:
            EACH(i, n) made[i] = w[i] + 0.0f;
            put(x, made, n, large);
            break;
        case AVERAGE: toward(x, w, n, p); break;
        case MEAN:
            if (p == 1) EACH(i, n) x[i] = y[i] + 0.0f;
            else toward(x, y, n, p);
            break;
        case MOMENT:
            if (p == 1) EACH(i, n) x[i] = w[i] + 0.0f;
            else toward(x, w, n, p);
            moment(y, w, x, n, 1 - p, q);
            break;
        case DEVIATION:
            EACH(i, n) made[i] = w[i] - x[i];
            put(y, made, n, large);
            break;
        case PULL:
            if (p == 1) memcpy(w, x, n * sizeof *w);
            else toward(w, x, n, p);
            break;
        case EXCHANGE: EACH(i, n) {
            const float before = w[i];
            w[i] = x[i];
            x[i] = before;
        } break;
        case SHOW:
            memcpy(y, w, n * sizeof *w);
            memcpy(w, x, n * sizeof *w);
            break;
        case HIDE: memcpy(w, y, n * sizeof *w); break;
    }
}

INLINE void pass(int pass, int type, void* w, float* x, float* y, long n, float p, float q, int large) {
    float wide[TILE];
    for (long at = 0; at < n; at += TILE) {
        const long m = n - at < TILE ? n - at : TILE;
        uint16_t* half = (uint16_t*)w + at;
        if (type == BF16) EACH(i, m) wide[i] = widen(half[i], BF16);
        if (type == F16) EACH(i, m) wide[i] = widen(half[i], F16);
        on_floats(pass, type == F32 ? (float*)w + at : wide, x + at, y + at, m, p, q, large);
        if (pass < PULL) continue;
        if (type == BF16) EACH(i, m) half[i] = (uint16_t)narrow(wide[i], BF16);
        if (type == F16) EACH(i, m) half[i] = (uint16_t)narrow(wide[i], F16);
    }
    _mm_sfence();
}

VERSIONS(step, (float* p, float* v, const float* w, const float* g, float* a, float* s, long n, float c, float mu, float wd, float lr,
                float alpha, float pull, float f, int nesterov, int decoupled),
         (p, v, w, g, a, s, n, c, mu, wd, lr, alpha, pull, f, nesterov, decoupled))
VERSIONS(adamw, (float* w, const float* g, float* m, float* v, float* a, float* s, long n, float b1, float r1, float b2, float r2,
                 float eps, float decay, float rate, float scale, float alpha, float pull, float f),
         (w, g, m, v, a, s, n, b1, r1, b2, r2, eps, decay, rate, scale, alpha, pull, f))
VERSIONS(squares, (const float* g, long n, double* sum), (g, n, sum))
VERSIONS(combine, (float* to, const float* const* points, const float* c, int count, long from, long n, int large),
         (to, points, c, count, from, n, large))
VERSIONS(pass, (int number, int type, void* w, float* x, float* y, long n, float p, float q, int large),
         (number, type, w, x, y, n, p, q, large))
