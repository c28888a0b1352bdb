#include "compile.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

extern char** environ;

namespace softgpu {
namespace {

namespace fs = std::filesystem;

std::string slurp(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void spill(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
}

std::string variable(const char* name, const std::string& otherwise) {
    const char* value = std::getenv(name);
    return value && *value ? value : otherwise;
}

std::string nvcc() { return variable("NVCC", "nvcc"); }

// 127 when there is no such program.
int run(const std::vector<std::string>& command, const fs::path& output) {
    std::vector<char*> arguments;
    for (auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    pid_t child;
    int error = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    int status = 0;
    if (error || waitpid(child, &status, 0) != child) return 127;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

class TemporaryDirectory {
public:
    TemporaryDirectory() {
        std::string pattern = (fs::temp_directory_path() / "softgpu-XXXXXX").string();
        if (!mkdtemp(pattern.data())) throw fs::filesystem_error("mkdtemp", std::error_code(errno, std::generic_category()));
        path = pattern;
    }
    ~TemporaryDirectory() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
    fs::path path;
};

std::string replaced(std::string text, const std::string& what, const std::string& by) {
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
        text.replace(at, what.size(), by);
    return text;
}

const std::string& compilerVersion() {
    static const std::string version = [] {
        TemporaryDirectory directory;
        return run({nvcc(), "--version"}, directory.path / "out") ? std::string() : slurp(directory.path / "out");
    }();
    return version;
}

std::string digest(const Source& source, const std::vector<std::string>& options) {
    std::uint64_t a = 14695981039346656037u, b = 0x9e3779b97f4a7c15u;
    auto add = [&](const std::string& text) {
        for (unsigned char c : text + '\0') {
            a = (a ^ c) * 1099511628211u;
            b = (b + c) * 6364136223846793005u + 1442695040888963407u;
        }
    };
    add(compilerVersion());
    add(source.name);
    add(source.text);
    for (auto& [name, text] : source.headers) add(name), add(text);
    for (auto& option : options) add(option);
    char name[40];
    std::snprintf(name, sizeof name, "%016llx%016llx.ptx", (unsigned long long)a, (unsigned long long)b);
    return name;
}

fs::path cacheDirectory() {
    fs::path path = variable("BASIN_SOFTGPU_CACHE",
                             (fs::temp_directory_path() / ("basin-softgpu-" + std::to_string(getuid()))).string());
    std::error_code ignored;
    if (fs::create_directories(path, ignored)) chmod(path.c_str(), 0700);
    return path;
}

// A real NVRTC has no headers but those it is given: what only nvcc finds must not compile here either.
std::string missingHeader(const Source& source, const std::vector<std::string>& options) {
    static const std::regex include(R"re((?:^|\n)[ \t]*#[ \t]*include[ \t]*[<"]([^>"\n]+)[>"])re");
    auto reachable = [&](const std::string& name) {
        if (source.headers.count(name)) return true;
        for (auto& option : options)
            if (option.rfind("-I", 0) == 0 && fs::exists(fs::path(option.substr(2)) / name)) return true;
        return false;
    };
    auto first = [&](const std::string& text) -> std::string {
        for (std::sregex_iterator it(text.begin(), text.end(), include), end; it != end; ++it)
            if (!reachable((*it)[1])) return (*it)[1];
        return "";
    };
    std::string missing = first(source.text);
    for (auto& [name, text] : source.headers)
        if (missing.empty()) missing = first(text);
    return missing;
}

// As a whole or not at all; where the cache cannot be written, the next compilation is as slow as this one.
void keep(const fs::path& cached, const std::string& ptx) {
    fs::path part = cached.string() + "." + std::to_string(getpid());
    std::error_code ignored;
    std::ofstream file(part, std::ios::binary);
    file << ptx;
    file.close();
    if (file) fs::rename(part, cached, ignored);
}

Compilation compileAnew(const Source& source, const std::vector<std::string>& options, const fs::path& cached) {
    TemporaryDirectory directory;
    fs::path root = directory.path / "src", ptx = directory.path / "out.ptx", log = directory.path / "log";
    bool plainName = !source.name.empty() && source.name[0] != '/' && source.name.find("..") == std::string::npos;
    std::string name = plainName ? source.name : fs::path(source.name).filename().string();
    spill(root / name, source.text);
    for (auto& [header, text] : source.headers) spill(root / header, text);
    std::vector<std::string> command = {nvcc(), "-ptx", "-O3", "-lineinfo", "-x", "cu", "-I" + root.string()};
    command.insert(command.end(), options.begin(), options.end());
    command.insert(command.end(), {"-o", ptx.string(), (root / name).string()});
    int status = run(command, log);
    auto asNamed = [&](const std::string& text) {
        std::string local = replaced(text, root.string() + "/", "");
        return plainName ? local : replaced(local, name, source.name);
    };
    Compilation result;
    result.succeeded = status == 0;
    result.log = status == 127 ? nvcc() + " cannot be run: set NVCC, or put it on the PATH\n" : asNamed(slurp(log));
    if (!result.succeeded) return result;
    result.ptx = asNamed(slurp(ptx));
    keep(cached, result.ptx);
    return result;
}

}  // namespace

Compilation compile(const Source& source, const std::vector<std::string>& options) {
    std::string missing = missingHeader(source, options);
    if (!missing.empty())
        return {false, "", source.name + ": error: could not open source file \"" + missing + "\" (no such header was given)\n"};
    fs::path cached = cacheDirectory() / digest(source, options);
    std::string ptx = slurp(cached);
    if (!ptx.empty()) return {true, ptx, ""};
    return compileAnew(source, options, cached);
}

}  // namespace softgpu
