// From a function's statements to bytecode: registers get their places, symbols their addresses, device functions are
// inlined at each call.
#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ptx_pick.h"

namespace softgpu::ptx {

class Binder {
public:
    Binder(const Text& text, const Function& entry, Kernel& kernel, Code& code);
    void run();

private:
    struct Spot {
        Home home;
        std::int64_t offset;
        std::string symbol;  // of a module variable: the loader knows its address
    };
    struct Instance {  // a function where it is inlined
        const Function& function;
        std::vector<Ref> registers;
        std::map<std::string, Spot> data;
        std::map<std::string, u32> labels;
        std::vector<std::pair<u32, std::string>> jumps;
        std::vector<u32> returns;
    };

    // ptx_layout.cpp: where things lie
    void layOutParameters(Instance& instance);
    void layOutShared();
    void place(Instance& instance);
    void use(const Function& function, std::vector<std::string>& names) const;
    const Function* callee(const std::string& name) const;
    void share(const std::string& key, const Datum& datum);
    Ref allocate(int bytes);
    Ref constant(u64 bits, int bytes);
    Ref addressOf(const Instance& instance, const Operand& symbol, int bytes, int line);
    Spot spotOf(const Instance& instance, const std::string& name, int line) const;
    Ref source(const Instance& instance, const Operand& o, Type type, int line);
    Ref target(const Instance& instance, const Operand& o, Type type, int line);
    bool wide(const Instance& instance, const Operand& o) const;
    void locate(const Instance& instance, const Operand& address, Instruction& in, int line);
    static u64 valueOf(const Operand& o, Type type);

    // ptx_bind.cpp: what statements become
    void body(Instance& instance);
    void statement(Instance& instance, const Statement& s);
    void translate(Instance& instance, const Statement& s);
    Instruction begin(const Instance& instance, const Statement& s) const;
    u32 emit(const Statement& s, const Instruction& in);
    bool control(Instance& instance, const Statement& s);
    void barrier(Instance& instance, const Statement& s, Instruction in);
    void call(Instance& instance, const Statement& s);
    void assertion(Instance& instance, const Statement& s);
    void memory(Instance& instance, const Statement& s);
    void atomic(Instance& instance, const Statement& s);
    void move(Instance& instance, const Statement& s);
    void convertAddress(Instance& instance, const Statement& s);
    void arithmetic(Instance& instance, const Statement& s);
    void together(Instance& instance, const Statement& s);
    void complete(Instance& instance, const Statement& s, const Choice& choice, Instruction in);
    u32 here() const { return static_cast<u32>(code_.instructions.size()); }

    const Text& text_;
    const Function& entry_;
    Kernel& kernel_;
    Code& code_;
    std::map<std::pair<u64, int>, Ref> constants_;
    std::map<std::string, Ref> relocated_;
    std::map<std::string, std::int64_t> shared_;
    std::vector<std::string> calls_;
    Ref scratch_ = 0, carry_ = 0;
};

}  // namespace softgpu::ptx
