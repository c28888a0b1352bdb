#include "ptx_text.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <set>

#include "ptx_lex.h"

namespace softgpu::ptx {

namespace {

const std::set<std::string> linkage{".visible", ".extern", ".weak", ".common"};

class Reader {
public:
    explicit Reader(const std::string& text) : words_(split(text)) {}

    Text run() {
        while (peek().kind != '.' || !peek().text.empty()) module();
        return std::move(text_);
    }

private:
    struct Scope {
        std::map<std::string, int> registers;
        std::map<std::string, std::string> variables;
    };

    const Word& peek(std::size_t ahead = 0) const { return words_[std::min(at_ + ahead, words_.size() - 1)]; }
    const Word& next() {
        if (at_ + 1 >= words_.size()) complain(peek().line, "the text ends too early");
        return words_[at_++];
    }
    bool is(const char* text) const { return peek().text == text && peek().kind != 's'; }
    bool accept(const char* text) { return is(text) ? ++at_, true : false; }
    void expect(const char* text) {
        if (!accept(text)) complain(peek().line, std::string("expected '") + text + "' before '" + peek().text + "'");
    }
    std::int64_t number() {
        const bool negative = accept("-");
        const Word& w = next();
        if (w.kind != 'n') complain(w.line, "expected a number before '" + w.text + "'");
        const std::int64_t value = static_cast<std::int64_t>(std::strtoull(w.text.c_str(), nullptr, 0));
        return negative ? -value : value;
    }
    Type type() {  // ".u32"
        const Word& w = next();
        return typeOf(w.text.empty() ? "" : w.text.substr(1), w.line);
    }
    void skipLine() {
        const int line = peek().line;
        while (peek().line == line && peek().kind != '.') ++at_;
    }
    void skipBraces() {
        while (!is("{") && peek().kind != '.') ++at_;
        int depth = 0;
        do {
            if (peek().kind == '.') complain(peek().line, "missing '}'");
            depth += is("{") ? 1 : is("}") ? -1 : 0;
            ++at_;
        } while (depth);
    }

    void module() {
        bool external = false;
        while (linkage.count(peek().text)) external |= next().text == ".extern";
        const Word& w = peek();
        if (w.text == ".version" || w.text == ".address_size") return skipLine();
        if (w.text == ".target") return text_.target = peek(1).text, skipLine();
        if (w.text == ".file") return file();
        if (w.text == ".section") return skipBraces();
        if (w.text == ".entry" || w.text == ".func") return function();
        if (w.text == ".global" || w.text == ".const" || w.text == ".shared")
            return declare(text_.data, external, nullptr);
        complain(w.line, "unknown directive " + w.text);
    }

    void file() {
        next();
        const std::size_t number = static_cast<std::size_t>(this->number());
        if (text_.files.size() <= number) text_.files.resize(number + 1);
        text_.files[number] = next().text;
        while (accept(",")) next();
    }

    // .global .align 4 .b8 name[16] = {1, 2}, or of a function: .shared, .local, .param
    void declare(std::vector<Datum>& into, bool external, Scope* scope) {
        static const std::map<std::string, Home> homes{{".global", Home::global},
                                                       {".const", Home::constant},
                                                       {".shared", Home::shared},
                                                       {".local", Home::local},
                                                       {".param", Home::parameter}};
        const Word first = next();
        Datum d;
        const auto home = homes.find(first.text);
        if (home == homes.end()) complain(first.line, "expected a variable before '" + first.text + "'");
        d.home = home->second;
        d.external = external;
        while (is(".align") || is(".attribute") || is(".ptr") || homes.count(peek().text)) {
            if (next().text == ".align") d.alignment = static_cast<std::size_t>(number());
        }
        const std::size_t each = static_cast<std::size_t>(bytesOf(type()));
        while (is(".align") || is(".ptr") || homes.count(peek().text)) {  // .ptr .global .align 4, of parameters
            if (next().text == ".align") number();
        }
        d.alignment = std::max(d.alignment, each);
        d.name = next().text;
        std::size_t count = 1;
        while (accept("[")) {
            count *= is("]") ? 0 : static_cast<std::size_t>(number());
            expect("]");
        }
        d.bytes = count * each;
        if (accept("=")) initialise(d, each);
        if (scope) {
            const std::string unique = d.name + (into.empty() ? "" : "#" + std::to_string(into.size()));
            scope->variables[d.name] = unique;
            d.name = unique;
        }
        into.push_back(std::move(d));
        if (!scope || first.text != ".param") accept(";");
    }

