#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "data/rows/value_check.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/shape.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/data/rows/row_source.hpp"

namespace vae_dist {
namespace {

// Fields begin where numbers of every type may.
constexpr std::size_t kFieldAlignment = 8;

/// A field beside the samples. One of few bytes is read once and kept: its chunks hold more rows than a block
/// of samples has, and each of them would else be read for many blocks.
class SideField {
 public:
    SideField(NamedRows from, const RowSource& samples)
        : name_(std::move(from.name)),
          source_(std::move(from.source)),
          check_(*source_, 1, allowed_values(Transform::none, Support())),
          row_bytes_(source_->row_bytes()) {
        require_rows_of_each_file(samples);
        if (source_->rows() == samples.rows()) return;
        throw_input_error("{} has {} ({}), but the samples are {} ({}); a row goes with each sample", name_,
                          counted(source_->rows(), "row"), source_->description(),
                          format_count(samples.rows()), samples.description());
    }

    RowSource& source() { return *source_; }
    const RowSource& source() const { return *source_; }
    const std::string& name() const { return name_; }
    std::size_t row_bytes() const { return row_bytes_; }

    /// Rows [first, first + count), valid until the next call.
    const std::byte* read(std::int64_t first, std::int64_t count) {
        constexpr std::size_t kMostKept = std::size_t{16} << 20;
        const auto all = static_cast<std::size_t>(source_->rows()) * row_bytes_;
        if (all > kMostKept) return read_into_memory(first, count);
        if (memory_.empty()) read_into_memory(0, source_->rows());
        return memory_.data() + static_cast<std::size_t>(first) * row_bytes_;
    }

 private:
    // Else rows of one file would go with samples of another, where all files together have as many.
    void require_rows_of_each_file(const RowSource& samples) const {
        const std::vector<RowRange> mine = source_->file_rows();
        const std::vector<RowRange> theirs = samples.file_rows();
        if (mine.size() != theirs.size() || source_->rows() != samples.rows()) return;
        for (std::size_t i = 0; i < mine.size(); ++i) {
            if (mine[i].rows == theirs[i].rows) continue;
            throw_input_error("{} has {} and the samples have {} from {} on; a row goes with each sample",
                              name_, counted(mine[i].rows, "row"), format_count(theirs[i].rows),
                              samples.locate(theirs[i].first));
        }
    }

    const std::byte* read_into_memory(std::int64_t first, std::int64_t count) {
        std::vector<std::byte> read(static_cast<std::size_t>(count) * row_bytes_);
        source_->read(first, count, read.data());
        check_.check(*source_, first, count, read.data());
        memory_ = std::move(read);
        return memory_.data();
    }

    std::string name_;
    std::unique_ptr<RowSource> source_;
    ValueCheck check_;
    std::size_t row_bytes_;
    std::vector<std::byte> memory_;
};

class JoinedRows final : public RowSource {
 public:
    JoinedRows(std::unique_ptr<RowSource> samples, std::vector<NamedRows> side)
        : samples_(std::move(samples)), fields_(samples_->fields()), row_bytes_(samples_->row_bytes()) {
        for (NamedRows& each : side) {
            const SideField& field = side_.emplace_back(std::move(each), *samples_);
            begin_field();
            fields_.push_back({.name = field.name(),
                               .shape = field.source().row_shape(),
                               .type = field.source().element_type(),
                               .offset = row_bytes_});
            row_bytes_ += field.row_bytes();
        }
        begin_field();
    }

    std::int64_t rows() const override { return samples_->rows(); }
    const std::vector<std::int64_t>& row_shape() const override { return samples_->row_shape(); }
    ElementType element_type() const override { return samples_->element_type(); }
    std::vector<RowField> fields() const override { return fields_; }
    std::size_t row_bytes() const override { return row_bytes_; }
    RowSource& source_of(std::size_t field) override {
        return field == 0 ? *samples_ : side_[field - 1].source();
    }
    const std::vector<RowRange>& blocks() const override { return samples_->blocks(); }

    // Of samples so many at a time that they are in the cache when they are copied.
    void read(std::int64_t first, std::int64_t count, std::byte* to) override {
        constexpr std::size_t kBytesAtOnce = std::size_t{1} << 20;
        const std::size_t sample_bytes = samples_->row_bytes();
        const auto most = static_cast<std::int64_t>(std::max<std::size_t>(1, kBytesAtOnce / sample_bytes));
        for (const std::int64_t end = first + count; first < end;) {
            const std::int64_t here = std::min(most, end - first);
            samples_read_.resize(static_cast<std::size_t>(here) * sample_bytes);
            samples_->read(first, here, samples_read_.data());
            std::memset(to, 0, static_cast<std::size_t>(here) * row_bytes_);
            copy_rows(samples_read_.data(), sample_bytes, here, to);
            for (std::size_t i = 0; i < side_.size(); ++i) {
                copy_rows(side_[i].read(first, here), side_[i].row_bytes(), here, to + fields_[i + 1].offset);
            }
            to += static_cast<std::size_t>(here) * row_bytes_;
            first += here;
        }
    }

    std::string locate(std::int64_t row) const override { return samples_->locate(row); }
    std::string description() const override {
        std::string text = samples_->description();
        for (const SideField& field : side_)
            text += fmt::format("; {}: {}", field.name(), field.source().description());
        return text;
    }
    std::vector<SourceFile> files() const override { return samples_->files(); }
    std::vector<RowRange> file_rows() const override { return samples_->file_rows(); }
    std::vector<std::string> doubts() const override {
        std::vector<std::string> all = samples_->doubts();
        for (const SideField& field : side_)
            for (std::string& doubt : field.source().doubts())
                all.push_back(fmt::format("{}: {}", field.name(), doubt));
        return all;
    }

 private:
    void begin_field() {
        row_bytes_ = (row_bytes_ + kFieldAlignment - 1) / kFieldAlignment * kFieldAlignment;
    }
    void copy_rows(const std::byte* from, std::size_t bytes, std::int64_t count, std::byte* to) const {
        for (std::int64_t r = 0; r < count; ++r, from += bytes, to += row_bytes_)
            std::memcpy(to, from, bytes);
    }

    std::unique_ptr<RowSource> samples_;
    std::vector<SideField> side_;
    std::vector<RowField> fields_;
    std::size_t row_bytes_;
    std::vector<std::byte> samples_read_;
};

}  // namespace

std::unique_ptr<RowSource> join_rows(std::unique_ptr<RowSource> samples, std::vector<NamedRows> side) {
    if (side.empty()) return samples;
    return std::make_unique<JoinedRows>(std::move(samples), std::move(side));
}

}  // namespace vae_dist
