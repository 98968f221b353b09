#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "train/step/team.hpp"
#include "vae_dist/train/step/shard_plan.hpp"

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
            offsets_.push_back(bytes);
            bytes += most_bytes(chunk.size());
        });
        for (std::size_t& offset : offsets_)
            offset += table_bytes();
        latest_ = offsets_;
        memory_.resize(table_bytes() + bytes);
    }

    /// pack(chunk, to) writes a chunk's bytes and returns their number; several threads may call it. Returns
    /// the whole message.
    template <class Pack>
    std::span<const std::byte> write(const ShardPlan& plan, Backend& backend, const Pack& pack) {
        const auto put = [&](std::size_t chunk, std::size_t at) {
            const std::size_t size =
                pack(plan.chunk(first_chunk_ + static_cast<std::int64_t>(chunk)), memory_.data() + at);
            set_size(chunk, size);
            return size;
        };
        std::size_t end = table_bytes();
        if (backend.threads() == 1) {
            for (std::size_t chunk = 0; chunk < offsets_.size(); ++chunk)
                end += put(chunk, end);
        } else {
            const auto put_where_it_may_begin_at_the_latest = [&](std::int64_t i) {
                const auto chunk = static_cast<std::size_t>(i);
                put(chunk, latest_[chunk]);
            };
            backend.for_each(std::ssize(latest_), std::ref(put_where_it_may_begin_at_the_latest));
            end = close_gaps();
        }
        return std::span(memory_).first(end);
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
    std::size_t size_of(std::size_t chunk) const;
    /// Moves the chunks from their latest offsets to each other; returns the message's length.
    std::size_t close_gaps();

    std::int64_t first_chunk_ = 0;
    std::vector<std::size_t> offsets_;  ///< of each chunk in the memory
    std::vector<std::size_t> latest_;   ///< where each begins if those before it are as long as can be
    std::vector<std::byte> memory_;
};

}  // namespace vae_dist
