#pragma once

#include <cstdint>

#include "vae_dist/data/loader/batch_loader.hpp"

namespace vae_dist {

/// Rows in a batch of this rank's virtual ranks, at the most.
std::int64_t most_rows_of_a_batch(const EpochPlan& plan, const BatchLoaderOptions& options);

/// Batches that the reading thread prepares besides the one in use. In a stream as many more than
/// options.batches_ahead as the largest block has rows for, so that the user does not wait while it is read;
/// but no more than 64 MiB of them.
std::int64_t batches_ahead(const EpochPlan& plan, const RowSource& source, const BatchLoaderOptions& options);

/// Throws ErrorKind::failure where a loader with these options would need more memory than this process may
/// ever have: better than to be killed by the system halfway.
void refuse_what_cannot_fit(const EpochPlan& plan, const RowSource& source,
                            const BatchLoaderOptions& options);

}  // namespace vae_dist
