// The one source file that knows YAML.

#include <fmt/format.h>
#include <yaml-cpp/emitter.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include "config/document.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {
namespace {

// Longer lists are written one item a line.
constexpr std::size_t kLongestLineOfItems = 8;

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);)
        lines.push_back(line);
    return lines;
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

    void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { add(node_at(mark, Node::Kind::empty)); }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        throw_input_error("{}: aliases (*name) cannot be used here; repeat the value", place(mark).text());
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  const std::string& value) override {
        Node node = node_at(mark, Node::Kind::scalar);
        node.text = value;
        node.quoted = tag == "!";
        if (node.quoted) require_closing_quote(mark);
        add(std::move(node));
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                         YAML::EmitterStyle::value) override {
        open_.push_back({node_at(mark, Node::Kind::list), {}});
    }

    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                    YAML::EmitterStyle::value) override {
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

    // A text that was never closed would swallow the keys after it.
    void require_closing_quote(const YAML::Mark& mark) const {
        const auto line = static_cast<std::size_t>(mark.line);
        const auto column = static_cast<std::size_t>(mark.column);
        if (line >= lines_.size() || column >= lines_[line].size()) return;
        const char quote = lines_[line][column];
        if (quote != '"' && quote != '\'') return;  // a block of text
        for (std::size_t i = column + 1; i < lines_[line].size(); ++i) {
            if (lines_[line][i] == quote) return;
            if (lines_[line][i] == '\\' && quote == '"') ++i;
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

// The library takes a tab for content and then complains about something else, or about nothing.
void refuse_tabs(const std::string& text, const std::string& source) {
    int number = 0;
    for (const std::string& line : lines_of(text)) {
        ++number;
        const std::size_t content = line.find_first_not_of(" \t\r");
        if (content != std::string::npos && line.find('\t') < content) {
            throw_input_error("{}: indented by a tab; use spaces", Place{source, number}.text());
        }
    }
}

void emit(YAML::Emitter& out, const Node& node) {
    switch (node.kind) {
        case Node::Kind::empty:
            out << YAML::Null;
            return;
        case Node::Kind::scalar:
            if (node.quoted) out << YAML::DoubleQuoted;
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
    refuse_tabs(text, source);
    try {
        std::istringstream stream(text);
        YAML::Parser parser(stream);
        TreeBuilder builder(text, source, with_lines);
        while (parser.HandleNextDocument(builder)) {
        }
        return builder.take_root();
    } catch (const YAML::ParserException& error) {
        throw_input_error("{}: not valid YAML: {}",
                          Place{source, with_lines ? error.mark.line + 1 : 0}.text(), error.msg);
    }
}

std::string write_yaml(const Node& root) {
    YAML::Emitter out;
    emit(out, root);
    require(out.good(), "the YAML emitter takes every tree");
    return std::string(out.c_str()) + "\n";
}

}  // namespace vae_dist
