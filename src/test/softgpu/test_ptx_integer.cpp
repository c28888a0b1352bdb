// Integer instructions against 128-bit arithmetic and PTX's definitions, bit by bit.
#include <algorithm>

#include "test_ptx.h"

namespace test {

namespace {

using Big = __int128;

Big valueOf(u64 bits, const std::string& type) {
    const int width = std::stoi(type.substr(1));
    Big x = width == 64 ? bits : bits & ((u64{1} << width) - 1);
    if (type[0] == 's' && x >> (width - 1) & 1) x -= Big{1} << width;
    return x;
}

u64 wrap(Big x, int width) { return width == 64 ? static_cast<u64>(x) : static_cast<u64>(x) & ((u64{1} << width) - 1); }

int widthOf(const std::string& type) { return std::stoi(type.substr(1)); }

void two(const std::string& op, const std::string& t, const std::function<Big(Big, Big)>& f, bool divides = false) {
    const std::string types = t + " " + t + " " + t;
    std::vector<Row> rows = rowsOf(types);
    if (divides)
        rows.erase(std::remove_if(rows.begin(), rows.end(), [](const Row& r) { return r[1] == 0; }), rows.end());
    expect(op + "." + t, types, rows,
           [&](const Row& r) { return wrap(f(valueOf(r[0], t), valueOf(r[1], t)), widthOf(t)); });
}

void three(const std::string& op, const std::string& t, const std::function<Big(Big, Big, Big)>& f) {
    const std::string types = t + " " + t + " " + t + " " + t;
    expect(op + "." + t, types, rowsOf(types),
           [&](const Row& r) { return wrap(f(valueOf(r[0], t), valueOf(r[1], t), valueOf(r[2], t)), widthOf(t)); });
}

Big high(Big a, Big b, int width) {  // of a product that may need all 128 bits
    if (width < 64) return (a * b) >> width;
    const bool negative = (a < 0) != (b < 0);
    const unsigned __int128 x = a < 0 ? -a : a, y = b < 0 ? -b : b, p = x * y;
    const u64 top = static_cast<u64>(p >> 64);
    return negative ? static_cast<Big>(~top) + (static_cast<u64>(p) == 0 ? 1 : 0) : static_cast<Big>(top);
}

void arithmetic() {
    for (const std::string t : {"u16", "s16", "u32", "s32", "u64", "s64"}) {
        two("add", t, [](Big a, Big b) { return a + b; });
        two("sub", t, [](Big a, Big b) { return a - b; });
        two("min", t, [](Big a, Big b) { return std::min(a, b); });
        two("max", t, [](Big a, Big b) { return std::max(a, b); });
        two(
            "div", t, [](Big a, Big b) { return a / b; }, true);
        two(
            "rem", t, [](Big a, Big b) { return a % b; }, true);
        two("mul.lo", t, [](Big a, Big b) {
            return static_cast<Big>(static_cast<unsigned __int128>(a) * static_cast<unsigned __int128>(b));
        });
        const int width = widthOf(t);
        two("mul.hi", t, [=](Big a, Big b) { return high(a, b, width); });
        three("mad.lo", t, [](Big a, Big b, Big c) {
            return static_cast<Big>(static_cast<unsigned __int128>(a) * static_cast<unsigned __int128>(b) +
                                    static_cast<unsigned __int128>(c));
        });
        three("mad.hi", t, [=](Big a, Big b, Big c) { return high(a, b, width) + c; });
        three("sad", t, [](Big a, Big b, Big c) { return c + (a < b ? b - a : a - b); });
    }
}

void signsAndWidths() {
    for (const std::string t : {"s16", "s32", "s64"}) {
        const int width = widthOf(t);
        expect("neg." + t, t + " " + t, rowsOf(t + " " + t),
               [=](const Row& r) { return wrap(-valueOf(r[0], t), width); });
        expect("abs." + t, t + " " + t, rowsOf(t + " " + t), [=](const Row& r) {
            const Big x = valueOf(r[0], t);
            return wrap(x < 0 ? -x : x, width);
        });
    }
    for (const auto& [t, wide] :
         {std::pair<std::string, std::string>{"u16", "u32"}, {"s16", "s32"}, {"u32", "u64"}, {"s32", "s64"}}) {
        const std::string narrow = t;
        const int width = widthOf(wide);
        expect("mul.wide." + t, wide + " " + t + " " + t, rowsOf(wide + " " + t + " " + t),
               [=](const Row& r) { return wrap(valueOf(r[0], narrow) * valueOf(r[1], narrow), width); });
        const std::string types = wide + " " + t + " " + t + " " + wide, big = wide;
        expect("mad.wide." + t, types, rowsOf(types), [=](const Row& r) {
            return wrap(valueOf(r[0], narrow) * valueOf(r[1], narrow) + valueOf(r[2], big), width);
        });
    }
    const auto clamp = [](Big x) { return std::min<Big>(std::max<Big>(x, -(Big{1} << 31)), (Big{1} << 31) - 1); };
    two("add.sat", "s32", [=](Big a, Big b) { return clamp(a + b); });
    two("sub.sat", "s32", [=](Big a, Big b) { return clamp(a - b); });
}

bool bit(u64 x, u32 i) { return x >> i & 1; }

void logic() {
    for (const std::string t : {"b16", "b32", "b64"}) {
        const u64 all = widthOf(t) == 64 ? ~u64{0} : (u64{1} << widthOf(t)) - 1;
        two("and", t, [](Big a, Big b) { return a & b; });
        two("or", t, [](Big a, Big b) { return a | b; });
        two("xor", t, [](Big a, Big b) { return a ^ b; });
        expect("not." + t, t + " " + t, rowsOf(t + " " + t), [=](const Row& r) { return all ^ r[0]; });
        expect("cnot." + t, t + " " + t, rowsOf(t + " " + t), [](const Row& r) { return u64{r[0] == 0}; });
    }
    for (const std::string t : {"b16", "b32", "b64", "s16", "s32", "s64", "u16", "u32", "u64"}) {
        const int width = widthOf(t);
        const std::string types = t + " " + t + " u32";
        if (t[0] == 'b')
            expect("shl." + t, types, rowsOf(types), [=](const Row& r) {
                return r[1] >= static_cast<u64>(width)
                           ? 0
                           : wrap(static_cast<Big>(static_cast<unsigned __int128>(r[0]) << r[1]), width);
            });
        expect("shr." + t, types, rowsOf(types),
               [=](const Row& r) { return wrap(valueOf(r[0], t) >> std::min<u64>(r[1], 100), width); });
    }
    for (const std::string p : {"and", "or", "xor"})
        expect(p + ".pred", "pred pred pred", rowsOf("pred pred pred"), [=](const Row& r) {
            return p == "and" ? r[0] & r[1] : p == "or" ? r[0] | r[1] : r[0] ^ r[1];
        });
    expect("not.pred", "pred pred", rowsOf("pred pred"), [](const Row& r) { return 1 - r[0]; });
    for (const u32 table : {0x80u, 0xfeu, 0x96u, 0xcau, 0x3cu}) {
        const std::string types = "b32 b32 b32 b32",
                          given = "lop3.b32 %v0, %v1, %v2, %v3, " + std::to_string(table) + ";";
        expect(given, types, rowsOf(types), [=](const Row& r) {
            u64 d = 0;
            for (u32 i = 0; i < 32; ++i) d |= u64{bit(table, 4 * bit(r[0], i) + 2 * bit(r[1], i) + bit(r[2], i))} << i;
            return d;
        });
    }
}

void counts() {
    for (const std::string t : {"b32", "b64"}) {
        const u32 width = static_cast<u32>(widthOf(t));
        const std::string one = "u32 " + t;
        expect("popc." + t, one, rowsOf(one), [=](const Row& r) {
            u64 n = 0;
            for (u32 i = 0; i < width; ++i) n += bit(r[0], i);
            return n;
        });
        expect("clz." + t, one, rowsOf(one), [=](const Row& r) {
            u64 n = 0;
            while (n < width && !bit(r[0], static_cast<u32>(width - 1 - n))) ++n;
            return n;
        });
        expect("brev." + t, t + " " + t, rowsOf(t + " " + t), [=](const Row& r) {
            u64 x = 0;
            for (u32 i = 0; i < width; ++i) x |= u64{bit(r[0], i)} << (width - 1 - i);
            return x;
        });
    }
}

void fields() {
    for (const std::string t : {"u32", "s32", "u64", "s64"}) {
        const u32 width = static_cast<u32>(widthOf(t));
        const auto find = [=](u64 x) -> u64 {
            if (valueOf(x, t) < 0) x = ~x;
            for (u32 i = width; i-- > 0;)
                if (bit(x, i)) return i;
            return 0xffffffff;
        };
        expect("bfind." + t, "u32 " + t, rowsOf("u32 " + t), [=](const Row& r) { return find(r[0]); });
        expect("bfind.shiftamt." + t, "u32 " + t, rowsOf("u32 " + t),
               [=](const Row& r) { return find(r[0]) == 0xffffffff ? 0xffffffff : width - 1 - find(r[0]); });
        const std::string types = t + " " + t + " u32 u32";
        expect("bfe." + t, types, rowsOf(types), [=](const Row& r) {  // PTX's own loop
            const u32 pos = r[1] & 0xff, len = r[2] & 0xff, msb = width - 1;
            const bool sign = t[0] == 's' && len && bit(r[0], std::min(pos + len - 1, msb));
            u64 d = 0;
            for (u32 i = 0; i <= msb; ++i) d |= u64{i < len && pos + i <= msb ? bit(r[0], pos + i) : sign} << i;
            return d;
        });
    }
}

void insertions() {
    for (const std::string t : {"b32", "b64"}) {
        const std::string types = t + " " + t + " " + t + " u32 u32";
        const u32 msb = static_cast<u32>(widthOf(t)) - 1;
        expect("bfi." + t, types, rowsOf(types), [=](const Row& r) {
            const u32 pos = r[2] & 0xff, len = r[3] & 0xff;
            u64 d = r[1];
            for (u32 i = 0; i < len && pos + i <= msb; ++i)
                d = (d & ~(u64{1} << (pos + i))) | u64{bit(r[0], i)} << (pos + i);
            return d;
        });
    }
}

void permutations() {
    const std::string types = "b32 b32 b32 b32";
    expect("prmt.b32", types, rowsOf(types), [](const Row& r) {
        u64 d = 0;
        for (u32 i = 0; i < 4; ++i) {
            const u32 s = r[2] >> (4 * i) & 15, byte = (s & 4 ? r[1] : r[0]) >> (8 * (s & 3)) & 255;
            d |= u64{s & 8 ? (byte >> 7) * 255 : byte} << (8 * i);
        }
        return d;
    });
    for (const std::string way : {"l.wrap", "l.clamp", "r.wrap", "r.clamp"}) {
        expect("shf." + way + ".b32", types, rowsOf(types), [=](const Row& r) {
            const u32 n = way[2] == 'w' ? r[2] & 31 : static_cast<u32>(std::min<u64>(r[2], 32));
            return way[0] == 'l' ? n == 32 ? r[0] : (r[1] << n | (n ? r[0] >> (32 - n) : 0)) & 0xffffffff
                   : n == 32     ? r[1]
                                 : (r[0] >> n | (n ? r[1] << (32 - n) : 0)) & 0xffffffff;
        });
    }
    for (const std::string kind : {"u32.u32", "s32.s32", "u32.s32", "s32.u32"}) {
        expect("dp4a." + kind, types, rowsOf(types), [=](const Row& r) {
            Big sum = valueOf(r[2], "s32");
            for (int i = 0; i < 32; i += 8)
                sum += valueOf(r[0] >> i & 255, kind[0] == 's' ? "s8" : "u8") *
                       valueOf(r[1] >> i & 255, kind[4] == 's' ? "s8" : "u8");
            return wrap(sum, 32);
        });
    }
}

// 64-bit sums, differences and products from 32-bit pieces with a carry between them, as nvcc emits them.
void carries() {
    const std::string types = "u64 u64 u64",
                      take = "{ .reg .u32 %a,%b,%c,%d,%e,%f; mov.b64 {%a,%b}, %v1; mov.b64 {%c,%d}, %v2; ";
    const std::vector<Row> rows = rowsOf(types);
    const auto low = [](u64 x) { return x & 0xffffffff; };
    expect(take + "add.cc.u32 %e, %a, %c; addc.u32 %f, %b, %d; mov.b64 %v0, {%e,%f}; }", types, rows,
           [](const Row& r) { return r[0] + r[1]; });
    expect(take + "sub.cc.u32 %e, %a, %c; subc.u32 %f, %b, %d; mov.b64 %v0, {%e,%f}; }", types, rows,
           [](const Row& r) { return r[0] - r[1]; });
    expect(take + "mad.lo.cc.u32 %e, %a, %c, %d; madc.hi.u32 %f, %a, %c, 0; mov.b64 %v0, {%e,%f}; }", types, rows,
           [=](const Row& r) { return low(r[0]) * low(r[1]) + (r[1] >> 32); });
    expect(take + "add.cc.u32 %e, %a, %c; addc.cc.u32 %e, %b, %d; addc.u32 %f, 0, 0; mov.b64 %v0, {%e,%f}; }", types,
           rows, [=](const Row& r) {
               const unsigned __int128 sum = static_cast<unsigned __int128>(r[0]) + r[1];
               return static_cast<u64>(sum >> 32);
           });
}

}  // namespace

void integerCases() {
    arithmetic();
    signsAndWidths();
    logic();
    counts();
    fields();
    insertions();
    permutations();
    carries();
}

}  // namespace test