    void initialise(Datum& d, std::size_t each) {
        d.initial.assign(d.bytes, std::byte{0});
        const bool list = accept("{");
        for (std::size_t i = 0; !(list && is("}")); ++i) {
            const Operand value = immediate();
            if (value.kind == Operand::none) complain(peek().line, d.name + ": only numbers may initialise a variable");
            if ((i + 1) * each > d.bytes) complain(peek().line, d.name + ": too many initial values");
            std::memcpy(d.initial.data() + i * each, &value.bits, each);
            if (!list || !accept(",")) break;
        }
        if (list) expect("}");
    }

    void function() {
        Function f;
        f.entry = next().text == ".entry";
        f.line = peek().line;
        scopes_.assign(1, {});
        if (is("(")) parameters(f, f.results);
        f.name = next().text;
        if (is("(")) parameters(f, f.parameters);
        while (!is("{") && !is(";")) performance(f);
        if (accept(";")) {
            f.declaration = true;
        } else {
            function_ = &f;
            place_ = {};
            block();
        }
        text_.functions.push_back(std::move(f));
    }

    void performance(Function& f) {
        const Word w = next();
        if (w.text == ".noreturn") return;
        if (w.text.empty() || w.text[0] != '.') complain(w.line, "expected a function's body before '" + w.text + "'");
        unsigned product = 1;
        do product *= static_cast<unsigned>(number());
        while (accept(","));
        if (w.text == ".maxntid" || w.text == ".reqntid") f.maxThreads = product;
    }

    void parameters(Function& f, std::vector<std::string>& names) {
        expect("(");
        while (!accept(")")) {
            declare(f.data, false, &scopes_.back());
            names.push_back(f.data.back().name);
            accept(",");
        }
    }

    void block() {
        expect("{");
        scopes_.push_back({});
        while (!accept("}")) statement();
        scopes_.pop_back();
    }

    void statement() {
        const Word& w = peek();
        if (w.kind == '{') return block();
        if (w.kind == ';') return void(next());
        if (w.text == ".reg") return registers();
        if (w.text == ".loc") return location();
        if (w.text == ".pragma") return next(), next(), expect(";");
        if (w.text == ".param" || w.text == ".local" || w.text == ".shared")
            return declare(function_->data, false, &scopes_.back()), void(accept(";"));
        if (w.kind == 'w' && peek(1).kind == ':') {
            Statement s;
            s.label = next().text;
            next();
            return function_->statements.push_back(std::move(s));
        }
        instruction();
    }

    void registers() {
        next();
        const Type each = type();
        do {
            const std::string name = next().text;
            int count = 1;
            const bool range = accept("<");
            if (range) count = static_cast<int>(number()), expect(">");
            for (int i = 0; i < count; ++i) {
                scopes_.back().registers[range ? name + std::to_string(i) : name] =
                    static_cast<int>(function_->registers.size());
                function_->registers.push_back(each);
            }
        } while (accept(","));
        expect(";");
    }

    void location() {
        const int line = next().line;
        Place p;
        p.file = static_cast<int>(number());
        p.line = static_cast<int>(number());
        number();
        while (peek().line == line) {
            if (next().text != "inlined_at") continue;
            p.outerFile = static_cast<int>(number());
            p.outerLine = static_cast<int>(number());
            number();
        }
        if (p.line) place_ = p;
    }

