#pragma once

#include <algorithm>
#include <cstdint>

#include "vae_dist/train/step/shard_plan.hpp"

namespace vae_dist {

/// Which rank adds up and updates which elements, where collectives want parts of one length: as ShardPlan,
/// but the arrays go on beyond their last element, to whole parts of whole chunks.
class EvenShards {
 public:
    EvenShards(std::int64_t size, int ranks, std::int64_t buckets)
        : size_(size),
          ranks_(ranks),
          buckets_(std::clamp<std::int64_t>(buckets, 1, std::max<std::int64_t>(chunks(), 1))) {
        const std::int64_t parts = buckets_ * ranks_;
        part_ = (chunks() + parts - 1) / parts * kChunk;
    }

    static constexpr std::int64_t kChunk = ShardPlan::kChunk;

    std::int64_t size() const { return size_; }
    /// Of an array that holds all parts.
    std::int64_t padded_size() const { return buckets_ * ranks_ * part_; }
    std::int64_t chunks() const { return (size_ + kChunk - 1) / kChunk; }
    std::int64_t buckets() const { return buckets_; }

    /// Of whole parts; may reach beyond the last element.
    ElementRange bucket(std::int64_t index) const {
        return {index * ranks_ * part_, (index + 1) * ranks_ * part_};
    }
    ElementRange part(std::int64_t bucket, int rank) const {
        const std::int64_t begin = (bucket * ranks_ + rank) * part_;
        return {begin, begin + part_};
    }
    /// Those elements of a part that there are.
    ElementRange elements_of(std::int64_t bucket, int rank) const {
        const ElementRange whole = part(bucket, rank);
        return {std::min(whole.begin, size_), std::min(whole.end, size_)};
    }

 private:
    std::int64_t size_;
    int ranks_;
    std::int64_t buckets_;
    std::int64_t part_ = 0;
};

}  // namespace vae_dist
