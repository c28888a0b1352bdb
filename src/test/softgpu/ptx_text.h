// PTX as it is written: functions, their registers and variables, and statements with resolved names. Nothing here
// knows what an opcode means.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "ptx.h"

namespace softgpu::ptx {

enum class Type { pred, b8, b16, b32, b64, u8, u16, u32, u64, s8, s16, s32, s64, f32, f64 };
Type typeOf(const std::string& name, int line);  // "u32"
int bytesOf(Type type);                          // 0 for a predicate
inline bool isSigned(Type t) { return t >= Type::s8 && t <= Type::s64; }
inline bool isFloat(Type t) { return t >= Type::f32; }

struct Place {  // in the .cu source; line 0: unknown
    int file = 0, line = 0;
    int outerFile = 0, outerLine = 0;  // where an inlined function was called
};

struct Operand {
    enum Kind { none, reg, special, integer, real32, real64, symbol, address, vector, pair } kind = none;
    int index = 0;            // of a register of the function, or of a special register
    std::uint64_t bits = 0;   // an immediate; a real's bits
    std::string name;         // a symbol: label, variable, function
    std::int64_t offset = 0;  // of an address; its base is parts[0], of kind reg, symbol, or none
    bool negated = false;     // a predicate with !
    std::vector<Operand> parts;
};

struct Statement {
    std::string opcode;                  // "ld"
    std::vector<std::string> modifiers;  // "global", "nc", "f32"
    int guard = -1;                      // a predicate register
    bool guardNegated = false;
    std::vector<Operand> operands;
    std::vector<Operand> results, arguments;  // of a call
    std::string label;                        // a statement that is only a label
    int line = 0;                             // of the PTX text
    Place place;
};

enum class Home { parameter, local, shared, global, constant };

struct Datum {  // a variable of a function or of the module; names in a function are made unique
    std::string name;
    Home home;
    std::size_t bytes = 0, alignment = 1;
    bool external = false;  // .extern .shared: the dynamic part
    std::vector<std::byte> initial;
};

struct Function {
    std::string name;
    bool entry = false, declaration = false;
    std::vector<std::string> results, parameters;  // names among the data
    std::vector<Type> registers;
    std::vector<Datum> data;
    std::vector<Statement> statements;
    unsigned maxThreads = 1024;
    int line = 0;
};

struct Text {
    std::string target;
    std::vector<Function> functions;
    std::vector<Datum> data;
    std::vector<std::string> files;  // by number
};

Text read(const std::string& text);

// %tid.x and its like, in the order in which a warp's register file holds them.
enum Special {
    tidX,
    tidY,
    tidZ,
    ntidX,
    ntidY,
    ntidZ,
    ctaidX,
    ctaidY,
    ctaidZ,
    nctaidX,
    nctaidY,
    nctaidZ,
    laneId,
    warpId,
    warps,
    maskEq,
    maskLt,
    maskLe,
    maskGt,
    maskGe,
    multiprocessor,
    multiprocessors,
    dynamicShared,
    totalShared,
    clock32,
    specials,
    clock64,
    timer64
};
int specialOf(const std::string& name);  // -1 when there is none

}  // namespace softgpu::ptx
