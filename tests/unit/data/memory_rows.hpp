#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "vae_dist/core/error.hpp"
#include "vae_dist/data/rows/row_source.hpp"

namespace vae_dist {

/// Rows that lie in memory, in blocks of `block_rows`.
class MemoryRows final : public RowSource {
 public:
    template <class T>
    MemoryRows(std::string name, ElementType type, std::vector<std::int64_t> row_shape,
               const std::vector<T>& values, std::int64_t block_rows = 1'000'000)
        : name_(std::move(name)), type_(type), row_shape_(std::move(row_shape)) {
        const auto bytes = std::as_bytes(std::span(values));
        bytes_.assign(bytes.begin(), bytes.end());
        rows_ = std::ssize(bytes_) / static_cast<std::int64_t>(row_bytes());
        for (std::int64_t first = 0; first < rows_; first += block_rows)
            blocks_.push_back({first, std::min(block_rows, rows_ - first)});
    }

    std::int64_t rows() const override { return rows_; }
    const std::vector<std::int64_t>& row_shape() const override { return row_shape_; }
    ElementType element_type() const override { return type_; }
    const std::vector<RowRange>& blocks() const override { return blocks_; }
    void read(std::int64_t first, std::int64_t count, std::byte* to) override {
        require(first >= 0 && first + count <= rows_, "rows to read are in the data");
        std::copy_n(bytes_.begin() + first * static_cast<std::int64_t>(row_bytes()),
                    static_cast<std::size_t>(count) * row_bytes(), to);
        ++reads;
    }
    std::string locate(std::int64_t row) const override { return fmt::format("{} row {}", name_, row); }
    std::string description() const override { return name_; }

    std::vector<RowRange> file_rows() const override {
        return files.empty() ? RowSource::file_rows() : files;
    }

    int reads = 0;
    std::vector<RowRange> files;

 private:
    std::string name_;
    ElementType type_;
    std::vector<std::int64_t> row_shape_;
    std::vector<std::byte> bytes_;
    std::vector<RowRange> blocks_;
    std::int64_t rows_ = 0;
};

}  // namespace vae_dist
