#include "config/document.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace vae_dist {
namespace {

// Splits "a.b.c" into "a" and "b.c".
std::pair<std::string_view, std::string_view> split_first(std::string_view path) {
    const std::size_t dot = path.find('.');
    if (dot == std::string_view::npos) return {path, {}};
    return {path.substr(0, dot), path.substr(dot + 1)};
}

// A map's child of that key, or null; SomeNode is Node or const Node.
template <class SomeNode>
SomeNode* child_of(SomeNode& map, std::string_view key) {
    if (map.kind != Node::Kind::map) return nullptr;
    const auto found = std::find_if(map.children.begin(), map.children.end(),
                                    [&](const Node& child) { return child.key == key; });
    return found == map.children.end() ? nullptr : &*found;
}

}  // namespace

std::string Place::text() const {
    return line > 0 ? fmt::format("{}, line {}", source, line) : source;
}

Node Node::scalar(std::string text, bool quoted) {
    Node node;
    node.kind = Kind::scalar;
    node.text = std::move(text);
    node.quoted = quoted;
    return node;
}

Node Node::list(const std::vector<std::string>& texts) {
    Node node;
    node.kind = Kind::list;
    for (const std::string& text : texts)
        node.children.push_back(scalar(text));
    return node;
}

std::string Node::described() const {
    switch (kind) {
        case Kind::scalar:
            return fmt::format("{}'{}'", quoted ? "the text " : "", text);
        case Kind::list:
            return "a list";
        case Kind::map:
            return "a section";
        case Kind::empty:
            break;
    }
    return "nothing";
}

const Node* Node::find(std::string_view path) const {
    const Node* node = this;
    while (node != nullptr && !path.empty()) {
        const auto [first, rest] = split_first(path);
        node = child_of(*node, first);
        path = rest;
    }
    return node;
}

void Node::put(std::string_view path, Node value) {
    const auto [first, rest] = split_first(path);
    if (kind == Kind::scalar) {
        Node word = *this;
        word.key = "kind";
        children = {std::move(word)};
    }
    kind = Kind::map;
    Node* at = child_of(*this, first);
    if (at == nullptr) {
        at = &children.emplace_back();
        at->place = value.place;
    }
    if (rest.empty()) {
        *at = std::move(value);
    } else {
        at->put(rest, std::move(value));
    }
    at->key = first;
}

void Node::remove(std::string_view path) {
    const auto [first, rest] = split_first(path);
    Node* at = child_of(*this, first);
    if (at == nullptr) return;
    if (rest.empty()) {
        children.erase(children.begin() + (at - children.data()));
    } else {
        at->remove(rest);
    }
}

}  // namespace vae_dist
