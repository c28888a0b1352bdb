// Floating-point instructions against 113-bit arithmetic in software, rounded by comparing.
#include <cmath>
#include <limits>

#include "test_ptx.h"

namespace test {

namespace {

using Quad = __float128;

// The value that is nearest to x, which is finite, in the wanted direction. `rest` has the sign of what x lacks to be
// exact.
template <class T> T rounded(Quad x, Quad rest, const std::string& mode) {
    using Finer = std::conditional_t<sizeof(T) == 4, double, long double>;  // has all borders between two results
    if (rest != 0 && static_cast<Quad>(static_cast<Finer>(x)) == x) {       // on a border, perhaps: a tiny step decides
        const Quad size = x < 0 ? -x : x;
        x += (rest < 0 ? -size : size) * static_cast<Quad>(0x1p-111);
    }
    T near = static_cast<T>(x);
    const T inf = std::numeric_limits<T>::infinity();
    if (mode == "rn") return near;
    const bool down = mode == "rm" || (mode == "rz" && x > 0), up = mode == "rp" || (mode == "rz" && x < 0);
    if (down && static_cast<Quad>(near) > x) near = std::nextafter(near, -inf);
    if (up && static_cast<Quad>(near) < x) near = std::nextafter(near, inf);
    return near == 0 ? std::copysign(T(0), x < 0 || (x == 0 && std::signbit(static_cast<double>(x))) ? T(-1) : T(1))
                     : near;
}

template <class T> T at(const Row& r, std::size_t i);
template <> float at<float>(const Row& r, std::size_t i) { return asFloat(r[i]); }
template <> double at<double>(const Row& r, std::size_t i) { return asDouble(r[i]); }

constexpr u64 canonical = 0x7fffffff;

u64 bits(float x) { return x != x ? canonical : bitsOf(x); }
u64 bits(double x) { return x != x ? 0x7ff8000000000000 : bitsOf(x); }

// NaNs of f64 differ by payload only: compare them as one.
template <class T> u64 same(u64 x) {
    if constexpr (sizeof(T) == 8)
        return bits(asDouble(x));
    else
        return x;
}

Quad twoSum(Quad a, Quad b, Quad s) {  // a + b - s, exactly
    const Quad t = s - a;
    return (a - (s - t)) + (b - t);
}

bool finite(Quad x) { return x - x == 0; }

// Zero sums of opposite signs are +0, but -0 when rounding down.
template <class T> u64 sum(T a, T b, const std::string& mode) {
    const Quad x = a, y = b, s = x + y;
    if (!finite(s)) return bits(static_cast<T>(s));
    if (s == 0) return bits(a == 0 && std::signbit(a) == std::signbit(b) ? a : mode == "rm" ? -T(0) : T(0));
    return bits(rounded<T>(s, twoSum(x, y, s), mode));
}

template <class T> u64 product(T a, T b, const std::string& mode) {
    const Quad p = static_cast<Quad>(a) * b;
    if (!finite(p)) return bits(static_cast<T>(p));
    if (p == 0) return bits(std::signbit(a) != std::signbit(b) ? -T(0) : T(0));
    return bits(rounded<T>(p, 0, mode));
}

template <class T> u64 quotient(T a, T b, const std::string& mode) {
    const Quad q = static_cast<Quad>(a) / b;
    if (!finite(q)) return bits(static_cast<T>(q));
    if (q == 0) return bits(std::signbit(a) != std::signbit(b) ? -T(0) : T(0));
    return bits(rounded<T>(q, 0, mode));  // a quotient is representable, or far from everything that is
}

template <class T> u64 fused(T a, T b, T c, const std::string& mode) {
    const Quad p = static_cast<Quad>(a) * b, z = c, s = p + z;
    if (!finite(s)) return bits(static_cast<T>(s));
    if (s == 0 && twoSum(p, z, s) == 0) {
        const bool minus = std::signbit(a) != std::signbit(b);
        const bool exact = p == 0 && c == 0 && minus == std::signbit(c);
        return bits(exact ? c : mode == "rm" ? -T(0) : T(0));
    }
    return bits(rounded<T>(s, twoSum(p, z, s), mode));
}

template <class T> u64 root(T a, const std::string& mode) {
    if (a == 0 || a != a || a < 0 || std::isinf(a)) return bits(a < 0 ? std::numeric_limits<T>::quiet_NaN() : a);
    T r = std::sqrt(a);  // then moved until its square fits
    const T inf = std::numeric_limits<T>::infinity();
    const auto square = [](Quad x) { return x * x; };
    while (square(r) > a) r = std::nextafter(r, T(0));
    while (square(std::nextafter(r, inf)) <= a) r = std::nextafter(r, inf);  // the largest with r*r <= a
    const T above = std::nextafter(r, inf);
    if (square(r) == static_cast<Quad>(a)) return bits(r);
    const bool upper = mode == "rp" || (mode == "rn" && square((static_cast<Quad>(r) + above) / 2) < a);
    return bits(upper ? above : r);
}

template <class T>
void compare(const std::string& op, const std::string& t, std::size_t operands,
             const std::function<u64(const Row&)>& f) {
    std::string types = t;
    for (std::size_t i = 0; i < operands; ++i) types += " " + t;
    const std::vector<Row> rows = rowsOf(types);
    section(op + "." + t, [&] {
        const std::vector<u64> results = evaluate(op + "." + t, types, rows);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (same<T>(results[i]) == f(rows[i])) continue;
            std::string detail = "of";
            for (const u64 x : rows[i]) detail += " " + std::to_string(at<T>({x}, 0));
            return report(op + "." + t, false,
                          "case " + std::to_string(i) + " " + detail + ": " + std::to_string(at<T>({results[i]}, 0)) +
                              ", not " + std::to_string(at<T>({f(rows[i])}, 0)));
        }
        report(op + "." + t + " (" + std::to_string(rows.size()) + " cases)", true);
    });
}

template <class T> void rounding(const std::string& t) {
    for (const std::string mode : {"rn", "rz", "rm", "rp"}) {
        compare<T>("add." + mode, t, 2, [=](const Row& r) { return sum(at<T>(r, 0), at<T>(r, 1), mode); });
        compare<T>("sub." + mode, t, 2, [=](const Row& r) {
            const T b = at<T>(r, 1);
            return sum(at<T>(r, 0), b != b ? b : -b, mode);
        });
        compare<T>("mul." + mode, t, 2, [=](const Row& r) { return product(at<T>(r, 0), at<T>(r, 1), mode); });
        compare<T>("div." + mode, t, 2, [=](const Row& r) { return quotient(at<T>(r, 0), at<T>(r, 1), mode); });
        compare<T>("fma." + mode, t, 3,
                   [=](const Row& r) { return fused(at<T>(r, 0), at<T>(r, 1), at<T>(r, 2), mode); });
        compare<T>("rcp." + mode, t, 1, [=](const Row& r) { return quotient(T(1), at<T>(r, 0), mode); });
        compare<T>("sqrt." + mode, t, 1, [=](const Row& r) { return root(at<T>(r, 0), mode); });
    }
}

float flushed(float x) { return std::fabs(x) < 0x1p-126f ? std::copysign(0.0f, x) : x; }

// Each operand and the result by themselves, as the modifier says.
void modifiers() {
    compare<float>("add.ftz", "f32", 2, [](const Row& r) {
        return bits(flushed(asFloat(sum(flushed(asFloat(r[0])), flushed(asFloat(r[1])), "rn"))));
    });
    compare<float>("mul.ftz", "f32", 2, [](const Row& r) {
        return bits(flushed(asFloat(product(flushed(asFloat(r[0])), flushed(asFloat(r[1])), "rn"))));
    });
    compare<float>("fma.rn.sat", "f32", 3, [](const Row& r) {
        const float x = asFloat(fused(asFloat(r[0]), asFloat(r[1]), asFloat(r[2]), "rn"));
        return x != x ? 0 : bitsOf(x <= 0 ? 0.0f : x > 1 ? 1.0f : x);
    });
    compare<float>("add.rz.sat", "f32", 2, [](const Row& r) {
        const float x = asFloat(sum(asFloat(r[0]), asFloat(r[1]), "rz"));
        return x != x ? 0 : bitsOf(x <= 0 ? 0.0f : x > 1 ? 1.0f : x);
    });
}

// By bits: sign and magnitude order, NaN told by its pattern.
template <class T> void signs(const std::string& t) {
    const u64 sign = sizeof(T) == 8 ? u64{1} << 63 : 0x80000000,
              exponent = sizeof(T) == 8 ? 0x7ff0000000000000 : 0x7f800000;
    const u64 nan = sizeof(T) == 8 ? 0x7ff8000000000000 : canonical;
    const auto isNan = [=](u64 x) { return (x & ~sign) > exponent; };
    const auto order = [=](u64 x) {
        return x & sign ? -static_cast<s64>(x & ~sign) - 1 : static_cast<s64>(x);
    };  // -0 below +0
    for (const bool largest : {true, false}) {
        for (const bool wins : {true, false}) {
            compare<T>(std::string(largest ? "max" : "min") + (wins ? ".NaN" : ""), t, 2, [=](const Row& r) {
                const bool a = isNan(r[0]), b = isNan(r[1]);
                if (a || b) return wins || (a && b) ? nan : a ? r[1] : r[0];
                return (order(r[0]) > order(r[1])) == largest ? r[0] : r[1];
            });
        }
    }
    compare<T>("neg", t, 1, [=](const Row& r) { return isNan(r[0]) ? nan : r[0] ^ sign; });
    compare<T>("abs", t, 1, [=](const Row& r) { return isNan(r[0]) ? nan : r[0] & ~sign; });
    compare<T>("copysign", t, 2, [=](const Row& r) { return isNan(r[1]) ? nan : (r[1] & ~sign) | (r[0] & sign); });
}

// The approximate functions: within two units in the last place of the function in higher precision.
void approximate(const std::string& op, long double (*f)(long double)) {
    section(op + ".f32", [&] {
        const std::vector<Row> rows = rowsOf("f32 f32");
        const std::vector<u64> results = evaluate(op + ".f32", "f32 f32", rows);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const float x = asFloat(rows[i][0]), y = asFloat(results[i]);
            const long double want = f(x);
            const float near = static_cast<float>(want);
            const long double unit =
                static_cast<long double>(std::nextafter(std::fabs(near), INFINITY)) - std::fabs(near);
            if (near == y || (near != near && y != y) || std::fabs(want - y) <= 2 * unit) continue;
            return report(op + ".f32", false,
                          "of " + std::to_string(x) + " gives " + std::to_string(y) + ", not " + std::to_string(near));
        }
        report(op + ".f32 (" + std::to_string(rows.size()) + " cases)", true);
    });
}

