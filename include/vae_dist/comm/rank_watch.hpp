#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/core/log.hpp"

namespace vae_dist {

struct RankWatchOptions {
    /// A call that some rank waits in for longer is spoken of; max(): never.
    std::chrono::milliseconds warning = std::chrono::seconds(60);
    /// One that some rank waits in for longer ends the job; max(): never.
    std::chrono::milliseconds limit = std::chrono::minutes(30);
    /// Ends this process at once, without destructors; _exit unless a test watches.
    std::function<void(int exit_status)> end_process = {};
};

/// Watches over a group of ranks through a channel of its own (TCP between each rank and rank 0), served by a
/// thread of its own on each rank, so that what it says does not depend on calls that are stuck.
///
/// - A rank whose process ends without having left the watch is dead: rank 0 says which (host, what it did
///   last) and every rank's process ends with status 1. If it is rank 0 that died, its deputy says so, the
///   first rank on another host where there is one; and a moment later, for the deputy may have died too, the
///   first rank of each host that is not the deputy's. Launchers send SIGTERM to the others in such a moment:
///   a process that ends of it may not come to speak.
/// - Where ranks wait in calls for longer than `warning` without that any call ends, rank 0 warns, once, of
///   those that have not arrived: host, what they do and for how long, or for how long they have been silent;
///   and says when the ranks go on. Where rank 0 itself is silent, its deputy warns of it. Longer than
///   `limit`: that is an error, and every rank's process ends with status 1. Time in which the job as a whole
///   is suspended does not count.
///
/// A rank that cannot reach rank 0, or to which the system refuses what its part in the watch needs, is
/// warned of once and goes unwatched. One whose connection is lost later, because the network is, is silent.
class RankWatch {
 public:
    /// Collective; takes some seconds where firewalls swallow connections. One rank alone needs no watch and
    /// has no thread. `watched` and `log` must outlive it.
    RankWatch(Communicator& watched, const RankWatchOptions& options, const Log& log);
    /// Leaves the watch: the others no longer take this rank's end for its death. Not collective;
    /// takes a second where rank 0 is stuck.
    ~RankWatch();
    RankWatch(const RankWatch&) = delete;
    RankWatch& operator=(const RankWatch&) = delete;

    /// `watched`, with its calls counted. To be used in its place by every rank while the watch lives.
    Communicator& communicator();

 private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace vae_dist
