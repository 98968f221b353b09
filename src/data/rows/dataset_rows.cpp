#include "data/rows/dataset_rows.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "data/hdf5/unstored.hpp"
#include "data/rows/sparse_matrix.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/shape.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

namespace {

std::size_t chunk_bytes(const hdf5::DatasetInfo& info) {
    return info.type ? static_cast<std::size_t>(element_count(info.chunk)) * element_bytes(*info.type) : 0;
}

std::vector<std::int64_t> reversed(std::vector<std::int64_t> shape) {
    std::reverse(shape.begin(), shape.end());
    return shape;
}

}  // namespace

DatasetRows::DatasetRows(const std::string& path, const std::string& dataset, const ReadAs& as)
    : path_(path),
      dataset_(dataset),
      as_(as),
      reader_(open()),
      numbers_(read_declarations(reader_.file(), dataset), reader_.info().type.value(), as.conventions) {
    // A virtual dataset is empty where its sources are missing, which opening it tells.
    const std::vector<std::int64_t>& shape = reader_.info().shape;
    if (std::find(shape.begin(), shape.end(), 0) != shape.end())
        throw_input_error("{}:{} is empty (shape {})", path_, dataset_, format_shape(shape));
    require_no_packing(numbers_.declarations());
}

hdf5::RowReader DatasetRows::open() const {
    hdf5::File file = hdf5::File::open(path_);
    const hdf5::DatasetInfo info = file.info(dataset_);
    require_rows_of_numbers(info);
    require_no_sparse_part(file);
    const hdf5::SampleDimension samples = choose_dimension(file, info);
    return {std::move(file), dataset_, samples};
}

void DatasetRows::require_rows_of_numbers(const hdf5::DatasetInfo& info) const {
    if (!info.type) {
        throw_input_error("{}:{} holds elements of type {}; samples must be integers or floats", path_,
                          dataset_, info.type_name);
    }
    if (info.shape.empty()) {
        throw_input_error("{}:{} is a single number; its first dimension must count samples", path_,
                          dataset_);
    }
}

// Training would take each number for a sample, or each place of one.
void DatasetRows::require_no_sparse_part(const hdf5::File& file) const {
    if (as_.conventions == Conventions::none) return;
    const std::string part = sparse_part(file, dataset_);
    if (part.empty()) return;
    throw_input_error(
        "{}:{} holds {}, not samples. Store the matrix dense, with samples as rows (toarray() of "
        "scipy.sparse in Python, full() in MATLAB), or set {} none to take these numbers as samples",
        path_, dataset_, part, as_.setting);
}

hdf5::SampleDimension DatasetRows::choose_dimension(const hdf5::File& file,
                                                    const hdf5::DatasetInfo& info) const {
    if (as_.conventions == Conventions::none) return hdf5::SampleDimension::first;
    const Declarations declared = read_declarations(file, dataset_);
    if (declared.matlab_empty) throw_input_error("{}:{} is an empty array of MATLAB's", path_, dataset_);
    const bool by_columns = as_.conventions == Conventions::matlab;
    if (declared.matlab_class.empty() && !by_columns) return hdf5::SampleDimension::first;
    if (declared.matlab_class == "char")
        throw_input_error("{}:{} holds a text of MATLAB's; samples must be numbers", path_, dataset_);
    if (by_columns && info.shape.size() == 2) return hdf5::SampleDimension::last;
    const std::string what =
        declared.matlab_class.empty()
            ? fmt::format("{}:{}", path_, dataset_)
            : fmt::format("{}:{} is an array of MATLAB's ({}), {} there and {} in the file", path_, dataset_,
                          matlab_text(declared), format_shape(reversed(info.shape)),
                          format_shape(info.shape));
    const std::string first = fmt::format("{} of shape {}", counted(info.shape.front(), "sample"),
                                          format_shape(std::span(info.shape).subspan(1)));
    if (info.shape.size() != 2) {
        throw_input_error(
            "{}{}. Set {} none to take MATLAB's last dimension as the samples, {}; matlab is for matrices "
            "only",
            what,
            by_columns && declared.matlab_class.empty() ? " has " + counted(info.shape.size(), "dimension")
                                                        : "",
            as_.setting, first);
    }
    throw_input_error("{}. Set {} matlab for {} of {}, or {} none for {}", what, as_.setting,
                      counted(info.shape[1], "sample"), counted(info.shape[0], "number"), as_.setting, first);
}

void DatasetRows::require_no_packing(const Declarations& declared) {
    if (as_.conventions == Conventions::none) return;
    if (!declared.not_understood.empty()) {
        throw_input_error(
            "{}:{} has attributes of netCDF's conventions that are not understood: {}. Set {} none to pass "
            "over them",
            path_, dataset_, format_list(declared.not_understood), as_.setting);
    }
    if (as_.conventions == Conventions::netcdf || !declared.is_packed()) return;
    const DeclaredNumbers netcdf(declared, reader_.info().type.value(), Conventions::netcdf);
    const std::string missing = share_missing(netcdf);
    throw_input_error(
        "{}:{} holds packed numbers (netCDF: {}){}. Set {} netcdf to unpack them, or {} none to take the "
        "numbers as they lie in the file",
        path_, dataset_, packing_text(declared),
        missing.empty() ? "" : fmt::format("; {} hold missing values ({})", missing, missing_text(declared)),
        as_.setting, as_.setting);
}

void DatasetRows::require_whole() const {
    if (as_.conventions == Conventions::none) return;
    const auto samples =
        as_.conventions == Conventions::matlab ? hdf5::SampleDimension::last : hdf5::SampleDimension::first;
    const auto unstored = hdf5::find_unstored_rows(reader_.file(), dataset_, samples);
    if (!unstored) return;
    throw_input_error(
        "{}:{}: {}. HDF5 would give its fill value for them. Write these rows or leave them out, or set {} "
        "none "
        "to take the fill value",
        path_, dataset_, unstored->text(), as_.setting);
}

