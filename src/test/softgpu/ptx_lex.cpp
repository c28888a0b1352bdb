#include "ptx_lex.h"

#include <cctype>
#include <cstring>

namespace softgpu::ptx {

namespace {

bool letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_' || c == '$' || c == '%' || c == '.'; }
bool digit(char c) { return std::isdigit(static_cast<unsigned char>(c)); }

}  // namespace

std::vector<Word> split(const std::string& text) {
    std::vector<Word> words;
    int line = 1;
    for (std::size_t i = 0; i < text.size();) {
        const char c = text[i];
        std::size_t end = i + 1;
        if (c == '\n') ++line;
        if (std::isspace(static_cast<unsigned char>(c)) || c == '\0') {
            ++i;
            continue;
        }
        if (c == '/' && text.compare(i, 2, "//") == 0) {
            i = std::min(text.find('\n', i), text.size());
            continue;
        }
        if (c == '/' && text.compare(i, 2, "/*") == 0) {
            const std::size_t close = std::min(text.find("*/", i + 2), text.size());
            for (; i < close; ++i) line += text[i] == '\n';
            i += 2;
            continue;
        }
        if (c == '"') {
            const std::size_t close = text.find('"', end);
            if (close == std::string::npos) complain(line, "string without an end");
            words.push_back({text.substr(end, close - end), line, 's'});
            i = close + 1;
            continue;
        }
        const bool number = digit(c), word = letter(c);
        if (number || word)
            while (end < text.size() && (letter(text[end]) || digit(text[end]))) ++end;
        else if (!std::strchr("{}[]()<>,;:@!|+-=", c))
            complain(line, std::string("unexpected character ") + c);
        if (number && end < text.size() && (text[end] == '-' || text[end] == '+') && text[end - 1] == 'e' && text[i + 1] != 'x')
            for (++end; end < text.size() && digit(text[end]); ++end) {}
        words.push_back({text.substr(i, end - i), line, number ? 'n' : word ? 'w' : c});
        i = end;
    }
    words.push_back({"", line, '.'});
    return words;
}

}  // namespace softgpu::ptx
