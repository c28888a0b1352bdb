// libnvrtc.so.12: programs that nvcc compiles. A cubin is PTX in a container that names its architecture.
#include <cxxabi.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <set>
#include <sstream>

#include "compile.h"
#include "cubin.h"
#include "gpu.h"

namespace {

using namespace softgpu;

enum Result {
    success = 0,
    outOfMemory = 1,
    invalidInput = 3,
    invalidProgram = 4,
    invalidOption = 5,
    compilationFailed = 6,
    namesAfterCompilation = 8,
    namesBeforeCompilation = 9,
    nameNotValid = 10,
    internalError = 11,
};

struct Program {
    Source source;
    std::set<std::string> names;
    std::map<std::string, std::string> lowered;
    Compilation result;
    std::string cubin;
    bool compiled = false;
};

std::mutex mutex;
auto& programs = *new std::map<Program*, std::unique_ptr<Program>>;

template <class Body> Result call(const char* function, Body body) {
    count(function);
    if (fails("nvrtc", function)) return internalError;
    std::lock_guard lock(mutex);
    try {
        return body();
    } catch (const std::bad_alloc&) {
        return outOfMemory;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "softgpu: %s: %s\n", function, error.what());
        return internalError;
    }
}

template <class Body> Result with(const char* function, Program* program, Body body) {
    return call(function, [&] { return programs.count(program) ? body(*program) : invalidProgram; });
}

struct Options {
    int architecture = 75;
    bool real = false;  // sm_75 rather than compute_75: a cubin is wanted
    std::vector<std::string> forNvcc;
    std::string unknown;
};

bool starts(const std::string& text, const char* prefix) { return text.rfind(prefix, 0) == 0; }

// The value of "--name=value", "-name=value", or "-name" "value", for any of the names.
bool valueOf(const std::vector<std::string>& options, std::size_t& i, std::initializer_list<const char*> names,
             std::string& value) {
    for (std::string name : names) {
        if (options[i] == name && i + 1 < options.size()) return value = options[++i], true;
        if (starts(options[i], (name + "=").c_str())) return value = options[i].substr(name.size() + 1), true;
        bool glued = name.size() == 2 && starts(options[i], name.c_str()) && options[i].size() > 2;
        if (glued) return value = options[i].substr(2), true;
    }
    return false;
}

Options parse(const std::vector<std::string>& given) {
    static const std::set<std::string> flags = {"--use_fast_math", "-use_fast_math", "--restrict", "-restrict", "-w",
                                                "--disable-warnings"};
    static const std::set<std::string> silent = {"-default-device", "--device-as-default-execution-space", "-lineinfo",
                                                 "--generate-line-info", "-rdc=false", "--relocatable-device-code=false"};
    static const std::initializer_list<const char*> tuning = {"-fmad", "--fmad", "-ftz", "--ftz", "-prec-div",
                                                              "--prec-div", "-prec-sqrt", "--prec-sqrt"};
    Options options;
    std::string value;
    for (std::size_t i = 0; i < given.size(); i++) {
        const std::string& option = given[i];
        if (silent.count(option)) continue;
        if (flags.count(option)) options.forNvcc.push_back(option);
        else if (valueOf(given, i, {"-arch", "--gpu-architecture"}, value)) {
            options.real = starts(value, "sm_");
            options.architecture = std::atoi(value.c_str() + value.find('_') + 1);
            if (options.architecture < 50) options.unknown = "-arch=" + value;
        }
        else if (valueOf(given, i, {"-D", "--define-macro"}, value)) options.forNvcc.push_back("-D" + value);
        else if (valueOf(given, i, {"-U", "--undefine-macro"}, value)) options.forNvcc.push_back("-U" + value);
        else if (valueOf(given, i, {"-I", "--include-path"}, value)) options.forNvcc.push_back("-I" + value);
        else if (valueOf(given, i, {"-std", "--std"}, value)) options.forNvcc.push_back("-std=" + value);
        else if (valueOf(given, i, {"-maxrregcount", "--maxrregcount"}, value)) continue;
        else {
            bool known = false;
            for (const char* name : tuning) known = known || starts(option, (std::string(name) + "=").c_str());
            if (known) options.forNvcc.push_back(option);
            else options.unknown = option;
        }
    }
    options.forNvcc.push_back("-arch=compute_" + std::to_string(std::max(75, options.architecture)));
    return options;
}

// "void ns::add<float>(float*)" -> "ns::add<float>"
std::string bare(const std::string& symbol) {
    int status = 0;
    std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status), std::free);
    if (status) return symbol;
    std::string name = text.get();
    name = name.substr(0, name.rfind('('));
    return starts(name, "void ") ? name.substr(5) : name;
}

void lowerNames(Program& program) {
    std::istringstream text(program.result.ptx);
    for (std::string word; text >> word;) {
        if (word != ".entry" && word != ".global") continue;
        text >> word;
        std::string symbol = word.substr(0, word.find('('));
        std::string name = bare(symbol);
        for (const std::string& wanted : program.names)
            if (wanted == name || wanted == "&" + name) program.lowered[wanted] = symbol;
    }
}

