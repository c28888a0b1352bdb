// Conversions, selections and comparisons of integers.
#include <cmath>
#include <cstring>
#include <limits>

#include "test_ptx.h"

namespace test {

namespace {

using Big = __int128;

int widthOf(const std::string& t) { return std::stoi(t.substr(1)); }

Big valueOf(u64 bits, const std::string& t) {
    Big x = widthOf(t) == 64 ? bits : bits & ((u64{1} << widthOf(t)) - 1);
    if (t[0] == 's' && x >> (widthOf(t) - 1) & 1) x -= Big{1} << widthOf(t);
    return x;
}

Big least(const std::string& t) { return t[0] == 's' ? -(Big{1} << (widthOf(t) - 1)) : 0; }
Big most(const std::string& t) { return (Big{1} << (widthOf(t) - (t[0] == 's'))) - 1; }
u64 wrap(Big x, const std::string& t) {
    return widthOf(t) == 64 ? static_cast<u64>(x) : static_cast<u64>(x) & ((u64{1} << widthOf(t)) - 1);
}

const std::vector<std::string> integers{"u8", "s8", "u16", "s16", "u32", "s32", "u64", "s64"};

void betweenIntegers() {
    for (const std::string& to : integers) {
        for (const std::string& from : integers) {
            if (to == from) continue;
            const std::string types = to + " " + from;
            expect("cvt." + to + "." + from, types, rowsOf(types),
                   [=](const Row& r) { return wrap(valueOf(r[0], from), to); });
            expect("cvt.sat." + to + "." + from, types, rowsOf(types), [=](const Row& r) {
                const Big x = valueOf(r[0], from);
                return wrap(x < least(to) ? least(to) : x > most(to) ? most(to) : x, to);
            });
        }
    }
}

// By hand on the value's parts: floor by truncating the magnitude, then the direction.
Big wholeOf(long double x, const std::string& mode, const std::string& to) {
    const bool negative = x < 0;
    const long double size = negative ? -x : x;
    if (size >= 0x1p100L) return negative ? least(to) : most(to);
    Big whole = static_cast<Big>(size);
    const long double rest = size - static_cast<long double>(whole);
    const bool up = mode == "rni"   ? rest > 0.5L || (rest == 0.5L && (whole & 1))
                    : mode == "rpi" ? rest > 0 && !negative
                    : mode == "rmi" ? rest > 0 && negative
                                    : false;
    whole += up;
    if (negative) whole = -whole;
    return whole < least(to) ? least(to) : whole > most(to) ? most(to) : whole;
}

template <class T> long double real(u64 bits);
template <> long double real<float>(u64 bits) { return asFloat(bits); }
template <> long double real<double>(u64 bits) { return asDouble(bits); }

template <class T> void fromFloat(const std::string& from) {
    for (const std::string mode : {"rni", "rzi", "rmi", "rpi"}) {
        for (const std::string& to : integers) {
            const std::string types = to + " " + from;
            expect("cvt." + mode + "." + to + "." + from, types, rowsOf(types), [=](const Row& r) -> u64 {
                const long double x = real<T>(r[0]);
                if (x != x) return sizeof(T) == 8 || widthOf(to) == 64 ? u64{1} << (widthOf(to) - 1) : 0;
                return wrap(wholeOf(x, mode, to), to);
            });
        }
        const std::string types = from + " " + from;
        expect("cvt." + mode + "." + from + "." + from, types, rowsOf(types), [=](const Row& r) -> u64 {
            const T x = static_cast<T>(real<T>(r[0]));
            if (x != x) return sizeof(T) == 8 ? r[0] | u64{1} << 51 : 0x7fffffff;
            if (std::fabs(x) >= T(0x1p60)) return r[0];
            return bitsOf(std::copysign(static_cast<T>(wholeOf(x, mode, "s64")), x));
        });
    }
}

// The nearest in the wanted direction, found from an exact integer difference.
template <class T> u64 converted(Big x, const std::string& mode) {
    T near = static_cast<T>(static_cast<long double>(x));  // x has at most 64 bits: a long double holds it
    const Big back = static_cast<Big>(near);
    const bool down = mode == "rm" || (mode == "rz" && x > 0), up = mode == "rp" || (mode == "rz" && x < 0);
    if (down && back > x) near = std::nextafter(near, -std::numeric_limits<T>::infinity());
    if (up && back < x) near = std::nextafter(near, std::numeric_limits<T>::infinity());
    return bitsOf(near);
}

template <class T> void toFloat(const std::string& to) {
    for (const std::string mode : {"rn", "rz", "rm", "rp"})
        for (const std::string& from : integers)
            expect("cvt." + mode + "." + to + "." + from, to + " " + from, rowsOf(to + " " + from),
                   [=](const Row& r) { return converted<T>(valueOf(r[0], from), mode); });
}

void betweenFloats() {
    expect("cvt.f64.f32", "f64 f32", rowsOf("f64 f32"), [](const Row& r) -> u64 {  // by the bits
        const u64 sign = r[0] >> 31 << 63;
        u64 mantissa = r[0] & 0x7fffff, exponent = r[0] >> 23 & 255;
        if (exponent == 255) return sign | 0x7ff0000000000000 | (mantissa ? mantissa << 29 | u64{1} << 51 : 0);
        if (exponent == 0 && mantissa == 0) return sign;
        exponent += 1023 - 127;
        if ((r[0] >> 23 & 255) == 0) {
            for (++exponent; !(mantissa >> 23); --exponent) mantissa <<= 1;
            mantissa &= 0x7fffff;
        }
        return sign | exponent << 52 | mantissa << 29;
    });
    for (const std::string mode : {"rn", "rz", "rm", "rp"}) {
        expect("cvt." + mode + ".f32.f64", "f32 f64", rowsOf("f32 f64"), [=](const Row& r) -> u64 {
            const double x = asDouble(r[0]);
            if (x != x) return 0x7fffffff;
            float below = static_cast<float>(x), above = below;  // neighbours of x, whatever the cast did
            if (below > x) below = std::nextafter(below, -INFINITY);
            if (above < x) above = std::nextafter(above, INFINITY);
            if (mode == "rm" || (mode == "rz" && x > 0)) return bitsOf(below);
            if (mode == "rp" || (mode == "rz" && x < 0))
                return bitsOf(std::isinf(above) || above != 0 ? above : std::copysign(0.0f, static_cast<float>(x)));
            if (std::isinf(above) || std::isinf(below) || above == below) return bitsOf(static_cast<float>(x));
            const double middle = (static_cast<double>(below) + above) / 2;
            const float even = bitsOf(below) & 1 ? above : below;
            const float near = x < middle ? below : x > middle ? above : even;
            return bitsOf(near == 0 ? std::copysign(0.0f, static_cast<float>(x)) : near);
        });
    }
    expect("cvt.sat.f32.f32", "f32 f32", rowsOf("f32 f32"), [](const Row& r) {
        const float x = asFloat(r[0]);
        return x != x || x <= 0 ? 0 : x >= 1 ? bitsOf(1.0f) : r[0];
    });
    expect("cvt.ftz.f32.f32", "f32 f32", rowsOf("f32 f32"), [](const Row& r) {
        const bool small = (r[0] & 0x7f800000) == 0, nan = (r[0] & 0x7fffffff) > 0x7f800000;
        return nan ? 0x7fffffff : small ? r[0] & 0x80000000 : r[0];
    });
}

void selections() {
    for (const std::string t : {"u16", "s16", "u32", "s32", "u64", "s64"}) {
        for (const std::string c : {"eq", "ne", "lt", "le", "gt", "ge", "lo", "ls", "hi", "hs"}) {
            if (t[0] == 's' && (c[0] == 'h' || c == "lo" || c == "ls")) continue;
            const std::string types = "pred " + t + " " + t;
            expect("setp." + c + "." + t, types, rowsOf(types), [=](const Row& r) -> u64 {
                const Big a = valueOf(r[0], t), b = valueOf(r[1], t);
                return c == "eq"                ? a == b
                       : c == "ne"              ? a != b
                       : c == "lt" || c == "lo" ? a < b
                       : c == "le" || c == "ls" ? a <= b
                       : c == "gt" || c == "hi" ? a > b
                                                : a >= b;
            });
        }
    }
}

void choices() {
    for (const std::string t : {"b32", "u32", "f32", "b64", "f64", "b16"})
        expect("selp." + t, t + " " + t + " " + t + " pred", rowsOf(t + " " + t + " " + t + " pred"),
               [](const Row& r) { return r[2] ? r[0] : r[1]; });
    expect("slct.b32.s32", "b32 b32 b32 s32", rowsOf("b32 b32 b32 s32"),
           [](const Row& r) { return r[2] >> 31 ? r[1] : r[0]; });
    expect("slct.b64.f32", "b64 b64 b64 f32", rowsOf("b64 b64 b64 f32"),
           [](const Row& r) { return asFloat(r[2]) >= 0 ? r[0] : r[1]; });
    expect("set.gt.u32.s32", "u32 s32 s32", rowsOf("u32 s32 s32"),
           [](const Row& r) { return static_cast<s32>(r[0]) > static_cast<s32>(r[1]) ? 0xffffffff : u64{0}; });
    expect("set.lt.f32.u32", "f32 u32 u32", rowsOf("f32 u32 u32"),
           [](const Row& r) { return r[0] < r[1] ? bitsOf(1.0f) : 0; });
    expect(
        "{ .reg .pred %q, %s; setp.lt.and.s32 %q|%s, %v1, %v2, !%v3; selp.u32 %v0, 1, 0, %q; @%s add.u32 %v0, %v0, 2; }",
        "u32 s32 s32 pred", rowsOf("u32 s32 s32 pred"), [](const Row& r) -> u64 {
            const bool less = static_cast<s32>(r[0]) < static_cast<s32>(r[1]), third = !r[2];
            return (less && third ? 1 : 0) + (!less && third ? 2 : 0);
        });
    for (const std::string t : {"finite", "infinite", "number", "notanumber", "normal", "subnormal"})
        expect("testp." + t + ".f32", "pred f32", rowsOf("pred f32"), [=](const Row& r) -> u64 {
            const u64 e = r[0] >> 23 & 255, m = r[0] & 0x7fffff;
            return t == "finite"       ? e < 255
                   : t == "infinite"   ? e == 255 && !m
                   : t == "number"     ? e < 255 || !m
                   : t == "notanumber" ? e == 255 && m
                   : t == "normal"     ? e > 0 && e < 255
                                       : !e && m;
        });
}

void moves() {
    expect("{ .reg .b16 %a, %b; mov.b32 {%a, %b}, %v1; mov.b32 %v0, {%b, %a}; }", "b32 b32", rowsOf("b32 b32"),
           [](const Row& r) { return r[0] >> 16 | (r[0] & 0xffff) << 16; });
    expect("{ .reg .b32 %a, %b; mov.b64 {%a, %b}, %v1; mov.b64 %v0, {%b, %a}; }", "b64 b64", rowsOf("b64 b64"),
           [](const Row& r) { return r[0] >> 32 | r[0] << 32; });
    expect("{ .reg .b16 %a, %b, %c, %d; mov.b64 {%a, %b, %c, %d}, %v1; mov.b64 %v0, {%d, %c, %b, %a}; }", "b64 b64",
           rowsOf("b64 b64"), [](const Row& r) {
               return r[0] << 48 | (r[0] >> 16 & 0xffff) << 32 | (r[0] >> 32 & 0xffff) << 16 | r[0] >> 48;
           });
    expect("cvt.u16.u64", "u16 u64", rowsOf("u16 u64"), [](const Row& r) { return r[0] & 0xffff; });
    expect("{ cvt.s64.s8 %v0, %v1; }", "s64 s64", rowsOf("s64 s64"),
           [](const Row& r) { return wrap(valueOf(r[0], "s8"), "s64"); });
    expect("{ mov.f32 %v0, 1.5; add.f32 %v0, %v0, 0fBF000000; }", "f32 f32", {{0}},
           [](const Row&) { return bitsOf(1.0f); });
    expect("{ mov.f64 %v0, 0d3FF8000000000000; }", "f64 f32", {{0}}, [](const Row&) { return bitsOf(1.5); });
}

}  // namespace

void convertCases() {
    betweenIntegers();
    fromFloat<float>("f32");
    fromFloat<double>("f64");
    toFloat<float>("f32");
    toFloat<double>("f64");
    betweenFloats();
    selections();
    choices();
    moves();
}

}  // namespace test
