// Floating point that rounds to nearest. The approximate functions of hardware are computed exactly here, so results
// agree within their stated error, not bit for bit.
#include <cmath>
#include <cstring>
#include <limits>

#include "ptx_pick.h"

namespace softgpu::ptx {

namespace {

// Hardware's f32 results are never another NaN than this one.
inline float clean(float x) {
    const u32 bits = 0x7fffffff;
    float nan;
    std::memcpy(&nan, &bits, 4);
    return x == x ? x : nan;
}
inline double clean(double x) { return x; }

template <bool FTZ> inline float flush(float x) {
    return FTZ && std::fabs(x) < std::numeric_limits<float>::min() ? std::copysign(0.0f, x) : x;
}
template <bool FTZ> inline double flush(double x) { return x; }
template <bool SAT, class T> inline T limit(T x) { return !SAT ? x : x > 0 ? (x < 1 ? x : T(1)) : T(0); }

// An operation with its modifiers around it.
template <class T, class F, bool FTZ, bool SAT> struct Around {
    static T of(T a) { return limit<SAT>(flush<FTZ>(clean(F::of(flush<FTZ>(a))))); }
    static T of(T a, T b) { return limit<SAT>(flush<FTZ>(clean(F::of(flush<FTZ>(a), flush<FTZ>(b))))); }
    static T of(T a, T b, T c) {
        return limit<SAT>(flush<FTZ>(clean(F::of(flush<FTZ>(a), flush<FTZ>(b), flush<FTZ>(c)))));
    }
};

struct Add {
    template <class T> static T of(T a, T b) { return a + b; }
};
struct Sub {
    template <class T> static T of(T a, T b) { return a - b; }
};
struct Mul {
    template <class T> static T of(T a, T b) { return a * b; }
};
struct Div {
    template <class T> static T of(T a, T b) { return a / b; }
};
struct Fma {
    template <class T> static T of(T a, T b, T c) { return std::fma(a, b, c); }
};
struct Rcp {
    template <class T> static T of(T a) { return T(1) / a; }
};
struct Sqrt {
    template <class T> static T of(T a) { return std::sqrt(a); }
};
struct Rsqrt {
    static float of(float a) { return static_cast<float>(1 / std::sqrt(static_cast<double>(a))); }
    static double of(double a) { return 1 / std::sqrt(a); }
};
struct Neg {
    template <class T> static T of(T a) { return -a; }
};
struct Abs {
    template <class T> static T of(T a) { return std::fabs(a); }
};
struct CopySign {
    template <class T> static T of(T a, T b) { return std::copysign(b, a); }
};
struct Exp2 {
    static float of(float a) { return std::exp2(a); }
};
struct Log2 {
    static float of(float a) { return std::log2(a); }
};
struct Sin {
    static float of(float a) { return std::sin(a); }
};
struct Cos {
    static float of(float a) { return std::cos(a); }
};
struct Tanh {
    static float of(float a) { return std::tanh(a); }
};

template <bool NAN_WINS> struct Min {  // drops a NaN where the other operand is none; -0 is below +0
    template <class T> static T of(T a, T b) {
        const T least = a < b || (a == b && std::signbit(a)) ? a : b;
        return a != a ? (NAN_WINS ? a : b) : b != b ? (NAN_WINS ? b : a) : least;
    }
};
template <bool NAN_WINS> struct Max {
    template <class T> static T of(T a, T b) {
        const T most = a > b || (a == b && !std::signbit(a)) ? a : b;
        return a != a ? (NAN_WINS ? a : b) : b != b ? (NAN_WINS ? b : a) : most;
    }
};

__attribute__((target("avx2,fma"))) void fmaLanes(const float* a, const float* b, const float* c, float* d) {
#pragma GCC ivdep
    for (int i = 0; i < 32; ++i) {
        const float r = __builtin_fmaf(a[i], b[i], c[i]);
        d[i] = r == r ? r : std::numeric_limits<float>::quiet_NaN();
    }
}

void fmaWithHardware(Warp& w, const Instruction& in, u32 mask) {
    if (mask != w.alive) return ternary<float, float, float, float, Around<float, Fma, false, false>>(w, in, mask);
    fmaLanes(w.in<float>(in.a), w.in<float>(in.b), w.in<float>(in.c), w.out<float>(in.d));
    u32* bits = w.out<u32>(in.d);
    for (int i = 0; i < 32; ++i) bits[i] = bits[i] == 0x7fc00000 ? 0x7fffffff : bits[i];
}

struct How {
    bool ftz, sat, wide;
};

template <class F> Handler one(How h) {
    if (h.wide) return unary<double, double, Around<double, F, false, false>>;
    if (h.ftz)
        return h.sat ? unary<float, float, Around<float, F, true, true>>
                     : unary<float, float, Around<float, F, true, false>>;
    return h.sat ? unary<float, float, Around<float, F, false, true>>
                 : unary<float, float, Around<float, F, false, false>>;
}

template <class F> Handler single(How h) {  // f32 only
    if (h.wide) return nullptr;
    return h.ftz ? unary<float, float, Around<float, F, true, false>>
                 : unary<float, float, Around<float, F, false, false>>;
}

template <class F> Handler two(How h) {
    if (h.wide) return binary<double, double, double, Around<double, F, false, false>>;
    if (h.ftz)
        return h.sat ? binary<float, float, float, Around<float, F, true, true>>
                     : binary<float, float, float, Around<float, F, true, false>>;
    return h.sat ? binary<float, float, float, Around<float, F, false, true>>
                 : binary<float, float, float, Around<float, F, false, false>>;
}

Handler fma(How h) {
    static const bool hardware = __builtin_cpu_supports("fma") && __builtin_cpu_supports("avx2");
    if (h.wide) return ternary<double, double, double, double, Around<double, Fma, false, false>>;
    if (!h.ftz && !h.sat && hardware) return fmaWithHardware;
    if (h.ftz)
        return h.sat ? ternary<float, float, float, float, Around<float, Fma, true, true>>
                     : ternary<float, float, float, float, Around<float, Fma, true, false>>;
    return h.sat ? ternary<float, float, float, float, Around<float, Fma, false, true>>
                 : ternary<float, float, float, float, Around<float, Fma, false, false>>;
}

}  // namespace

Choice pickFloat(Modifiers& m) {
    const std::string& op = m.statement.opcode;
    m.takeAny({"rn", "approx", "full"});
    const bool ftz = m.take("ftz"), sat = m.take("sat"), nan = m.take("NaN");
    const Type t = m.type();
    const How h{ftz, sat, t == Type::f64};
    if (op == "add") return {two<Add>(h), {t, t, t}};
    if (op == "sub") return {two<Sub>(h), {t, t, t}};
    if (op == "mul") return {two<Mul>(h), {t, t, t}};
    if (op == "div") return {two<Div>(h), {t, t, t}};
    if (op == "fma" || op == "mad") return {fma(h), {t, t, t, t}};
    if (op == "min") return {nan ? two<Min<true>>(h) : two<Min<false>>(h), {t, t, t}};
    if (op == "max") return {nan ? two<Max<true>>(h) : two<Max<false>>(h), {t, t, t}};
    if (op == "copysign") return {two<CopySign>(h), {t, t, t}};
    if (op == "neg") return {one<Neg>(h), {t, t}};
    if (op == "abs") return {one<Abs>(h), {t, t}};
    if (op == "rcp") return {one<Rcp>(h), {t, t}};
    if (op == "sqrt") return {one<Sqrt>(h), {t, t}};
    if (op == "rsqrt") return {one<Rsqrt>(h), {t, t}};
    if (op == "ex2") return {single<Exp2>(h), {t, t}};
    if (op == "lg2") return {single<Log2>(h), {t, t}};
    if (op == "sin") return {single<Sin>(h), {t, t}};
    if (op == "cos") return {single<Cos>(h), {t, t}};
    if (op == "tanh") return {single<Tanh>(h), {t, t}};
    return {};
}

}  // namespace softgpu::ptx
