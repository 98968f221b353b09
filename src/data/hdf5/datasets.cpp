#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <numeric>
#include <thread>

#include "data/hdf5/detail.hpp"
#include "data/hdf5/diagnosis.hpp"
#include "vae_dist/core/shape.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist::hdf5 {

using detail::check;
using detail::locate;
using detail::make_space;

hid_t memory_type(ElementType type) {
    detail::start_library();
    switch (type) {
        case ElementType::uint8:
            return H5T_NATIVE_UINT8;
        case ElementType::int8:
            return H5T_NATIVE_INT8;
        case ElementType::uint16:
            return H5T_NATIVE_UINT16;
        case ElementType::int16:
            return H5T_NATIVE_INT16;
        case ElementType::uint32:
            return H5T_NATIVE_UINT32;
        case ElementType::int32:
            return H5T_NATIVE_INT32;
        case ElementType::uint64:
            return H5T_NATIVE_UINT64;
        case ElementType::int64:
            return H5T_NATIVE_INT64;
        case ElementType::float32:
            return H5T_NATIVE_FLOAT;
        case ElementType::float64:
            return H5T_NATIVE_DOUBLE;
    }
    require(false, "an element type is one of those listed");
    return -1;
}

namespace detail {

namespace {

// How h5py stores numpy's bool: an enumeration of a byte, FALSE and TRUE.
bool is_bool(hid_t type) {
    if (H5Tget_class(type) != H5T_ENUM || H5Tget_size(type) != 1 || H5Tget_nmembers(type) != 2) return false;
    const auto member = [&](unsigned index) {
        char* const name = H5Tget_member_name(type, index);
        std::string text = name == nullptr ? "" : name;
        H5free_memory(name);
        return text;
    };
    return member(0) == "FALSE" && member(1) == "TRUE";
}

std::vector<std::int64_t> extent(hid_t space) {
    const int rank = std::max(H5Sget_simple_extent_ndims(space), 0);
    std::vector<hsize_t> sizes(static_cast<std::size_t>(rank));
    H5Sget_simple_extent_dims(space, sizes.data(), nullptr);
    return {sizes.begin(), sizes.end()};
}

}  // namespace

std::string describe_type(hid_t type) {
    switch (H5Tget_class(type)) {
        case H5T_INTEGER:
            return fmt::format("{}{}", H5Tget_sign(type) == H5T_SGN_NONE ? "uint" : "int",
                               8 * H5Tget_size(type));
        case H5T_FLOAT:
            return fmt::format("float{}", 8 * H5Tget_size(type));
        case H5T_STRING:
            return "string";
        case H5T_COMPOUND:
            return "compound";
        case H5T_ENUM:
            return is_bool(type) ? "bool" : "enum";
        case H5T_BITFIELD:
            return "bitfield";
        case H5T_OPAQUE:
            return "opaque";
        case H5T_REFERENCE:
            return "reference";
        case H5T_ARRAY:
            return "array";
        case H5T_VLEN:
            return "variable-length";
        case H5T_TIME:
            return "time";
        default:
            return "unknown";
    }
}

std::optional<ElementType> element_type_of(hid_t type) {
    const std::size_t bytes = H5Tget_size(type);
    switch (H5Tget_class(type)) {
        case H5T_INTEGER: {
            const bool is_unsigned = H5Tget_sign(type) == H5T_SGN_NONE;
            if (bytes <= 1) return is_unsigned ? ElementType::uint8 : ElementType::int8;
            if (bytes <= 2) return is_unsigned ? ElementType::uint16 : ElementType::int16;
            if (bytes <= 4) return is_unsigned ? ElementType::uint32 : ElementType::int32;
            if (bytes <= 8) return is_unsigned ? ElementType::uint64 : ElementType::int64;
            return std::nullopt;
        }
        case H5T_FLOAT:
            return bytes <= 4 ? ElementType::float32 : ElementType::float64;
        // Not uint8, whose values count in 255ths by default.
        case H5T_ENUM:
            return is_bool(type) ? std::optional(ElementType::int8) : std::nullopt;
        default:
            return std::nullopt;
    }
}

Handle make_space(std::span<const std::int64_t> shape, bool growing) {
    std::vector<hsize_t> sizes(shape.begin(), shape.end());
    std::vector<hsize_t> most = sizes;
    if (growing) most.at(0) = H5S_UNLIMITED;
    const hid_t space = sizes.empty()
                            ? H5Screate(H5S_SCALAR)
                            : H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), most.data());
    return {check(space, ErrorKind::failure, fmt::format("cannot make a space of {}", format_shape(shape))),
            H5Sclose};
}

