#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "data/hdf5/chunks.hpp"
#include "data/hdf5/detail.hpp"
#include "data/hdf5/diagnosis.hpp"
#include "vae_dist/core/shape.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist::hdf5 {

using detail::check;
using detail::locate;

namespace {

// Chunks that hold the same samples, and the bytes of one.
struct ChunkRow {
    std::size_t chunks = 1;
    std::size_t chunk_bytes = 0;
};

std::size_t dimension_of(SampleDimension samples, const DatasetInfo& info) {
    return samples == SampleDimension::first ? 0 : info.shape.size() - 1;
}

ChunkRow chunk_row(const DatasetInfo& info, SampleDimension samples) {
    ChunkRow row;
    row.chunk_bytes = 8;  // at least as wide as any element
    for (std::size_t d = 0; d < info.chunk.size(); ++d) {
        row.chunk_bytes *= static_cast<std::size_t>(info.chunk[d]);
        if (d != dimension_of(samples, info))
            row.chunks *= static_cast<std::size_t>((info.shape[d] + info.chunk[d] - 1) / info.chunk[d]);
    }
    return row;
}

// What the cache may hold. Chunks of a matrix read by columns may each reach over all of them: rather than
// all of the data, some are kept, and the others are decoded again.
std::size_t cache_bytes(const DatasetInfo& info, SampleDimension samples) {
    constexpr std::size_t kLeast = std::size_t{1} << 20;
    constexpr std::size_t kMostByColumns = std::size_t{256} << 20;
    const ChunkRow row = chunk_row(info, samples);
    const std::size_t all = std::max(kLeast, row.chunks * row.chunk_bytes);
    return samples == SampleDimension::first ? all : std::min(all, kMostByColumns);
}

// Access properties whose cache holds a whole row of chunks.
Handle cache_for(const DatasetInfo& info, SampleDimension samples) {
    Handle access = detail::property_list(H5P_DATASET_ACCESS);
    if (info.chunk.empty()) return access;
    // Many more slots than chunks, since chunks that hash to one slot push each other out; odd, to spread
    // them.
    const std::size_t slots = std::max<std::size_t>(521, 16 * chunk_row(info, samples).chunks + 1);
    // Chunks that were read to their end are dropped first; but with a weight of 1 no others ever were, and
    // memory would grow by each that was read in part.
    constexpr double kDropReadChunksFirst = 0.75;
    check(H5Pset_chunk_cache(access.get(), slots, cache_bytes(info, samples), kDropReadChunksFirst),
          ErrorKind::failure, "cannot set HDF5's chunk cache");
    return access;
}

// Selects [first, first + count) of `dimension` in `space`, of the dimensions `shape`; the shape of what is
// selected.
std::vector<std::int64_t> select_rows(hid_t space, std::span<const std::int64_t> shape, std::int64_t first,
                                      std::int64_t count, std::size_t dimension = 0) {
    std::vector<hsize_t> start(shape.size(), 0);
    std::vector<hsize_t> size(shape.begin(), shape.end());
    start[dimension] = static_cast<hsize_t>(first);
    size[dimension] = static_cast<hsize_t>(count);
    check(H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, size.data(), nullptr),
          ErrorKind::failure, "cannot select rows");
    return {size.begin(), size.end()};
}

std::vector<std::int64_t> with_rows(std::int64_t rows, std::span<const std::int64_t> row_shape) {
    std::vector<std::int64_t> shape{rows};
    shape.insert(shape.end(), row_shape.begin(), row_shape.end());
    return shape;
}

// What is stored for an ElementType: little-endian, whatever this machine is.
hid_t file_type(ElementType type) {
    switch (type) {
        case ElementType::uint8:
            return H5T_STD_U8LE;
        case ElementType::int8:
            return H5T_STD_I8LE;
        case ElementType::uint16:
            return H5T_STD_U16LE;
        case ElementType::int16:
            return H5T_STD_I16LE;
        case ElementType::uint32:
            return H5T_STD_U32LE;
        case ElementType::int32:
            return H5T_STD_I32LE;
        case ElementType::uint64:
            return H5T_STD_U64LE;
        case ElementType::int64:
            return H5T_STD_I64LE;
        case ElementType::float32:
            return H5T_IEEE_F32LE;
        case ElementType::float64:
            return H5T_IEEE_F64LE;
    }
    require(false, "an element type is one of those listed");
    return -1;
}

