#pragma once

#include <chrono>
#include <functional>

#include "vae_dist/comm/communicator.hpp"

namespace vae_dist {

/// Runs `body` once for each of `size` ranks, each a thread of this process with a communicator over all of
/// them, and waits for all. Rethrows the first exception that a rank threw.
///
/// A wait for shared memory or for messages fails on its rank: at once where a rank has thrown or aborted, or
/// all that could end it have returned; after `patience` where they are elsewhere. A collective that cannot
/// come to its end fails on every rank in it, with the numbers of the ranks that are missing: at once where a
/// rank has returned or thrown, after `patience` where one is elsewhere. Ranks that make different calls, or
/// the same with different lengths, fail too.
void run_ranks(int size, const std::function<void(Communicator&)>& body,
               std::chrono::milliseconds patience = std::chrono::seconds(30));

}  // namespace vae_dist
