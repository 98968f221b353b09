#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "comm/watch/link.hpp"
#include "comm/watch/state.hpp"
#include "comm/watch/view.hpp"
#include "vae_dist/core/log.hpp"

namespace vae_dist {

/// Of a process that the watch ends.
inline constexpr std::uint8_t kEndedStatus = 1;

/// What both roles need.
struct WatchSetup {
    const Activity& activity;  ///< of this rank
    const Log& log;
    WatchTime interval;  ///< between two messages of a rank's state
    GroupView::Limits limits;
    std::function<void(int exit_status)> end_process;
};

/// Rank 0: hears of all ranks, tells them of itself, and speaks.
class WatchCenter {
 public:
    /// `links` to the watched ranks other than 0; `hosts` of these and of rank 0.
    WatchCenter(WatchSetup setup, std::map<int, Link> links, const std::map<int, std::string>& hosts,
                const std::map<int, std::string>& unwatched);

    /// Returns when the alarm is set off or, where `end_process` does, the job was ended.
    void run(const Alarm& leaving);
    /// Says goodbye to all: they go on without a watch. The last thing that it does.
    void leave();

 private:
    /// The ranks that there is news from.
    std::vector<int> wait(const Alarm& leaving, WatchTime longest);
    /// Notes who of `ranks` has died in dead_.
    void listen(const std::vector<int>& ranks, WatchTime now);
    void beat(WatchTime now);
    /// False where that was the end.
    bool speak(const GroupView::Finding& finding);
    void end_all(const std::string& why);
    void say_last(const WatchMessage& message);

    WatchSetup setup_;
    std::map<int, Link> links_;
    GroupView view_;
    std::vector<int> dead_;
};

/// Whose turn it is to speak, and to end its process, where rank 0 no longer speaks for all. Nobody knows
/// whether those before him have: a second line is better than none.
enum class WatchTurn {
    deputy,   ///< the first, and the only one to warn
    reserve,  ///< the first of a host that is not the deputy's
    silent,   ///< ends without a word
};

/// Any other rank: tells rank 0 of itself, and ends its process where rank 0 says so or is gone.
class WatchMember {
 public:
    WatchMember(WatchSetup setup, int rank, Link link, const std::string& host_of_first, WatchTurn turn);

    /// As above, both.
    void run(const Alarm& leaving);
    void leave();

 private:
    /// False where nothing is left to do.
    bool listen(const Alarm& leaving, WatchTime now);
    bool beat(WatchTime now);
    /// Rank 0 is dead.
    void mourn(const Alarm& leaving);

    WatchSetup setup_;
    int rank_;
    Link link_;
    WatchTurn turn_;
    bool spoken_ = false;  ///< of the silence of rank 0 that lasts
    GroupView view_;       ///< of rank 0 and this one
};

}  // namespace vae_dist
