// Integer arithmetic. Wraps as hardware does: everything that may overflow is computed unsigned.
#include <limits>

#include "ptx_pick.h"

namespace softgpu::ptx {

namespace {

template <class T> using Un = std::make_unsigned_t<T>;
template <class T> struct WideOf;
template <> struct WideOf<u16> { using type = u32; };
template <> struct WideOf<s16> { using type = s32; };
template <> struct WideOf<u32> { using type = u64; };
template <> struct WideOf<s32> { using type = s64; };
template <> struct WideOf<u64> { using type = unsigned __int128; };
template <> struct WideOf<s64> { using type = __int128; };
template <class T> using Wide = typename WideOf<T>::type;
template <class T> using Product = std::conditional_t<(sizeof(T) < 4), u32, Un<T>>;  // no promotion to int

template <class T> T high(T a, T b) { return static_cast<T>(Wide<T>(a) * Wide<T>(b) >> (sizeof(T) * 8)); }
template <class T> T low(T a, T b) { return static_cast<T>(Product<T>(a) * Product<T>(b)); }
template <class T> T sum(T a, T b) { return static_cast<T>(Un<T>(a) + Un<T>(b)); }

template <class T> struct Add {
    static T of(T a, T b) { return sum(a, b); }
};
template <class T> struct Sub {
    static T of(T a, T b) { return static_cast<T>(Un<T>(a) - Un<T>(b)); }
};
template <class T> struct Low {
    static T of(T a, T b) { return low(a, b); }
};
template <class T> struct High {
    static T of(T a, T b) { return high(a, b); }
};
template <class T> struct MulWide {
    static Wide<T> of(T a, T b) { return Wide<T>(a) * Wide<T>(b); }
};
template <class T> struct MadLow {
    static T of(T a, T b, T c) { return sum(low(a, b), c); }
};
template <class T> struct MadHigh {
    static T of(T a, T b, T c) { return sum(high(a, b), c); }
};
template <class T> struct MadWide {
    static Wide<T> of(T a, T b, Wide<T> c) { return sum<Wide<T>>(Wide<T>(a) * Wide<T>(b), c); }
};
template <class T> struct Min {
    static T of(T a, T b) { return a < b ? a : b; }
};
template <class T> struct Max {
    static T of(T a, T b) { return a > b ? a : b; }
};
template <class T> struct Neg {
    static T of(T a) { return static_cast<T>(0 - Un<T>(a)); }
};
template <class T> struct Abs {
    static T of(T a) { return a < 0 ? static_cast<T>(0 - Un<T>(a)) : a; }
};
template <class T> struct Sad {
    static T of(T a, T b, T c) { return sum<T>(c, static_cast<T>(a < b ? Un<T>(b) - Un<T>(a) : Un<T>(a) - Un<T>(b))); }
};
template <class T> struct Div {
    static T of(T a, T b) { return b == T(-1) && T(-1) < T(0) ? Neg<T>::of(a) : a / b; }
};
template <class T> struct Rem {
    static T of(T a, T b) { return b == T(-1) && T(-1) < T(0) ? T(0) : a % b; }
};

template <class T> struct AddSaturated {
    static T of(T a, T b) {
        T r;
        if (!__builtin_add_overflow(a, b, &r)) return r;
        return a < 0 ? std::numeric_limits<T>::min() : std::numeric_limits<T>::max();
    }
};
template <class T> struct SubSaturated {
    static T of(T a, T b) {
        T r;
        if (!__builtin_sub_overflow(a, b, &r)) return r;
        return a < 0 ? std::numeric_limits<T>::min() : std::numeric_limits<T>::max();
    }
};
struct Mul24 {
    static u32 of(u32 a, u32 b) { return (a & 0xffffff) * (b & 0xffffff); }
};
struct Mul24Signed {
    static s32 of(s32 a, s32 b) {
        return static_cast<s32>(static_cast<u32>((a << 8) >> 8) * static_cast<u32>((b << 8) >> 8));
    }
};
template <class A, class B> struct Dot4 {
    static u32 of(u32 a, u32 b, u32 c) {
        for (int i = 0; i < 32; i += 8)
            c += static_cast<u32>(s32(static_cast<A>(a >> i)) * s32(static_cast<B>(b >> i)));
        return c;
    }
};

template <class T, template <class> class F> void divide(Warp& w, const Instruction& in, u32 mask) {
    const auto* a = w.in<T>(in.a);
    const auto* b = w.in<T>(in.b);
    auto* d = w.out<T>(in.d);
    only(mask, [&](int i) {
        if (static_cast<T>(b[i]) == 0) w.fail(in, i, "divides an integer by zero");
        d[i] = static_cast<Cell<T>>(F<T>::of(static_cast<T>(a[i]), static_cast<T>(b[i])));
    });
}

// add.cc and its kin: the carry is a register of its own, `extra`.
constexpr u32 carryIn = 1, carryOut = 2, subtract = 4, lowProduct = 8, highProduct = 16;

template <class T> void carry(Warp& w, const Instruction& in, u32 mask) {
    const u32 how = in.extra;
    const auto* a = w.in<T>(in.a);
    const auto* b = w.in<T>(in.b);
    const auto* c = w.in<T>(in.c);
    auto* d = w.out<T>(in.d);
    u32* flag = w.out<u32>(in.e);
    only(mask, [&](int i) {
        const bool product = how & (lowProduct | highProduct);
        const T x = how & lowProduct ? low<T>(a[i], b[i]) : how & highProduct ? high<T>(a[i], b[i]) : a[i];
        const T y = product ? c[i] : b[i];
        const T brought = how & carryIn ? flag[i] : 0;
        T half, whole;
        bool over;
        if (how & subtract) {
            over = __builtin_sub_overflow(x, y, &half);
            over |= __builtin_sub_overflow(half, brought, &whole);
        } else {
            over = __builtin_add_overflow(x, y, &half);
            over |= __builtin_add_overflow(half, brought, &whole);
        }
        d[i] = whole;
        if (how & carryOut) flag[i] = over;
    });
}

Choice carries(Modifiers& m, u32 how, std::size_t operands) {
    if (m.take("cc")) how |= carryOut;
    const Type t = m.type();
    return {bytesOf(t) == 8 ? carry<u64> : carry<u32>, std::vector<Type>(operands + 1, t), how};
}

template <template <class> class F> Handler two(Type t) {
    switch (t) {
        case Type::u16: return binary<u16, u16, u16, F<u16>>;
        case Type::s16: return binary<s16, s16, s16, F<s16>>;
        case Type::u32: return binary<u32, u32, u32, F<u32>>;
        case Type::s32: return binary<s32, s32, s32, F<s32>>;
        case Type::u64: return binary<u64, u64, u64, F<u64>>;
        case Type::s64: return binary<s64, s64, s64, F<s64>>;
        default: return nullptr;
    }
}

template <template <class> class F> Handler three(Type t) {
    switch (t) {
        case Type::u16: return ternary<u16, u16, u16, u16, F<u16>>;
        case Type::s16: return ternary<s16, s16, s16, s16, F<s16>>;
        case Type::u32: return ternary<u32, u32, u32, u32, F<u32>>;
        case Type::s32: return ternary<s32, s32, s32, s32, F<s32>>;
        case Type::u64: return ternary<u64, u64, u64, u64, F<u64>>;
        case Type::s64: return ternary<s64, s64, s64, s64, F<s64>>;
        default: return nullptr;
    }
}

template <template <class> class F> Handler dividing(Type t) {
    switch (t) {
        case Type::u16: return divide<u16, F>;
        case Type::s16: return divide<s16, F>;
        case Type::u32: return divide<u32, F>;
        case Type::s32: return divide<s32, F>;
        case Type::u64: return divide<u64, F>;
        case Type::s64: return divide<s64, F>;
        default: return nullptr;
    }
}

template <template <class> class F> Handler one(Type t) {
    switch (t) {
        case Type::s16: return unary<s16, s16, F<s16>>;
        case Type::s32: return unary<s32, s32, F<s32>>;
        case Type::s64: return unary<s64, s64, F<s64>>;
        default: return nullptr;
    }
}

Choice widened(Type t, bool add) {
    static const Type wide[] = {Type::u32, Type::u64, Type::s32, Type::s64};
    const int i = t == Type::u16 ? 0 : t == Type::u32 ? 1 : t == Type::s16 ? 2 : t == Type::s32 ? 3 : -1;
    if (i < 0) return {};
    static const Handler mul[] = {binary<u32, u16, u16, MulWide<u16>>, binary<u64, u32, u32, MulWide<u32>>,
                                  binary<s32, s16, s16, MulWide<s16>>, binary<s64, s32, s32, MulWide<s32>>};
    static const Handler mad[] = {ternary<u32, u16, u16, u32, MadWide<u16>>, ternary<u64, u32, u32, u64, MadWide<u32>>,
                                  ternary<s32, s16, s16, s32, MadWide<s16>>, ternary<s64, s32, s32, s64, MadWide<s32>>};
    return add ? Choice{mad[i], {wide[i], t, t, wide[i]}} : Choice{mul[i], {wide[i], t, t}};
}

Choice products(Modifiers& m, const std::string& op) {
    const bool add = op == "mad" || op == "madc";
    const std::string part = m.takeAny({"lo", "hi", "wide"});
    const bool carried = std::find(m.left.begin(), m.left.end(), "cc") != m.left.end() || op == "madc";
    if (carried) return carries(m, (part == "lo" ? lowProduct : highProduct) | (op == "madc" ? carryIn : 0u), 3);
    const Type t = m.type();
    if (part == "wide") return widened(t, add);
    if (add) return {part == "hi" ? three<MadHigh>(t) : three<MadLow>(t), {t, t, t, t}};
    return {part == "hi" ? two<High>(t) : two<Low>(t), {t, t, t}};
}

Choice dots(Modifiers& m) {
    const bool b = m.type() == Type::s32, a = m.type() == Type::s32;
    const Handler h = a ? (b ? ternary<u32, u32, u32, u32, Dot4<s8, s8>> : ternary<u32, u32, u32, u32, Dot4<s8, u8>>)
                        : (b ? ternary<u32, u32, u32, u32, Dot4<u8, s8>> : ternary<u32, u32, u32, u32, Dot4<u8, u8>>);
    return {h, {Type::u32, Type::u32, Type::u32, Type::u32}};
}

}  // namespace

Choice pickInteger(Modifiers& m) {
    const std::string& op = m.statement.opcode;
    if (op == "dp4a") return dots(m);
    if (op == "mul" || op == "mad" || op == "madc") return products(m, op);
    if (op == "addc") return carries(m, carryIn, 2);
    if (op == "subc") return carries(m, carryIn | subtract, 2);
    if (std::find(m.left.begin(), m.left.end(), "cc") != m.left.end())
        return carries(m, op == "sub" ? subtract : 0u, 2);
    const bool saturated = m.take("sat");
    const bool low24 = m.take("lo");
    const Type t = m.type();
    if (saturated)
        return {op == "add" ? binary<s32, s32, s32, AddSaturated<s32>> : binary<s32, s32, s32, SubSaturated<s32>>,
                {t, t, t}};
    if (op == "add") return {two<Add>(t), {t, t, t}};
    if (op == "sub") return {two<Sub>(t), {t, t, t}};
    if (op == "min") return {two<Min>(t), {t, t, t}};
    if (op == "max") return {two<Max>(t), {t, t, t}};
    if (op == "div") return {dividing<Div>(t), {t, t, t}};
    if (op == "rem") return {dividing<Rem>(t), {t, t, t}};
    if (op == "neg") return {one<Neg>(t), {t, t}};
    if (op == "abs") return {one<Abs>(t), {t, t}};
    if (op == "sad") return {three<Sad>(t), {t, t, t, t}};
    if (op == "mul24" && low24)
        return {t == Type::s32 ? binary<s32, s32, s32, Mul24Signed> : binary<u32, u32, u32, Mul24>, {t, t, t}};
    return {};
}

}  // namespace softgpu::ptx
