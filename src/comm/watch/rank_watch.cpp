#include "vae_dist/comm/rank_watch.hpp"

#include <unistd.h>

#include <algorithm>
#include <exception>
#include <thread>
#include <utility>

#include "comm/watch/communicator.hpp"
#include "comm/watch/meeting.hpp"
#include "comm/watch/roles.hpp"

namespace vae_dist {

namespace {

using std::chrono::milliseconds;

WatchSetup make_setup(const RankWatchOptions& options, const Activity& activity, const Log& log) {
    constexpr milliseconds kShortest{20};
    constexpr milliseconds kLongest{1000};
    constexpr milliseconds kLeastSilence{2000};
    const milliseconds interval =
        std::clamp(std::min(options.warning, options.limit) / 4, kShortest, kLongest);
    const milliseconds silence = std::max(3 * interval, kLeastSilence);
    return {activity,
            log,
            interval,
            {options.warning, options.limit, silence},
            options.end_process ? options.end_process : [](int status) { ::_exit(status); }};
}

/// A failure of the watch ends the run: the others could take it for this rank's death.
template <class Role>
void run_role(Role& role, const Alarm& leaving, const WatchSetup& setup) {
    try {
        role.run(leaving);
    } catch (const std::exception& error) {
        setup.log.error(fmt::format("the watch over the ranks failed: {}", error.what()), true);
        setup.end_process(kEndedStatus);
    }
}

}  // namespace

class RankWatch::Impl {
 public:
    Impl(Communicator& watched, const RankWatchOptions& options, const Log& log)
        : setup_(make_setup(options, activity_, log)), communicator_(watched, activity_) {
        if (watched.size() == 1) return;
        Meeting meeting = meet(watched, log);
        if (watched.rank() == 0) {
            start_center(std::move(meeting));
        } else if (!meeting.connections.empty()) {
            start_member(watched.rank(), std::move(meeting));
        }
    }

    ~Impl() { leaving_.set_off(); }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    Communicator& communicator() { return communicator_; }

 private:
    void start_center(Meeting meeting) {
        std::map<int, Link> links;
        for (auto& [rank, socket] : meeting.connections)
            links.emplace(rank, std::move(socket));
        start(WatchCenter(setup_, std::move(links), meeting.hosts, meeting.unwatched));
    }

    void start_member(int rank, Meeting meeting) {
        Link link(std::move(meeting.connections.at(0)));
        start(WatchMember(setup_, rank, std::move(link), meeting.hosts.at(0), rank == meeting.deputy));
    }

    template <class Role>
    void start(Role role) {
        thread_ =
            std::jthread([this, role = std::move(role)]() mutable { run_role(role, leaving_, setup_); });
    }

    Activity activity_;
    WatchSetup setup_;
    WatchedCommunicator communicator_;
    Alarm leaving_;
    std::jthread thread_;
};

RankWatch::RankWatch(Communicator& watched, const RankWatchOptions& options, const Log& log)
    : impl_(std::make_unique<Impl>(watched, options, log)) {}

RankWatch::~RankWatch() = default;

Communicator& RankWatch::communicator() {
    return impl_->communicator();
}

}  // namespace vae_dist