Handle row_properties(const RowWriterOptions& options, const std::string& doing) {
    Handle properties = detail::object_properties(H5P_DATASET_CREATE);
    std::vector<hsize_t> chunk{static_cast<hsize_t>(options.chunk_rows)};
    for (const std::int64_t size : options.row_shape)
        chunk.push_back(static_cast<hsize_t>(size));
    check(H5Pset_chunk(properties.get(), static_cast<int>(chunk.size()), chunk.data()), ErrorKind::failure,
          doing);
    if (options.deflate > 0) {
        if (element_bytes(options.type) > 1)
            check(H5Pset_shuffle(properties.get()), ErrorKind::failure, doing);
        check(H5Pset_deflate(properties.get(), static_cast<unsigned>(options.deflate)), ErrorKind::failure,
              doing);
    }
    check(H5Pset_fletcher32(properties.get()), ErrorKind::failure, doing);
    return properties;
}

}  // namespace

RowReader::RowReader(const std::string& path, const std::string& dataset)
    : RowReader(File::open(path), dataset, SampleDimension::first) {}

RowReader::RowReader(File file, const std::string& dataset, SampleDimension samples)
    : file_(std::move(file)), dataset_path_(dataset), info_(file_.info(dataset)), samples_(samples) {
    require(samples == SampleDimension::first || info_.shape.size() == 2,
            "rows along the last dimension are those of a matrix");
    if (info_.is_virtual) detail::require_virtual_sources(file_, dataset);
    dataset_ = detail::open_dataset(file_, dataset, cache_for(info_, samples).get());
    file_space_ = Handle(check(H5Dget_space(dataset_.get()), ErrorKind::input,
                               fmt::format("cannot read about '{}'", locate(file_, dataset))),
                         H5Sclose);
    if (samples == SampleDimension::first) stored_chunks_ = detail::StoredChunks::of(dataset_.get(), info_);
}

RowReader::~RowReader() = default;

std::int64_t RowReader::rows() const {
    return info_.shape[dimension_of(samples_, info_)];
}

std::vector<std::int64_t> RowReader::row_shape() const {
    std::vector<std::int64_t> shape = info_.shape;
    shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(dimension_of(samples_, info_)));
    return shape;
}

std::int64_t RowReader::rows_in_chunk() const {
    return info_.chunk.empty() ? 0 : info_.chunk[dimension_of(samples_, info_)];
}

std::size_t RowReader::chunk_bytes_kept() const {
    return info_.chunk.empty() ? 0 : cache_bytes(info_, samples_);
}

void RowReader::read(std::int64_t first, std::int64_t count, std::byte* to) const {
    if (!info_.type)
        throw_input_error("'{}' holds no numbers, but {}", locate(file_, dataset_path_), info_.type_name);
    detail::start_library();
    require(!info_.shape.empty() && first >= 0 && count >= 0 && first + count <= rows(),
            "rows that are read are rows of the dataset");
    // HDF5 has the last word on all that is unusual, and the message where it is an error.
    if (!read_stored_chunks(first, count, to)) read_as(memory_type(*info_.type), first, count, to);
}

bool RowReader::read_stored_chunks(std::int64_t first, std::int64_t count, std::byte* to) const {
    if (!stored_chunks_) return false;
    const std::int64_t in_chunk = stored_chunks_->rows_in_chunk();
    while (count > 0) {
        const std::int64_t before = first % in_chunk;
        const std::span<const std::byte> chunk = stored_chunks_->decode(first - before);
        if (chunk.empty()) return false;
        const std::int64_t rows = std::min(count, in_chunk - before);
        const std::size_t row_bytes = chunk.size() / static_cast<std::size_t>(in_chunk);
        const std::size_t bytes = static_cast<std::size_t>(rows) * row_bytes;
        std::memcpy(to, chunk.data() + static_cast<std::size_t>(before) * row_bytes, bytes);
        to += bytes;
        first += rows;
        count -= rows;
    }
    return true;
}

std::vector<double> RowReader::read_doubles(std::int64_t first, std::int64_t count) const {
    if (!info_.type)
        throw_input_error("'{}' holds no numbers, but {}", locate(file_, dataset_path_), info_.type_name);
    const std::int64_t values = count * element_count(row_shape());
    std::vector<double> to(static_cast<std::size_t>(values));
    read_as(H5T_NATIVE_DOUBLE, first, count, to.data());
    return to;
}

void RowReader::read_as(hid_t type, std::int64_t first, std::int64_t count, void* to) const {
    detail::start_library();
    require(!info_.shape.empty() && first >= 0 && count >= 0 && first + count <= rows(),
            "rows that are read are rows of the dataset");
    if (count == 0) return;
    if (samples_ == SampleDimension::first) return read_selection(type, first, count, to);
    read_columns(type, H5Tget_size(type), first, count, static_cast<std::byte*>(to));
}

