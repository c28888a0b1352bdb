// Averages of arrays that a program around this one owns: w, anywhere and of float32, bf16 or f16. Arenas of float32 lie
// beside them: all arrays one after the other, each from a multiple of 64 floats on; x and y are two of them.
//
//   pass           each element                                        bytes, of bf16 and f16
//   0 COPY         x = w + 0                                            8,  6
//   1 AVERAGE      x = x + p (w - x)                                   12, 10
//   2 MEAN         x = x + p (y - x); p = 1: x = y + 0                 12
//   3 MOMENT       x as AVERAGE, p = 1: as COPY;                       20, 18
//                  then y = (1 - p) y + q (w - x)^2; p = 1: y = 0
//   4 DEVIATION    y = w - x                                           12, 10
//   5 PULL         w = w + p (x - w); p = 1: w = x                     12,  8
//   6 EXCHANGE     w and x change places, for float32 alone            16
//   7 SHOW         y = w, w = x                                        16, 12
//   8 HIDE         w = y                                                8,  6
//
// Rounding is the CPU's: every product and sum by itself, as in step.cu. A piece has at most 16,384 elements of one array
// and a row of the table, 24 bytes that each of its threads reads. Arrays that begin at a multiple of four elements are read
// four elements an access, others one by one. Blocks: one a piece, capped at what fills the device.
//
//   arrays(const Piece*, u32 count, float* arenas, u64 stride /* floats of an arena */, u32 pass, u32 x, u32 y,
//          float p, float q)
#include "basin.cuh"

enum Type : u32 { F32, BF16, F16 };
enum Pass : u32 { COPY, AVERAGE, MEAN, MOMENT, DEVIATION, PULL, EXCHANGE, SHOW, HIDE };
enum Operand : u32 { W = 1, X = 2, Y = 4 };

struct Piece {
    void* w;
    u64 offset;  // of its first element in an arena
    u32 n;
    u32 type;
};
static_assert(sizeof(Piece) == 24, "as io.basin.cuda.CudaForeignArrays lays it out");

// As io.basin.io.Half.
__device__ inline float widen(u32 bits, u32 type) {
    if (type == BF16) return __uint_as_float(bits << 16);
    const u32 magnitude = bits & 0x7FFF;
    u32 wide;
    if (magnitude < 0x400) wide = __float_as_uint(__fmul_rn((float)magnitude, 5.9604644775390625e-8f));  // 2^-24
    else wide = magnitude < 0x7C00 ? (magnitude << 13) + (112u << 23) : 0x7F800000 | magnitude << 13;
    return __uint_as_float(wide | (bits & 0x8000) << 16);
}

__device__ inline u32 narrow(float v, u32 type) {
    if (type == BF16) return bf16Bits(v);
    const u32 bits = __float_as_uint(v);
    const u32 magnitude = bits & 0x7FFFFFFF;
    u32 half;
    if (magnitude > 0x7F800000) half = 0x7E00 | (magnitude >> 13 & 0x3FF);
    else if (magnitude >= 0x477FF000) half = 0x7C00;
    else if (magnitude >= 0x38800000) half = (magnitude - 0x38000000 + 0xFFF + (magnitude >> 13 & 1)) >> 13;
    else half = __float_as_uint(__fadd_rn(__uint_as_float(magnitude), 0.5f)) - 0x3F000000;
    return half | (bits >> 16 & 0x8000);
}

// N neighbouring elements, the i-th N of an array.
__device__ inline void fetch(float (&v)[1], const Piece& p, u32 i) {
    v[0] = p.type == F32 ? ((const float*)p.w)[i] : widen(((const u16*)p.w)[i], p.type);
}

__device__ inline void fetch(float (&v)[4], const Piece& p, u32 i) {
    if (p.type == F32) return load(v, (const float*)p.w + 4 * i);
    const uint2 words = ((const uint2*)p.w)[i];
    v[0] = widen(words.x & 0xFFFF, p.type), v[1] = widen(words.x >> 16, p.type);
    v[2] = widen(words.y & 0xFFFF, p.type), v[3] = widen(words.y >> 16, p.type);
}

