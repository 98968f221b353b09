#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "train/step/host_messages.hpp"
#include "train/step/shared_parameters.hpp"
#include "train/step/team.hpp"
#include "vae_dist/graph/parameters.hpp"
#include "vae_dist/train/step/shard_plan.hpp"

namespace vae_dist {

/// Brings every rank the parameters that the others have updated: all that a pass reads of them. In a
/// float32 run these are their values; in a bfloat16 run the operands of products, and the values of vectors
/// alone: of matrices each rank then has the values that it owns.
///
/// In a step every rank calls `begin`, `send` for each bucket as soon as its own part of it is updated, and
/// `finish`.
class ParameterGather {
 public:
    ParameterGather(const ShardPlan& plan, const ParameterLayout& layout, SharedParameters& parameters,
                    Backend& backend, Team& team);

    void begin();
    /// This rank's part of a bucket is up to date.
    void send(std::int64_t bucket);
    /// Collective. Returns when all parts are here.
    void finish();

    /// Bytes held besides the store's own.
    std::int64_t bytes() const;

 private:
    /// A part of another host's rank, which this rank receives for its host.
    struct Incoming {
        int from;
        ElementRange part;
        std::vector<std::byte> message;  ///< of a bfloat16 run
        std::size_t number = 0;
    };
    /// This rank's own part of a bucket, and the ranks of other hosts that receive it.
    struct Outgoing {
        ElementRange part;
        std::vector<int> to;
        std::vector<std::byte> message;  ///< of a bfloat16 run
    };
    /// A part that is copied from a neighbour.
    struct Copy {
        int from;
        ElementRange part;
    };

    bool is_bfloat16() const { return !store_.operands.empty(); }
    void plan_transfers(const ShardPlan& plan);
    std::size_t message_bytes(ElementRange part) const;
    void pack(ElementRange part, std::byte* to) const;
    void unpack(const std::byte* from, ElementRange part) const;
    void copy(const Copy& copy) const;
    template <class Visit>
    void for_each_vector(ElementRange part, const Visit& visit) const;

    SharedParameters& parameters_;
    ParameterStore& store_;
    Backend& backend_;
    Team& team_;
    std::vector<ElementRange> vectors_;
    std::vector<Incoming> incoming_;
    std::vector<Outgoing> outgoing_;  ///< of each bucket; none where all ranks are on one host
    std::vector<Copy> copies_;
};

/// Collective. Brings rank 0 all parts of an array, of which each rank has brought its own up to date.
void collect_on_first_rank(const ShardPlan& plan, std::span<float> array, Team& team);

}  // namespace vae_dist
