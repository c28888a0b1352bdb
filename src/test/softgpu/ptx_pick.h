// From an opcode and its modifiers to the function that runs it.
#pragma once
#include <algorithm>
#include <string>
#include <vector>

#include "ptx_code.h"

namespace softgpu::ptx {

struct Modifiers {
    const Statement& statement;
    std::vector<std::string> left;

    explicit Modifiers(const Statement& s) : statement(s), left(s.modifiers) {}
    bool take(const std::string& name) {
        const auto found = std::find(left.begin(), left.end(), name);
        if (found == left.end()) return false;
        left.erase(found);
        return true;
    }
    std::string takeAny(std::initializer_list<const char*> names, const char* otherwise = "") {
        for (const char* name : names)
            if (take(name)) return name;
        return otherwise;
    }
    Type type() {  // the last modifier
        if (left.empty()) unknown();
        const Type t = typeOf(left.back(), statement.line);
        left.pop_back();
        return t;
    }
    [[noreturn]] void unknown() const;  // names the whole opcode and its line
};

// What an arithmetic instruction runs, and the types by which its immediate operands are read: destination first.
struct Choice {
    Handler run = nullptr;
    std::vector<Type> types;
    u32 extra = 0;
};

Choice pickInteger(Modifiers& m);
Choice pickBits(Modifiers& m);  // logic, shifts, fields, permutations
Choice pickFloat(Modifiers& m);
Choice pickRounded(Modifiers& m);  // add, sub, mul, fma, div, rcp, sqrt that round towards something
Choice pickConvert(Modifiers& m);
Choice pickSelect(Modifiers& m);  // setp, set, selp, slct, mov, predicates
Choice pickWarp(Modifiers& m);    // shfl, vote, match, activemask

void load(Warp& w, const Instruction& in, u32 mask);
void store(Warp& w, const Instruction& in, u32 mask);
void loadParameter(Warp& w, const Instruction& in, u32 mask);
Handler pickAtomic(const std::string& operation, Type type);  // null: there is none
void trap(Warp& w, const Instruction& in, u32 mask);
void failAssertion(Warp& w, const Instruction& in, u32 mask);
void nothing(Warp& w, const Instruction& in, u32 mask);
void readClock(Warp& w, const Instruction& in, u32 mask);
extern const Handler pack, unpack;  // mov.b64 d, {a, b} and mov.b64 {a, b}, d

// Templates over the operand types, shared by the pickers.
template <class R, class A, class F> void unary(Warp& w, const Instruction& in, u32 mask) {
    const auto* a = w.in<A>(in.a);
    auto* d = w.out<R>(in.d);
    each(w, mask, [=](int i) { d[i] = static_cast<Cell<R>>(static_cast<R>(F::of(static_cast<A>(a[i])))); });
}

template <class R, class A, class B, class F> void binary(Warp& w, const Instruction& in, u32 mask) {
    const auto* a = w.in<A>(in.a);
    const auto* b = w.in<B>(in.b);
    auto* d = w.out<R>(in.d);
    each(w, mask, [=](int i) {
        d[i] = static_cast<Cell<R>>(static_cast<R>(F::of(static_cast<A>(a[i]), static_cast<B>(b[i]))));
    });
}

template <class R, class A, class B, class C, class F> void ternary(Warp& w, const Instruction& in, u32 mask) {
    const auto* a = w.in<A>(in.a);
    const auto* b = w.in<B>(in.b);
    const auto* c = w.in<C>(in.c);
    auto* d = w.out<R>(in.d);
    each(w, mask, [=](int i) {
        d[i] = static_cast<Cell<R>>(
            static_cast<R>(F::of(static_cast<A>(a[i]), static_cast<B>(b[i]), static_cast<C>(c[i]))));
    });
}

}  // namespace softgpu::ptx
