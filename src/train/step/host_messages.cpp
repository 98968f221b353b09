#include "train/step/host_messages.hpp"

#include <cstring>
#include <limits>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

BucketRoutes routes_to_owners(const Team& team, const ShardPlan& plan, std::int64_t bucket) {
    BucketRoutes routes;
    const int here = team.hosts().host_of[static_cast<std::size_t>(team.rank())];
    for (int owner = 0; owner < team.size(); ++owner) {
        const ElementRange part = plan.part(bucket, owner);
        const int there = team.hosts().host_of[static_cast<std::size_t>(owner)];
        if (part.empty()) continue;
        if (there != here && team.correspondent(here, owner) == team.rank())
            routes.outgoing.push_back({owner, part});
        if (owner != team.rank()) continue;
        for (int host = 0; host < team.hosts().count(); ++host) {
            if (host != here) routes.incoming.push_back(team.correspondent(host, owner));
        }
    }
    return routes;
}

void ChunkedMessage::set_size(std::size_t chunk, std::size_t size) {
    require(size <= std::numeric_limits<std::uint32_t>::max(), "a chunk of a message has less than 4 GiB");
    const auto small = static_cast<std::uint32_t>(size);
    std::memcpy(memory_.data() + chunk * sizeof(small), &small, sizeof(small));
}

std::size_t ChunkedMessage::size_of(std::size_t chunk) const {
    std::uint32_t size = 0;
    std::memcpy(&size, memory_.data() + chunk * sizeof(size), sizeof(size));
    return size;
}

std::size_t ChunkedMessage::close_gaps() {
    std::size_t end = table_bytes();
    for (std::size_t chunk = 0; chunk < latest_.size(); ++chunk) {
        std::memmove(memory_.data() + end, memory_.data() + latest_[chunk], size_of(chunk));
        end += size_of(chunk);
    }
    return end;
}

void ChunkedMessage::open(std::size_t bytes) {
    std::size_t at = table_bytes();
    for (std::size_t chunk = 0; chunk < offsets_.size(); ++chunk) {
        offsets_[chunk] = at;
        at += size_of(chunk);
    }
    require(at == bytes, "a message between hosts is as long as its chunks");
}

}  // namespace vae_dist
