// Logic, shifts, bit fields and permutations.
#include "ptx_pick.h"

namespace softgpu::ptx {

namespace {

template <class T> struct And {
    static T of(T a, T b) { return a & b; }
};
template <class T> struct Or {
    static T of(T a, T b) { return a | b; }
};
template <class T> struct Xor {
    static T of(T a, T b) { return a ^ b; }
};
template <class T> struct Not {
    static T of(T a) { return static_cast<T>(~a); }
};
template <class T> struct CNot {
    static T of(T a) { return a == 0; }
};
template <class T> struct Shl {
    static T of(T a, u32 n) { return n < sizeof(T) * 8 ? static_cast<T>(a << n) : T(0); }
};
template <class T> struct Shr {
    static T of(T a, u32 n) {
        const u32 last = sizeof(T) * 8 - 1;
        return n <= last ? static_cast<T>(a >> n) : a < T(0) ? static_cast<T>(-1) : T(0);
    }
};
template <class T> struct Popc {
    static u32 of(T a) { return static_cast<u32>(__builtin_popcountll(a)); }
};
template <class T> struct Clz {
    static u32 of(T a) { return a ? static_cast<u32>(__builtin_clzll(a)) - (64 - sizeof(T) * 8) : sizeof(T) * 8; }
};
template <class T> struct Brev {
    static T of(T a) {
        T r = 0;
        for (unsigned i = 0; i < sizeof(T) * 8; ++i) r = static_cast<T>(r << 1 | (a >> i & 1));
        return r;
    }
};
template <class T> struct Bfind {  // the highest bit that differs from the sign
    static u32 of(T a) {
        const std::make_unsigned_t<T> u = a < 0 ? ~a : a;
        return u ? 63 - static_cast<u32>(__builtin_clzll(u)) : ~0u;
    }
};
template <class T> struct BfindShift {
    static u32 of(T a) { return Bfind<T>::of(a) == ~0u ? ~0u : sizeof(T) * 8 - 1 - Bfind<T>::of(a); }
};
template <class T> struct Bfe {
    static T of(T a, u32 b, u32 c) {
        const u32 pos = b & 0xff, len = c & 0xff, last = sizeof(T) * 8 - 1;
        using U = std::make_unsigned_t<T>;
        const bool sign = T(-1) < T(0) && len && (U(a) >> std::min(pos + len - 1, last) & 1);
        const u32 have = pos > last ? 0 : std::min(len, last + 1 - pos);  // bits that come from the operand
        if (have > last) return a;
        const U field = have ? (U(a) >> pos) & ((U(1) << have) - 1) : U(0);
        return static_cast<T>(sign ? field | ~U(0) << have : field);
    }
};
template <class T> struct Bfi {
    static T of(T a, T b, u32 c, u32 d) {
        const u32 pos = c & 0xff, len = d & 0xff, bits = sizeof(T) * 8;
        if (len == 0 || pos >= bits) return b;
        const T ones = len >= bits ? ~T(0) : (T(1) << len) - 1;
        const T mask = ones << pos;
        return (b & ~mask) | ((a << pos) & mask);
    }
};
struct Prmt {
    static u32 of(u32 a, u32 b, u32 selector) {
        const u64 both = u64(b) << 32 | a;
        u32 r = 0;
        for (int i = 0; i < 4; ++i) {
            const u32 s = selector >> (4 * i) & 0xf;
            u32 byte = static_cast<u32>(both >> (8 * (s & 7))) & 0xff;
            if (s & 8) byte = byte & 0x80 ? 0xff : 0;
            r |= byte << (8 * i);
        }
        return r;
    }
};
template <bool LEFT, bool CLAMP> struct Funnel {
    static u32 of(u32 a, u32 b, u32 c) {
        const u32 n = CLAMP ? std::min(c, 32u) : c & 31;
        const u64 both = u64(b) << 32 | a;
        return static_cast<u32>(LEFT ? both << n >> 32 : both >> n);
    }
};
struct Lop3 {
    static u32 of(u32 a, u32 b, u32 c, u32 table) {
        u32 r = 0;
        for (int i = 0; i < 8; ++i)
            if (table >> i & 1) r |= (i & 4 ? a : ~a) & (i & 2 ? b : ~b) & (i & 1 ? c : ~c);
        return r;
    }
};
struct Bmsk {
    static u32 of(u32 a, u32 b) { return a > 31 ? 0 : (b > 31 ? ~0u : (1u << b) - 1) << a; }
};

template <class T, class C, class F> void quaternary(Warp& w, const Instruction& in, u32 mask) {
    const auto* a = w.in<T>(in.a);
    const auto* b = w.in<T>(in.b);
    const auto* c = w.in<C>(in.c);
    const auto* e = w.in<u32>(in.e);
    auto* d = w.out<T>(in.d);
    each(w, mask, [=](int i) { d[i] = F::of(a[i], b[i], c[i], e[i]); });
}

enum Logic { logicAnd, logicOr, logicXor, logicNot };

void logic(Warp& w, const Instruction& in, u32 mask) {
    const u32 a = w.predicates[in.a], b = w.predicates[in.b];
    const u32 r = in.extra == logicAnd ? a & b : in.extra == logicOr ? a | b : in.extra == logicXor ? a ^ b : ~a;
    w.predicates[in.d] = (w.predicates[in.d] & ~mask) | (r & mask);
}

template <template <class> class F> Handler two(Type t) {
    const int bytes = bytesOf(t);
    return bytes == 2   ? binary<u16, u16, u16, F<u16>>
           : bytes == 4 ? binary<u32, u32, u32, F<u32>>
                        : binary<u64, u64, u64, F<u64>>;
}

template <template <class> class F> Handler one(Type t) {
    const int bytes = bytesOf(t);
    return bytes == 2 ? unary<u16, u16, F<u16>> : bytes == 4 ? unary<u32, u32, F<u32>> : unary<u64, u64, F<u64>>;
}

Handler shiftRight(Type t) {
    switch (t) {
        case Type::s16: return binary<s16, s16, u32, Shr<s16>>;
        case Type::s32: return binary<s32, s32, u32, Shr<s32>>;
        case Type::s64: return binary<s64, s64, u32, Shr<s64>>;
        default:
            return bytesOf(t) == 2   ? binary<u16, u16, u32, Shr<u16>>
                   : bytesOf(t) == 4 ? binary<u32, u32, u32, Shr<u32>>
                                     : binary<u64, u64, u32, Shr<u64>>;
    }
}

Handler shiftLeft(Type t) {
    return bytesOf(t) == 2   ? binary<u16, u16, u32, Shl<u16>>
           : bytesOf(t) == 4 ? binary<u32, u32, u32, Shl<u32>>
                             : binary<u64, u64, u32, Shl<u64>>;
}

template <template <class> class F> Handler count(Type t) {
    return bytesOf(t) == 8 ? unary<u32, u64, F<u64>> : unary<u32, u32, F<u32>>;
}

template <template <class> class F> Handler signedCount(Type t) {
    return t == Type::s64   ? unary<u32, s64, F<s64>>
           : t == Type::s32 ? unary<u32, s32, F<s32>>
           : t == Type::u64 ? unary<u32, u64, F<u64>>
                            : unary<u32, u32, F<u32>>;
}

Choice fields(Type t, bool insert) {
    const bool wide = bytesOf(t) == 8;
    if (insert)
        return {wide ? quaternary<u64, u32, Bfi<u64>> : quaternary<u32, u32, Bfi<u32>>,
                {t, t, t, Type::u32, Type::u32}};
    const Handler h = t == Type::s64   ? ternary<s64, s64, u32, u32, Bfe<s64>>
                      : t == Type::s32 ? ternary<s32, s32, u32, u32, Bfe<s32>>
                      : wide           ? ternary<u64, u64, u32, u32, Bfe<u64>>
                                       : ternary<u32, u32, u32, u32, Bfe<u32>>;
    return {h, {t, t, Type::u32, Type::u32}};
}

Choice funnel(Modifiers& m) {
    const bool left = m.takeAny({"l", "r"}) == "l", clamp = m.takeAny({"clamp", "wrap"}) == "clamp";
    const Type t = m.type();
    const Handler h = left ? (clamp ? ternary<u32, u32, u32, u32, Funnel<true, true>>
                                    : ternary<u32, u32, u32, u32, Funnel<true, false>>)
                           : (clamp ? ternary<u32, u32, u32, u32, Funnel<false, true>>
                                    : ternary<u32, u32, u32, u32, Funnel<false, false>>);
    return {h, {t, t, t, t}};
}

}  // namespace

Choice pickBits(Modifiers& m) {
    const std::string& op = m.statement.opcode;
    if (op == "shf") return funnel(m);
    const bool shift = m.take("shiftamt");
    if (op == "bmsk") m.take("clamp");
    const Type t = m.type();
    if (t == Type::pred) {
        const u32 kind = op == "and" ? logicAnd : op == "or" ? logicOr : op == "xor" ? logicXor : logicNot;
        return {op == "and" || op == "or" || op == "xor" || op == "not" ? logic : nullptr, {t, t, t}, kind};
    }
    if (op == "and") return {two<And>(t), {t, t, t}};
    if (op == "or") return {two<Or>(t), {t, t, t}};
    if (op == "xor") return {two<Xor>(t), {t, t, t}};
    if (op == "not") return {one<Not>(t), {t, t}};
    if (op == "cnot") return {one<CNot>(t), {t, t}};
    if (op == "shl") return {shiftLeft(t), {t, t, Type::u32}};
    if (op == "shr") return {shiftRight(t), {t, t, Type::u32}};
    if (op == "popc") return {count<Popc>(t), {Type::u32, t}};
    if (op == "clz") return {count<Clz>(t), {Type::u32, t}};
    if (op == "brev") return {one<Brev>(t), {t, t}};
    if (op == "bfind") return {shift ? signedCount<BfindShift>(t) : signedCount<Bfind>(t), {Type::u32, t}};
    if (op == "bfe" || op == "bfi") return fields(t, op == "bfi");
    if (op == "prmt") return {ternary<u32, u32, u32, u32, Prmt>, {t, t, t, t}};
    if (op == "lop3") return {quaternary<u32, u32, Lop3>, {t, t, t, t, t}};
    if (op == "bmsk") return {binary<u32, u32, u32, Bmsk>, {t, t, t}};
    return {};
}

}  // namespace softgpu::ptx
