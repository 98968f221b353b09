#include <utility>

#include "comm/watch/roles.hpp"

namespace vae_dist {

WatchCenter::WatchCenter(WatchSetup setup, std::map<int, Link> links, const std::map<int, std::string>& hosts,
                         const std::map<int, std::string>& unwatched)
    : setup_(std::move(setup)), links_(std::move(links)), view_(0, hosts, unwatched, setup_.limits) {}

void WatchCenter::run(const Alarm& leaving) {
    LivedTime time;
    WatchTime next_beat{0};
    while (true) {
        const std::vector<int> ranks = wait(leaving, next_beat - time.now());
        if (leaving.is_off()) return leave();
        const WatchTime now = time.now();
        listen(ranks, now);
        if (!dead_.empty()) return end_all(view_.death_message(dead_));
        if (now < next_beat) continue;
        next_beat = now + setup_.interval;
        beat(now);
        const auto finding = view_.look(now);
        if (finding && !speak(*finding)) return;
    }
}

void WatchCenter::leave() {
    say_last({WatchMessage::Kind::goodbye, setup_.activity.state()});
}

std::vector<int> WatchCenter::wait(const Alarm& leaving, WatchTime longest) {
    std::vector<pollfd> waiting;
    std::vector<int> ranks;
    for (const auto& [rank, link] : links_) {
        waiting.push_back({link.descriptor(), POLLIN, 0});
        ranks.push_back(rank);
    }
    waiting.push_back({leaving.descriptor(), POLLIN, 0});
    wait_for_any(waiting, longest);
    std::vector<int> ready;
    for (std::size_t i = 0; i < ranks.size(); ++i) {
        if (waiting[i].revents != 0) ready.push_back(ranks[i]);
    }
    return ready;
}

void WatchCenter::listen(const std::vector<int>& ranks, WatchTime now) {
    for (const int rank : ranks) {
        Link& link = links_.at(rank);
        bool left = false;
        for (const WatchMessage& message : link.receive()) {
            if (message.kind == WatchMessage::Kind::state) {
                view_.heard(rank, message.state, now);
            } else if (message.kind == WatchMessage::Kind::goodbye) {
                view_.heard_goodbye(rank, message.state, now);
                left = true;
            }
        }
        if (left) link.close();
        // An unreachable rank may live: it is silent, and blamed if the others wait.
        if (link.end() == Transfer::End::ended && !left) dead_.push_back(rank);
    }
}

void WatchCenter::beat(WatchTime now) {
    const RankState state = setup_.activity.state();
    view_.heard(0, state, now);
    for (auto& [rank, link] : links_)
        link.send({WatchMessage::Kind::state, state});
}

bool WatchCenter::speak(const GroupView::Finding& finding) {
    switch (finding.kind) {
        case GroupView::Finding::Kind::stalled:
            setup_.log.warn("{}", finding.message);
            return true;
        case GroupView::Finding::Kind::goes_on:
            setup_.log.info("{}", finding.message);
            return true;
        case GroupView::Finding::Kind::over_limit:
            end_all(finding.message + "; it is given up");
            return false;
    }
    return true;
}

void WatchCenter::end_all(const std::string& why) {
    setup_.log.error(why, false);
    say_last({WatchMessage::Kind::end, setup_.activity.state(), kEndedStatus});
    setup_.end_process(kEndedStatus);
}

void WatchCenter::say_last(const WatchMessage& message) {
    std::vector<Link> links;
    for (auto& [rank, link] : links_)
        links.push_back(std::move(link));
    take_leave(std::move(links), message);
}

}  // namespace vae_dist
