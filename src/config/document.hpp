#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vae_dist {

/// Where a piece of configuration was written, for messages.
struct Place {
    std::string source;  ///< a file's name, or "--set key=value"
    int line = 0;        ///< from 1; 0: it has no lines

    /// "run.yaml, line 3", "--set train.epochs=5".
    std::string text() const;
};

/// A piece of a YAML document, free of the YAML library.
struct Node {
    enum class Kind { empty, scalar, list, map };

    Kind kind = Kind::empty;
    std::string text;            ///< of a scalar
    bool quoted = false;         ///< the scalar is a text whatever it looks like
    bool null_word = false;      ///< the empty one is written, as null or ~
    std::string key;             ///< of a map's child
    std::vector<Node> children;  ///< of a list or map
    Place place;                 ///< of the key in a map, else of the value

    static Node scalar(std::string text, bool quoted = false);
    static Node list(const std::vector<std::string>& texts);

    /// "nothing", "'abc'", "a list" or "a section", as in "expected an integer, found ...".
    std::string described() const;

    /// A map's child at a path of keys with dots between them; null if there is none.
    const Node* find(std::string_view path) const;

    /// Puts `value` at a path, in place of what is there; makes the maps on the way to it. A scalar on the
    /// way becomes a map's child `kind`: of "gaussian" is made {kind: gaussian, variance: decoder}.
    void put(std::string_view path, Node value);

    /// Removes what is at a path, if anything is.
    void remove(std::string_view path);
};

/// Reads one YAML document. Throws an input error naming the place for text that is not YAML or not UTF-8,
/// tabs that indent, more than one document, keys that are not plain words, and what a configuration has no
/// use for: directives, anchors, aliases and tags. Repeated keys are kept. Places have lines only if
/// `with_lines`.
Node read_yaml(const std::string& text, const std::string& source, bool with_lines = true);

/// YAML text that read_yaml reads back to an equal tree.
std::string write_yaml(const Node& root);

}  // namespace vae_dist
