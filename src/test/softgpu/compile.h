// CUDA C++ to PTX by nvcc, in a private directory, cached by what went in.
#pragma once
#include <map>
#include <string>
#include <vector>

namespace softgpu {

struct Source {
    std::string name, text;                      // "kernels/step.cu"
    std::map<std::string, std::string> headers;  // by the name in #include
};

struct Compilation {
    bool succeeded = false;
    std::string ptx, log;
};

// `options` are nvcc's. Line information and messages name files as `source` does.
Compilation compile(const Source& source, const std::vector<std::string>& options);

}  // namespace softgpu
