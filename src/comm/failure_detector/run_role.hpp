#pragma once

#include <exception>

#include "comm/failure_detector/roles.hpp"

namespace vae_dist {

/// Ends `role` after an error of it, with a leave message: the other ranks would take the lost connection for
/// a failure of this rank.
template <class Role>
void leave_after_error(Role& role, const Log& log, const std::exception& error) {
    log.warn("{} no longer monitored for failures: {}", log.rank() == 0 ? "the ranks are" : "this rank is",
             error.what());
    role.leave();
}

/// Runs `role` on the calling thread. A run goes on without failure detection, unless the other ranks cannot
/// be told so.
template <class Role>
void run_role(Role& role, const StopEvent& stop, const DetectorSetup& setup) {
    try {
        try {
            role.run(stop);
        } catch (const std::exception& error) {
            leave_after_error(role, setup.log, error);
        }
    } catch (const std::exception& error) {
        setup.log.error(fmt::format("the detection of failed ranks failed: {}", error.what()), true);
        setup.end_process(kAbortStatus);
    }
}

}  // namespace vae_dist
