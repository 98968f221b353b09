#include "data/hdf5/slab.hpp"

#include <algorithm>

#include "data/hdf5/detail.hpp"

namespace vae_dist::hdf5::detail {

std::vector<hsize_t> extent_of(hid_t space) {
    std::vector<hsize_t> extent(static_cast<std::size_t>(std::max(H5Sget_simple_extent_ndims(space), 0)));
    H5Sget_simple_extent_dims(space, extent.data(), nullptr);
    return extent;
}

std::vector<Slab> slabs_of(hid_t space, const std::string& doing) {
    const std::vector<hsize_t> extent = extent_of(space);
    const std::size_t dimensions = extent.size();
    const H5S_sel_type kind = H5Sget_select_type(space);
    std::vector<Slab> slabs;
    if (kind == H5S_SEL_ALL) {
        slabs.emplace_back(dimensions).block = extent;
    } else if (kind == H5S_SEL_HYPERSLABS && H5Sis_regular_hyperslab(space) > 0) {
        Slab& slab = slabs.emplace_back(dimensions);
        check(H5Sget_regular_hyperslab(space, slab.start.data(), slab.stride.data(), slab.count.data(),
                                       slab.block.data()),
              ErrorKind::input, doing);
    } else if (kind == H5S_SEL_HYPERSLABS) {
        const auto blocks =
            static_cast<std::size_t>(check(H5Sget_select_hyper_nblocks(space), ErrorKind::input, doing));
        std::vector<hsize_t> corners(2 * dimensions * blocks);
        check(H5Sget_select_hyper_blocklist(space, 0, blocks, corners.data()), ErrorKind::input, doing);
        for (std::size_t i = 0; i < blocks; ++i) {
            Slab& slab = slabs.emplace_back(dimensions);
            for (std::size_t d = 0; d < dimensions; ++d) {
                slab.start[d] = corners[2 * dimensions * i + d];
                slab.block[d] = corners[2 * dimensions * i + dimensions + d] - slab.start[d] + 1;
            }
        }
    }
    return slabs;
}

bool clip(Slab& slab, const std::vector<hsize_t>& extent) {
    for (std::size_t d = 0; d < slab.dimensions(); ++d) {
        const bool endless = slab.count[d] == kUnlimited || slab.block[d] == kUnlimited;
        if (!endless) continue;
        if (slab.start[d] >= extent[d]) return false;
        const hsize_t length = extent[d] - slab.start[d];
        if (slab.block[d] == kUnlimited) {
            slab.block[d] = length;
        } else {
            slab.count[d] = (length + slab.stride[d] - 1) / slab.stride[d];
        }
    }
    return true;
}

void join_blocks(Slab& slab) {
    if (slab.stride[0] != slab.block[0]) return;
    slab.block[0] *= slab.count[0];
    slab.stride[0] = slab.block[0];
    slab.count[0] = 1;
}

}  // namespace vae_dist::hdf5::detail
