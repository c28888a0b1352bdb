// cvt: between all integer and floating types. Floats become integers with clamping; a NaN becomes 0, or the integer
// with only its highest bit set where 64 bits are involved.
#include <cmath>
#include <cstring>
#include <limits>

#include "ptx_pick.h"

namespace softgpu::ptx {

Choice pickRoundedConversion(const std::string& mode, bool ftz, bool sat, Type to, Type of);

namespace {

template <class R, class A> struct Plain {
    static R of(A a) { return static_cast<R>(a); }
};

template <class R, class A> struct Clamped {
    static R of(A a) {
        const __int128 x = a, least = std::numeric_limits<R>::min(), most = std::numeric_limits<R>::max();
        return static_cast<R>(x < least ? least : x > most ? most : x);
    }
};

enum Towards { nearest, zero, down, up };

template <int MODE, class T> inline T whole(T x) {
    return MODE == nearest ? std::nearbyint(x)
           : MODE == zero  ? std::trunc(x)
           : MODE == down  ? std::floor(x)
                           : std::ceil(x);
}

inline float flush(float x) { return std::fabs(x) < std::numeric_limits<float>::min() ? std::copysign(0.0f, x) : x; }
inline double flush(double x) { return x; }

template <class R, class A, int MODE, bool FTZ> struct ToInteger {
    static R of(A a) {
        const double x = whole<MODE>(FTZ ? flush(a) : a);
        const double beyond = std::ldexp(1.0, std::numeric_limits<R>::digits);  // the largest + 1
        const double least = std::numeric_limits<R>::is_signed ? -beyond : 0.0;
        const bool wide = sizeof(A) == 8 || sizeof(R) == 8;
        if (x != x) return wide ? static_cast<R>(R(1) << (sizeof(R) * 8 - 1)) : R(0);
        return x >= beyond ? std::numeric_limits<R>::max()
               : x < least ? std::numeric_limits<R>::min()
                           : static_cast<R>(x);
    }
};

template <class T> inline T clean(T x) {
    if (sizeof(T) == 8 || x == x) return x;
    const u32 bits = 0x7fffffff;
    std::memcpy(&x, &bits, 4);
    return x;
}

template <class R, class A, bool FTZ, bool SAT> struct ToFloat {
    static R of(A a) {
        R x;
        if constexpr (std::is_floating_point_v<A>)
            x = static_cast<R>(FTZ ? flush(a) : a);
        else
            x = static_cast<R>(a);
        if (FTZ) x = flush(x);
        return SAT ? (x > 0 ? (x < 1 ? x : R(1)) : R(0)) : clean(x);
    }
};

template <class T, int MODE, bool FTZ, bool SAT> struct ToWhole {
    static T of(T a) { return ToFloat<T, T, FTZ, SAT>::of(whole<MODE>(FTZ ? flush(a) : a)); }
};

template <template <class, class> class F, class R> Handler fromInteger(Type a) {
    switch (a) {
        case Type::u8:
        case Type::b8: return unary<R, u8, F<R, u8>>;
        case Type::s8: return unary<R, s8, F<R, s8>>;
        case Type::u16:
        case Type::b16: return unary<R, u16, F<R, u16>>;
        case Type::s16: return unary<R, s16, F<R, s16>>;
        case Type::u32:
        case Type::b32: return unary<R, u32, F<R, u32>>;
        case Type::s32: return unary<R, s32, F<R, s32>>;
        case Type::u64:
        case Type::b64: return unary<R, u64, F<R, u64>>;
        case Type::s64: return unary<R, s64, F<R, s64>>;
        default: return nullptr;
    }
}

template <template <class, class> class F> Handler integers(Type to, Type of) {
    switch (to) {
        case Type::u8:
        case Type::b8: return fromInteger<F, u8>(of);
        case Type::s8: return fromInteger<F, s8>(of);
        case Type::u16:
        case Type::b16: return fromInteger<F, u16>(of);
        case Type::s16: return fromInteger<F, s16>(of);
        case Type::u32:
        case Type::b32: return fromInteger<F, u32>(of);
        case Type::s32: return fromInteger<F, s32>(of);
        case Type::u64:
        case Type::b64: return fromInteger<F, u64>(of);
        case Type::s64: return fromInteger<F, s64>(of);
        default: return nullptr;
    }
}

template <class R, class A> Handler toInteger(int mode, bool ftz) {
    if (ftz) {
        static const Handler flushed[] = {
            unary<R, A, ToInteger<R, A, nearest, true>>, unary<R, A, ToInteger<R, A, zero, true>>,
            unary<R, A, ToInteger<R, A, down, true>>, unary<R, A, ToInteger<R, A, up, true>>};
        return flushed[mode];
    }
    static const Handler all[] = {unary<R, A, ToInteger<R, A, nearest, false>>,
                                  unary<R, A, ToInteger<R, A, zero, false>>, unary<R, A, ToInteger<R, A, down, false>>,
                                  unary<R, A, ToInteger<R, A, up, false>>};
    return all[mode];
}

template <class A> Handler toInteger(Type to, int mode, bool ftz) {
    switch (to) {
        case Type::u8: return toInteger<u8, A>(mode, ftz);
        case Type::s8: return toInteger<s8, A>(mode, ftz);
        case Type::u16: return toInteger<u16, A>(mode, ftz);
        case Type::s16: return toInteger<s16, A>(mode, ftz);
        case Type::u32: return toInteger<u32, A>(mode, ftz);
        case Type::s32: return toInteger<s32, A>(mode, ftz);
        case Type::u64: return toInteger<u64, A>(mode, ftz);
        case Type::s64: return toInteger<s64, A>(mode, ftz);
        default: return nullptr;
    }
}

template <class T, bool FTZ, bool SAT> Handler toWhole(int mode) {
    static const Handler all[] = {unary<T, T, ToWhole<T, nearest, FTZ, SAT>>, unary<T, T, ToWhole<T, zero, FTZ, SAT>>,
                                  unary<T, T, ToWhole<T, down, FTZ, SAT>>, unary<T, T, ToWhole<T, up, FTZ, SAT>>};
    return all[mode];
}

template <class R, class A> Handler toFloat(bool ftz, bool sat) {
    if (ftz) return sat ? unary<R, A, ToFloat<R, A, true, true>> : unary<R, A, ToFloat<R, A, true, false>>;
    return sat ? unary<R, A, ToFloat<R, A, false, true>> : unary<R, A, ToFloat<R, A, false, false>>;
}

template <class R, class A> using IntegerToFloat = ToFloat<R, A, false, false>;

int towards(const std::string& mode) {
    return mode == "rni" ? nearest : mode == "rzi" ? zero : mode == "rmi" ? down : up;
}

Handler floats(Type to, Type of, const std::string& mode, bool ftz, bool sat) {
    if (to == of && mode.size() == 3) {
        if (to == Type::f64)
            return sat ? toWhole<double, false, true>(towards(mode)) : toWhole<double, false, false>(towards(mode));
        if (ftz) return sat ? toWhole<float, true, true>(towards(mode)) : toWhole<float, true, false>(towards(mode));
        return sat ? toWhole<float, false, true>(towards(mode)) : toWhole<float, false, false>(towards(mode));
    }
    if (to == Type::f64) return of == Type::f64 ? toFloat<double, double>(ftz, sat) : toFloat<double, float>(ftz, sat);
    return of == Type::f64 ? toFloat<float, double>(ftz, sat) : toFloat<float, float>(ftz, sat);
}

}  // namespace

Choice pickConvert(Modifiers& m) {
    const std::string mode = m.takeAny({"rn", "rz", "rm", "rp", "rni", "rzi", "rmi", "rpi"});
    const bool ftz = m.take("ftz"), sat = m.take("sat");
    const Type of = m.type(), to = m.type();
    const bool integral = mode.size() == 3;
    if (!isFloat(to) && !isFloat(of)) return {sat ? integers<Clamped>(to, of) : integers<Plain>(to, of), {to, of}};
    if (!isFloat(to)) {
        if (!integral) return {};
        return {
            of == Type::f64 ? toInteger<double>(to, towards(mode), false) : toInteger<float>(to, towards(mode), ftz),
            {to, of}};
    }
    if (mode == "rz" || mode == "rm" || mode == "rp") return pickRoundedConversion(mode, ftz, sat, to, of);
    if (isFloat(of)) return {floats(to, of, mode, ftz, sat), {to, of}};
    if (sat) return pickRoundedConversion(mode, ftz, sat, to, of);
    return {to == Type::f64 ? fromInteger<IntegerToFloat, double>(of) : fromInteger<IntegerToFloat, float>(of),
            {to, of}};
}

}  // namespace softgpu::ptx
