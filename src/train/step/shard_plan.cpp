#include "vae_dist/train/step/shard_plan.hpp"

#include "vae_dist/core/error.hpp"

namespace vae_dist {

ShardPlan::ShardPlan(std::int64_t size, int ranks, std::int64_t buckets)
    : size_(size),
      ranks_(ranks),
      buckets_(std::clamp<std::int64_t>(buckets, 1, std::max<std::int64_t>(chunks(), 1))) {
    require(size >= 0 && ranks > 0, "a plan of shards has ranks");
}

ElementRange ShardPlan::bucket(std::int64_t index) const {
    return {first_chunk(index) * kChunk, std::min(first_chunk(index + 1) * kChunk, size_)};
}

ElementRange ShardPlan::part(std::int64_t bucket, int rank) const {
    const std::int64_t first = first_chunk(bucket);
    const std::int64_t count = first_chunk(bucket + 1) - first;
    const auto chunk_of = [&](std::int64_t r) { return first + count * r / ranks_; };
    return {std::min(chunk_of(rank) * kChunk, size_), std::min(chunk_of(rank + 1) * kChunk, size_)};
}

}  // namespace vae_dist
