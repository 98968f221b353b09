#include "comm/failure_detector/rank_connections.hpp"

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

#include "comm/failure_detector/endpoint.hpp"
#include "vae_dist/comm/topology.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

namespace {

// Long enough for a host that is busy with the start of ranks. A firewall that drops packets delays the start
// of the job by so much, once.
constexpr std::chrono::seconds kConnectTimeout{6};

/// Files that rank 0 may have open besides the connections of ranks, those of other programs included.
constexpr std::size_t kOtherFiles = 1024;

/// What rank 0 offers to the other ranks.
struct Opened {
    Endpoint endpoint;
    std::unique_ptr<ConnectionAcceptor> acceptor;  ///< null where this host has no network
};

// A run goes on where failure detection is not possible.
Opened open_acceptor(int size, const Log& log) {
    Opened opened;
    opened.endpoint.host = host_name();
    try {
        allow_open_files(static_cast<std::size_t>(size) + kOtherFiles);
        Socket listener = listen_on_all_addresses();
        opened.endpoint = endpoint_of(listener);
        opened.acceptor = std::make_unique<ConnectionAcceptor>(std::move(listener), opened.endpoint, size);
    } catch (const std::exception& error) {
        log.warn("dead or stuck ranks will go unnoticed: {}", error.what());
        opened.endpoint.port = 0;
    }
    return opened;
}

/// Tells monitored from unmonitored ranks. Each rank's report is its host's name after a '+', or after a '-'
/// where it has no connection.
void sort_ranks(const std::vector<std::vector<std::byte>>& reports, RankConnections& ranks) {
    for (std::size_t i = 0; i < reports.size(); ++i) {
        const int rank = static_cast<int>(i);
        std::string report(reinterpret_cast<const char*>(reports[i].data()), reports[i].size());
        const bool connected = rank == 0 || (report.front() == '+' && ranks.sockets.contains(rank));
        (connected ? ranks.hosts : ranks.unmonitored)[rank] = report.substr(1);
        if (!connected) ranks.sockets.erase(rank);
    }
    ranks.reporting = reporting_ranks(ranks.hosts);
}

// A run goes on where failure detection is not possible, here too.
Socket try_to_connect(const Endpoint& endpoint, int rank, const Log& log) {
    try {
        return connect_to(endpoint, rank, kConnectTimeout);
    } catch (const Error& error) {
        log.warn("if this rank dies or hangs, no message will name it: {}", error.what());
        return {};
    }
}

void warn_of(const std::map<int, std::string>& unmonitored, const Log& log) {
    if (unmonitored.empty()) return;
    std::vector<std::string> names;
    names.reserve(unmonitored.size());
    for (const auto& [rank, host] : unmonitored)
        names.push_back(fmt::format("rank {} (host {})", rank, host));
    log.warn("rank 0 cannot be reached by TCP from {}: if they die or hang, no message will name them",
             format_list(names, 8));
}

}  // namespace

std::vector<int> reporting_ranks(const std::map<int, std::string>& hosts) {
    std::map<std::string, int> first;  // the first rank of each host
    for (const auto& [rank, host] : hosts) {
        if (rank != 0) first.try_emplace(host, rank);
    }
    std::vector<int> reporting;
    reporting.reserve(first.size());
    for (const auto& [host, rank] : first)
        reporting.push_back(rank);
    const auto order = [&hosts](int rank) { return std::pair(hosts.at(rank) == hosts.at(0), rank); };
    std::sort(reporting.begin(), reporting.end(), [&](int a, int b) { return order(a) < order(b); });
    return reporting;
}

RankConnections connect_ranks(Communicator& communicator, const Log& log) {
    const int rank = communicator.rank();
    Opened opened;
    if (rank == 0) opened = open_acceptor(communicator.size(), log);
    const std::string text = broadcast_text(communicator, to_text(opened.endpoint), 0);

    RankConnections ranks;
    if (rank != 0) {
        const Endpoint endpoint = endpoint_from(text);
        ranks.hosts[0] = endpoint.host;
        if (Socket socket = try_to_connect(endpoint, rank, log)) ranks.sockets[0] = std::move(socket);
    }
    const std::string report = fmt::format("{}{}", ranks.sockets.empty() ? '-' : '+', host_name());
    const auto reports = communicator.gather(std::as_bytes(std::span(report)), 0);
    if (rank == 0) {
        if (opened.acceptor) ranks.sockets = opened.acceptor->finish();
        sort_ranks(reports, ranks);
        if (opened.acceptor) warn_of(ranks.unmonitored, log);
    }
    std::istringstream reporting(
        broadcast_text(communicator, fmt::format("{}", fmt::join(ranks.reporting, " ")), 0));
    ranks.reporting.assign(std::istream_iterator<int>(reporting), {});
    return ranks;
}

}  // namespace vae_dist
