#include <utility>

#include "comm/watch/roles.hpp"

namespace vae_dist {

namespace {

// Between the turns: where rank 0 is dead launchers end the job within a second; where it is silent ranks
// have heard of it last at different times. Before the first one: a launcher that kills all ranks, for one of
// them has failed, begins with rank 0, whose end is then no news.
constexpr WatchTime kBeforeTurns{150};
constexpr WatchTime kTurnAfterDeath{400};
constexpr WatchTime kTurnInSilence{3000};

GroupView::Limits of_member(GroupView::Limits limits, WatchTurn turn) {
    const WatchTime later = static_cast<int>(turn) * kTurnInSilence;
    limits.limit = std::min(limits.limit, WatchTime::max() - later) + later;
    return limits;
}

}  // namespace

WatchMember::WatchMember(WatchSetup setup, int rank, Link link, const std::string& host_of_first,
                         WatchTurn turn)
    : setup_(std::move(setup)),
      rank_(rank),
      link_(std::move(link)),
      turn_(turn),
      view_(rank, {{0, host_of_first}, {rank, ""}}, {}, of_member(setup_.limits, turn)) {}

void WatchMember::run(const Alarm& leaving) {
    LivedTime time;
    WatchTime next_beat{0};
    while (true) {
        std::vector<pollfd> waiting = {{leaving.descriptor(), POLLIN, 0}, {link_.descriptor(), POLLIN, 0}};
        wait_for_any(waiting, next_beat - time.now());
        if (leaving.is_off()) return leave();
        const WatchTime now = time.now();
        if (!listen(leaving, now)) return;
        if (now < next_beat) continue;
        next_beat = now + setup_.interval;
        if (!beat(now)) return;
    }
}

bool WatchMember::listen(const Alarm& leaving, WatchTime now) {
    if (!link_.is_open()) return true;
    for (const WatchMessage& message : link_.receive()) {
        if (message.kind == WatchMessage::Kind::state) {
            view_.heard(0, message.state, now);
            continue;
        }
        link_.close();
        if (message.kind == WatchMessage::Kind::end) setup_.end_process(message.exit_status);
        return false;
    }
    if (link_.end() != Transfer::End::ended) return true;
    mourn(leaving);
    return false;
}

void WatchMember::mourn(const Alarm& leaving) {
    std::vector<pollfd> waiting = {{leaving.descriptor(), POLLIN, 0}};
    wait_for_any(waiting, kBeforeTurns + static_cast<int>(turn_) * kTurnAfterDeath);
    if (turn_ != WatchTurn::silent) setup_.log.error(view_.death_message({0}), true);
    setup_.end_process(kEndedStatus);
}

bool WatchMember::beat(WatchTime now) {
    const RankState state = setup_.activity.state();
    link_.send({WatchMessage::Kind::state, state});
    view_.heard(rank_, state, now);
    if (!view_.is_silent(0, now)) {
        if (!spoken_) return true;
        spoken_ = false;
        setup_.log.warn("rank 0 is heard again");
        return true;
    }
    const auto finding = view_.look(now);
    if (!finding) return true;
    if (finding->kind == GroupView::Finding::Kind::over_limit) {
        if (turn_ != WatchTurn::silent) setup_.log.error(finding->message + "; it is given up", true);
        // Should rank 0 wake up, it must not take this for the death that was the matter.
        link_.send({WatchMessage::Kind::goodbye, state});
        setup_.end_process(kEndedStatus);
        return false;
    }
    if (turn_ == WatchTurn::deputy && finding->kind == GroupView::Finding::Kind::stalled) {
        setup_.log.warn("{}", finding->message);
        spoken_ = true;
    }
    return true;
}

void WatchMember::leave() {
    std::vector<Link> links;
    links.push_back(std::move(link_));
    take_leave(std::move(links), {WatchMessage::Kind::goodbye, setup_.activity.state()});
}

}  // namespace vae_dist