// The columns of a matrix (features, samples) as rows.
void RowReader::read_columns(hid_t type, std::size_t element_bytes, std::int64_t first, std::int64_t count,
                             std::byte* to) const {
    constexpr std::size_t kBytesAtOnce = std::size_t{16} << 20;
    const auto features = static_cast<std::size_t>(info_.shape.front());
    const std::size_t row_bytes = features * element_bytes;
    const auto most = static_cast<std::int64_t>(std::max<std::size_t>(1, kBytesAtOnce / row_bytes));
    std::vector<std::byte> columns(static_cast<std::size_t>(std::min(most, count)) * row_bytes);
    while (count > 0) {
        const std::int64_t here = std::min(most, count);
        read_selection(type, first, here, columns.data());
        const std::byte* from = columns.data();
        for (std::size_t feature = 0; feature < features; ++feature) {
            for (std::size_t row = 0; row < static_cast<std::size_t>(here); ++row, from += element_bytes)
                std::memcpy(to + row * row_bytes + feature * element_bytes, from, element_bytes);
        }
        to += static_cast<std::size_t>(here) * row_bytes;
        first += here;
        count -= here;
    }
}

void RowReader::read_selection(hid_t type, std::int64_t first, std::int64_t count, void* to) const {
    const std::size_t dimension = dimension_of(samples_, info_);
    const Handle space =
        detail::make_space(select_rows(file_space_.get(), info_.shape, first, count, dimension));
    if (H5Dread(dataset_.get(), type, space.get(), file_space_.get(), H5P_DEFAULT, to) < 0) {
        detail::fail_reading(dataset_.get(), fmt::format("cannot read '{}' {}", locate(file_, dataset_path_),
                                                         format_range("row", first, first + count - 1)));
    }
}

std::int64_t chunk_rows_for(std::int64_t row_bytes, std::int64_t most) {
    constexpr std::int64_t kChunkBytes = 256 * 1024;
    return std::clamp<std::int64_t>(kChunkBytes / std::max<std::int64_t>(row_bytes, 1), 1, most);
}

RowWriter::RowWriter(File& file, const std::string& dataset, const RowWriterOptions& options)
    : where_(locate(file, dataset)), options_(options), row_bytes_(element_bytes(options.type)) {
    for (const std::int64_t size : options.row_shape)
        row_bytes_ *= static_cast<std::size_t>(size);
    require(row_bytes_ > 0 && options.chunk_rows > 0, "a row and a chunk are not empty");
    detail::create_groups_above(file, dataset);
    const std::string doing = fmt::format("cannot create '{}'", where_);
    const Handle space = detail::make_space(with_rows(0, options.row_shape), true);
    dataset_ = Handle(H5Dcreate2(file.id(), dataset.c_str(), file_type(options.type), space.get(),
                                 H5P_DEFAULT, row_properties(options, doing).get(), H5P_DEFAULT),
                      H5Dclose);
    check(dataset_.get(), ErrorKind::failure, doing);
}

void RowWriter::append(std::int64_t rows, const std::byte* from) {
    const auto chunk_bytes = static_cast<std::size_t>(options_.chunk_rows) * row_bytes_;
    const std::byte* const end = from + static_cast<std::size_t>(rows) * row_bytes_;
    if (!rest_.empty()) {
        const std::size_t taken = std::min(chunk_bytes - rest_.size(), static_cast<std::size_t>(end - from));
        rest_.insert(rest_.end(), from, from + taken);
        from += taken;
        if (rest_.size() < chunk_bytes) return;
        write(options_.chunk_rows, rest_.data());
        rest_.clear();
    }
    const std::int64_t whole_chunks = (end - from) / static_cast<std::ptrdiff_t>(chunk_bytes);
    if (whole_chunks > 0) {
        write(whole_chunks * options_.chunk_rows, from);
        from += static_cast<std::size_t>(whole_chunks) * chunk_bytes;
    }
    rest_.assign(from, end);
}

std::int64_t RowWriter::rows() const {
    return written_ + static_cast<std::int64_t>(rest_.size() / row_bytes_);
}

void RowWriter::close() {
    detail::start_library();
    if (!rest_.empty()) write(rows() - written_, rest_.data());
    rest_.clear();
    if (!dataset_.close()) detail::fail(ErrorKind::failure, fmt::format("cannot write '{}'", where_));
}

void RowWriter::write(std::int64_t rows, const std::byte* from) {
    detail::start_library();
    const std::string doing = fmt::format("cannot write '{}' from row {} on", where_, written_);
    const std::vector<std::int64_t> shape = with_rows(written_ + rows, options_.row_shape);
    const std::vector<hsize_t> sizes(shape.begin(), shape.end());
    check(H5Dset_extent(dataset_.get(), sizes.data()), ErrorKind::failure, doing);
    const Handle file_space(check(H5Dget_space(dataset_.get()), ErrorKind::failure, doing), H5Sclose);
    const Handle space = detail::make_space(select_rows(file_space.get(), shape, written_, rows));
    check(H5Dwrite(dataset_.get(), memory_type(options_.type), space.get(), file_space.get(), H5P_DEFAULT,
                   from),
          ErrorKind::failure, doing);
    written_ += rows;
}

}  // namespace vae_dist::hdf5
