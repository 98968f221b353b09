#include <utility>

#include "comm/failure_detector/roles.hpp"

namespace vae_dist {

DetectorCoordinator::DetectorCoordinator(DetectorSetup setup, std::map<int, MessageConnection> connections,
                                         const std::map<int, std::string>& hosts,
                                         const std::map<int, std::string>& unmonitored)
    : setup_(std::move(setup)),
      connections_(std::move(connections)),
      view_(0, hosts, unmonitored, setup_.limits) {}

void DetectorCoordinator::run(const StopEvent& stop) {
    RunningClock clock;
    DetectorTime next_heartbeat{0};
    while (true) {
        const std::vector<int> ranks = wait(stop, next_heartbeat - clock.now());
        if (stop.is_set()) return leave();
        const DetectorTime now = clock.now();
        receive(ranks, now);
        if (!dead_.empty()) return end_all(view_.dead_ranks_message(dead_));
        if (now < next_heartbeat) continue;
        next_heartbeat = now + setup_.interval;
        send_heartbeats(now);
        const auto finding = view_.check(now);
        if (finding && !report(*finding)) return;
    }
}

void DetectorCoordinator::leave() {
    send_last_to_all({DetectorMessage::Kind::leave, setup_.record.state()});
}

std::vector<int> DetectorCoordinator::wait(const StopEvent& stop, DetectorTime longest) {
    std::vector<pollfd> waiting;
    std::vector<int> ranks;
    for (const auto& [rank, connection] : connections_) {
        waiting.push_back({connection.descriptor(), POLLIN, 0});
        ranks.push_back(rank);
    }
    waiting.push_back({stop.descriptor(), POLLIN, 0});
    wait_for_any(waiting, longest);
    std::vector<int> ready;
    for (std::size_t i = 0; i < ranks.size(); ++i) {
        if (waiting[i].revents != 0) ready.push_back(ranks[i]);
    }
    return ready;
}

void DetectorCoordinator::receive(const std::vector<int>& ranks, DetectorTime now) {
    for (const int rank : ranks) {
        MessageConnection& connection = connections_.at(rank);
        bool left = false;
        for (const DetectorMessage& message : connection.receive()) {
            if (message.kind == DetectorMessage::Kind::heartbeat) {
                view_.record(rank, message.state, now);
            } else if (message.kind == DetectorMessage::Kind::leave) {
                view_.record_leave(rank, message.state, now);
                left = true;
            }
        }
        if (left) connection.close();
        // An unreachable rank may be alive: it is silent, and reported where others wait for it.
        if (connection.state() == ConnectionState::closed && !left) dead_.push_back(rank);
    }
}

void DetectorCoordinator::send_heartbeats(DetectorTime now) {
    const RankState state = setup_.record.state();
    view_.record(0, state, now);
    for (auto& [rank, connection] : connections_)
        connection.send({DetectorMessage::Kind::heartbeat, state});
}

bool DetectorCoordinator::report(const GroupView::Finding& finding) {
    switch (finding.kind) {
        case GroupView::Finding::Kind::stalled:
            setup_.log.warn("{}", finding.message);
            return true;
        case GroupView::Finding::Kind::resumed:
            setup_.log.info("{}", finding.message);
            return true;
        case GroupView::Finding::Kind::over_limit:
            end_all(finding.message + "; it is given up");
            return false;
    }
    return true;
}

void DetectorCoordinator::end_all(const std::string& why) {
    setup_.log.error(why, false);
    send_last_to_all({DetectorMessage::Kind::abort, setup_.record.state(), kAbortStatus});
    setup_.end_process(kAbortStatus);
}

void DetectorCoordinator::send_last_to_all(const DetectorMessage& message) {
    std::vector<MessageConnection> connections;
    connections.reserve(connections_.size());
    for (auto& [rank, connection] : connections_)
        connections.push_back(std::move(connection));
    send_last(std::move(connections), message);
}

}  // namespace vae_dist
