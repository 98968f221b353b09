#include "comm/watch/meeting.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <iterator>
#include <memory>
#include <span>
#include <sstream>
#include <utility>
#include <vector>

#include "comm/watch/door.hpp"
#include "vae_dist/comm/topology.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

namespace {

// Long enough for a machine that is busy starting ranks; where a firewall swallows what is sent it delays the
// start, once.
constexpr std::chrono::seconds kPatience{6};

/// What rank 0 may have open besides its connections, while strangers knock too.
constexpr std::size_t kOtherFiles = 1024;

struct Opened {
    Invitation invitation;
    std::unique_ptr<Reception> reception;  ///< null where this machine has no network
};

// A run does not fail for want of a watch.
Opened open_reception(int size, const Log& log) {
    Opened opened;
    opened.invitation.machine = host_name();
    try {
        allow_open_files(static_cast<std::size_t>(size) + kOtherFiles);
        Socket listener = listen_anywhere();
        opened.invitation = invite_to(listener);
        opened.reception = std::make_unique<Reception>(std::move(listener), opened.invitation, size);
    } catch (const std::exception& error) {
        log.warn("dead or stuck ranks will go unnoticed: {}", error.what());
        opened.invitation.port = 0;
    }
    return opened;
}

void sort_ranks(const std::vector<std::vector<std::byte>>& reports, Meeting& meeting) {
    for (std::size_t i = 0; i < reports.size(); ++i) {
        const int rank = static_cast<int>(i);
        std::string report(reinterpret_cast<const char*>(reports[i].data()), reports[i].size());
        const bool here = rank == 0 || (report.front() == '+' && meeting.connections.contains(rank));
        (here ? meeting.hosts : meeting.unwatched)[rank] = report.substr(1);
        if (!here) meeting.connections.erase(rank);
    }
    meeting.speakers = speakers_of(meeting.hosts);
}

// A run does not fail for want of a watch, here too.
Socket try_to_join(const Invitation& invitation, int rank, const Log& log) {
    try {
        return join(invitation, rank, kPatience);
    } catch (const Error& error) {
        log.warn("should this rank die or hang, nobody will say so: {}", error.what());
        return {};
    }
}

void warn_of(const std::map<int, std::string>& unwatched, const Log& log) {
    if (unwatched.empty()) return;
    std::vector<std::string> names;
    for (const auto& [rank, host] : unwatched)
        names.push_back(fmt::format("rank {} (host {})", rank, host));
    log.warn("rank 0 cannot be reached by TCP from {}: should they die or hang, nobody will say so",
             format_list(names, 8));
}

}  // namespace

std::vector<int> speakers_of(const std::map<int, std::string>& hosts) {
    std::map<std::string, int> first;  // rank of each host
    for (const auto& [rank, host] : hosts) {
        if (rank != 0) first.try_emplace(host, rank);
    }
    std::vector<int> speakers;
    for (const auto& [host, rank] : first)
        speakers.push_back(rank);
    const auto order = [&hosts](int rank) { return std::pair(hosts.at(rank) == hosts.at(0), rank); };
    std::sort(speakers.begin(), speakers.end(), [&](int a, int b) { return order(a) < order(b); });
    return speakers;
}

Meeting meet(Communicator& communicator, const Log& log) {
    const int rank = communicator.rank();
    Opened opened;
    if (rank == 0) opened = open_reception(communicator.size(), log);
    const std::string text = broadcast_text(communicator, to_text(opened.invitation), 0);

    Meeting meeting;
    if (rank != 0) {
        const Invitation invitation = invitation_from(text);
        meeting.hosts[0] = invitation.machine;
        if (Socket socket = try_to_join(invitation, rank, log)) meeting.connections[0] = std::move(socket);
    }
    const std::string report = fmt::format("{}{}", meeting.connections.empty() ? '-' : '+', host_name());
    const auto reports = communicator.gather(std::as_bytes(std::span(report)), 0);
    if (rank == 0) {
        if (opened.reception) meeting.connections = opened.reception->close();
        sort_ranks(reports, meeting);
        if (opened.reception) warn_of(meeting.unwatched, log);
    }
    std::istringstream speakers(
        broadcast_text(communicator, fmt::format("{}", fmt::join(meeting.speakers, " ")), 0));
    meeting.speakers.assign(std::istream_iterator<int>(speakers), {});
    return meeting;
}

}  // namespace vae_dist
