#include "vae_dist/comm/failure_detector.hpp"

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "comm/failure_detector/monitored_communicator.hpp"
#include "comm/failure_detector/rank_connections.hpp"
#include "comm/failure_detector/run_role.hpp"

namespace vae_dist {

namespace {

using std::chrono::milliseconds;

DetectorSetup make_setup(const FailureDetectorOptions& options, const ActivityRecord& record,
                         const Log& log) {
    constexpr milliseconds kShortestInterval{20};
    constexpr milliseconds kLongestInterval{1000};
    constexpr milliseconds kShortestTimeout{2000};
    const milliseconds interval =
        std::clamp(std::min(options.warning, options.limit) / 4, kShortestInterval, kLongestInterval);
    const milliseconds silence_timeout = std::max(3 * interval, kShortestTimeout);
    return {record,
            log,
            interval,
            {options.warning, options.limit, silence_timeout},
            options.end_process ? options.end_process : [](int status) { ::_exit(status); }};
}

ReportPriority priority_of(int rank, const std::vector<int>& reporting) {
    const auto place = std::find(reporting.begin(), reporting.end(), rank);
    if (place == reporting.end()) return ReportPriority::none;
    return place == reporting.begin() ? ReportPriority::first : ReportPriority::second;
}

}  // namespace

class FailureDetector::Impl {
 public:
    Impl(Communicator& monitored, const FailureDetectorOptions& options, const Log& log)
        : setup_(make_setup(options, record_, log)), communicator_(monitored, record_) {
        if (monitored.size() == 1) return;
        RankConnections ranks = connect_ranks(monitored, log);
        if (monitored.rank() == 0) {
            start_coordinator(std::move(ranks));
        } else if (!ranks.sockets.empty()) {
            start_member(monitored.rank(), std::move(ranks));
        }
    }

    ~Impl() { stop_.set(); }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    Communicator& communicator() { return communicator_; }

 private:
    void start_coordinator(RankConnections ranks) {
        std::map<int, MessageConnection> connections;
        for (auto& [rank, socket] : ranks.sockets)
            connections.emplace(rank, std::move(socket));
        start(std::make_shared<DetectorCoordinator>(setup_, std::move(connections), ranks.hosts,
                                                    ranks.unmonitored));
    }

    void start_member(int rank, RankConnections ranks) {
        MessageConnection connection(std::move(ranks.sockets.at(0)));
        start(std::make_shared<DetectorMember>(setup_, rank, std::move(connection), ranks.hosts.at(0),
                                               priority_of(rank, ranks.reporting)));
    }

    template <class Role>
    void start(const std::shared_ptr<Role>& role) {
        try {
            thread_ = std::jthread([this, role] { run_role(*role, stop_, setup_); });
        } catch (const std::system_error& error) {
            leave_after_error(*role, setup_.log, error);
        }
    }

    ActivityRecord record_;
    DetectorSetup setup_;
    MonitoredCommunicator communicator_;
    StopEvent stop_;
    std::jthread thread_;
};

FailureDetector::FailureDetector(Communicator& monitored, const FailureDetectorOptions& options,
                                 const Log& log)
    : impl_(std::make_unique<Impl>(monitored, options, log)) {}

FailureDetector::~FailureDetector() = default;

Communicator& FailureDetector::communicator() {
    return impl_->communicator();
}

}  // namespace vae_dist