void functions() {
    approximate("ex2.approx", [](long double x) { return std::exp2(x); });
    approximate("lg2.approx", [](long double x) { return std::log2(x); });
    approximate("sin.approx", [](long double x) { return std::sin(x); });
    approximate("cos.approx", [](long double x) { return std::cos(x); });
    approximate("tanh.approx", [](long double x) { return std::tanh(x); });
    approximate("rsqrt.approx", [](long double x) { return 1 / std::sqrt(x); });
    approximate("rcp.approx", [](long double x) { return 1 / x; });
    approximate("sqrt.approx", [](long double x) { return std::sqrt(x); });
    approximate("rcp.approx.ftz", [](long double x) {
        return flushed(static_cast<float>(1 / static_cast<long double>(flushed(static_cast<float>(x))))) + 0.0L;
    });
}

void comparisons(const std::string& t, u64 sign, u64 exponent) {
    const auto isNan = [=](u64 x) { return (x & ~sign) > exponent; };
    const auto order = [=](u64 x) { return x & sign ? -static_cast<s64>(x & ~sign) : static_cast<s64>(x); };
    for (const std::string c :
         {"eq", "ne", "lt", "le", "gt", "ge", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan"}) {
        const std::string types = "pred " + t + " " + t;
        expect("setp." + c + "." + t, types, rowsOf(types), [=](const Row& r) -> u64 {
            const bool nan = isNan(r[0]) || isNan(r[1]);
            if (c == "num" || c == "nan") return nan == (c == "nan");
            if (nan) return c.size() == 3;
            const s64 a = order(r[0]), b = order(r[1]);
            const std::string k = c.substr(0, 2);
            return k == "eq"   ? a == b
                   : k == "ne" ? a != b
                   : k == "lt" ? a < b
                   : k == "le" ? a <= b
                   : k == "gt" ? a > b
                               : a >= b;
        });
    }
}

}  // namespace

void floatCases() {
    rounding<float>("f32");
    rounding<double>("f64");
    modifiers();
    signs<float>("f32");
    signs<double>("f64");
    functions();
    comparisons("f32", 0x80000000, 0x7f800000);
    comparisons("f64", u64{1} << 63, 0x7ff0000000000000);
}

}  // namespace test
