#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "vae_dist/backend/backend.hpp"
#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/comm/messages.hpp"
#include "vae_dist/comm/shared_memory.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

/// The ranks of a run as they work together in a step: those of one host read each other's memory, between
/// hosts go messages.
class Team {
 public:
    /// Collective.
    Team(Communicator& communicator, Hosts hosts);

    Communicator& communicator() { return communicator_; }
    int rank() const { return communicator_.rank(); }
    int size() const { return communicator_.size(); }
    const Hosts& hosts() const { return hosts_; }
    bool one_host() const { return hosts_.count() == 1; }
    /// The ranks of this rank's host, this one among them.
    const std::vector<int>& neighbours() const { return hosts_.of(rank()); }

    /// The rank of a host that exchanges messages for it with `owner`, a rank of another host.
    int correspondent(int host, int owner) const {
        const std::vector<int>& ranks = hosts_.ranks[static_cast<std::size_t>(host)];
        return ranks[static_cast<std::size_t>(owner) % ranks.size()];
    }

    /// Collective. Ranks of this host wait for each other; what each wrote before is there for the others.
    void synchronize_neighbours();
    /// How far this rank has come, a number that only grows: what it wrote before is there for a neighbour
    /// that sees it.
    void publish(std::int64_t progress);
    std::int64_t published_by(int rank) const;

    /// Between all ranks; only where there are several.
    Messages& messages() { return *messages_; }
    /// Waits until all messages that were started are complete.
    void complete_messages() {
        if (messages_) messages_->wait_all();
    }

    /// Collective. `words` of all ranks, added up.
    void sum(std::span<std::int64_t> words);

 private:
    Communicator& communicator_;
    Hosts hosts_;
    std::optional<HostBarrier> barrier_;  ///< where there are other ranks
    std::unique_ptr<Messages> messages_;  ///< where there are other ranks
};

/// An array of each rank that its neighbours read in place; plain memory of the backend where no rank has
/// any. Copies of the handle are one array, which lives until the last of them is gone.
template <class T>
class HostArray {
 public:
    /// Collective; `count` is the same on all ranks of a host. All zeros.
    HostArray(Team& team, Backend& backend, std::size_t count) {
        if (team.hosts().count() < team.size()) {
            shared_ = std::make_shared<SharedArrays>(team.communicator(), team.hosts(), count * sizeof(T));
            mine_ = {reinterpret_cast<T*>(shared_->mine().data()), count};
        } else {
            own_ = std::make_shared<Buffer>(backend.allocate(count * sizeof(T)));
            mine_ = own_->span<T>();
        }
    }

    std::span<T> mine() const { return mine_; }
    /// The array of a neighbour, or of this rank.
    std::span<const T> of(int rank) const {
        if (!shared_) return mine_;
        return {reinterpret_cast<const T*>(shared_->of(rank).data()), mine_.size()};
    }
    /// This rank's memory as a buffer, which keeps it alive.
    Buffer buffer() const {
        return {reinterpret_cast<std::byte*>(mine_.data()), mine_.size_bytes(),
                [shared = shared_, own = own_](std::byte*) {}};
    }
    std::int64_t bytes() const { return static_cast<std::int64_t>(mine_.size_bytes()); }

 private:
    std::shared_ptr<SharedArrays> shared_;
    std::shared_ptr<Buffer> own_;
    std::span<T> mine_;
};

}  // namespace vae_dist