namespace {

// HDF5 would read beyond the end of what it has: in a damaged file, shape and size may be at odds. Chunks it
// looks at itself, and what was never written has no size.
void require_whole_storage(const File& file, const std::string& dataset, hid_t opened) {
    const std::string doing = fmt::format("cannot read about '{}'", locate(file, dataset));
    const Handle creation(check(H5Dget_create_plist(opened), ErrorKind::input, doing), H5Pclose);
    const H5D_layout_t layout = H5Pget_layout(creation.get());
    const bool in_one_piece =
        layout == H5D_COMPACT || (layout == H5D_CONTIGUOUS && H5Pget_external_count(creation.get()) == 0);
    const hsize_t stored = H5Dget_storage_size(opened);
    if (!in_one_piece || stored == 0) return;
    const Handle space(check(H5Dget_space(opened), ErrorKind::input, doing), H5Sclose);
    const Handle type(check(H5Dget_type(opened), ErrorKind::input, doing), H5Tclose);
    const auto elements =
        static_cast<hsize_t>(check(H5Sget_simple_extent_npoints(space.get()), ErrorKind::input, doing));
    const hsize_t element_bytes = H5Tget_size(type.get());
    if (element_bytes == 0 || elements > stored / element_bytes) {
        throw_input_error("'{}' is damaged: its shape is {} of {} each, but it stores {}",
                          locate(file, dataset), format_shape(extent(space.get())),
                          counted(element_bytes, "byte"), counted(stored, "byte"));
    }
}

}  // namespace

Handle open_dataset(const File& file, const std::string& dataset, hid_t access) {
    const NodeKind kind = file.kind(dataset);
    if (kind == NodeKind::dataset) {
        const hid_t id = H5Dopen2(file.id(), dataset.c_str(), access);
        Handle opened(check(id, ErrorKind::input, fmt::format("cannot open '{}'", locate(file, dataset))),
                      H5Dclose);
        require_whole_storage(file, dataset, opened.get());
        return opened;
    }
    if (kind == NodeKind::missing) {
        if (const auto link = describe_dead_link(file, dataset))
            throw_input_error("'{}' {}", locate(file, dataset), *link);
    }
    std::vector<std::string> names = file.datasets();
    for (std::string& name : names)
        name.erase(0, 1);
    const std::string there = names.empty() ? "the file has no dataset at all"
                                            : fmt::format("the file has the dataset{} {}",
                                                          names.size() == 1 ? "" : "s", format_list(names));
    const std::string near = kind == NodeKind::missing ? nearest_word(dataset, names) : "";
    throw_input_error("'{}' {}; {}{}", locate(file, dataset),
                      kind == NodeKind::missing ? "does not exist"
                      : kind == NodeKind::group ? "is a group, not a dataset"
                                                : "is not a dataset",
                      there, near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
}

}  // namespace detail

namespace {

// Chunks, filters and fill value, from the dataset's creation properties.
void describe_storage(hid_t creation, std::size_t rank, DatasetInfo& info) {
    H5D_fill_value_t defined = H5D_FILL_VALUE_UNDEFINED;
    double fill = 0;
    if (info.type && H5Pfill_value_defined(creation, &defined) >= 0 &&
        defined == H5D_FILL_VALUE_USER_DEFINED && H5Pget_fill_value(creation, H5T_NATIVE_DOUBLE, &fill) >= 0)
        info.fill_value = fill;
    if (H5Pget_layout(creation) == H5D_CHUNKED) {
        std::vector<hsize_t> sizes(rank);
        H5Pget_chunk(creation, static_cast<int>(rank), sizes.data());
        info.chunk.assign(sizes.begin(), sizes.end());
    }
    const int filters = H5Pget_nfilters(creation);
    for (int i = 0; i < filters; ++i) {
        char name[64] = "";
        unsigned flags = 0;
        std::size_t parameters = 0;
        unsigned about = 0;
        H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &parameters, nullptr, sizeof name, name,
                       &about);
        info.filters.emplace_back(name[0] != '\0' ? name : "unknown filter");
    }
}

// Chunks of at most `most` elements, cut evenly along the first dimensions.
std::vector<hsize_t> even_chunks(std::span<const std::int64_t> shape, std::int64_t most) {
    std::vector<hsize_t> chunk(shape.size());
    for (std::size_t d = shape.size(); d-- > 0;) {
        const std::int64_t longest = std::min(shape[d], most);
        const std::int64_t pieces = (shape[d] + longest - 1) / longest;
        const std::int64_t size = (shape[d] + pieces - 1) / pieces;
        chunk[d] = static_cast<hsize_t>(size);
        most = std::max<std::int64_t>(most / size, 1);
    }
    return chunk;
}

