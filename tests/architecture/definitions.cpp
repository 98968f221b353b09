#include "architecture/definitions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <regex>
#include <stdexcept>
#include <string_view>

namespace vae_dist::test {

namespace {

/// The text with a blank for each comment, string, character and preprocessor line. Brackets in those say
/// nothing.
std::string code_of(const std::string& text) {
    static const std::regex pattern(
        R"re(//[^\n]*|/\*(?:[^*]|\*+[^*/])*\*+/|(^|\n)[ \t]*#(?:\\\n|[^\n])*|[0-9]'[0-9])re"
        R"re(|R"([^()\\ ]*)\(|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+')re",
        std::regex::optimize);
    std::string code;
    auto from = text.begin();
    std::smatch match;
    while (std::regex_search(from, text.end(), match, pattern)) {
        code.append(from, match[0].first);
        code += match[1].matched ? '\n' : ' ';
        from = match[0].second;
        if (match[0].first[0] != 'R') continue;
        const std::string end = fmt::format("){}\"", match[2].str());
        from = std::search(from, text.end(), end.begin(), end.end());
        if (from == text.end()) throw std::runtime_error("a raw string does not end");
        from += static_cast<std::ptrdiff_t>(end.size());
    }
    return code.append(from, text.end());
}

/// What stands before a bracket `{`, in words of one blank between them, without `template <...>` and
/// attributes.
std::string head_of(std::string_view text) {
    std::string head;
    for (const char c : text) {
        const bool blank = c == ' ' || c == '\n' || c == '\t' || c == '\r';
        if (!blank) head += c;
        if (blank && !head.empty() && head.back() != ' ') head += ' ';
    }
    while (head.starts_with("template")) {
        std::size_t at = head.find('<');
        if (at == std::string::npos) break;
        for (int depth = 1; depth > 0 && ++at < head.size();)
            depth += head[at] == '<' ? 1 : head[at] == '>' ? -1 : 0;
        head.erase(0, std::min(head.size(), at + 1));
        head.erase(0, head.find_first_not_of(' '));
    }
    static const std::regex skipped(
        R"re(\[\[[^\]]*\]\] ?|alignas ?\((?:[^()]|\([^()]*\))*\) ?|^(?:inline |typedef |requires \([^)]*\) ?)+)re");
    head = std::regex_replace(head, skipped, "");
    while (head.ends_with(' '))
        head.pop_back();
    return head;
}

struct Scope {
    std::string name;                 ///< of a namespace; empty for the others
    std::optional<TypeScope> is_for;  ///< the types in it; none: not those of a class or a function
};

struct Definition {
    std::string name;
    TypeScope scope;
};

/// A part of the text in brackets, by what stands before it; with the type that it defines, if it does.
Scope open(const std::string& head, const Scope& outer, std::vector<Definition>& types) {
    static const std::regex space(R"re(namespace ?([\w:]*))re");
    static const std::regex type(
        R"re((?:class|struct|union|enum(?: class| struct)?) ([^:=({]+?(?:::[^:=({]+?)*)(?: final)?(?: ?:[^:].*)?)re");
    std::smatch match;
    if (std::regex_match(head, match, space)) {
        if (match[1].length() > 0) return {outer.name + match[1].str() + "::", outer.is_for};
        return {outer.name, outer.is_for ? std::optional(TypeScope::file) : std::nullopt};
    }
    if (head == "extern") return outer;  // "C"
    if (outer.is_for && std::regex_match(head, match, type))
        types.push_back({outer.name + match[1].str(), *outer.is_for});
    return {"", std::nullopt};
}

}  // namespace

std::vector<std::string> types_defined_in(const std::string& text, TypeScope scope) {
    const std::string code = code_of(text);
    std::vector<Definition> definitions;
    std::vector<Scope> scopes = {{"", TypeScope::program}};
    std::size_t begin = 0;
    for (std::size_t i = 0; i < code.size(); ++i) {
        if (code[i] == '{') {
            scopes.push_back(
                open(head_of(std::string_view(code).substr(begin, i - begin)), scopes.back(), definitions));
        } else if (code[i] == '}') {
            scopes.pop_back();
            if (scopes.empty()) throw std::runtime_error("a } without a {");
        } else if (code[i] != ';') {
            continue;
        }
        begin = i + 1;
    }
    if (scopes.size() != 1) throw std::runtime_error("a { without a }");
    std::vector<std::string> types;
    for (const Definition& definition : definitions) {
        if (definition.scope == scope) types.push_back(definition.name);
    }
    std::sort(types.begin(), types.end());
    types.erase(std::unique(types.begin(), types.end()), types.end());
    return types;
}

}  // namespace vae_dist::test
