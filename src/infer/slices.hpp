#pragma once

#include <cstdint>
#include <vector>

#include "vae_dist/data/loader/epoch_plan.hpp"

namespace vae_dist {

// Rows go through a model in slices, whose sizes decide how matrix products round: they follow from the data
// alone, never from the number of ranks.

/// The most rows that go through a model of so many features at once.
std::int64_t most_slice_rows(std::int64_t features);

/// `range` in slices of `most_rows` rows; the last may have fewer.
std::vector<RowRange> slices_of(const RowRange& range, std::int64_t most_rows);

}  // namespace vae_dist
