#pragma once

#include <string>

#include "vae_dist/data/hdf5/hdf5.hpp"

namespace vae_dist {

// Sparse matrices: groups with the numbers that are not zero, and their places, in arrays of their own.

/// The group that a dataset is in, and its name in there.
struct DatasetPlace {
    std::string group;  ///< "/" for the root
    std::string name;
};

/// "/train/x" and "train/x" lie in "/train".
DatasetPlace place_of(const std::string& dataset);

/// By the names of the arrays in a group: of scipy's kind (data, indices, indptr), which AnnData and 10x
/// Genomics use, or MATLAB's (data, ir, jc).
bool is_sparse(const hdf5::File& file, const std::string& group);
bool is_matlab_sparse(const hdf5::File& file, const std::string& group);
bool is_tenx(const hdf5::File& file, const std::string& group);

/// "CSR", "CSC", or "compressed" where nothing says along which dimension.
std::string sparse_form(const hdf5::File& file, const std::string& group);

/// What a dataset is of a sparse matrix, "the values that are not zero of the sparse matrix X (CSR)"; empty
/// where it is no part of one.
std::string sparse_part(const hdf5::File& file, const std::string& dataset);

}  // namespace vae_dist
