// What the libraries export: all that the JNI libraries import, in its version node, and nothing that cuDNN 9 lacks.
#include <dlfcn.h>

#include <fstream>

#include "test_libs.h"

using namespace test;

namespace {

// Paths are relative to the folder of the sources, where make runs the tests.
std::vector<std::string> lines(const char* path) {
    std::vector<std::string> all;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) all.push_back(line);
    isTrue(all.size() > 50, std::string(path) + " is missing or short: run from src/test/softgpu");
    return all;
}

}  // namespace

CASE("every symbol that a JNI library imports is exported, with its version") {
    for (const std::string& name : lines("libcublas.txt"))
        isTrue(dlvsym(RTLD_DEFAULT, name.c_str(), "libcublas.so.12") != nullptr, name + "@libcublas.so.12");
    for (const std::string& name : lines("libcudnn.txt"))
        isTrue(dlvsym(RTLD_DEFAULT, name.c_str(), "libcudnn.so.9") != nullptr, name + "@libcudnn.so.9");
}

CASE("what cuDNN 9 lacks is absent here too") {
    for (const std::string& name : lines("../resources/io/basin/cuda/absent-in-cudnn-9.txt"))
        isTrue(dlsym(RTLD_DEFAULT, name.c_str()) == nullptr, name + " is exported");
}