// No error: arrays that MATLAB's h5create and h5write have made are like this.
std::string DatasetRows::doubt_about_matlab() const {
    if (as_.conventions != Conventions::matlab || has_sign_of_matlab(reader_.file())) return "";
    const std::vector<std::int64_t>& shape = reader_.info().shape;
    return fmt::format(
        "{}:{} is read by its last dimension ({} matlab), as {} samples of {} numbers, but nothing in the "
        "file says that MATLAB wrote it; if each row is a sample, {} of {} numbers, set {} auto",
        path_, dataset_, as_.setting, format_count(shape[1]), format_count(shape[0]), format_count(shape[0]),
        format_count(shape[1]), as_.setting);
}

std::int64_t DatasetRows::rows_together() const {
    constexpr std::int64_t kMostBytes = std::int64_t{64} << 20;
    constexpr std::int64_t kBytesInLine = 4096;
    if (as_.conventions != Conventions::matlab) return std::max<std::int64_t>(reader_.rows_in_chunk(), 1);
    // Of a matrix read by columns: so many that a line of each feature is read at a stroke.
    const auto element = static_cast<std::int64_t>(element_bytes(reader_.info().type.value()));
    const std::int64_t line = reader_.rows_in_chunk() > 0 ? reader_.rows_in_chunk() : kBytesInLine / element;
    return std::clamp<std::int64_t>(kMostBytes / (element * element_count(reader_.row_shape())), 1, line);
}

std::size_t DatasetRows::bytes_held() const {
    constexpr std::size_t kChunksHeld = 3;  // as stored, before and after HDF5's shuffle filter
    if (as_.conventions == Conventions::matlab) return reader_.chunk_bytes_kept();
    return reader_.info().chunk.empty() ? 0 : kChunksHeld * chunk_bytes(reader_.info());
}

std::string DatasetRows::storage() const {
    const hdf5::DatasetInfo& info = reader_.info();
    std::string text = info.is_virtual      ? "virtual"
                       : info.chunk.empty() ? "contiguous"
                                            : fmt::format("chunks of {}", format_shape(info.chunk));
    if (!info.is_virtual) {
        for (const std::string& filter : info.filters)
            text += ", " + filter;
    }
    if (numbers_.unpacks()) text += ", unpacked by " + packing_text(numbers_.declarations());
    if (as_.conventions == Conventions::matlab) text += ", by the last dimension";
    return text;
}

void DatasetRows::read(std::int64_t first, std::int64_t count, std::byte* to) {
    const auto values = static_cast<std::size_t>(count * element_count(reader_.row_shape()));
    std::byte* stored = to;
    if (numbers_.unpacks()) {
        stored_.resize(values * element_bytes(reader_.info().type.value()));
        stored = stored_.data();
    }
    reader_.read(first, count, stored);
    if (const auto missing = numbers_.first_missing(stored, values)) {
        const std::int64_t row = first + static_cast<std::int64_t>(*missing) / element_count(row_shape());
        refuse_missing(row, stored, *missing);
    }
    if (numbers_.unpacks()) numbers_.unpack(stored, values, to);
}

void DatasetRows::refuse_missing(std::int64_t row, const std::byte* stored, std::size_t index) const {
    throw_input_error(
        "{}:{} row {}: {}; there are such values in {}. Missing values are not supported: leave such rows "
        "out, "
        "or set {} none to take all numbers as they are",
        path_, dataset_, row, numbers_.describe_missing(stored, index), share_missing(numbers_), as_.setting);
}

DatasetRows::MissingRows DatasetRows::count_missing(const DeclaredNumbers& numbers) const {
    MissingRows found;
    if (!numbers.declarations().limits_values()) return found;
    constexpr std::int64_t kMostPieces = 16;
    constexpr std::int64_t kPieceBytes = std::int64_t{1} << 20;
    const auto features = static_cast<std::size_t>(element_count(reader_.row_shape()));
    const std::size_t row_bytes = features * element_bytes(reader_.info().type.value());
    const std::int64_t piece = std::max<std::int64_t>(1, kPieceBytes / static_cast<std::int64_t>(row_bytes));
    const bool all = rows() <= kMostPieces * piece;
    const std::int64_t pieces = all ? (rows() + piece - 1) / piece : kMostPieces;
    std::vector<std::byte> stored;
    for (std::int64_t i = 0; i < pieces; ++i) {
        const std::int64_t first = all ? i * piece : i * (rows() / pieces);
        const std::int64_t count = std::min(piece, rows() - first);
        stored.resize(static_cast<std::size_t>(count) * row_bytes);
        reader_.read(first, count, stored.data());
        for (std::size_t at = 0; at < stored.size(); at += row_bytes)
            found.missing += numbers.first_missing(stored.data() + at, features) ? 1 : 0;
        found.looked_at += count;
    }
    return found;
}

std::string DatasetRows::share_missing(const DeclaredNumbers& numbers) const {
    if (!numbers.declarations().limits_values()) return "";
    const auto [missing, looked_at] = count_missing(numbers);
    const double share =
        100 * static_cast<double>(missing) / static_cast<double>(std::max<std::int64_t>(looked_at, 1));
    return fmt::format("{} of {}{} ({:.3g}%)", format_count(missing), counted(looked_at, "row"),
                       looked_at == rows() ? "" : fmt::format(" looked at, of {},", format_count(rows())),
                       share);
}

}  // namespace vae_dist
