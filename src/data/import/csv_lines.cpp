#include "data/import/csv_lines.hpp"

#include <algorithm>
#include <cstring>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

bool CsvLines::next(std::string_view& line) {
    std::size_t searched = 0;
    for (;;) {
        const char* const from = buffer_.data() + begin_;
        const std::size_t left = end_ - begin_;
        const void* const found =
            left > searched ? std::memchr(from + searched, '\n', left - searched) : nullptr;
        if (found == nullptr && !finished_) {
            read_more();
            searched = left;
            continue;
        }
        if (found == nullptr && left == 0) return false;
        const std::size_t length =
            found == nullptr ? left : static_cast<std::size_t>(static_cast<const char*>(found) - from);
        line = {from, length};
        begin_ += length + (found == nullptr ? 0 : 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
        if (++number_ == 1 && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
        return true;
    }
}

std::string_view CsvLines::beginning() {
    if (begin_ == end_ && !finished_) read_more();
    return {buffer_.data() + begin_, end_ - begin_};
}

std::vector<std::string> CsvLines::ahead(std::size_t most) {
    std::vector<std::string> lines;
    std::string_view rest = beginning();
    for (std::size_t end = 0; lines.size() < most && (end = rest.find('\n')) != rest.npos;) {
        lines.emplace_back(rest.substr(0, end));
        rest.remove_prefix(end + 1);
    }
    if (lines.size() < most && finished_ && !rest.empty()) lines.emplace_back(rest);
    for (std::string& line : lines) {
        if (line.ends_with('\r')) line.pop_back();
    }
    return lines;
}

void CsvLines::read_more() {
    constexpr std::size_t kBlock = std::size_t{4} << 20;
    constexpr std::size_t kLongestLine = std::size_t{1} << 28;
    if (end_ - begin_ > kLongestLine) {
        throw_input_error("'{}' line {} is longer than {} MiB; is it a text?", input_.path(), number_ + 1,
                          kLongestLine >> 20);
    }
    if (begin_ > 0) std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    buffer_.resize(std::max(buffer_.size(), end_ + kBlock));
    const std::size_t count = input_.read(std::as_writable_bytes(std::span(buffer_).subspan(end_)));
    end_ += count;
    finished_ = count == 0;
}

std::vector<std::string> split_fields(std::string_view line, char delimiter) {
    std::vector<std::string> fields(1);
    bool quoted = false;
    bool was_quoted = false;
    const auto trim = [&] {
        std::string& field = fields.back();
        while (!was_quoted && !field.empty() && (field.back() == ' ' || field.back() == '\t'))
            field.pop_back();
        was_quoted = false;
    };
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
            fields.back() += line[++i];  // two quotes inside of quotes are one
        } else if (c == '"' && (quoted || fields.back().empty())) {
            quoted = !quoted;
            was_quoted = true;
        } else if (c == delimiter && !quoted) {
            trim();
            fields.emplace_back();
        } else if (quoted || !fields.back().empty() || (c != ' ' && c != '\t')) {
            if (!was_quoted || quoted) fields.back() += c;
        }
    }
    trim();
    return fields;
}

}  // namespace vae_dist
