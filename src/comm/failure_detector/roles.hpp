#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "comm/failure_detector/activity.hpp"
#include "comm/failure_detector/group_view.hpp"
#include "comm/failure_detector/message_connection.hpp"
#include "vae_dist/core/log.hpp"

namespace vae_dist {

/// The exit status of a process that the failure detector ends.
inline constexpr std::uint8_t kAbortStatus = 1;

/// What both roles need.
struct DetectorSetup {
    const ActivityRecord& record;  ///< of this rank
    const Log& log;
    DetectorTime interval;  ///< between two heartbeats
    GroupView::Limits limits;
    std::function<void(int exit_status)> end_process;
};

/// The role of rank 0: receives the heartbeats of all ranks, sends its own, and reports failures.
class DetectorCoordinator {
 public:
    /// `connections` to the monitored ranks other than 0; `hosts` of these and of rank 0.
    DetectorCoordinator(DetectorSetup setup, std::map<int, MessageConnection> connections,
                        const std::map<int, std::string>& hosts,
                        const std::map<int, std::string>& unmonitored);

    /// Returns when `stop` is set or, where `end_process` returns, when the job was ended.
    void run(const StopEvent& stop);
    /// Sends a leave message to all ranks, which go on without failure detection. Nothing may be called after
    /// it.
    void leave();

 private:
    /// The ranks from which something has arrived.
    std::vector<int> wait(const StopEvent& stop, DetectorTime longest);
    /// Takes in the messages of `ranks`; adds those that have died to dead_.
    void receive(const std::vector<int>& ranks, DetectorTime now);
    void send_heartbeats(DetectorTime now);
    /// False where the job was ended.
    bool report(const GroupView::Finding& finding);
    void end_all(const std::string& why);
    void send_last_to_all(const DetectorMessage& message);

    DetectorSetup setup_;
    std::map<int, MessageConnection> connections_;
    GroupView view_;
    std::vector<int> dead_;
};

/// In what order ranks report a failure of rank 0 and end their processes. It is not known whether those
/// before it have reported: a second report is better than none.
enum class ReportPriority {
    first,   ///< reports first, and is the only one to warn
    second,  ///< the first rank of a host without the first reporting rank
    none,    ///< ends without a report
};

/// The role of any other rank: sends heartbeats to rank 0, and ends its process where rank 0 asks for it or
/// has failed.
class DetectorMember {
 public:
    DetectorMember(DetectorSetup setup, int rank, MessageConnection connection,
                   const std::string& host_of_rank_0, ReportPriority priority);

    /// As of the coordinator, both.
    void run(const StopEvent& stop);
    void leave();

 private:
    /// Both are false where the role is over.
    bool receive(const StopEvent& stop, DetectorTime now);
    bool send_heartbeat(DetectorTime now);
    /// Reports the death of rank 0, in this rank's turn, and ends the process.
    void end_without_rank_0(const StopEvent& stop);

    DetectorSetup setup_;
    int rank_;
    MessageConnection connection_;
    ReportPriority priority_;
    bool warned_ = false;  ///< of the present silence of rank 0
    GroupView view_;       ///< of rank 0 and this one
};

}  // namespace vae_dist
