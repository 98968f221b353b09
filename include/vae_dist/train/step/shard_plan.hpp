#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace vae_dist {

/// Elements [begin, end) of the flat arrays.
struct ElementRange {
    std::int64_t begin = 0;
    std::int64_t end = 0;

    std::int64_t size() const { return end - begin; }
    bool empty() const { return begin >= end; }
    bool operator==(const ElementRange&) const = default;
};

/// The elements of an array that a range names.
template <class T>
std::span<T> elements(std::span<T> array, ElementRange range) {
    return array.subspan(static_cast<std::size_t>(range.begin), static_cast<std::size_t>(range.size()));
}

/// Which rank adds up, and updates, which elements of the flat arrays of parameters, gradients and optimizer
/// state. The arrays are cut into chunks, small enough to stay in a processor's cache; chunks make up
/// buckets, whose gradients travel together as soon as the backward pass has finished them; of each bucket
/// every rank owns one part. Chunks do not depend on the number of ranks: what is computed chunk by chunk has
/// the same bits on all of them.
class ShardPlan {
 public:
    static constexpr std::int64_t kChunk = 4096;

    /// `size` elements, `buckets` at the most.
    ShardPlan(std::int64_t size, int ranks, std::int64_t buckets);

    std::int64_t size() const { return size_; }
    int ranks() const { return ranks_; }
    std::int64_t chunks() const { return (size_ + kChunk - 1) / kChunk; }
    std::int64_t buckets() const { return buckets_; }

    ElementRange chunk(std::int64_t index) const {
        return {index * kChunk, std::min((index + 1) * kChunk, size_)};
    }
    /// Of whole chunks, one after the other.
    ElementRange bucket(std::int64_t index) const;
    /// The part of a bucket that a rank owns, of whole chunks; may be empty.
    ElementRange part(std::int64_t bucket, int rank) const;

 private:
    std::int64_t first_chunk(std::int64_t bucket) const { return chunks() * bucket / buckets_; }

    std::int64_t size_;
    int ranks_;
    std::int64_t buckets_;
};

/// Calls visit(index of the chunk in the plan, its elements) for each chunk of a part.
template <class Visit>
void for_each_chunk(const ShardPlan& plan, ElementRange part, const Visit& visit) {
    for (std::int64_t i = part.begin / ShardPlan::kChunk; i * ShardPlan::kChunk < part.end; ++i)
        visit(i, plan.chunk(i));
}

}  // namespace vae_dist
