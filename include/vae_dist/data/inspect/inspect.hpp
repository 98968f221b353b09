#pragma once

#include <string>

namespace vae_dist {

/// A screenful about any HDF5 file, of whole lines: each dataset's shape, type, chunks, filters, share of
/// bytes stored and attributes, the range of its first values (a bounded sample), and how to train on it.
/// Long lists are cut, and say by how much. Throws an input error if the file cannot be opened; a dataset
/// that cannot be read is told in its line.
std::string describe_data_file(const std::string& path);

}  // namespace vae_dist
