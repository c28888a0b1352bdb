#include "ptx_lex.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <map>

#include "ptx_text.h"

namespace softgpu::ptx {

namespace {

bool letter(char c) {
    return std::isalpha(static_cast<unsigned char>(c)) || c == '_' || c == '$' || c == '%' || c == '.';
}
bool digit(char c) { return std::isdigit(static_cast<unsigned char>(c)); }

// Behind a space or a comment at i; i where there is none.
std::size_t afterBlank(const std::string& text, std::size_t i, int& line) {
    if (text.compare(i, 2, "//") == 0) return std::min(text.find('\n', i), text.size());
    if (text.compare(i, 2, "/*") == 0) {
        const std::size_t end = std::min(text.find("*/", i + 2), text.size() - 2) + 2;
        line += static_cast<int>(
            std::count(text.begin() + static_cast<long>(i), text.begin() + static_cast<long>(end), '\n'));
        return end;
    }
    if (text[i] == '\n') ++line;
    return i + (std::isspace(static_cast<unsigned char>(text[i])) || text[i] == '\0');
}

std::size_t afterWord(const std::string& text, std::size_t i) {
    std::size_t end = i + 1;
    if (!digit(text[i]) && !letter(text[i])) return end;
    const auto more = [&] { return end < text.size() && (letter(text[end]) || digit(text[end])); };
    while (more()) ++end;
    const bool exponent = digit(text[i]) && text[end - 1] == 'e' && text.compare(i, 2, "0x") != 0 && end < text.size();
    if (exponent && (text[end] == '-' || text[end] == '+'))
        for (++end; more();) ++end;
    return end;
}

}  // namespace

std::vector<Word> split(const std::string& text) {
    std::vector<Word> words;
    int line = 1;
    for (std::size_t i = 0; i < text.size();) {
        const char c = text[i];
        const std::size_t behind = afterBlank(text, i, line);
        if (behind != i) {
            i = behind;
            continue;
        }
        if (c == '"') {
            const std::size_t close = text.find('"', i + 1);
            if (close == std::string::npos) complain(line, "string without an end");
            words.push_back({text.substr(i + 1, close - i - 1), line, 's'});
            i = close + 1;
            continue;
        }
        if (!digit(c) && !letter(c) && !std::strchr("{}[]()<>,;:@!|+-=", c))
            complain(line, std::string("unexpected character ") + c);
        const std::size_t end = afterWord(text, i);
        words.push_back({text.substr(i, end - i), line, digit(c) ? 'n' : letter(c) ? 'w' : c});
        i = end;
    }
    words.push_back({"", line, '.'});
    return words;
}

Type typeOf(const std::string& name, int line) {
    static const std::map<std::string, Type> types{
        {"pred", Type::pred}, {"b8", Type::b8},   {"b16", Type::b16}, {"b32", Type::b32}, {"b64", Type::b64},
        {"u8", Type::u8},     {"u16", Type::u16}, {"u32", Type::u32}, {"u64", Type::u64}, {"s8", Type::s8},
        {"s16", Type::s16},   {"s32", Type::s32}, {"s64", Type::s64}, {"f32", Type::f32}, {"f64", Type::f64}};
    const auto found = types.find(name);
    if (found == types.end()) complain(line, "unknown type ." + name);
    return found->second;
}

int bytesOf(Type type) {
    static const int bytes[] = {0, 1, 2, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8};
    return bytes[static_cast<int>(type)];
}

int specialOf(const std::string& name) {
    static const std::map<std::string, int> known{{"%tid.x", tidX},
                                                  {"%tid.y", tidY},
                                                  {"%tid.z", tidZ},
                                                  {"%ntid.x", ntidX},
                                                  {"%ntid.y", ntidY},
                                                  {"%ntid.z", ntidZ},
                                                  {"%ctaid.x", ctaidX},
                                                  {"%ctaid.y", ctaidY},
                                                  {"%ctaid.z", ctaidZ},
                                                  {"%nctaid.x", nctaidX},
                                                  {"%nctaid.y", nctaidY},
                                                  {"%nctaid.z", nctaidZ},
                                                  {"%laneid", laneId},
                                                  {"%warpid", warpId},
                                                  {"%nwarpid", warps},
                                                  {"%lanemask_eq", maskEq},
                                                  {"%lanemask_lt", maskLt},
                                                  {"%lanemask_le", maskLe},
                                                  {"%lanemask_gt", maskGt},
                                                  {"%lanemask_ge", maskGe},
                                                  {"%smid", multiprocessor},
                                                  {"%nsmid", multiprocessors},
                                                  {"%dynamic_smem_size", dynamicShared},
                                                  {"%total_smem_size", totalShared},
                                                  {"%clock", clock32},
                                                  {"%clock64", clock64},
                                                  {"%globaltimer", timer64}};
    const auto found = known.find(name);
    return found == known.end() ? -1 : found->second;
}

}  // namespace softgpu::ptx
