#pragma once

#include <chrono>
#include <exception>
#include <functional>

#include "vae_dist/comm/communicator.hpp"

namespace vae_dist {

/// How long a rank that failed waits for the others, so that all may fail with one voice.
inline constexpr std::chrono::seconds kPatience{4};

/// Collective. Does `work` on every rank; if it throws on any, every rank throws the error of the lowest such
/// rank, of the same kind and marked as `on_all_ranks`; the message names the rank ("rank 1: ...") unless all
/// ranks failed with the same words. Exceptions that are no `Error` become one: a failure with their message.
/// `work` itself must not use the communicator.
///
/// Ranks that are done wait for the others as long as it takes. A rank that failed waits for `patience`; then
/// it throws its own error, not marked, and the others, still at work, must be ended by `abort`.
void run_together(Communicator& communicator, const std::function<void()>& work,
                  std::chrono::milliseconds patience = kPatience);

/// Collective. Rank 0 alone does `work`, the others wait for it; its error is thrown on every rank as it is.
void run_on_first_rank(Communicator& communicator, const std::function<void()>& work);

/// Collective; at least one rank has an error, the others pass nullptr. Throws as above, on every rank.
[[noreturn]] void throw_together(Communicator& communicator, std::exception_ptr mine);

}  // namespace vae_dist
