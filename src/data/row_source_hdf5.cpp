#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "data/row_blocks.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/data/dataset_name.hpp"
#include "vae_dist/data/hdf5.hpp"
#include "vae_dist/data/row_source.hpp"

namespace vae_dist {
namespace {

/// The readers of the files used last: a bounded number, as a process may open only so many files, and each
/// keeps the chunks that it read last.
class OpenFiles {
 public:
    explicit OpenFiles(std::string dataset) : dataset_(std::move(dataset)) {}

    const hdf5::RowReader& open(const std::string& path) {
        auto at =
            std::find_if(open_.begin(), open_.end(), [&](const auto& file) { return file.first == path; });
        if (at == open_.end()) {
            auto reader = std::make_unique<hdf5::RowReader>(path, dataset_);
            open_.resize(std::min(open_.size(), most_besides(reader->info())));
            open_.emplace_back(path, std::move(reader));
            at = open_.end() - 1;
        }
        std::rotate(open_.begin(), at, at + 1);
        return *open_.front().second;
    }

 private:
    /// How many files may stay open beside one with such chunks.
    static std::size_t most_besides(const hdf5::DatasetInfo& info) {
        constexpr std::size_t kMostOpen = 16;
        constexpr std::size_t kMostBytes = std::size_t{64} << 20;
        constexpr std::size_t kChunksHeld = 3;  // as stored, before and after HDF5's shuffle filter
        std::size_t chunk_bytes = info.type && !info.chunk.empty() ? element_bytes(*info.type) : 0;
        for (const std::int64_t size : info.chunk)
            chunk_bytes *= static_cast<std::size_t>(size);
        return std::min(kMostOpen - 1, kMostBytes / std::max<std::size_t>(kChunksHeld * chunk_bytes, 1));
    }

    std::string dataset_;
    std::vector<std::pair<std::string, std::unique_ptr<hdf5::RowReader>>> open_;  // last used first
};

class Hdf5Rows final : public RowSource {
 public:
    explicit Hdf5Rows(const DatasetConfig& config) : dataset_(config.dataset), open_files_(config.dataset) {
        for (const std::string& pattern : config.files) {
            for (const std::string& path : matching_files(pattern))
                add(path);
        }
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

 private:
    struct FileRows {
        std::string path;
        RowRange rows;
    };

    void add(const std::string& path) {
        const hdf5::DatasetInfo& info = open_files_.open(path).info();
        check(path, info);
        const std::vector<std::int64_t> row_shape(info.shape.begin() + 1, info.shape.end());
        if (files_.empty()) {
            row_shape_ = row_shape;
            type_ = *info.type;
            storage_ = storage_of(info);
        } else if (row_shape != row_shape_ || *info.type != type_) {
            throw_input_error(
                "{}:{} has samples of {} {}, but {} of {} {}; the files of one dataset must agree", path,
                dataset_, format_shape(row_shape), element_name(*info.type), files_.front().path,
                format_shape(row_shape_), element_name(type_));
        }
        const RowRange rows{files_.empty() ? 0 : files_.back().rows.end(), info.shape[0]};
        files_.push_back({path, rows});
        append_blocks(rows, info.chunk.empty() ? 1 : info.chunk[0], static_cast<std::int64_t>(row_bytes()),
                      blocks_);
    }

    void check(const std::string& path, const hdf5::DatasetInfo& info) const {
        if (!info.type) {
            throw_input_error("{}:{} holds elements of type {}; samples must be integers or floats", path,
                              dataset_, info.type_name);
        }
        if (info.shape.empty()) {
            throw_input_error("{}:{} is a single number; its first dimension must count samples", path,
                              dataset_);
        }
        if (std::find(info.shape.begin(), info.shape.end(), 0) != info.shape.end()) {
            throw_input_error("{}:{} is empty (shape {})", path, dataset_, format_shape(info.shape));
        }
    }

    static std::string storage_of(const hdf5::DatasetInfo& info) {
        if (info.is_virtual) return "virtual";
        if (info.chunk.empty()) return "contiguous";
        std::string text = fmt::format("chunks of {}", format_shape(info.chunk));
        for (const std::string& filter : info.filters)
            text += ", " + filter;
        return text;
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
    std::vector<RowRange> blocks_;
};

}  // namespace

std::unique_ptr<RowSource> open_hdf5_rows(const DatasetConfig& config) {
    return std::make_unique<Hdf5Rows>(config);
}

}  // namespace vae_dist
