#include "vae_dist/comm/rank_watch.hpp"

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "comm/watch/communicator.hpp"
#include "comm/watch/meeting.hpp"
#include "comm/watch/run_role.hpp"

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

WatchTurn turn_of(int rank, const std::vector<int>& speakers) {
    const auto place = std::find(speakers.begin(), speakers.end(), rank);
    if (place == speakers.end()) return WatchTurn::silent;
    return place == speakers.begin() ? WatchTurn::deputy : WatchTurn::reserve;
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
        start(std::make_shared<WatchCenter>(setup_, std::move(links), meeting.hosts, meeting.unwatched));
    }

    void start_member(int rank, Meeting meeting) {
        Link link(std::move(meeting.connections.at(0)));
        start(std::make_shared<WatchMember>(setup_, rank, std::move(link), meeting.hosts.at(0),
                                            turn_of(rank, meeting.speakers)));
    }

    template <class Role>
    void start(const std::shared_ptr<Role>& role) {
        try {
            thread_ = std::jthread([this, role] { run_role(*role, leaving_, setup_); });
        } catch (const std::system_error& error) {
            give_up(*role, setup_.log, error);
        }
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