__device__ inline void put(const Piece& p, u32 i, const float (&v)[1]) {
    if (p.type == F32) ((float*)p.w)[i] = v[0];
    else ((u16*)p.w)[i] = (u16)narrow(v[0], p.type);
}

__device__ inline void put(const Piece& p, u32 i, const float (&v)[4]) {
    if (p.type == F32) return store((float*)p.w + 4 * i, v);
    ((uint2*)p.w)[i] = make_uint2(
        narrow(v[0], p.type) | narrow(v[1], p.type) << 16, narrow(v[2], p.type) | narrow(v[3], p.type) << 16);
}

// f(w, x, y) on the i-th N elements of a piece; only operands in READ are read and only those in WRITE written.
template <u32 READ, u32 WRITE, u32 N, class F>
__device__ inline void apply(const Piece& p, float* x, float* y, u32 i, F f) {
    float w[N] = {}, a[N] = {}, b[N] = {};
    if (READ & W) fetch(w, p, i);
    if (READ & X) load(a, x + N * i);
    if (READ & Y) load(b, y + N * i);
    for (u32 j = 0; j < N; j++) f(w[j], a[j], b[j]);
    if (WRITE & W) put(p, i, w);
    if (WRITE & X) store(x + N * i, a);
    if (WRITE & Y) store(y + N * i, b);
}

template <u32 READ, u32 WRITE, class F>
__device__ inline void each(const Piece* pieces, u32 count, float* x, float* y, F f) {
    for (u32 k = blockIdx.x; k < count; k += gridDim.x) {
        const Piece p = pieces[k];
        __builtin_assume(__isGlobal(p.w));
        const u32 quads = (u64)p.w % (p.type == F32 ? 16 : 8) == 0 ? p.n / 4 : 0;
#pragma unroll 1
        for (u32 i = threadIdx.x; i < quads; i += blockDim.x) {
            apply<READ, WRITE, 4>(p, x + p.offset, y + p.offset, i, f);
        }
#pragma unroll 1
        for (u32 i = 4 * quads + threadIdx.x; i < p.n; i += blockDim.x) {
            apply<READ, WRITE, 1>(p, x + p.offset, y + p.offset, i, f);
        }
    }
}

extern "C" __global__ void __launch_bounds__(256)
arrays(const Piece* pieces, u32 count, float* arenas, u64 stride, u32 pass, u32 xAt, u32 yAt, float p, float q) {
    float* x = arenas + stride * xAt;
    float* y = arenas + stride * yAt;
    switch (pass) {
        case COPY:
            return each<W, X>(pieces, count, x, y, [](float& w, float& a, float&) { a = __fadd_rn(w, 0); });
        case AVERAGE:
            return each<W | X, X>(pieces, count, x, y, [p](float& w, float& a, float&) { a = toward(a, w, p); });
        case MEAN:
            return each<X | Y, X>(pieces, count, x, y, [p](float&, float& a, float& b) {
                a = p == 1 ? __fadd_rn(b, 0) : toward(a, b, p);
            });
        case MOMENT:
            return each<W | X | Y, X | Y>(pieces, count, x, y, [p, q](float& w, float& a, float& b) {
                a = p == 1 ? __fadd_rn(w, 0) : toward(a, w, p);
                const float d = __fsub_rn(w, a);
                b = p == 1 ? 0 : __fadd_rn(__fmul_rn(__fsub_rn(1, p), b), __fmul_rn(q, __fmul_rn(d, d)));
            });
        case DEVIATION:
            return each<W | X, Y>(pieces, count, x, y, [](float& w, float& a, float& b) { b = __fsub_rn(w, a); });
        case PULL:
            return each<W | X, W>(pieces, count, x, y, [p](float& w, float& a, float&) {
                w = p == 1 ? a : toward(w, a, p);
            });
        case EXCHANGE:
            return each<W | X, W | X>(pieces, count, x, y, [](float& w, float& a, float&) {
                const float before = w;
                w = a;
                a = before;
            });
        case SHOW:
            return each<W | X, W | Y>(pieces, count, x, y, [](float& w, float& a, float& b) { b = w, w = a; });
        case HIDE:
            return each<Y, W>(pieces, count, x, y, [](float& w, float&, float& b) { w = b; });
    }
}
