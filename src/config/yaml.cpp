// The one source file that knows YAML.

#include <fmt/format.h>
#include <yaml-cpp/emitter.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include "config/document.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/utf8.hpp"

namespace vae_dist {
namespace {

// Longer lists are written one item a line.
constexpr std::size_t kLongestLineOfItems = 8;

std::vector<std::string> lines_of(const std::string& text) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";  // which the library does not count
    std::istringstream stream(text.starts_with(kByteOrderMark) ? text.substr(kByteOrderMark.size()) : text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);)
        lines.push_back(line);
    return lines;
}

// The line from the mark on; a column is a byte.
std::string_view text_from(const std::vector<std::string>& lines, const YAML::Mark& mark) {
    const auto line = static_cast<std::size_t>(mark.line);
    if (mark.line < 0 || mark.column < 0 || line >= lines.size()) return {};
    const std::string_view text = lines[line];
    return text.substr(std::min(static_cast<std::size_t>(mark.column), text.size()));
}

[[noreturn]] void refuse_alias(const Place& place) {
    throw_input_error(
        "{}: a value that begins with * is an alias in YAML, which cannot be used here; repeat the "
        "value, or quote it if it is a text",
        place.text());
}

[[noreturn]] void refuse_tag(const Place& place) {
    throw_input_error(
        "{}: a value that begins with ! has a tag in YAML, which cannot be used here; "
        "quote it if it is a text",
        place.text());
}

// What launch/train.sbatch replaces in its arguments; "" where there is none. It would become the name of a
// folder that all jobs of a sweep share.
std::string_view placeholder_in(std::string_view text) {
    for (const std::string_view placeholder : {"%a", "%v"}) {
        if (text.find(placeholder) != text.npos) return placeholder;
    }
    return "";
}

void refuse_placeholder(std::string_view text, const Place& place) {
    const std::string_view placeholder = placeholder_in(text);
    if (placeholder.empty()) return;
    throw_input_error(
        "{}: nothing has replaced {} here; launch/train.sbatch does, in the arguments of job arrays only: "
        "%a, "
        "and with VALUES also %v; quote the value if it is a text",
        place.text(), placeholder);
}

// Builds the tree from the parser's events, which, unlike the library's own tree, tell where each key stands.
class TreeBuilder : public YAML::EventHandler {
 public:
    TreeBuilder(const std::string& text, std::string source, bool with_lines)
        : lines_(lines_of(text)), source_(std::move(source)), with_lines_(with_lines) {}

    Node take_root() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (++documents_ > 1) {
            throw_input_error(
                "{}: a second document begins here, by '---' or by less indentation; only one is allowed",
                place(mark).text());
        }
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        refuse_properties(mark, "?", anchor);
        if (text_from(mark).starts_with('!')) refuse_tag(place(mark));  // alone in the document
        Node node = node_at(mark, Node::Kind::empty);
        node.null_word = is_null_word(text_from(mark));
        add(std::move(node));
    }

    // Without anchors there is none that is defined: the parser says so first.
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse_alias(place(mark)); }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        refuse_properties(mark, tag, anchor);
        Node node = node_at(mark, Node::Kind::scalar);
        node.text = value;
        node.quoted = tag == "!";
        if (node.quoted) require_closing_quote(mark);
        if (!node.quoted) refuse_placeholder(value, place(mark));
        add(std::move(node));
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        refuse_properties(mark, tag, anchor);
        open_.push_back({node_at(mark, Node::Kind::list), {}});
    }

    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        refuse_properties(mark, tag, anchor);
        open_.push_back({node_at(mark, Node::Kind::map), {}});
    }

    void OnSequenceEnd() override { close(); }
    void OnMapEnd() override { close(); }

 private:
    struct Collection {
        Node node;
        std::optional<Node> key;  // of a map: read, its value not yet
    };

    Place place(const YAML::Mark& mark) const { return {source_, with_lines_ ? mark.line + 1 : 0}; }

    Node node_at(const YAML::Mark& mark, Node::Kind kind) const {
        Node node;
        node.kind = kind;
        node.place = place(mark);
        return node;
    }

    std::string_view text_from(const YAML::Mark& mark) const { return vae_dist::text_from(lines_, mark); }

    // The parser reports a null where nothing stands, too, at the mark of what comes next.
    static bool is_null_word(std::string_view text) {
        for (const std::string_view word : {"null", "~"}) {
            if (!text.starts_with(word)) continue;
            text.remove_prefix(word.size());
            return text.empty() || std::string_view(" \t\r,]}").find(text.front()) != text.npos;
        }
        return false;
    }

    // They would be passed over: &name 5 is 5, and &name alone is nothing.
    void refuse_properties(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) const {
        if (anchor != YAML::NullAnchor) {
            throw_input_error(
                "{}: a value that begins with & has an anchor in YAML, which cannot be used here; "
                "quote it if it is a text",
                place(mark).text());
        }
        const bool tagged = tag != "?" && !tag.empty() && (tag != "!" || text_from(mark).starts_with('!'));
        if (tagged) refuse_tag(place(mark));
    }

    // A text that was never closed would swallow the keys after it.
    void require_closing_quote(const YAML::Mark& mark) const {
        const std::string_view text = text_from(mark);
        if (text.empty()) return;
        const char quote = text.front();
        if (quote != '"' && quote != '\'') return;  // a block of text
        for (std::size_t i = 1; i < text.size(); ++i) {
            if (text[i] == quote) return;
            if (text[i] == '\\' && quote == '"') ++i;
        }
        throw_input_error("{}: a text that begins with {} must end with {} on the same line",
                          place(mark).text(), quote, quote);
    }

    void close() {
        Node done = std::move(open_.back().node);
        open_.pop_back();
        add(std::move(done));
    }

    void add(Node node) {
        if (open_.empty()) {
            root_ = std::move(node);
            return;
        }
        Collection& parent = open_.back();
        if (parent.node.kind == Node::Kind::map) {
            if (!parent.key) {
                if (node.kind != Node::Kind::scalar) {
                    throw_input_error("{}: a key must be a plain word, found {}", node.place.text(),
                                      node.described());
                }
                parent.key = std::move(node);
                return;
            }
            node.key = parent.key->text;
            node.place = parent.key->place;
            parent.key.reset();
        }
        parent.node.children.push_back(std::move(node));
    }

    std::vector<std::string> lines_;
    std::string source_;
    bool with_lines_;
    int documents_ = 0;
    Node root_;
    std::vector<Collection> open_;
};

