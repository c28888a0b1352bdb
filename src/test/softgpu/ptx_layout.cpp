// The binder's half that decides where things lie: registers, constants, parameters, shared and local memory.
#include <algorithm>
#include <cstring>

#include "ptx_bind.h"
#include "ptx_lex.h"

namespace softgpu::ptx {

namespace {

constexpr std::size_t gap = 16;  // between shared variables

std::size_t aligned(std::size_t offset, std::size_t alignment) {
    return (offset + alignment - 1) / alignment * alignment;
}

void mention(const Operand& o, std::vector<std::string>& names) {
    if (o.kind == Operand::symbol) names.push_back(o.name);
    for (const Operand& part : o.parts) mention(part, names);
}

}  // namespace

Ref Binder::allocate(int bytes) {
    const std::size_t at = code_.registerBytes;
    code_.registerBytes += bytes == 8 ? lane8 : lane4;
    return static_cast<Ref>(at);
}

Ref Binder::constant(u64 bits, int bytes) {
    if (bytes < 8) bits = static_cast<u32>(bits);
    const auto [found, fresh] = constants_.emplace(std::make_pair(bits, bytes < 8 ? 4 : 8), 0);
    if (!fresh) return found->second;
    const std::size_t at = code_.constants.size(), each = bytes < 8 ? 4 : 8;
    code_.constants.resize(at + 32 * each);
    for (std::size_t i = 0; i < 32; ++i) std::memcpy(code_.constants.data() + at + i * each, &bits, each);
    return found->second = static_cast<Ref>(at) | 1;
}

void Binder::layOutParameters(Instance& instance) {
    for (const std::string& name : entry_.parameters) {
        const auto d =
            std::find_if(entry_.data.begin(), entry_.data.end(), [&](const Datum& x) { return x.name == name; });
        kernel_.paramBytes = aligned(kernel_.paramBytes, d->alignment);
        kernel_.params.push_back({kernel_.paramBytes, d->bytes, d->alignment});
        instance.data[name] = {Home::parameter, static_cast<std::int64_t>(kernel_.paramBytes), ""};
        kernel_.paramBytes += d->bytes;
    }
}

const Function* Binder::callee(const std::string& name) const {
    for (const Function& f : text_.functions)
        if (f.name == name && !f.declaration) return &f;
    return nullptr;
}

// The names that a function and those it calls mention, with the functions' own shared variables.
void Binder::use(const Function& function, std::vector<std::string>& names) const {
    const std::string self = function.name + "()";
    if (std::find(names.begin(), names.end(), self) != names.end()) return;
    names.push_back(self);
    for (const Datum& d : function.data)
        if (d.home == Home::shared) names.push_back(function.name + ":" + d.name);
    for (const Statement& s : function.statements) {
        for (const Operand& o : s.operands) mention(o, names);
        if (s.opcode != "call") continue;
        if (const Function* called = callee(s.operands.at(0).name)) use(*called, names);
    }
}

void Binder::share(const std::string& key, const Datum& d) {
    if (shared_.count(key)) return;
    std::size_t offset = code_.shared.empty() ? 0 : code_.shared.back().offset + code_.shared.back().bytes + gap;
    offset = aligned(offset, std::max<std::size_t>(d.alignment, 16));
    code_.shared.push_back({offset, d.bytes});
    shared_[key] = static_cast<std::int64_t>(offset);
    kernel_.staticShared = aligned(kernel_.staticShared, d.alignment) + d.bytes;
}

void Binder::layOutShared() {
    std::vector<std::string> names;
    use(entry_, names);
    std::vector<std::string> dynamic;
    const auto used = [&](const std::string& name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    for (const Datum& d : text_.data) {
        if (d.home != Home::shared || !used(d.name)) continue;
        if (d.external)
            dynamic.push_back(d.name);
        else
            share(d.name, d);
    }
    for (const Function& f : text_.functions)
        for (const Datum& d : f.data)
            if (d.home == Home::shared && used(f.name + ":" + d.name)) share(f.name + ":" + d.name, d);
    const std::size_t end = code_.shared.empty() ? 0 : code_.shared.back().offset + code_.shared.back().bytes + gap;
    code_.dynamicShared = aligned(end, 16);
    for (const std::string& name : dynamic) shared_[name] = static_cast<std::int64_t>(code_.dynamicShared);
}

// Registers and variables of one inlined function; its parameters are its caller's variables.
void Binder::place(Instance& instance) {
    for (const Type type : instance.function.registers)
        instance.registers.push_back(type == Type::pred ? static_cast<Ref>(code_.predicates++)
                                                        : allocate(bytesOf(type)));
    for (const Datum& d : instance.function.data) {
        if (instance.data.count(d.name)) continue;
        if (d.home == Home::shared) {
            instance.data[d.name] = {Home::shared, shared_.at(instance.function.name + ":" + d.name), ""};
            continue;
        }
        code_.localBytes = aligned(code_.localBytes, std::max<std::size_t>(d.alignment, 8));
        instance.data[d.name] = {Home::local, static_cast<std::int64_t>(code_.localBytes), ""};
        code_.localBytes += d.bytes;
    }
}

Binder::Spot Binder::spotOf(const Instance& instance, const std::string& name, int line) const {
    const auto own = instance.data.find(name);
    if (own != instance.data.end()) return own->second;
    const auto shared = shared_.find(name);
    if (shared != shared_.end()) return {Home::shared, shared->second, ""};
    for (const Datum& d : text_.data)
        if (d.name == name) return {d.home, 0, name};
    complain(line, "unknown symbol " + name);
}

Ref Binder::addressOf(const Instance& instance, const Operand& symbol, int bytes, int line) {
    const Spot spot = spotOf(instance, symbol.name, line);
    if (spot.symbol.empty()) return constant(static_cast<u64>(spot.offset), bytes);
    if (bytes != 8) complain(line, "address of " + symbol.name + " in 32 bits");
    const auto [found, fresh] = relocated_.emplace(spot.symbol, 0);
    if (!fresh) return found->second;
    const std::size_t at = code_.constants.size();
    code_.constants.resize(at + lane8);
    code_.relocations.push_back({at, spot.symbol, 0});
    return found->second = static_cast<Ref>(at) | 1;
}

u64 Binder::valueOf(const Operand& o, Type type) {
    if (o.kind == Operand::integer && isFloat(type)) {
        Operand real = o;
        const double value = static_cast<double>(static_cast<std::int64_t>(o.bits));
        std::memcpy(&real.bits, &value, 8);
        real.kind = Operand::real64;
        return valueOf(real, type);
    }
    if (o.kind == Operand::real64 && type == Type::f32) {
        double value;
        std::memcpy(&value, &o.bits, 8);
        const float narrow = static_cast<float>(value);
        u32 bits;
        std::memcpy(&bits, &narrow, 4);
        return bits;
    }
    return o.bits;
}

bool Binder::wide(const Instance& instance, const Operand& o) const {
    return o.kind == Operand::reg && bytesOf(instance.function.registers[static_cast<std::size_t>(o.index)]) == 8;
}

Ref Binder::source(const Instance& instance, const Operand& o, Type type, int line) {
    const int bytes = bytesOf(type);
    switch (o.kind) {
        case Operand::reg: {
            const bool predicate = instance.function.registers[static_cast<std::size_t>(o.index)] == Type::pred;
            if (predicate != (type == Type::pred) || (!predicate && wide(instance, o) != (bytes == 8)))
                complain(line, "operand " + o.name + " does not fit the instruction's type");
            return instance.registers[static_cast<std::size_t>(o.index)];
        }
        case Operand::special:
            if (bytes == 8 || o.index >= specials) complain(line, "cannot read " + o.name + " here");
            return static_cast<Ref>(o.index) * static_cast<Ref>(lane4);
        case Operand::integer:
        case Operand::real32:
        case Operand::real64:
            if (type == Type::pred) return o.bits ? always : never;
            return constant(valueOf(o, type), bytes);
        case Operand::symbol: return addressOf(instance, o, bytes, line);
        default: complain(line, "operand of an unexpected kind");
    }
}

Ref Binder::target(const Instance& instance, const Operand& o, Type type, int line) {
    if (o.kind == Operand::symbol && o.name == "_") return scratch_;
    if (o.kind != Operand::reg) complain(line, "the destination must be a register");
    return source(instance, o, type, line);
}

void Binder::locate(const Instance& instance, const Operand& address, Instruction& in, int line) {
    if (address.kind != Operand::address) complain(line, "expected an address");
    const Operand& base = address.parts[0];
    in.offset = address.offset;
    if (base.kind == Operand::none)
        in.a = constant(0, 8);
    else if (base.kind == Operand::symbol)
        in.a = addressOf(instance, base, 8, line);
    else
        in.narrowAddress = !wide(instance, base),
        in.a = source(instance, base, in.narrowAddress ? Type::b32 : Type::b64, line);
}

}  // namespace softgpu::ptx
