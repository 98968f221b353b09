#include <utility>

#include "comm/failure_detector/roles.hpp"

namespace vae_dist {

namespace {

// Between two reporting ranks after the death of rank 0: launchers end the job within a second.
constexpr DetectorTime kStepAfterDeath{400};
// The same where rank 0 is silent: ranks received its last heartbeat at different times.
constexpr DetectorTime kStepInSilence{3000};
// Before the first report: a launcher that kills all ranks, because one has failed, begins with rank 0. The
// death of rank 0 is then no failure of its own.
constexpr DetectorTime kBeforeReports{150};

GroupView::Limits limits_of_member(GroupView::Limits limits, ReportPriority priority) {
    const DetectorTime later = static_cast<int>(priority) * kStepInSilence;
    limits.limit = std::min(limits.limit, DetectorTime::max() - later) + later;
    return limits;
}

}  // namespace

DetectorMember::DetectorMember(DetectorSetup setup, int rank, MessageConnection connection,
                               const std::string& host_of_rank_0, ReportPriority priority)
    : setup_(std::move(setup)),
      rank_(rank),
      connection_(std::move(connection)),
      priority_(priority),
      view_(rank, {{0, host_of_rank_0}, {rank, ""}}, {}, limits_of_member(setup_.limits, priority)) {}

void DetectorMember::run(const StopEvent& stop) {
    RunningClock clock;
    DetectorTime next_heartbeat{0};
    while (true) {
        std::vector<pollfd> waiting = {{stop.descriptor(), POLLIN, 0}, {connection_.descriptor(), POLLIN, 0}};
        wait_for_any(waiting, next_heartbeat - clock.now());
        if (stop.is_set()) return leave();
        const DetectorTime now = clock.now();
        if (!receive(stop, now)) return;
        if (now < next_heartbeat) continue;
        next_heartbeat = now + setup_.interval;
        if (!send_heartbeat(now)) return;
    }
}

bool DetectorMember::receive(const StopEvent& stop, DetectorTime now) {
    if (!connection_.is_open()) return true;
    for (const DetectorMessage& message : connection_.receive()) {
        if (message.kind == DetectorMessage::Kind::heartbeat) {
            view_.record(0, message.state, now);
            continue;
        }
        connection_.close();
        if (message.kind == DetectorMessage::Kind::abort) setup_.end_process(message.exit_status);
        return false;
    }
    if (connection_.state() != ConnectionState::closed) return true;
    end_without_rank_0(stop);
    return false;
}

void DetectorMember::end_without_rank_0(const StopEvent& stop) {
    std::vector<pollfd> waiting = {{stop.descriptor(), POLLIN, 0}};
    wait_for_any(waiting, kBeforeReports + static_cast<int>(priority_) * kStepAfterDeath);
    if (priority_ != ReportPriority::none) setup_.log.error(view_.dead_ranks_message({0}), true);
    setup_.end_process(kAbortStatus);
}

bool DetectorMember::send_heartbeat(DetectorTime now) {
    const RankState state = setup_.record.state();
    connection_.send({DetectorMessage::Kind::heartbeat, state});
    view_.record(rank_, state, now);
    if (!view_.is_silent(0, now)) {
        if (!warned_) return true;
        warned_ = false;
        setup_.log.warn("rank 0 answers again");
        return true;
    }
    const auto finding = view_.check(now);
    if (!finding) return true;
    if (finding->kind == GroupView::Finding::Kind::over_limit) {
        if (priority_ != ReportPriority::none) setup_.log.error(finding->message + "; it is given up", true);
        // Should rank 0 continue, it must not report the end of this rank as the cause.
        connection_.send({DetectorMessage::Kind::leave, state});
        setup_.end_process(kAbortStatus);
        return false;
    }
    if (priority_ == ReportPriority::first && finding->kind == GroupView::Finding::Kind::stalled) {
        setup_.log.warn("{}", finding->message);
        warned_ = true;
    }
    return true;
}

void DetectorMember::leave() {
    std::vector<MessageConnection> connections;
    connections.push_back(std::move(connection_));
    send_last(std::move(connections), {DetectorMessage::Kind::leave, setup_.record.state()});
}

}  // namespace vae_dist
