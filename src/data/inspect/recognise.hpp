#pragma once

#include <string>
#include <vector>

#include "vae_dist/data/hdf5/hdf5.hpp"

namespace vae_dist {

// What people and programs keep in HDF5 besides plain arrays of samples, told by names and attributes.

/// The format of a file and what follows from it, as a line for people; empty where none is recognised.
std::string recognised_format(const hdf5::File& file, const std::vector<std::string>& datasets);

/// What a dataset is that does not hold samples ("the row numbers of the sparse matrix X (CSR)"), by its
/// place and attributes; empty where it may be one. `dataset` is a full path.
std::string recognised_part(const hdf5::File& file, const std::string& dataset,
                            const hdf5::DatasetInfo& info);

}  // namespace vae_dist
