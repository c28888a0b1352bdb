// What lanes do together, and loads, stores and atomics, one instruction at a time.
#include <cstring>

#include "test_ptx.h"

namespace test {

namespace {

std::vector<u64> seeds() {
    std::vector<u64> all;
    for (u64 i = 0; i < 32; ++i) all.push_back(i * 0x9e3779b97f4a7c15 ^ i << 40);
    return all;
}

// A kernel of one warp: lane i gets x[i] in %rd5, the lane number in %r1, and stores %rd6 into y[i].
std::vector<u64> warp(const std::string& code, const std::vector<u64>& x, std::string* said = nullptr) {
    const std::string text =
        ".version 9.0\n.target sm_75\n.address_size 64\n.global .align 8 .b8 table[16] = {1, 2, 3, 4, 255, 254, 253, 252, 9};\n"
        ".const .align 4 .u32 fixed[3] = {7, 0x10, 4000000000};\n"
        ".visible .entry one(.param .u64 x, .param .u64 y)\n{\n.reg .pred %p<10>; .reg .b64 %rd<20>; .reg .b32 %r<20>; .reg .b16 %h<8>; "
        ".reg .f32 %f<8>; .reg .f64 %fd<8>;\n"
        ".shared .align 16 .b8 s[512];\n.local .align 8 .b8 depot[64];\n"
        "mov.u32 %r1, %tid.x; ld.param.u64 %rd1, [x]; ld.param.u64 %rd2, [y]; mul.wide.u32 %rd3, %r1, 8; add.s64 %rd4, %rd1, %rd3;\n"
        "add.s64 %rd7, %rd2, %rd3; ld.global.u64 %rd5, [%rd4]; cvt.u32.u64 %r5, %rd5; mov.u64 %rd6, 0; mov.u32 %r6, 0;\n" +
        code + "\nst.global.u64 [%rd7], %rd6;\nret;\n}\n";
    Device device;
    Program program(device, text);
    const Address in = device.put(x), out = device.put(std::vector<u64>(32));
    const std::string result = program.run("one", 1, 32, Arguments().add(in).add(out));
    if (said)
        *said = result;
    else if (!result.empty())
        throw std::runtime_error(result);
    return device.get<u64>(out, 32);
}

void lanes(const std::string& name, const std::string& code,
           const std::function<u64(const std::vector<u64>&, u32)>& expected) {
    section(name, [&] {
        const std::vector<u64> x = seeds(), y = warp(code, x);
        for (u32 i = 0; i < 32; ++i)
            if (y[i] != expected(x, i))
                return report(name, false,
                              "lane " + std::to_string(i) + " gives " + std::to_string(y[i]) + ", not " +
                                  std::to_string(expected(x, i)));
        report(name, true);
    });
}

u32 low(u64 x) { return static_cast<u32>(x); }

// PTX's definition of shfl, for every mode, some distances and segments.
void shuffles() {
    for (const std::string mode : {"up", "down", "bfly", "idx"}) {
        for (const u32 distance : {0u, 1u, 2u, 7u, 16u, 31u}) {
            for (const u32 segment : {0u, 0x18u, 0x1cu}) {
                const u32 c = segment << 8 | (mode == "up" ? 0 : 0x1f);
                const std::string code =
                    "shfl.sync." + mode + ".b32 %r6|%p1, %r5, " + std::to_string(distance) + ", " + std::to_string(c) +
                    ", -1; cvt.u64.u32 %rd6, %r6; selp.u64 %rd8, 0x100000000, 0, %p1; add.u64 %rd6, %rd6, %rd8;";
                lanes("shfl." + mode + " " + std::to_string(distance) + " in segments " + std::to_string(segment), code,
                      [=](const std::vector<u64>& x, u32 lane) {
                          const u32 first = lane & segment, last = mode == "up" ? first : first | (31 & ~segment);
                          s64 j = mode == "up"     ? static_cast<s64>(lane) - distance
                                  : mode == "down" ? lane + distance
                                  : mode == "bfly" ? lane ^ distance
                                                   : first | (distance & ~segment);
                          const bool inside = mode == "up" ? j >= static_cast<s64>(last) : j <= static_cast<s64>(last);
                          if (!inside) j = lane;
                          return low(x[static_cast<std::size_t>(j)]) + (inside ? u64{1} << 32 : 0);
                      });
            }
        }
    }
}

void votes() {
    const std::string odd = "and.b32 %r7, %r1, 1; setp.eq.u32 %p1, %r7, 1; ";
    lanes("vote.ballot", odd + "vote.sync.ballot.b32 %r6, %p1, -1; cvt.u64.u32 %rd6, %r6;",
          [](const std::vector<u64>&, u32) { return 0xaaaaaaaa; });
    lanes("vote.ballot of a negated predicate", odd + "vote.sync.ballot.b32 %r6, !%p1, -1; cvt.u64.u32 %rd6, %r6;",
          [](const std::vector<u64>&, u32) { return 0x55555555; });
    lanes("vote.any", odd + "vote.sync.any.pred %p2, %p1, -1; selp.u64 %rd6, 1, 0, %p2;",
          [](const std::vector<u64>&, u32) { return 1; });
    lanes("vote.all", odd + "vote.sync.all.pred %p2, %p1, -1; selp.u64 %rd6, 1, 0, %p2;",
          [](const std::vector<u64>&, u32) { return 0; });
    lanes("vote.uni", odd + "vote.sync.uni.pred %p2, %p1, -1; selp.u64 %rd6, 1, 0, %p2;",
          [](const std::vector<u64>&, u32) { return 0; });
    lanes("vote.all of the odd lanes",
          odd + "@!%p1 bra SKIP; vote.sync.all.pred %p2, %p1, 0xaaaaaaaa; selp.u64 %rd6, 1, 0, %p2; SKIP:",
          [](const std::vector<u64>&, u32 i) { return i & 1; });
    lanes("activemask", odd + "@!%p1 bra SKIP; activemask.b32 %r6; cvt.u64.u32 %rd6, %r6; SKIP:",
          [](const std::vector<u64>&, u32 i) { return i & 1 ? 0xaaaaaaaa : 0; });
    lanes("match.any", "and.b32 %r7, %r1, 3; match.any.sync.b32 %r6, %r7, -1; cvt.u64.u32 %rd6, %r6;",
          [](const std::vector<u64>&, u32 i) { return u64{0x11111111} << (i & 3); });
    lanes("match.all", "mov.u32 %r7, 5; match.all.sync.b32 %r6|%p2, %r7, -1; cvt.u64.u32 %rd6, %r6;",
          [](const std::vector<u64>&, u32) { return 0xffffffff; });
    lanes(
        "lanes that diverged meet at a shuffle",
        odd +
            "mov.u32 %r8, 1; @%p1 bra ODD; mov.u32 %r8, 2; ODD: shfl.sync.bfly.b32 %r6, %r8, 1, 31, -1; cvt.u64.u32 %rd6, %r6;",
        [](const std::vector<u64>&, u32 i) { return i & 1 ? 2 : 1; });
    lanes("a loop of lane-dependent length",
          "mov.u32 %r8, 0; L: add.u32 %r8, %r8, 1; setp.le.u32 %p1, %r8, %r1; @%p1 bra L; cvt.u64.u32 %rd6, %r8;",
          [](const std::vector<u64>&, u32 i) { return i + 1; });
    lanes("bar.red.popc", odd + "bar.red.popc.u32 %r6, 0, %p1; cvt.u64.u32 %rd6, %r6;",
          [](const std::vector<u64>&, u32) { return 16; });
    lanes("bar.red.and", odd + "bar.red.and.pred %p2, 0, %p1; selp.u64 %rd6, 1, 0, %p2;",
          [](const std::vector<u64>&, u32) { return 0; });
    lanes("bar.red.or", odd + "bar.red.or.pred %p2, 0, %p1; selp.u64 %rd6, 1, 0, %p2;",
          [](const std::vector<u64>&, u32) { return 1; });
    lanes("lanemask_lt", "mov.u32 %r6, %lanemask_lt; cvt.u64.u32 %rd6, %r6;",
          [](const std::vector<u64>&, u32 i) { return (u64{1} << i) - 1; });
    lanes("lanemask_ge", "mov.u32 %r6, %lanemask_ge; cvt.u64.u32 %rd6, %r6;",
          [](const std::vector<u64>&, u32 i) { return 0xffffffff << i & 0xffffffff; });
}

void atomics() {
    const std::string address = "ld.param.u64 %rd9, [x]; ";
    struct Of {
        const char *op, *type, *operand;
        std::function<u64(u64, u32)> step;  // old value, lane
    };
    const std::vector<Of> all{
        {"add", "u32", "%r1", [](u64 v, u32 i) { return (v & ~u64{0xffffffff}) | low(v + i); }},
        {"add", "u64", "%rd3", [](u64 v, u32 i) { return v + 8 * i; }},
        {"max", "s32", "%r1",
         [](u64 v, u32 i) { return static_cast<s32>(v) > static_cast<s32>(i) ? v : (v & ~u64{0xffffffff}) | i; }},
        {"min", "u32", "%r1", [](u64 v, u32 i) { return low(v) < i ? v : (v & ~u64{0xffffffff}) | i; }},
        {"max", "u64", "%rd3", [](u64 v, u32 i) { return std::max<u64>(v, 8 * i); }},
        {"or", "b32", "%r1", [](u64 v, u32 i) { return v | i; }},
        {"and", "b32", "%r1", [](u64 v, u32 i) { return v & (i | ~u64{0xffffffff}); }},
        {"xor", "b64", "%rd3", [](u64 v, u32 i) { return v ^ 8 * i; }},
        {"exch", "b32", "%r1", [](u64 v, u32 i) { return (v & ~u64{0xffffffff}) | i; }},
        {"inc", "u32", "%r1", [](u64 v, u32 i) { return (v & ~u64{0xffffffff}) | (low(v) >= i ? 0 : low(v) + 1); }},
        {"dec", "u32", "%r1",
         [](u64 v, u32 i) { return (v & ~u64{0xffffffff}) | (low(v) == 0 || low(v) > i ? i : low(v) - 1); }},
    };
    for (const Of& a : all) {
        const std::string name = std::string("atom.") + a.op + "." + a.type;
        const bool wide = a.type[1] == '6';
        section(name, [&] {
            std::vector<u64> x(32, 0);
            x[0] = 12;
            // each lane's operand must not depend on x[0], which changes: all were loaded before
            const std::string code =
                address + "bar.sync 0; atom.global." + a.op + "." + a.type + (wide ? " %rd6" : " %r6") + ", [%rd9], " +
                a.operand + ";" + (wide ? "" : " cvt.u64.u32 %rd6, %r6;") +
                " bar.sync 0; setp.ne.u32 %p3, %r1, 31; @%p3 bra OUT; ld.global.u64 %rd10, [%rd9]; st.global.u64 [%rd7], %rd10; ret; OUT:";
            const std::vector<u64> y = warp(code, x);
            u64 v = 12;
            bool right = true;
            for (u32 i = 0; i < 32; ++i) {
                if (i < 31) right &= y[i] == (wide ? v : low(v));
                v = a.step(v, i);
            }
            report(name, right && y[31] == v, "ends with " + std::to_string(y[31]) + ", not " + std::to_string(v));
        });
    }
}

void atomicsElsewhere() {
    lanes(
        "atom.shared.cas",
        "mov.u32 %r8, s; mov.u32 %r9, 0; setp.ne.u32 %p1, %r1, 0; @!%p1 st.shared.u32 [%r8], %r9; bar.sync 0; add.u32 %r10, %r1, 1; "
        "atom.shared.cas.b32 %r6, [%r8], %r1, %r10; cvt.u64.u32 %rd6, %r6;",
        [](const std::vector<u64>&, u32 i) { return i; });
    lanes(
        "red.shared.add.f32",
        "mov.u32 %r8, s; mov.f32 %f1, 0f00000000; setp.ne.u32 %p1, %r1, 0; @!%p1 st.shared.f32 [%r8], %f1; bar.sync 0; "
        "red.shared.add.f32 [%r8], 0f3FC00000; bar.sync 0; ld.shared.u32 %r6, [%r8]; cvt.u64.u32 %rd6, %r6;",
        [](const std::vector<u64>&, u32) { return bitsOf(48.0f); });
    lanes(
        "atom.add.f64 on a generic shared address",
        "mov.u32 %r8, s; mov.u64 %rd8, s; cvta.shared.u64 %rd8, %rd8; mov.f64 %fd1, 0d0000000000000000; setp.ne.u32 %p1, %r1, 0; "
        "@!%p1 st.f64 [%rd8], %fd1; bar.sync 0; atom.add.f64 %fd2, [%rd8], 0d3FE0000000000000; bar.sync 0; ld.shared.u64 %rd6, [%r8];",
        [](const std::vector<u64>&, u32) { return bitsOf(16.0); });
}

void extensions() {
    lanes(
        "bytes extend by their sign",
        "mov.u64 %rd8, table; ld.global.s8 %r6, [%rd8+4]; ld.global.u8 %r7, [%rd8+5]; shl.b32 %r7, %r7, 8; add.s32 %r6, %r6, %r7; cvt.s64.s32 %rd6, %r6;",
        [](const std::vector<u64>&, u32) { return static_cast<u64>(-1 + 254 * 256); });
    lanes("words extend into 64 bits",
          "mov.u64 %rd8, table; ld.global.s32 %rd6, [%rd8+4]; ld.global.s16 %rd9, [%rd8+6]; add.s64 %rd6, %rd6, %rd9;",
          [](const std::vector<u64>&, u32) {
              return static_cast<u64>(s64{static_cast<s32>(0xfcfdfeff)} + s64{static_cast<s16>(0xfcfd)});
          });
    lanes(
        "initial values end in zeros",
        "ld.global.u8 %r6, [table+8]; ld.global.u8 %r7, [table+9]; mad.lo.u32 %r6, %r7, 1000, %r6; cvt.u64.u32 %rd6, %r6;",
        [](const std::vector<u64>&, u32) { return 9; });
    lanes(
        "constants",
        "rem.u32 %r7, %r1, 3; mul.wide.u32 %rd8, %r7, 4; mov.u64 %rd9, fixed; add.s64 %rd9, %rd9, %rd8; ld.const.u32 %rd6, [%rd9];",
        [](const std::vector<u64>&, u32 i) { return i % 3 == 0   ? 7
                                                    : i % 3 == 1 ? 16
                                                                 : 4000000000; });
}

void vectors() {
    lanes(
        "vectors of two 64-bit words",
        "and.b32 %r7, %r1, 30; mul.wide.u32 %rd8, %r7, 8; add.s64 %rd8, %rd1, %rd8; ld.global.v2.u64 {%rd9, %rd10}, [%rd8]; sub.s64 %rd6, %rd9, %rd10;",
        [](const std::vector<u64>& x, u32 i) { return x[i & 30] - x[(i & 30) + 1]; });
    lanes(
        "vectors through shared memory",
        "shl.b32 %r7, %r1, 4; mov.u32 %r8, s; add.s32 %r8, %r8, %r7; st.shared.v4.b32 [%r8], {%r1, %r5, %r7, %r1}; bar.sync 0; "
        "xor.b32 %r9, %r7, 16; mov.u32 %r10, s; add.s32 %r10, %r10, %r9; ld.shared.v4.u32 {%r11, %r12, %r13, %r14}, [%r10]; add.u32 %r6, %r11, %r13; mov.b64 %rd6, {%r6, %r12};",
        [](const std::vector<u64>& x, u32 i) { return u64{low(x[i ^ 1])} << 32 | 17 * (i ^ 1); });
    lanes(
        "a vector of bytes",
        "mov.u64 %rd8, table; ld.global.v4.u8 {%h1, %h2, %h3, %h4}, [%rd8]; mad.lo.u16 %h1, %h2, %h3, %h1; mul.wide.u16 %r6, %h1, %h4; cvt.u64.u32 %rd6, %r6;",
        [](const std::vector<u64>&, u32) { return (2 * 3 + 1) * 4; });
}

void homes() {
    lanes(
        "local memory is each lane's own",
        "mov.u64 %rd8, depot; cvta.local.u64 %rd9, %rd8; st.local.u32 [%rd8+12], %r1; st.u32 [%rd9+16], %r5; ld.u32 %r6, [%rd9+12]; ld.local.u32 %r7, [%rd8+16]; mov.b64 %rd6, {%r6, %r7};",
        [](const std::vector<u64>& x, u32 i) { return u64{low(x[i])} << 32 | i; });
    lanes(
        "a generic address of shared memory and back",
        "mov.u64 %rd8, s; cvta.shared.u64 %rd8, %rd8; add.s64 %rd8, %rd8, %rd3; st.u64 [%rd8], %rd5; cvta.to.shared.u64 %rd8, %rd8; ld.shared.u64 %rd6, [%rd8];",
        [](const std::vector<u64>& x, u32 i) { return x[i]; });
    lanes("predicated loads touch nothing elsewhere",
          "setp.eq.u32 %p1, %r1, 3; mov.u64 %rd8, 5; selp.u64 %rd8, %rd4, %rd8, %p1; @%p1 ld.global.u64 %rd6, [%rd8];",
          [](const std::vector<u64>& x, u32 i) { return i == 3 ? x[3] : 0; });
    lanes(
        "volatile and cached accesses",
        "st.volatile.global.u64 [%rd7], %rd5; ld.volatile.global.u64 %rd8, [%rd7]; ld.global.nc.u64 %rd9, [%rd4]; ld.relaxed.gpu.global.u64 %rd10, [%rd7]; sub.s64 %rd6, %rd8, %rd9; add.s64 %rd6, %rd6, %rd10;",
        [](const std::vector<u64>& x, u32 i) { return x[i]; });
}

void refusals() {
    section("an unknown opcode is named with its line", [] {
        std::string said;
        try {
            softgpu::ptx::parse(
                ".version 9.0\n.target sm_75\n.address_size 64\n.entry one()\n{\n.reg .b32 %r<2>;\nwgmma.fence.sync;\nret;\n}\n");
        } catch (const softgpu::ptx::ParseError& e) {
            said = e.what();
        }
        report("an unknown opcode is named with its line",
               said.find("line 7") != std::string::npos && said.find("wgmma") != std::string::npos, said);
    });
    section("a text that ends early is refused", [] {
        const std::string whole =
            ".version 9.0\n.target sm_75\n.address_size 64\n.visible .entry one(.param .u64 x)\n{\n.reg .b64 %rd<3>;\n.loc 1 2 3, function_name $x, inlined_at 1 4 3\n"
            "ld.param.u64 %rd1, [x+0];\nst.global.v2.u64 [%rd1], {%rd1, %rd2};\nret;\n}";
        std::size_t refused = 0;
        for (std::size_t end = whole.find(".visible") + 8; end < whole.size(); ++end) {
            try {
                softgpu::ptx::parse(whole.substr(0, end));
            } catch (const softgpu::ptx::ParseError&) {
                ++refused;
            }
        }
        report("a text that ends early is refused", refused == whole.size() - whole.find(".visible") - 8,
               std::to_string(refused));
        softgpu::ptx::parse(whole);
    });
    section("an unknown modifier is refused", [] {
        std::string said;
        try {
            softgpu::ptx::parse(
                ".version 9.0\n.target sm_75\n.address_size 64\n.entry one()\n{\n.reg .f32 %f<2>;\nadd.odd.f32 %f0, %f0, %f1;\nret;\n}\n");
        } catch (const softgpu::ptx::ParseError& e) {
            said = e.what();
        }
        report("an unknown modifier is refused", said.find("add.odd.f32") != std::string::npos, said);
    });
}

}  // namespace

void warpCases() {
    shuffles();
    votes();
    atomics();
    atomicsElsewhere();
}

void memoryCases() {
    extensions();
    vectors();
    homes();
    refusals();
}

}  // namespace test
