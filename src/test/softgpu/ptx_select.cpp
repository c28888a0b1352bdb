// Comparisons, selections and moves.
#include <cmath>

#include "ptx_pick.h"

namespace softgpu::ptx {

namespace {

// Ordered comparisons are false when an operand is NaN, unordered ones (equ, ltu, ...) true.
struct Eq {
    template <class T> static bool of(T a, T b) { return a == b; }
};
struct Ne {
    template <class T> static bool of(T a, T b) { return a < b || a > b; }
};
struct Lt {
    template <class T> static bool of(T a, T b) { return a < b; }
};
struct Le {
    template <class T> static bool of(T a, T b) { return a <= b; }
};
struct Gt {
    template <class T> static bool of(T a, T b) { return a > b; }
};
struct Ge {
    template <class T> static bool of(T a, T b) { return a >= b; }
};
struct Equ {
    template <class T> static bool of(T a, T b) { return !(a < b || a > b); }
};
struct Neu {
    template <class T> static bool of(T a, T b) { return !(a == b); }
};
struct Ltu {
    template <class T> static bool of(T a, T b) { return !(a >= b); }
};
struct Leu {
    template <class T> static bool of(T a, T b) { return !(a > b); }
};
struct Gtu {
    template <class T> static bool of(T a, T b) { return !(a <= b); }
};
struct Geu {
    template <class T> static bool of(T a, T b) { return !(a < b); }
};
struct Num {
    template <class T> static bool of(T a, T b) { return a == a && b == b; }
};
struct Nan {
    template <class T> static bool of(T a, T b) { return a != a || b != b; }
};

template <bool FTZ, class T> inline T flush(T x) {
    if constexpr (FTZ)
        return std::fabs(x) < 0x1p-126f ? std::copysign(T(0), x) : x;
    else
        return x;
}

template <class T, class F, bool FTZ> inline u32 compare(const Warp& w, const Instruction& in) {
    const auto* a = w.in<T>(in.a);
    const auto* b = w.in<T>(in.b);
    u32 bits = 0;
    for (int i = 0; i < 32; ++i)
        bits |= static_cast<u32>(F::of(flush<FTZ>(static_cast<T>(a[i])), flush<FTZ>(static_cast<T>(b[i])))) << i;
    return bits;
}

constexpr u32 combineNone = 0, combineAnd = 1, combineOr = 2, combineXor = 3, realResult = 16;

inline u32 combined(u32 bits, const Warp& w, const Instruction& in) {
    const u32 how = in.extra & 7;
    if (how == combineNone) return bits;
    const u32 c = w.predicates[in.c] ^ (in.extra & negatedPredicate ? ~0u : 0u);
    return how == combineAnd ? bits & c : how == combineOr ? bits | c : bits ^ c;
}

template <class T, class F, bool FTZ> void setp(Warp& w, const Instruction& in, u32 mask) {
    const u32 bits = compare<T, F, FTZ>(w, in);
    u32& p = w.predicates[in.d];
    const u32 yes = combined(bits, w, in);
    if (in.e != noPredicate) {
        u32& q = w.predicates[in.e];
        q = (q & ~mask) | (combined(~bits, w, in) & mask);
    }
    p = (p & ~mask) | (yes & mask);
}

template <class T, class F, bool FTZ> void set(Warp& w, const Instruction& in, u32 mask) {
    const u32 bits = combined(compare<T, F, FTZ>(w, in), w, in);
    const u32 yes = in.extra & realResult ? 0x3f800000 : ~0u;  // set.f32: 1.0
    u32* d = w.out<u32>(in.d);
    each(w, mask, [=](int i) { d[i] = bits >> i & 1 ? yes : 0; });
}

template <class F, bool FTZ> Handler ofType(Type t, bool value) {
#define COMPARE(T, Z) (value ? set<T, F, Z> : setp<T, F, Z>)
    switch (t) {
        case Type::f32: return COMPARE(float, FTZ);
        case Type::f64: return COMPARE(double, false);
        case Type::u16:
        case Type::b16: return COMPARE(u16, false);
        case Type::s16: return COMPARE(s16, false);
        case Type::u32:
        case Type::b32: return COMPARE(u32, false);
        case Type::s32: return COMPARE(s32, false);
        case Type::u64:
        case Type::b64: return COMPARE(u64, false);
        case Type::s64: return COMPARE(s64, false);
        default: return nullptr;
    }
#undef COMPARE
}

template <class F> Handler comparing(Type t, bool value, bool ftz) {
    return ftz ? ofType<F, true>(t, value) : ofType<F, false>(t, value);
}

Handler comparison(const std::string& name, Type t, bool value, bool ftz) {
    if (name == "eq") return comparing<Eq>(t, value, ftz);
    if (name == "ne") return comparing<Ne>(t, value, ftz);
    if (name == "lt" || name == "lo") return comparing<Lt>(t, value, ftz);
    if (name == "le" || name == "ls") return comparing<Le>(t, value, ftz);
    if (name == "gt" || name == "hi") return comparing<Gt>(t, value, ftz);
    if (name == "ge" || name == "hs") return comparing<Ge>(t, value, ftz);
    if (!isFloat(t)) return nullptr;
    if (name == "equ") return comparing<Equ>(t, value, ftz);
    if (name == "neu") return comparing<Neu>(t, value, ftz);
    if (name == "ltu") return comparing<Ltu>(t, value, ftz);
    if (name == "leu") return comparing<Leu>(t, value, ftz);
    if (name == "gtu") return comparing<Gtu>(t, value, ftz);
    if (name == "geu") return comparing<Geu>(t, value, ftz);
    if (name == "num") return comparing<Num>(t, value, ftz);
    if (name == "nan") return comparing<Nan>(t, value, ftz);
    return nullptr;
}

template <class T> void selp(Warp& w, const Instruction& in, u32 mask) {
    const auto *a = w.in<T>(in.a), *b = w.in<T>(in.b);
    auto* d = w.out<T>(in.d);
    const u32 p = w.predicates[in.c];
    each(w, mask, [=](int i) { d[i] = p >> i & 1 ? a[i] : b[i]; });
}

template <class T, class C> struct Slct {
    static T of(T a, T b, C c) { return c >= 0 ? a : b; }
};
template <class T> struct Same {
    static T of(T a) { return a; }
};

void movPredicate(Warp& w, const Instruction& in, u32 mask) {
    u32& d = w.predicates[in.d];
    d = (d & ~mask) | (w.predicates[in.a] & mask);
}

enum Test { finite, infinite, number, notANumber, normal, subnormal };

template <class T> void testp(Warp& w, const Instruction& in, u32 mask) {
    const T* a = w.in<T>(in.a);
    u32 bits = 0;
    only(mask, [&](int i) {
        const int c = std::fpclassify(a[i]);
        const bool yes = in.extra == finite       ? c != FP_NAN && c != FP_INFINITE
                         : in.extra == infinite   ? c == FP_INFINITE
                         : in.extra == number     ? c != FP_NAN
                         : in.extra == notANumber ? c == FP_NAN
                         : in.extra == normal     ? c == FP_NORMAL
                                                  : c == FP_SUBNORMAL;
        bits |= static_cast<u32>(yes) << i;
    });
    u32& d = w.predicates[in.d];
    d = (d & ~mask) | bits;
}

Choice testing(Modifiers& m) {
    static const char* names[] = {"finite", "infinite", "number", "notanumber", "normal", "subnormal"};
    const std::string name = m.takeAny({"finite", "infinite", "number", "notanumber", "normal", "subnormal"});
    const Type t = m.type();
    const u32 test = static_cast<u32>(std::find(std::begin(names), std::end(names), name) - std::begin(names));
    return {t == Type::f64 ? testp<double> : testp<float>, {Type::pred, t}, test};
}

Choice comparisons(Modifiers& m, bool value) {
    const std::string name = m.takeAny({"eq", "ne", "lt", "le", "gt", "ge", "lo", "ls", "hi", "hs", "equ", "neu", "ltu",
                                        "leu", "gtu", "geu", "num", "nan"});
    const std::string join = m.takeAny({"and", "or", "xor"});
    const bool ftz = m.take("ftz");
    const Type t = m.type();
    const Type result = value ? m.type() : Type::pred;
    const u32 how = join == "and" ? combineAnd : join == "or" ? combineOr : join == "xor" ? combineXor : combineNone;
    return {comparison(name, t, value, ftz), {result, t, t, Type::pred}, how | (result == Type::f32 ? realResult : 0)};
}

void assemble(Warp& w, const Instruction& in, u32 mask) {
    only(mask, [&](int i) {
        u64 all = 0;
        for (u32 k = in.count; k-- > 0;)
            all = all << (8 * in.width) | (w.in<u32>(in.v[k])[i] & (in.width == 4 ? ~0u : (1u << 8 * in.width) - 1));
        if (in.wideRegister)
            w.out<u64>(in.d)[i] = all;
        else
            w.out<u32>(in.d)[i] = static_cast<u32>(all);
    });
}

void dissect(Warp& w, const Instruction& in, u32 mask) {
    only(mask, [&](int i) {
        u64 all = in.wideRegister ? w.in<u64>(in.a)[i] : w.in<u32>(in.a)[i];
        for (u32 k = 0; k < in.count; ++k, all >>= 8 * in.width)
            w.out<u32>(in.v[k])[i] = static_cast<u32>(all) & (in.width == 4 ? ~0u : (1u << 8 * in.width) - 1);
    });
}

}  // namespace

extern const Handler pack = assemble, unpack = dissect;

Choice pickSelect(Modifiers& m) {
    const std::string& op = m.statement.opcode;
    if (op == "setp" || op == "set") return comparisons(m, op == "set");
    if (op == "testp") return testing(m);
    if (op == "slct") {
        m.take("ftz");
        const Type c = m.type(), t = m.type();
        const bool wide = bytesOf(t) == 8, real = c == Type::f32;
        const Handler h =
            wide
                ? (real ? ternary<u64, u64, u64, float, Slct<u64, float>> : ternary<u64, u64, u64, s32, Slct<u64, s32>>)
                : (real ? ternary<u32, u32, u32, float, Slct<u32, float>>
                        : ternary<u32, u32, u32, s32, Slct<u32, s32>>);
        return {h, {t, t, t, c}};
    }
    const Type t = m.type();
    const bool wide = bytesOf(t) == 8;
    if (op == "selp") return {wide ? selp<u64> : selp<u32>, {t, t, t, Type::pred}};
    if (op == "mov" && t == Type::pred) return {movPredicate, {t, t}};
    if (op == "mov") return {wide ? unary<u64, u64, Same<u64>> : unary<u32, u32, Same<u32>>, {t, t}};
    return {};
}

}  // namespace softgpu::ptx
