#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "data/rows/dataset_rows.hpp"
#include "data/rows/row_blocks.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/data/hdf5/hdf5.hpp"
#include "vae_dist/data/rows/dataset_name.hpp"
#include "vae_dist/data/rows/matching_files.hpp"
#include "vae_dist/data/rows/row_source.hpp"

namespace vae_dist {
namespace {

/// The datasets of the files used last: a bounded number, as a process may open only so many files, and each
/// keeps the chunks that it read last.
class OpenFiles {
 public:
    OpenFiles(std::string dataset, const ReadAs& as) : dataset_(std::move(dataset)), as_(as) {}

    DatasetRows& open(const std::string& path) {
        auto at =
            std::find_if(open_.begin(), open_.end(), [&](const auto& file) { return file.first == path; });
        if (at == open_.end()) {
            auto rows = std::make_unique<DatasetRows>(path, dataset_, as_);
            open_.resize(std::min(open_.size(), most_besides(*rows)));
            open_.emplace_back(path, std::move(rows));
            at = open_.end() - 1;
        }
        std::rotate(open_.begin(), at, at + 1);
        return *open_.front().second;
    }

 private:
    /// How many files may stay open beside one with such chunks.
    static std::size_t most_besides(const DatasetRows& rows) {
        constexpr std::size_t kMostOpen = 16;
        constexpr std::size_t kMostBytes = std::size_t{64} << 20;
        return std::min(kMostOpen - 1, kMostBytes / std::max<std::size_t>(rows.bytes_held(), 1));
    }

    std::string dataset_;
    ReadAs as_;
    std::vector<std::pair<std::string, std::unique_ptr<DatasetRows>>> open_;  // last used first
};

class Hdf5Rows final : public RowSource {
 public:
    Hdf5Rows(const DatasetConfig& config, const ReadAs& as)
        : dataset_(config.dataset), open_files_(config.dataset, as) {
        for (const std::string& path : matching_files(config.files))
            add(path);
        if (files_.empty()) throw_input_error("no file is given for the dataset {}", dataset_);
    }

    std::int64_t rows() const override { return files_.back().rows.end(); }
    const std::vector<std::int64_t>& row_shape() const override { return row_shape_; }
    ElementType element_type() const override { return type_; }
    const std::vector<RowRange>& blocks() const override { return blocks_; }

    void read(std::int64_t first, std::int64_t count, std::byte* to) override {
        require(first >= 0 && count >= 0 && first + count <= rows(), "rows to read are in the data");
        while (count > 0) {
            const FileRows& file = file_of(first);
            const std::int64_t here = std::min(count, file.rows.end() - first);
            open_files_.open(file.path).read(first - file.rows.first, here, to);
            to += static_cast<std::size_t>(here) * row_bytes();
            first += here;
            count -= here;
        }
    }

    std::string locate(std::int64_t row) const override {
        const FileRows& file = file_of(row);
        return fmt::format("{}:{} row {}", file.path, dataset_, row - file.rows.first);
    }

    std::string description() const override {
        const std::string& path = files_.front().path;
        const std::string where = files_.size() == 1
                                      ? fmt::format("{}:{}", path, dataset_)
                                      : fmt::format("{} in {} files from {}", dataset_, files_.size(), path);
        const std::string of = row_shape_.empty() ? "" : " x " + format_shape(row_shape_);
        return fmt::format("{}: {}{} {}, {}", where, format_count(rows()), of, element_name(type_), storage_);
    }

    std::vector<SourceFile> files() const override {
        std::vector<SourceFile> found;
        for (const FileRows& file : files_) {
            std::error_code error;
            const std::filesystem::path path = file.path;
            const std::uint64_t bytes = std::filesystem::file_size(path, error);
            if (error) throw_failure("cannot ask for the size of {}: {}", file.path, error.message());
            found.push_back({path.filename().string(), bytes});
        }
        return found;
    }

    std::vector<std::string> doubts() const override { return doubts_; }

    std::vector<RowRange> file_rows() const override {
        std::vector<RowRange> found;
        for (const FileRows& file : files_)
            found.push_back(file.rows);
        return found;
    }

 private:
    struct FileRows {
        std::string path;
        RowRange rows;
    };

    void add(const std::string& path) {
        const DatasetRows& found = open_files_.open(path);
        found.require_whole();
        if (doubts_.empty()) {  // one such file speaks for all
            if (std::string doubt = found.doubt_about_matlab(); !doubt.empty())
                doubts_.push_back(std::move(doubt));
        }
        const std::vector<std::int64_t> row_shape = found.row_shape();
        if (files_.empty()) {
            row_shape_ = row_shape;
            type_ = found.element_type();
            storage_ = found.storage();
        } else if (row_shape != row_shape_ || found.element_type() != type_) {
            throw_input_error(
                "{}:{} has samples of {} {}, but {} of {} {}; the files of one dataset must agree", path,
                dataset_, format_shape(row_shape), element_name(found.element_type()), files_.front().path,
                format_shape(row_shape_), element_name(type_));
        }
        const RowRange rows{files_.empty() ? 0 : files_.back().rows.end(), found.rows()};
        files_.push_back({path, rows});
        append_blocks(rows, found.rows_together(), static_cast<std::int64_t>(row_bytes()), blocks_);
    }

    const FileRows& file_of(std::int64_t row) const {
        require(row >= 0 && row < rows(), "a row is in the data");
        return *std::partition_point(files_.begin(), files_.end(),
                                     [&](const FileRows& file) { return file.rows.end() <= row; });
    }

    std::string dataset_;
    OpenFiles open_files_;
    std::vector<FileRows> files_;
    std::vector<std::int64_t> row_shape_;
    ElementType type_ = ElementType::uint8;
    std::string storage_;  // of the first file, for people
    std::vector<std::string> doubts_;
    std::vector<RowRange> blocks_;
};

}  // namespace

std::unique_ptr<RowSource> open_hdf5_rows(const DatasetConfig& config, const ReadAs& as) {
    return std::make_unique<Hdf5Rows>(config, as);
}

}  // namespace vae_dist
