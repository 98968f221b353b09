#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/core/log.hpp"

namespace vae_dist {

struct FailureDetectorOptions {
    /// A call that some rank waits in for longer leads to a warning; max(): never.
    std::chrono::milliseconds warning = std::chrono::seconds(60);
    /// A call that some rank waits in for longer ends the job; max(): never.
    std::chrono::milliseconds limit = std::chrono::minutes(30);
    /// Ends this process at once, without destructors; _exit, but in tests.
    std::function<void(int exit_status)> end_process = {};
};

/// Detects dead and stalled ranks by heartbeats over TCP connections between rank 0 and each other rank.
/// A thread on each rank sends and receives them, so that calls that never return do not matter.
///
/// - A rank whose connection is closed without a leave message is dead. Rank 0 reports it with its host
///   and last activity, and every rank's process ends with status 1. The first reporting rank, which is
///   on another host if there is one, reports the death of rank 0. A moment later the first rank of each
///   remaining host reports it too, for the first reporting rank may be dead as well. Launchers send
///   SIGTERM to the other ranks at such a moment: a process that SIGTERM ends may end before its report.
/// - Ranks stall where some wait in calls for longer than `warning` and no call ends. Rank 0 then warns,
///   once, of the ranks that have not arrived: host, activity and its duration, or how long the rank is
///   silent. It also reports when the ranks go on. Where rank 0 itself is silent, the first reporting
///   rank warns of it. After `limit` this is an error, and every rank's process ends with status 1. Time
///   in which the whole job is suspended does not count.
///
/// A warning names, once, a rank that cannot connect to rank 0, or to which the system refuses a socket
/// or a thread. Such a rank is not monitored. A rank whose connection the network loses later is silent.
class FailureDetector {
 public:
    /// Collective; takes some seconds where firewalls drop packets. A rank that is alone has no thread.
    /// `monitored` and `log` must outlive the detector.
    FailureDetector(Communicator& monitored, const FailureDetectorOptions& options, const Log& log);
    /// Sends a leave message: the end of this process is then no failure. Not collective; takes a second
    /// where rank 0 does not answer.
    ~FailureDetector();
    FailureDetector(const FailureDetector&) = delete;
    FailureDetector& operator=(const FailureDetector&) = delete;

    /// `monitored`, with its calls counted. Every rank uses it in place of `monitored` while the detector
    /// exists.
    Communicator& communicator();

 private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace vae_dist
