// The words of a PTX text, and the names that mean something wherever they stand.
#pragma once
#include <string>
#include <vector>

#include "ptx.h"

namespace softgpu::ptx {

struct Word {
    std::string text;  // of a string: without its quotes
    int line;
    char kind;  // 'w' word or directive, 'n' number, 's' string, '.' end, else the punctuation itself
};

std::vector<Word> split(const std::string& text);

[[noreturn]] inline void complain(int line, const std::string& what) {
    throw ParseError("PTX line " + std::to_string(line) + ": " + what);
}

}  // namespace softgpu::ptx
