#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "train/step/team.hpp"
#include "vae_dist/train/shard_plan.hpp"

namespace vae_dist {

/// What a rank sends to, and receives from, ranks of other hosts for one bucket: messages to the owners for
/// whom it speaks, and one of each other host's about its own part.
struct BucketRoutes {
    struct Outgoing {
        int to = 0;
        ElementRange part;  ///< of the bucket, owned by `to`
    };
    std::vector<Outgoing> outgoing;
    std::vector<int> incoming;  ///< the other hosts' speakers
};

/// The routes of a bucket from hosts to owners; each way back is that of a route. Without empty parts.
BucketRoutes routes_to_owners(const Team& team, const ShardPlan& plan, std::int64_t bucket);

/// The memory of messages of several chunks whose sizes vary: for each chunk its size, then its bytes.
class ChunkedMessage {
 public:
    /// For a part of `part`'s chunks of at most `most_bytes(elements)` each.
    template <class MostBytes>
    ChunkedMessage(const ShardPlan& plan, ElementRange part, const MostBytes& most_bytes) {
        std::size_t bytes = 0;
        for_each_chunk(plan, part, [&](std::int64_t index, ElementRange chunk) {
            if (offsets_.empty()) first_chunk_ = index;
            offsets_.push_back(0);
            bytes += most_bytes(chunk.size());
        });
        memory_.resize(table_bytes() + bytes);
    }

    /// pack(chunk, to) writes a chunk's bytes and returns their number. Returns the whole message.
    template <class Pack>
    std::span<const std::byte> write(const ShardPlan& plan, ElementRange part, const Pack& pack) {
        std::size_t at = table_bytes();
        for_each_chunk(plan, part, [&](std::int64_t index, ElementRange chunk) {
            const std::size_t size = pack(chunk, memory_.data() + at);
            set_size(static_cast<std::size_t>(index - first_chunk_), size);
            at += size;
        });
        return std::span(memory_).first(at);
    }

    /// Where a message is to be received.
    std::span<std::byte> memory() { return memory_; }
    /// After a message of `bytes` bytes was received: finds its chunks. Throws a bug where it is not whole.
    void open(std::size_t bytes);
    /// The bytes of a chunk of an opened message.
    const std::byte* of(ElementRange chunk) const {
        return memory_.data() +
               offsets_[static_cast<std::size_t>(chunk.begin / ShardPlan::kChunk - first_chunk_)];
    }
    std::int64_t bytes() const { return static_cast<std::int64_t>(memory_.size()); }

 private:
    std::size_t table_bytes() const { return offsets_.size() * sizeof(std::uint32_t); }
    void set_size(std::size_t chunk, std::size_t size);

    std::int64_t first_chunk_ = 0;
    std::vector<std::size_t> offsets_;  ///< of each chunk in the memory
    std::vector<std::byte> memory_;
};

}  // namespace vae_dist