std::string container(const std::string& ptx, int architecture) {
    CubinHeader header;
    std::memcpy(header.magic, cubinMagic, sizeof header.magic);
    header.architecture = architecture;
    header.bytes = ptx.size();
    return std::string(reinterpret_cast<char*>(&header), sizeof header) + ptx;
}

Result compileProgram(Program& program, int count, const char* const* given) {
    Options options = parse(std::vector<std::string>(given, given + count));
    if (!options.unknown.empty()) {
        program.result = {false, "", "nvrtc: error: unrecognized option " + options.unknown + " found\n"};
        return invalidOption;
    }
    program.compiled = true;
    program.result = compile(program.source, options.forNvcc);
    if (!program.result.succeeded) return compilationFailed;
    if (options.real) program.cubin = container(program.result.ptx, options.architecture);
    lowerNames(program);
    return success;
}

Result copyOut(const Program& program, const std::string& from, char* to, bool terminated) {
    if (!program.compiled) return invalidProgram;
    std::memcpy(to, from.data(), from.size());
    if (terminated) to[from.size()] = 0;
    return success;
}

}  // namespace

extern "C" {

Result nvrtcVersion(int* major, int* minor) {
    *major = 12;
    *minor = 6;
    return success;
}

const char* nvrtcGetErrorString(Result result) {
    static const char* const names[] = {"NVRTC_SUCCESS", "NVRTC_ERROR_OUT_OF_MEMORY", "NVRTC_ERROR_PROGRAM_CREATION_FAILURE",
                                        "NVRTC_ERROR_INVALID_INPUT", "NVRTC_ERROR_INVALID_PROGRAM", "NVRTC_ERROR_INVALID_OPTION",
                                        "NVRTC_ERROR_COMPILATION", "NVRTC_ERROR_BUILTIN_OPERATION_FAILURE",
                                        "NVRTC_ERROR_NO_NAME_EXPRESSIONS_AFTER_COMPILATION",
                                        "NVRTC_ERROR_NO_LOWERED_NAMES_BEFORE_COMPILATION",
                                        "NVRTC_ERROR_NAME_EXPRESSION_NOT_VALID", "NVRTC_ERROR_INTERNAL_ERROR"};
    return unsigned(result) < std::size(names) ? names[result] : "NVRTC_ERROR unknown";
}

Result nvrtcGetNumSupportedArchs(int* n) {
    *n = 6;
    return success;
}

Result nvrtcGetSupportedArchs(int* archs) {
    const int known[] = {75, 80, 86, 87, 89, 90};
    std::memcpy(archs, known, sizeof known);
    return success;
}

Result nvrtcCreateProgram(Program** out, const char* text, const char* name, int n, const char* const* headers,
                          const char* const* names) {
    return call(__func__, [&] {
        if (!out || !text || n < 0) return invalidInput;
        auto program = std::make_unique<Program>();
        program->source.name = name && *name ? name : "default_program";
        program->source.text = text;
        for (int i = 0; i < n; i++) program->source.headers[names[i]] = headers[i];
        *out = program.get();
        programs[*out] = std::move(program);
        return success;
    });
}

Result nvrtcDestroyProgram(Program** program) {
    std::lock_guard lock(mutex);
    count(__func__);
    if (!program || !programs.erase(*program)) return invalidProgram;
    *program = nullptr;
    return success;
}

Result nvrtcCompileProgram(Program* program, int n, const char* const* options) {
    return with(__func__, program, [&](Program& p) { return compileProgram(p, n, options); });
}

Result nvrtcGetPTXSize(Program* program, std::size_t* bytes) {
    return with(__func__, program, [&](Program& p) { return *bytes = p.result.ptx.size() + 1, success; });
}
Result nvrtcGetPTX(Program* program, char* out) {
    return with(__func__, program, [&](Program& p) { return copyOut(p, p.result.ptx, out, true); });
}
Result nvrtcGetCUBINSize(Program* program, std::size_t* bytes) {
    return with(__func__, program, [&](Program& p) { return *bytes = p.cubin.size(), success; });
}
Result nvrtcGetCUBIN(Program* program, char* out) {
    return with(__func__, program, [&](Program& p) { return copyOut(p, p.cubin, out, false); });
}
Result nvrtcGetProgramLogSize(Program* program, std::size_t* bytes) {
    return with(__func__, program, [&](Program& p) { return *bytes = p.result.log.size() + 1, success; });
}
Result nvrtcGetProgramLog(Program* program, char* out) {
    return with(__func__, program, [&](Program& p) {
        std::memcpy(out, p.result.log.c_str(), p.result.log.size() + 1);
        return success;
    });
}

Result nvrtcAddNameExpression(Program* program, const char* name) {
    return with(__func__, program, [&](Program& p) {
        if (p.compiled) return namesAfterCompilation;
        p.names.insert(name);
        return success;
    });
}

Result nvrtcGetLoweredName(Program* program, const char* name, const char** out) {
    return with(__func__, program, [&](Program& p) {
        if (!p.compiled) return namesBeforeCompilation;
        auto found = p.lowered.find(name);
        if (found == p.lowered.end()) return nameNotValid;
        *out = found->second.c_str();
        return success;
    });
}

}  // extern "C"
