#pragma once

#include <hdf5.h>

#include <cstddef>
#include <string>
#include <vector>

namespace vae_dist::hdf5::detail {

inline constexpr hsize_t kUnlimited = H5S_UNLIMITED;

/// A regular selection, in each dimension `count` blocks of `block` elements, `stride` apart.
struct Slab {
    explicit Slab(std::size_t dimensions)
        : start(dimensions), stride(dimensions, 1), count(dimensions, 1), block(dimensions) {}

    std::size_t dimensions() const { return start.size(); }
    hsize_t end(std::size_t d) const { return start[d] + (count[d] - 1) * stride[d] + block[d]; }

    std::vector<hsize_t> start;
    std::vector<hsize_t> stride;
    std::vector<hsize_t> count;
    std::vector<hsize_t> block;
};

/// The sizes of a space.
std::vector<hsize_t> extent_of(hid_t space);

/// What is selected, in regular pieces; parts without a limit stay so. Throws an input error beginning with
/// `doing`.
std::vector<Slab> slabs_of(hid_t space, const std::string& doing);

/// Makes the part without a limit end at `extent`; false if nothing is left.
bool clip(Slab& slab, const std::vector<hsize_t>& extent);

/// Makes one of blocks along the first dimension that have no gap between them.
void join_blocks(Slab& slab);

}  // namespace vae_dist::hdf5::detail
