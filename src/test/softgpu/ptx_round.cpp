// Arithmetic and conversions that round otherwise than to nearest: the host's rounding mode is set around each. Built
// with -frounding-math.
#include <cfenv>
#include <cmath>
#include <cstring>
#include <limits>

#include "ptx_pick.h"

namespace softgpu::ptx {

namespace {

class Rounding {
public:
    explicit Rounding(int mode) : before_(std::fegetround()) { std::fesetround(mode); }
    ~Rounding() { std::fesetround(before_); }

private:
    int before_;
};

int modeOf(const std::string& name) {
    return name == "rz" ? FE_TOWARDZERO : name == "rm" ? FE_DOWNWARD : name == "rp" ? FE_UPWARD : FE_TONEAREST;
}

struct Add {
    template <class T> static T of(T a, T b, T) { return a + b; }
};
struct Sub {
    template <class T> static T of(T a, T b, T) { return a - b; }
};
struct Mul {
    template <class T> static T of(T a, T b, T) { return a * b; }
};
struct Div {
    template <class T> static T of(T a, T b, T) { return a / b; }
};
struct Fma {
    template <class T> static T of(T a, T b, T c) { return std::fma(a, b, c); }
};
struct Rcp {
    template <class T> static T of(T a, T, T) { return T(1) / a; }
};
struct Sqrt {
    template <class T> static T of(T a, T, T) { return std::sqrt(a); }
};

constexpr u32 flushed = 1u << 16, saturated = 1u << 17;

float flush(float x) { return std::fabs(x) < std::numeric_limits<float>::min() ? std::copysign(0.0f, x) : x; }
double flush(double x) { return x; }

float finish(float x, u32 how) {
    if (how & flushed) x = flush(x);
    if (how & saturated) x = x > 0 ? (x < 1 ? x : 1.0f) : 0.0f;
    if (x == x) return x;
    const u32 bits = 0x7fffffff;
    std::memcpy(&x, &bits, 4);
    return x;
}
double finish(double x, u32) { return x; }

template <class T, class F> void rounded(Warp& w, const Instruction& in, u32 mask) {
    const T *a = w.in<T>(in.a), *b = w.in<T>(in.b), *c = w.in<T>(in.c);
    T* d = w.out<T>(in.d);
    const Rounding mode(static_cast<int>(in.extra & 0xffff));
    const bool ftz = in.extra & flushed;
    only(mask, [=](int i) {
        d[i] = finish(ftz ? F::of(flush(a[i]), flush(b[i]), flush(c[i])) : F::of(a[i], b[i], c[i]), in.extra);
    });
}

template <class F> Handler both(Type t) { return t == Type::f64 ? rounded<double, F> : rounded<float, F>; }

template <class R, class A> void converted(Warp& w, const Instruction& in, u32 mask) {
    const auto* a = w.in<A>(in.a);
    R* d = w.out<R>(in.d);
    const Rounding mode(static_cast<int>(in.extra & 0xffff));
    only(mask, [=](int i) { d[i] = finish(static_cast<R>(static_cast<A>(a[i])), in.extra); });
}

template <class R> Handler from(Type a) {
    switch (a) {
        case Type::u8: return converted<R, u8>;
        case Type::s8: return converted<R, s8>;
        case Type::u16: return converted<R, u16>;
        case Type::s16: return converted<R, s16>;
        case Type::u32: return converted<R, u32>;
        case Type::s32: return converted<R, s32>;
        case Type::u64: return converted<R, u64>;
        case Type::s64: return converted<R, s64>;
        case Type::f64: return converted<R, double>;
        default: return nullptr;
    }
}

}  // namespace

Choice pickRounded(Modifiers& m) {
    const std::string& op = m.statement.opcode;
    u32 how = static_cast<u32>(modeOf(m.takeAny({"rz", "rm", "rp"})));
    if (m.take("ftz")) how |= flushed;
    if (m.take("sat")) how |= saturated;
    const Type t = m.type();
    if (op == "add") return {both<Add>(t), {t, t, t}, how};
    if (op == "sub") return {both<Sub>(t), {t, t, t}, how};
    if (op == "mul") return {both<Mul>(t), {t, t, t}, how};
    if (op == "div") return {both<Div>(t), {t, t, t}, how};
    if (op == "fma" || op == "mad") return {both<Fma>(t), {t, t, t, t}, how};
    if (op == "rcp") return {both<Rcp>(t), {t, t}, how};
    if (op == "sqrt") return {both<Sqrt>(t), {t, t}, how};
    return {};
}

Choice pickRoundedConversion(const std::string& mode, bool ftz, bool sat, Type to, Type of) {
    const u32 how = static_cast<u32>(modeOf(mode)) | (ftz ? flushed : 0u) | (sat ? saturated : 0u);
    if (to == Type::f64) return {of == Type::f64 ? nullptr : from<double>(of), {to, of}, how};
    return {from<float>(of), {to, of}, how};
}

}  // namespace softgpu::ptx
