#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/import/input.hpp"

namespace vae_dist {

/// The lines of a text, read in blocks of a few MiB.
class CsvLines {
 public:
    explicit CsvLines(ImportInput& input) : input_(input) {}

    /// The next line without its end ("\n" or "\r\n"), valid until the next call; false after the last one.
    bool next(std::string_view& line);
    /// Bytes that `next` has not given yet, from the first one on: a block, or all there are. Valid as lines
    /// are.
    std::string_view beginning();
    /// Lines that `next` will give, at most `most` of them and only those of the block: copies.
    std::vector<std::string> ahead(std::size_t most);
    /// The number of the line that `next` gave last, from 1.
    std::int64_t number() const { return number_; }

 private:
    void read_more();

    ImportInput& input_;
    std::vector<char> buffer_;
    std::size_t begin_ = 0;  ///< of what is not handed out yet
    std::size_t end_ = 0;
    bool finished_ = false;
    std::int64_t number_ = 0;
};

/// The fields of a line, without the spaces around them and the quotes that hold one together.
std::vector<std::string> split_fields(std::string_view line, char delimiter);

}  // namespace vae_dist
