#include "train/step/team.hpp"

#include <utility>

namespace vae_dist {

Team::Team(Communicator& communicator, Hosts hosts) : communicator_(communicator), hosts_(std::move(hosts)) {
    if (size() == 1) return;
    messages_ = communicator.make_messages();
    // Collective: of all ranks, though some may be alone on their host.
    barrier_.emplace(communicator, hosts_);
}

void Team::synchronize_neighbours() {
    if (barrier_) barrier_->wait();
}

void Team::publish(std::int64_t progress) {
    if (barrier_) barrier_->publish(progress);
}

std::int64_t Team::published_by(int rank) const {
    return barrier_->published_by(rank);
}

void Team::sum(std::span<std::int64_t> words) {
    if (size() > 1) communicator_.all_reduce_sum(words);
}

}  // namespace vae_dist
