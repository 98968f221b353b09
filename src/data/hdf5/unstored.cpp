#include "data/hdf5/unstored.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "data/hdf5/detail.hpp"
#include "vae_dist/core/shape.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist::hdf5 {

using detail::check;
using detail::locate;

namespace {

std::size_t dimension_of(SampleDimension samples, const DatasetInfo& info) {
    return samples == SampleDimension::first ? 0 : info.shape.size() - 1;
}

// Looks at the chunks of one dataset.
class ChunkSearch {
 public:
    ChunkSearch(const File& file, const std::string& dataset, const DatasetInfo& info)
        : info_(info),
          doing_(fmt::format("cannot look for the chunks of '{}'", locate(file, dataset))),
          dataset_(detail::open_dataset(file, dataset)) {
        for (std::size_t d = 0; d < info.shape.size(); ++d)
            counts_.push_back((info.shape[d] + info.chunk[d] - 1) / info.chunk[d]);
    }

    // Leaves `found` without ranges if all are written.
    void run(std::size_t dimension, UnstoredRows& found) const {
        const std::int64_t unwritten = element_count(counts_) - written();
        if (unwritten <= 0) return;
        const Unwritten rows = unwritten_along(dimension);
        found.ranges = rows.ranges;
        found.in_part = unwritten < rows.chunks * (element_count(counts_) / counts_[dimension]);
        if (!found.in_part || counts_.size() != 2) return;
        const Unwritten columns = unwritten_along(1 - dimension);
        if (unwritten == rows.chunks * columns.chunks) found.columns = columns.ranges;
    }

 private:
    std::int64_t written() const {
        const Handle space(check(H5Dget_space(dataset_.get()), ErrorKind::input, doing_), H5Sclose);
        hsize_t written = 0;
        check(H5Dget_num_chunks(dataset_.get(), space.get(), &written), ErrorKind::input, doing_);
        return static_cast<std::int64_t>(written);
    }

    // Along one dimension, where chunks lie of which one was never written.
    struct Unwritten {
        std::vector<RowsIn> ranges = {};
        std::int64_t chunks = 0;
    };

    Unwritten unwritten_along(std::size_t dimension) const {
        Unwritten found;
        for (std::int64_t i = 0; i < counts_[dimension]; ++i) {
            if (all_written_of(dimension, i)) continue;
            ++found.chunks;
            const std::int64_t first = i * info_.chunk[dimension];
            const std::int64_t end = std::min(first + info_.chunk[dimension], info_.shape[dimension]);
            if (!found.ranges.empty() && found.ranges.back().end == first) {
                found.ranges.back().end = end;
            } else {
                found.ranges.push_back({first, end});
            }
        }
        return found;
    }

    bool all_written_of(std::size_t dimension, std::int64_t i) const {
        std::vector<hsize_t> offset(counts_.size());
        offset[dimension] = static_cast<hsize_t>(i * info_.chunk[dimension]);
        for (bool done = false; !done;) {
            if (!is_written(offset)) return false;
            done = true;
            for (std::size_t d = counts_.size(); done && d-- > 0;) {
                if (d == dimension) continue;
                offset[d] += static_cast<hsize_t>(info_.chunk[d]);
                done = offset[d] >= static_cast<hsize_t>(info_.shape[d]);
                if (done) offset[d] = 0;
            }
        }
        return true;
    }

    // To HDF5 1.10 it is an error to ask for a chunk that is not there.
    bool is_written(const std::vector<hsize_t>& offset) const {
        hsize_t bytes = 0;
        if (H5Dget_chunk_storage_size(dataset_.get(), offset.data(), &bytes) >= 0) return bytes > 0;
        const std::string why = last_error();
        if (why.find("not allocated") != std::string::npos) return false;
        throw_input_error("{}: {}", doing_, why);
    }

