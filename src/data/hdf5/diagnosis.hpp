#pragma once

#include <hdf5.h>

#include <optional>
#include <string>

#include "vae_dist/data/hdf5/hdf5.hpp"

// Why HDF5 refused, in words that say what to do. Its own words come last.

namespace vae_dist::hdf5::detail {

/// Throws "WHAT: why", an input error, for the read of `dataset` that just failed: a filter that the library
/// lacks, a damaged chunk, or else HDF5's words.
[[noreturn]] void fail_reading(hid_t dataset, const std::string& what);

/// "is a link to 'x' in the file 'gone.h5', which is missing", if a link on the way to `object` leads
/// nowhere.
std::optional<std::string> describe_dead_link(const File& file, const std::string& object);

/// "is one part of a file that HDF5's family driver wrote; ..." for a member of a family, or a part of a
/// split file; empty for all others.
std::string describe_part_of_set(const std::string& path);

/// "; vae_dist import csv 't.csv' --out data.h5:train/x makes one of it", for a name that tells a format that
/// can be imported; empty for all others.
std::string advise_import(const std::string& path);

}  // namespace vae_dist::hdf5::detail
