#pragma once

#include <hdf5.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "vae_dist/core/error.hpp"
#include "vae_dist/data/hdf5/hdf5.hpp"

// What the sources of the HDF5 wrapper share.

namespace vae_dist::hdf5::detail {

/// To be called before anything else of the library on every thread: starts it, and silences it for this
/// thread.
void start_library();

/// Throws "WHAT: HDF5's innermost message"; call it before any other call of the library.
[[noreturn]] void fail(ErrorKind kind, const std::string& what);

/// `status` unless it says failure.
template <class Status>
Status check(Status status, ErrorKind kind, const std::string& what) {
    if (status < 0) fail(kind, what);
    return status;
}

/// A property list of a class such as H5P_DATASET_CREATE.
Handle property_list(hid_t property_class);

/// Creation properties without times, for attributes that stay in the (checksummed) object header.
Handle object_properties(hid_t property_class);

/// How files are opened and created: without locks, in a format that checksums all structures.
Handle file_access();

/// A new file; `access` says where.
Handle create_file(const std::string& path, const Handle& access);

/// Says why the call of H5Fopen that just failed did.
[[noreturn]] void throw_not_opened(const std::string& path);

/// "fashion.h5:train/x".
std::string locate(const File& file, const std::string& object);

/// Creates the groups on the way to `object`, where they are missing.
void create_groups_above(const File& file, const std::string& object);

/// A data space of `shape`, the first dimension unlimited where `growing`; a scalar one for {}.
Handle make_space(std::span<const std::int64_t> shape, bool growing = false);

/// The dataset, open; throws an input error that lists the datasets there are.
Handle open_dataset(const File& file, const std::string& dataset, hid_t access = H5P_DEFAULT);

/// Throws an input error that names the first dataset missing of those that virtual `dataset` is made of,
/// directly or through others. Of files and datasets numbered without end ("%b") the first is looked for.
void require_virtual_sources(const File& file, const std::string& dataset);

/// The file and the dataset of a mapping of a virtual dataset, as they stand there. "%b" in them stands for
/// the number of a block, from 0 on, and "%%" for "%".
std::pair<std::string, std::string> virtual_source_names(hid_t creation, std::size_t index,
                                                         const std::string& doing);
std::string number_pattern(const std::string& name, std::uint64_t block);

/// The file that HDF5 would read `name` from, which is the first that it can open; absent if there is none.
/// Throws an input error if the only ones there are cannot be opened.
std::optional<File> open_virtual_source(const File& file, const std::string& dataset,
                                        const std::string& name);

/// "uint8", "float16", "bool", "string", "compound", ...
std::string describe_type(hid_t type);

/// The numbers that hold the file's type; absent for strings and the like.
std::optional<ElementType> element_type_of(hid_t type);

}  // namespace vae_dist::hdf5::detail