// Writes all of a dataset of `shape` chunk by chunk, in the order in which one call would.
void write_by_chunks(const Handle& dataset, std::span<const std::int64_t> shape,
                     std::span<const hsize_t> chunk, hid_t memory_type, const void* values,
                     const std::string& doing) {
    // The library's lock is not fair: a thread that waits for it gets it only where no other thread asks at
    // once.
    constexpr hsize_t kLarge = hsize_t{1} << 16;
    constexpr std::chrono::milliseconds kForOthers(1);
    const Handle space = make_space(shape);
    std::vector<hsize_t> start(shape.size());
    std::vector<hsize_t> count(shape.size());
    for (bool done = false; !done;) {
        for (std::size_t d = 0; d < shape.size(); ++d)
            count[d] = std::min(chunk[d], static_cast<hsize_t>(shape[d]) - start[d]);
        check(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr),
              ErrorKind::failure, doing);
        // The same part of the file and of the values.
        check(H5Dwrite(dataset.get(), memory_type, space.get(), space.get(), H5P_DEFAULT, values),
              ErrorKind::failure, doing);
        if (std::accumulate(count.begin(), count.end(), hsize_t{1}, std::multiplies<>()) >= kLarge)
            std::this_thread::sleep_for(kForOthers);
        std::size_t d = shape.size();
        for (done = true; done && d-- > 0;) {
            start[d] += chunk[d];
            done = start[d] >= static_cast<hsize_t>(shape[d]);
            if (done) start[d] = 0;
        }
    }
}

}  // namespace

DatasetInfo File::info(const std::string& dataset) const {
    const Handle opened = detail::open_dataset(*this, dataset);
    const std::string doing = fmt::format("cannot read about '{}'", locate(*this, dataset));
    const Handle space(check(H5Dget_space(opened.get()), ErrorKind::input, doing), H5Sclose);
    const Handle type(check(H5Dget_type(opened.get()), ErrorKind::input, doing), H5Tclose);
    const Handle creation(check(H5Dget_create_plist(opened.get()), ErrorKind::input, doing), H5Pclose);
    DatasetInfo info;
    info.shape = detail::extent(space.get());
    info.type = detail::element_type_of(type.get());
    info.type_name = detail::describe_type(type.get());
    info.stored_bytes = H5Dget_storage_size(opened.get());
    info.is_virtual = H5Pget_layout(creation.get()) == H5D_VIRTUAL;
    describe_storage(creation.get(), info.shape.size(), info);
    return info;
}

template <class T>
std::vector<T> File::read_values(const std::string& dataset, hid_t memory_type) const {
    const DatasetInfo about = info(dataset);
    if (!about.type)
        throw_input_error("'{}' holds no numbers, but {}", locate(*this, dataset), about.type_name);
    const Handle opened = detail::open_dataset(*this, dataset);
    const Handle space(H5Dget_space(opened.get()), H5Sclose);
    if (H5Sget_simple_extent_type(space.get()) == H5S_NULL) return {};
    std::vector<T> values(static_cast<std::size_t>(element_count(about.shape)));
    check(H5Dread(opened.get(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), ErrorKind::input,
          fmt::format("cannot read '{}'", locate(*this, dataset)));
    return values;
}

std::vector<float> File::read_floats(const std::string& dataset) const {
    return read_values<float>(dataset, H5T_NATIVE_FLOAT);
}

std::vector<double> File::read_doubles(const std::string& dataset) const {
    return read_values<double>(dataset, H5T_NATIVE_DOUBLE);
}

void File::write_values(const std::string& dataset, std::span<const std::int64_t> shape, hid_t file_type,
                        hid_t memory_type, const void* values, bool checksum) {
    const std::int64_t elements = element_count(shape);
    detail::create_groups_above(*this, dataset);
    const std::string doing = fmt::format("cannot write '{}'", locate(*this, dataset));
    const Handle properties = detail::object_properties(H5P_DATASET_CREATE);
    const bool chunked = checksum && !shape.empty() && elements > 0;
    std::vector<hsize_t> chunk;
    if (chunked) {
        constexpr std::int64_t kMostInChunk = std::int64_t{1} << 18;
        chunk = even_chunks(shape, kMostInChunk);
        check(H5Pset_chunk(properties.get(), static_cast<int>(chunk.size()), chunk.data()),
              ErrorKind::failure, doing);
        check(H5Pset_fletcher32(properties.get()), ErrorKind::failure, doing);
    }
    const Handle space = make_space(shape);
    Handle made(check(H5Dcreate2(id(), dataset.c_str(), file_type, space.get(), H5P_DEFAULT, properties.get(),
                                 H5P_DEFAULT),
                      ErrorKind::failure, doing),
                H5Dclose);
    if (chunked) {
        write_by_chunks(made, shape, chunk, memory_type, values, doing);
    } else if (elements > 0) {
        check(H5Dwrite(made.get(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), ErrorKind::failure,
              doing);
    }
    if (!made.close()) detail::fail(ErrorKind::failure, doing);
}

void File::write_floats(const std::string& dataset, std::span<const std::int64_t> shape,
                        std::span<const float> values, bool checksum) {
    require(element_count(shape) == std::ssize(values), "a dataset's values fill its shape");
    write_values(dataset, shape, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, values.data(), checksum);
}

void File::write_doubles(const std::string& dataset, std::span<const std::int64_t> shape,
                         std::span<const double> values, bool checksum) {
    require(element_count(shape) == std::ssize(values), "a dataset's values fill its shape");
    write_values(dataset, shape, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, values.data(), checksum);
}

}  // namespace vae_dist::hdf5