    void instruction() {
        Statement s;
        if (accept("@")) {
            s.guardNegated = accept("!");
            const Operand guard = operand();
            if (guard.kind != Operand::reg) complain(peek().line, "a guard must be a predicate register");
            s.guard = guard.index;
        }
        const Word w = next();
        if (w.kind != 'w') complain(w.line, "expected an instruction before '" + w.text + "'");
        s.line = w.line;
        s.place = place_;
        std::size_t dot = w.text.find('.');
        s.opcode = w.text.substr(0, dot);
        while (dot != std::string::npos) {
            const std::size_t end = w.text.find('.', dot + 1);
            s.modifiers.push_back(w.text.substr(dot + 1, end == std::string::npos ? end : end - dot - 1));
            dot = end;
        }
        if (s.opcode == "call") {
            if (is("(")) s.results = list();
            if (accept(","), true) s.operands.push_back(operand());
            if (accept(",")) s.arguments = list();
        } else {
            while (!is(";")) {
                s.operands.push_back(operand());
                if (!accept(",")) break;
            }
        }
        expect(";");
        function_->statements.push_back(std::move(s));
    }

    std::vector<Operand> list() {
        std::vector<Operand> all;
        expect("(");
        while (!accept(")")) all.push_back(operand()), accept(",");
        return all;
    }

    Operand immediate() {
        Operand o;
        const bool negative = is("-") && peek(1).kind == 'n' && accept("-");
        if (peek().kind != 'n') return o;
        const std::string& t = next().text;
        const char mark = t.size() > 2 && t[0] == '0' ? t[1] : ' ';
        if (mark == 'f' || mark == 'F' || mark == 'd' || mark == 'D') {
            o.kind = mark == 'f' || mark == 'F' ? Operand::real32 : Operand::real64;
            o.bits = std::strtoull(t.c_str() + 2, nullptr, 16);
        } else if (mark != 'x' && mark != 'X' && t.find_first_of(".e") != std::string::npos) {
            const double value = std::strtod(t.c_str(), nullptr) * (negative ? -1 : 1);
            o.kind = Operand::real64;
            std::memcpy(&o.bits, &value, 8);
        } else {
            o.kind = Operand::integer;
            o.bits = std::strtoull(t.c_str(), nullptr, 0);
            if (negative) o.bits = -o.bits;
        }
        return o;
    }

    Operand operand() {
        Operand o = immediate();
        if (o.kind != Operand::none) return o;
        if (accept("!")) {
            o = operand();
            o.negated = true;
            return o;
        }
        if (is("{")) {
            next();
            o.kind = Operand::vector;
            while (!accept("}")) o.parts.push_back(operand()), accept(",");
            return o;
        }
        if (accept("[")) {
            o.kind = Operand::address;
            Operand base = operand();
            if (base.kind == Operand::integer) o.offset = static_cast<std::int64_t>(base.bits), base = {};
            o.parts.push_back(base);
            while (!accept("]")) {
                const bool minus = is("-") && accept("-");
                accept("+");
                o.offset += minus ? -number() : number();
            }
            return o;
        }
        const Word& w = next();
        if (w.kind != 'w') complain(w.line, "expected an operand before '" + w.text + "'");
        o = named(w);
        if (accept("|")) {
            Operand p;
            p.kind = Operand::pair;
            p.parts = {o, operand()};
            return p;
        }
        return o;
    }

    Operand named(const Word& w) {
        Operand o;
        o.name = w.text;
        for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
            const auto r = scope->registers.find(w.text);
            if (r != scope->registers.end()) return o.kind = Operand::reg, o.index = r->second, o;
            const auto v = scope->variables.find(w.text);
            if (v != scope->variables.end()) return o.kind = Operand::symbol, o.name = v->second, o;
        }
        o.index = specialOf(w.text);
        if (o.index < 0 && w.text[0] == '%') complain(w.line, "unknown register " + w.text);
        o.kind = o.index >= 0 ? Operand::special : Operand::symbol;
        return o;
    }

    std::vector<Word> words_;
    std::size_t at_ = 0;
    Text text_;
    Function* function_ = nullptr;
    std::vector<Scope> scopes_;
    Place place_;
};

}  // namespace

Text read(const std::string& text) { return Reader(text).run(); }

}  // namespace softgpu::ptx