// What the library passes over or takes for something else. A tab is content to it, of which it then
// complains, or not; a directive is nothing; a byte that is not UTF-8 is a question mark.
void refuse_lines(const std::string& text, const std::string& source, bool with_lines) {
    int number = 0;
    for (const std::string& line : lines_of(text)) {
        const Place at{source, with_lines ? ++number : 0};
        const std::string place = at.text();
        const std::size_t content = line.find_first_not_of(" \t\r");
        if (content != std::string::npos && line.find('\t') < content) {
            throw_input_error("{}: indented by a tab; use spaces", place);
        }
        if (line.starts_with('%')) {
            refuse_placeholder(std::string_view(line).substr(0, 2), at);
            throw_input_error(
                "{}: what begins with % is a directive in YAML, which cannot be used here; quote it "
                "if it is a text",
                place);
        }
        if (!is_utf8(line)) throw_input_error("{}: a character is not UTF-8; save the text as UTF-8", place);
    }
}

void emit(YAML::Emitter& out, const Node& node) {
    switch (node.kind) {
        case Node::Kind::empty:
            out << YAML::Null;
            return;
        case Node::Kind::scalar:
            if (node.quoted || !placeholder_in(node.text).empty()) out << YAML::DoubleQuoted;
            out << node.text;
            return;
        case Node::Kind::list:
            out << (node.children.size() <= kLongestLineOfItems ? YAML::Flow : YAML::Block) << YAML::BeginSeq;
            for (const Node& item : node.children)
                emit(out, item);
            out << YAML::EndSeq;
            return;
        case Node::Kind::map:
            out << YAML::BeginMap;
            for (const Node& entry : node.children) {
                out << YAML::Key << entry.key << YAML::Value;
                emit(out, entry);
            }
            out << YAML::EndMap;
            return;
    }
}

}  // namespace

Node read_yaml(const std::string& text, const std::string& source, bool with_lines) {
    refuse_lines(text, source, with_lines);
    try {
        std::istringstream stream(text);
        YAML::Parser parser(stream);
        TreeBuilder builder(text, source, with_lines);
        while (parser.HandleNextDocument(builder)) {
        }
        return builder.take_root();
    } catch (const YAML::ParserException& error) {
        const Place place{source, with_lines ? error.mark.line + 1 : 0};
        if (error.msg.starts_with(YAML::ErrorMsg::UNKNOWN_ANCHOR)) refuse_alias(place);
        const std::vector<std::string> lines = lines_of(text);
        const std::string_view rest = text_from(lines, error.mark);
        if (!rest.empty() && std::string_view("%@`").find(rest.front()) != rest.npos) {
            refuse_placeholder(rest.substr(0, 2), place);
            throw_input_error("{}: a value that begins with {} must be quoted in YAML", place.text(),
                              rest.front());
        }
        throw_input_error("{}: not valid YAML: {}", place.text(), error.msg);
    }
}

std::string write_yaml(const Node& root) {
    YAML::Emitter out;
    emit(out, root);
    require(out.good(), "the YAML emitter takes every tree");
    return std::string(out.c_str()) + "\n";
}

}  // namespace vae_dist