    const DatasetInfo& info_;
    std::string doing_;
    Handle dataset_;
    std::vector<std::int64_t> counts_;  // of chunks, along each dimension
};

// Where HDF5 looks for an external file.
std::filesystem::path external_path(const File& file, const std::string& name) {
    const char* const prefix = std::getenv("HDF5_EXTFILE_PREFIX");
    if (prefix == nullptr || std::filesystem::path(name).is_absolute()) return name;
    constexpr std::string_view kOrigin = "${ORIGIN}";
    std::string folder = prefix;
    if (folder.starts_with(kOrigin)) {
        const std::filesystem::path origin = std::filesystem::absolute(file.path()).parent_path();
        folder.replace(0, kOrigin.size(), origin.string());
    }
    return std::filesystem::path(folder) / name;
}

// Bytes of the dataset that come before the first one that is in no external file.
std::int64_t bytes_in_external_files(const File& file, const std::string& dataset, hid_t creation, int files,
                                     std::string& short_file) {
    std::int64_t bytes = 0;
    for (int i = 0; i < files; ++i) {
        char name[4096] = "";
        off_t offset = 0;
        hsize_t size = 0;
        check(H5Pget_external(creation, static_cast<unsigned>(i), sizeof name - 1, name, &offset, &size),
              ErrorKind::input, fmt::format("cannot read where '{}' lies", locate(file, dataset)));
        const std::filesystem::path path = external_path(file, name);
        std::error_code error;
        const std::uintmax_t length = std::filesystem::file_size(path, error);
        if (error) {
            throw_input_error(
                "'{}' lies in the external file '{}', which cannot be read ({}); HDF5 looks for it from the "
                "current folder, or from that in HDF5_EXTFILE_PREFIX",
                locate(file, dataset), path.string(), error.message());
        }
        const auto begin = static_cast<std::uintmax_t>(offset);
        const hsize_t there = length > begin ? length - begin : 0;
        short_file = path.string();
        if (size != H5F_UNLIMITED && there >= size) {
            bytes += static_cast<std::int64_t>(size);
            continue;
        }
        return bytes + static_cast<std::int64_t>(there);
    }
    return bytes;
}

// The rows that lie wholly in the first `bytes` of a dataset that is not chunked are stored.
std::vector<RowsIn> rows_beyond(std::int64_t bytes, const DatasetInfo& info, std::size_t element_size,
                                SampleDimension samples) {
    const auto element = static_cast<std::int64_t>(element_size);
    if (bytes >= element_count(info.shape) * element) return {};
    const std::int64_t rows = info.shape[dimension_of(samples, info)];
    const std::int64_t stored =
        samples == SampleDimension::first ? bytes / (element * element_count(info.shape) / rows) : 0;
    return {{stored, rows}};
}

// "0 to 9, 12 and 20 to 29"
std::string list_of(const std::vector<RowsIn>& ranges) {
    std::vector<std::string> items;
    for (const RowsIn& range : ranges) {
        items.push_back(range.end - range.first == 1 ? fmt::format("{}", range.first)
                                                     : fmt::format("{} to {}", range.first, range.end - 1));
    }
    return format_list(items, 5);
}

}  // namespace

std::int64_t detail::count_of(const std::vector<RowsIn>& ranges) {
    std::int64_t sum = 0;
    for (const RowsIn& range : ranges)
        sum += range.end - range.first;
    return sum;
}

std::int64_t UnstoredRows::count() const {
    return detail::count_of(ranges);
}

std::string UnstoredRows::text() const {
    const double share = 100 * static_cast<double>(count()) / static_cast<double>(of);
    const bool one_row = count() == 1;
    const bool one_column = detail::count_of(columns) == 1;
    std::string what;  // before the rows
    if (in_part) what = "parts of ";
    if (!columns.empty())
        what = fmt::format("{} {} of ", one_column ? "column" : "columns", list_of(columns));
    const std::string& verb = (in_part ? one_column : one_row) ? why_one : why;
    return fmt::format("{}{} {} {}: {}{} of {}{} ({:.3g}%)", what, one_row ? "row" : "rows", list_of(ranges),
                       verb, in_part ? "in " : "", format_count(count()), format_count(of),
                       in_part ? " rows" : "", share);
}

std::optional<UnstoredRows> find_unstored_rows(const File& file, const std::string& dataset,
                                               SampleDimension samples) {
    return detail::find_unstored_rows(file, dataset, samples, 0);
}

std::optional<UnstoredRows> detail::find_unstored_rows(const File& file, const std::string& dataset,
                                                       SampleDimension samples, int depth) {
    const DatasetInfo info = file.info(dataset);
    if (info.shape.empty() || element_count(info.shape) == 0) return std::nullopt;
    if (info.is_virtual) return detail::find_unmapped_rows(file, dataset, samples, depth);
    UnstoredRows found = {.of = info.shape[dimension_of(samples, info)],
                          .why = "were never written",
                          .why_one = "was never written"};
    if (!info.chunk.empty()) {
        ChunkSearch(file, dataset, info).run(dimension_of(samples, info), found);
    } else {
        const Handle opened = detail::open_dataset(file, dataset);
        const std::string doing = fmt::format("cannot read about '{}'", locate(file, dataset));
        const Handle creation(check(H5Dget_create_plist(opened.get()), ErrorKind::input, doing), H5Pclose);
        const Handle type(check(H5Dget_type(opened.get()), ErrorKind::input, doing), H5Tclose);
        const int files = H5Pget_external_count(creation.get());
        auto bytes = static_cast<std::int64_t>(info.stored_bytes);
        if (files > 0) {
            std::string short_file;
            bytes = bytes_in_external_files(file, dataset, creation.get(), files, short_file);
            found.why = fmt::format("lie beyond the end of the external file '{}'", short_file);
            found.why_one = fmt::format("lies beyond the end of the external file '{}'", short_file);
        }
        found.ranges = rows_beyond(bytes, info, H5Tget_size(type.get()), samples);
    }
    return found.ranges.empty() ? std::nullopt : std::optional(found);
}

}  // namespace vae_dist::hdf5
