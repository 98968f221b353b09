#pragma once

#include <exception>

#include "comm/watch/roles.hpp"

namespace vae_dist {

/// Lets `role` go, after a failure, and tells the others: they would take the lost connection for this rank's
/// death.
template <class Role>
void give_up(Role& role, const Log& log, const std::exception& error) {
    log.warn("the watch over {} is given up: {}", log.rank() == 0 ? "the ranks" : "this rank", error.what());
    role.leave();
}

/// Runs `role` on a thread of its own. A run does not fail for want of a watch, unless not even that can be
/// told.
template <class Role>
void run_role(Role& role, const Alarm& leaving, const WatchSetup& setup) {
    try {
        try {
            role.run(leaving);
        } catch (const std::exception& error) {
            give_up(role, setup.log, error);
        }
    } catch (const std::exception& error) {
        setup.log.error(fmt::format("the watch over the ranks failed: {}", error.what()), true);
        setup.end_process(kEndedStatus);
    }
}

}  // namespace vae_dist
