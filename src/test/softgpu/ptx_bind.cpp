#include "ptx_bind.h"

#include <set>

#include "ptx_lex.h"

namespace softgpu::ptx {

namespace {

struct Plus {
    static u64 of(u64 a, u64 b) { return a + b; }
};
struct Truncate {
    static u32 of(u64 a) { return static_cast<u32>(a); }
};

const std::set<std::string> hints{"nothing", "prefetch", "prefetchu", "membar",        "fence",         "nanosleep",
                                  "pmevent", "brkpt",    "discard",   "applypriority", "griddepcontrol"};

bool roundsElsewhere(const Statement& s) {
    for (const std::string& m : s.modifiers)
        if (m == "rz" || m == "rm" || m == "rp") return true;
    return false;
}

bool usesCarry(const Statement& s) {
    return s.opcode == "addc" || s.opcode == "subc" || s.opcode == "madc" ||
           std::find(s.modifiers.begin(), s.modifiers.end(), "cc") != s.modifiers.end();
}

using Pick = Choice (*)(Modifiers&);

Pick pickFor(const Statement& s) {
    static const std::set<std::string> integer{"add", "sub", "mul", "mad", "mul24", "div",  "rem",  "abs",
                                               "neg", "min", "max", "sad", "addc",  "subc", "madc", "dp4a"};
    static const std::set<std::string> bits{"and", "or",   "xor",   "not", "cnot", "shl",  "shr",  "shf", "popc",
                                            "clz", "brev", "bfind", "bfe", "bfi",  "prmt", "lop3", "bmsk"};
    static const std::set<std::string> real{"add", "sub",      "mul", "fma", "mad", "div",  "min",
                                            "max", "copysign", "neg", "abs", "rcp", "sqrt", "rsqrt",
                                            "ex2", "lg2",      "sin", "cos", "tanh"};
    static const std::set<std::string> select{"setp", "set", "selp", "slct", "mov", "testp"};
    const std::string last = s.modifiers.empty() ? "" : s.modifiers.back();
    if ((last == "f32" || last == "f64") && real.count(s.opcode)) return roundsElsewhere(s) ? pickRounded : pickFloat;
    if (integer.count(s.opcode)) return pickInteger;
    if (bits.count(s.opcode)) return pickBits;
    if (select.count(s.opcode)) return pickSelect;
    if (s.opcode == "cvt") return pickConvert;
    return nullptr;
}

}  // namespace

void Modifiers::unknown() const {
    std::string name = statement.opcode;
    for (const std::string& m : statement.modifiers) name += "." + m;
    complain(statement.line, "the interpreter does not know " + name);
}

Binder::Binder(const Text& text, const Function& entry, Kernel& kernel, Code& code)
    : text_(text), entry_(entry), kernel_(kernel), code_(code) {}

void Binder::run() {
    code_.registerBytes = specials * lane4;
    scratch_ = allocate(8);
    carry_ = allocate(4);
    code_.files = text_.files;
    Instance instance{entry_, {}, {}, {}, {}, {}};
    layOutParameters(instance);
    layOutShared();
    body(instance);
    Statement end;
    end.line = entry_.line;
    Instruction in;
    in.step = Step::exit;
    const u32 last = emit(end, in);
    for (const u32 at : instance.returns) code_.instructions[at].target = last;
}

void Binder::body(Instance& instance) {
    place(instance);
    for (const Statement& s : instance.function.statements) statement(instance, s);
    for (const auto& [at, label] : instance.jumps) {
        const auto found = instance.labels.find(label);
        if (found == instance.labels.end()) complain(code_.lines[at], "unknown label " + label);
        code_.instructions[at].target = found->second;
    }
}

void Binder::statement(Instance& instance, const Statement& s) {
    try {
        translate(instance, s);
    } catch (const std::out_of_range&) {
        complain(s.line, "too few operands of " + s.opcode);
    }
}

void Binder::translate(Instance& instance, const Statement& s) {
    if (!s.label.empty()) return void(instance.labels[s.label] = here());
    if (control(instance, s)) return;
    if (s.opcode == "call") return call(instance, s);
    if (s.opcode == "ld" || s.opcode == "st" || s.opcode == "ldu") return memory(instance, s);
    if (s.opcode == "atom" || s.opcode == "red") return atomic(instance, s);
    if (s.opcode == "cvta") return convertAddress(instance, s);
    if (s.opcode == "mov") return move(instance, s);
    if (s.opcode == "shfl" || s.opcode == "vote" || s.opcode == "match" || s.opcode == "activemask")
        return together(instance, s);
    arithmetic(instance, s);
}

Instruction Binder::begin(const Instance& instance, const Statement& s) const {
    Instruction in;
    if (s.guard < 0) return in;
    in.guard = instance.registers[static_cast<std::size_t>(s.guard)];
    in.flip = s.guardNegated ? ~0u : 0u;
    return in;
}

u32 Binder::emit(const Statement& s, const Instruction& in) {
    code_.instructions.push_back(in);
    code_.places.push_back(s.place);
    code_.lines.push_back(s.line);
    return here() - 1;
}

bool Binder::control(Instance& instance, const Statement& s) {
    Instruction in = begin(instance, s);
    if (s.opcode == "bra") {
        in.step = Step::branch;
        instance.jumps.emplace_back(emit(s, in), s.operands.at(0).name);
    } else if (s.opcode == "exit" || (s.opcode == "ret" && calls_.empty())) {
        in.step = Step::exit;
        emit(s, in);
    } else if (s.opcode == "ret") {
        in.step = Step::branch;
        instance.returns.push_back(emit(s, in));
    } else if (s.opcode == "trap") {
        in.run = trap;
        emit(s, in);
    } else if (s.opcode == "bar" && s.modifiers.size() && s.modifiers[0] == "warp") {
        together(instance, s);
    } else if (s.opcode == "bar" || s.opcode == "barrier") {
        barrier(instance, s, in);
    } else if (hints.count(s.opcode)) {
        in.run = nothing;
        emit(s, in);
    } else {
        return false;
    }
    return true;
}

// bar.sync a; bar.red.popc.u32 d, a, p; of the whole block only
void Binder::barrier(Instance& instance, const Statement& s, Instruction in) {
    Modifiers m(s);
    m.take("cta"), m.take("aligned");
    in.step = Step::barrier;
    const bool reduces = m.take("red");
    if (!reduces && !m.take("sync")) m.unknown();
    if (reduces) {
        const std::string op = m.takeAny({"popc", "and", "or"});
        const Type t = m.type();
        in.extra = op == "popc" ? 1 : op == "and" ? 2 : 3;
        in.d = target(instance, s.operands.at(0), t, s.line);
        in.c = source(instance, s.operands.back(), Type::pred, s.line);
        if (s.operands.back().negated) in.extra |= negatedPredicate;
    }
    if (!m.left.empty()) m.unknown();
    if (s.operands.size() != (reduces ? 3u : 1u)) complain(s.line, "barriers of a part of the block are not supported");
    emit(s, in);
}

void Binder::call(Instance& instance, const Statement& s) {
    const std::string& name = s.operands.at(0).name;
    if (name == "__assertfail") return assertion(instance, s);
    const Function* f = callee(name);
    if (!f) complain(s.line, "call of " + name + ", which has no body here");
    for (const std::string& outer : calls_)
        if (outer == name) complain(s.line, "recursive call of " + name);
    Instance inner{*f, {}, {}, {}, {}, {}};
    const auto bind = [&](const std::vector<std::string>& formal, const std::vector<Operand>& actual) {
        if (formal.size() != actual.size()) complain(s.line, "call of " + name + " with another number of arguments");
        for (std::size_t i = 0; i < formal.size(); ++i) {
            if (actual[i].kind != Operand::symbol) complain(s.line, "arguments of a call must be .param variables");
            inner.data[formal[i]] = spotOf(instance, actual[i].name, s.line);
        }
    };
    bind(f->results, s.results);
    bind(f->parameters, s.arguments);
    Instruction skip = begin(instance, s);
    skip.step = Step::branch;
    skip.flip = ~skip.flip;
    const bool guarded = s.guard >= 0;
    const u32 over = guarded ? emit(s, skip) : 0;
    calls_.push_back(name);
    body(inner);
    calls_.pop_back();
    if (guarded) code_.instructions[over].target = here();
    for (const u32 at : inner.returns) code_.instructions[at].target = here();
}

void Binder::assertion(Instance& instance, const Statement& s) {
    Instruction in = begin(instance, s);
    in.run = failAssertion;
    for (std::size_t i = 0; i < 3; ++i)
        in.v[i] = static_cast<Ref>(spotOf(instance, s.arguments.at(i).name, s.line).offset);
    emit(s, in);
}

void Binder::memory(Instance& instance, const Statement& s) {
    Modifiers m(s);
    Instruction in = begin(instance, s);
    const bool loads = s.opcode != "st";
    const Operand& address = s.operands.at(loads ? 1 : 0);
    const Operand& value = s.operands.at(loads ? 0 : 1);
    in.strong = !m.takeAny({"volatile", "relaxed", "acquire", "release"}).empty();
    m.take("weak"), m.takeAny({"cta", "gpu", "sys"});
    m.take("nc"), m.takeAny({"ca", "cg", "cs", "lu", "cv", "wb", "wt"});
    const std::string space = m.takeAny({"global", "shared", "local", "const", "param"});
    const std::string vector = m.takeAny({"v2", "v4"});
    const Type t = m.type();
    if (!m.left.empty()) m.unknown();
    in.home = space == "shared" ? Home::shared : space == "local" ? Home::local : Home::global;
    in.generic = space.empty();
    in.width = static_cast<u8>(bytesOf(t));
    in.count = static_cast<u8>(vector.empty() ? 1 : vector[1] - '0');
    in.extend = isSigned(t);
    locate(instance, address, in, s.line);
    in.run = loads ? load : store;
    if (space == "param") {
        const Operand& base = address.parts[0];
        const bool own = base.kind != Operand::symbol || spotOf(instance, base.name, s.line).home == Home::parameter;
        in.home = Home::local;
        if (own) in.run = loadParameter;
        if (own && !loads) complain(s.line, "a kernel's parameters cannot be stored to");
    }
    const std::vector<Operand> values = value.kind == Operand::vector ? value.parts : std::vector<Operand>{value};
    if (values.size() != in.count) complain(s.line, "a vector of another length");
    for (const Operand& v : values) in.wideRegister |= wide(instance, v) || (v.kind != Operand::reg && in.width == 8);
    const Type cell = in.wideRegister ? Type::b64 : Type::b32;
    for (std::size_t k = 0; k < values.size(); ++k) {
        const bool immediate = values[k].kind != Operand::reg && values[k].kind != Operand::symbol;
        in.v[k] = loads       ? target(instance, values[k], cell, s.line)
                  : immediate ? constant(valueOf(values[k], t), bytesOf(cell))
                              : source(instance, values[k], cell, s.line);
    }
    emit(s, in);
}

void Binder::atomic(Instance& instance, const Statement& s) {
    Modifiers m(s);
    Instruction in = begin(instance, s);
    m.takeAny({"relaxed", "acquire", "release", "acq_rel"}), m.takeAny({"cta", "gpu", "sys"});
    const std::string space = m.takeAny({"global", "shared"});
    const std::string op = m.takeAny({"add", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec"});
    const Type t = m.type();
    if (!m.left.empty() || !(in.run = pickAtomic(op, t))) m.unknown();
    in.home = space == "shared" ? Home::shared : Home::global;
    in.generic = space.empty();
    in.width = static_cast<u8>(bytesOf(t));
    const std::size_t first = s.opcode == "red" ? 0 : 1;
    in.d = first ? target(instance, s.operands.at(0), t, s.line) : scratch_;
    locate(instance, s.operands.at(first), in, s.line);
    in.b = source(instance, s.operands.at(first + 1), t, s.line);
    in.c = s.operands.size() > first + 2 ? source(instance, s.operands[first + 2], t, s.line) : in.b;
    emit(s, in);
}

void Binder::move(Instance& instance, const Statement& s) {
    const Operand &d = s.operands.at(0), &a = s.operands.at(1);
    Instruction in = begin(instance, s);
    if (a.kind == Operand::special && (a.index == clock32 || a.index >= specials)) {
        in.run = readClock;
        in.wideRegister = wide(instance, d);
        in.d = target(instance, d, in.wideRegister ? Type::b64 : Type::b32, s.line);
        return void(emit(s, in));
    }
    const bool joins = a.kind == Operand::vector, splits = d.kind == Operand::vector;
    if (!joins && !splits) return arithmetic(instance, s);
    const Type whole = typeOf(s.modifiers.back(), s.line);
    const std::vector<Operand>& parts = joins ? a.parts : d.parts;
    in.count = static_cast<u8>(parts.size());
    in.wideRegister = bytesOf(whole) == 8;
    in.width = static_cast<u8>(static_cast<std::size_t>(bytesOf(whole)) / parts.size());
    for (std::size_t k = 0; k < parts.size() && k < 4; ++k)
        in.v[k] = joins ? source(instance, parts[k], Type::b32, s.line) : target(instance, parts[k], Type::b32, s.line);
    if (joins)
        in.d = target(instance, d, whole, s.line);
    else
        in.a = source(instance, a, whole, s.line);
    in.run = joins ? pack : unpack;
    emit(s, in);
}

// Generic addresses of global memory and constants are those of their space; shared and local ones have their own base.
void Binder::convertAddress(Instance& instance, const Statement& s) {
    Modifiers m(s);
    const bool from = m.take("to");
    const std::string space = m.takeAny({"global", "shared", "local", "const"});
    const Type t = m.type();
    if (!m.left.empty() || space.empty() || t != Type::u64) m.unknown();
    const u64 base = space == "shared" ? sharedBase : space == "local" ? localBase : 0;
    Instruction in = begin(instance, s);
    in.run = binary<u64, u64, u64, Plus>;
    in.d = target(instance, s.operands.at(0), t, s.line);
    in.a = source(instance, s.operands.at(1), t, s.line);
    in.b = constant(from ? -base : base, 8);
    emit(s, in);
}

void Binder::arithmetic(Instance& instance, const Statement& s) {
    Modifiers m(s);
    const Pick pick = pickFor(s);
    if (!pick) m.unknown();
    const Choice choice = pick(m);
    if (!choice.run || !m.left.empty()) m.unknown();
    complete(instance, s, choice, begin(instance, s));
}

void Binder::together(Instance& instance, const Statement& s) {
    Modifiers m(s);
    Statement without = s;
    const Choice choice = pickWarp(m);
    if (!choice.run || !m.left.empty()) m.unknown();
    Instruction in = begin(instance, s);
    in.target = noPredicate;
    if (s.opcode != "activemask") {
        in.step = Step::meet;
        in.e = source(instance, without.operands.back(), Type::b32, s.line);
        without.operands.pop_back();
    }
    complete(instance, without, choice, in);
}

// Fills in the operands: destination, then a, b, c, e, by the choice's types.
void Binder::complete(Instance& instance, const Statement& s, const Choice& choice, Instruction in) {
    in.run = choice.run;
    in.extra = choice.extra;
    const bool compares = s.opcode == "setp" || s.opcode == "set";
    if (compares) in.e = noPredicate;
    if (usesCarry(s)) in.e = carry_;
    for (std::size_t i = 0; i < s.operands.size(); ++i) {
        const Operand& o = s.operands[i];
        if (i >= choice.types.size()) complain(s.line, "too many operands of " + s.opcode);
        const Type t = choice.types[i];
        if (i == 0) {
            const bool pair = o.kind == Operand::pair;
            in.d = target(instance, pair ? o.parts[0] : o, t, s.line);
            if (pair) (compares ? in.e : in.target) = target(instance, o.parts[1], Type::pred, s.line);
            continue;
        }
        Ref& slot = i == 1 ? in.a : i == 2 ? in.b : i == 3 ? in.c : in.e;
        if (o.negated) in.extra |= negatedPredicate;
        if (s.opcode == "cvt" && wide(instance, o) && bytesOf(t) < 8) {
            Instruction narrow = begin(instance, s);
            narrow.run = unary<u32, u64, Truncate>;
            narrow.a = source(instance, o, Type::b64, s.line);
            slot = narrow.d = allocate(4);
            emit(s, narrow);
            continue;
        }
        slot = source(instance, o, t, s.line);
    }
    emit(s, in);
}

}  // namespace softgpu::ptx
