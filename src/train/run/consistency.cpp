#include "vae_dist/train/run/consistency.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/comm/topology.hpp"
#include "vae_dist/config/load.hpp"
#include "vae_dist/core/checksum.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/train/run/training_data.hpp"

namespace vae_dist {

namespace {

// --- Data

std::uint32_t checksum_of_some_rows(RowSource& data) {
    std::vector<std::byte> row(data.row_bytes());
    std::uint32_t sum = 0;
    for (const std::int64_t number : {std::int64_t{0}, data.rows() / 2, data.rows() - 1}) {
        data.read(number, 1, row.data());
        sum = crc32_of(row, sum);
    }
    return sum;
}

// What is compared of data, item by item in the words of a message.
std::vector<std::string> described(RowSource& data) {
    std::vector<std::string> items = {
        fmt::format("{} of {}", counted(data.rows(), "sample"), form_of(data)),
        fmt::format("samples stored in blocks of the checksum {:08x}", data_fingerprint(data))};
    for (const SourceFile& file : data.files())
        items.push_back(fmt::format("the file {} of {}", file.name, counted(file.bytes, "byte")));
    items.push_back(
        fmt::format("a first, middle and last sample of the checksum {:08x}", checksum_of_some_rows(data)));
    return items;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);)
        lines.push_back(line);
    return lines;
}

// --- Parameters

struct Vote {
    std::uint32_t checksum = 0;
    std::string host;
};

// On rank 0 those of all ranks.
std::vector<Vote> gather_votes(std::uint32_t checksum, Communicator& communicator) {
    std::string mine(sizeof(checksum), '\0');
    std::memcpy(mine.data(), &checksum, sizeof(checksum));
    mine += host_name();
    std::vector<Vote> votes;
    for (const auto& bytes : communicator.gather(std::as_bytes(std::span(mine)), 0)) {
        require(bytes.size() >= sizeof(checksum), "every rank sends its checksum");
        Vote& vote = votes.emplace_back();
        std::memcpy(&vote.checksum, bytes.data(), sizeof(checksum));
        vote.host.assign(reinterpret_cast<const char*>(bytes.data()) + sizeof(checksum),
                         bytes.size() - sizeof(checksum));
    }
    return votes;
}

void require_unanimity(const std::vector<Vote>& votes, std::int64_t step) {
    std::map<std::uint32_t, std::size_t> count;
    for (const Vote& vote : votes)
        ++count[vote.checksum];
    if (count.size() == 1) return;
    std::uint32_t right = votes[0].checksum;
    for (const auto& [checksum, ranks] : count) {
        if (ranks > count[right]) right = checksum;
    }
    std::vector<std::string> others;
    std::vector<std::string> most;
    for (std::size_t rank = 0; rank < votes.size(); ++rank) {
        auto& group = votes[rank].checksum == right ? most : others;
        group.push_back(fmt::format("{} (host {})", rank, votes[rank].host));
    }
    const auto ranks = [](const std::vector<std::string>& group) {
        return fmt::format("rank{} {}", group.size() == 1 ? "" : "s", format_list(group, 8));
    };
    throw_failure(
        "before step {} the parameters of {} are not those of {}: a machine's memory or processor erred, or "
        "this is a bug in vae_dist. Checkpoints written since the comparison before this one may hold the "
        "error: move them away to go on from an earlier one",
        step, ranks(others), ranks(most));
}

}  // namespace

void require_same_program(Communicator& communicator, const ProgramBuild& mine) {
    const std::string version = broadcast_text(communicator, mine.version, 0);
    const std::string first = broadcast_text(communicator, to_text(mine), 0);
    run_together(communicator, [&] {
        const bool both_read = mine.checksum && first != version;
        if (both_read ? to_text(mine) == first : mine.version == version) return;
        throw_input_error(
            "it runs another build of vae_dist ({}) than rank 0 ({}); give all machines the same executable",
            to_text(mine), first);
    });
}

void require_same_on_all_ranks(const Config& config, Communicator& communicator) {
    const auto without_paths = [](Config some) {
        some.output.directory.clear();
        if (some.data.train) some.data.train->files.clear();
        if (some.data.validation) some.data.validation->files.clear();
        return some;
    };
    const std::string first = broadcast_text(communicator, to_yaml(config), 0);
    run_together(communicator, [&] {
        const Config firsts = parse_config(first, "the configuration of rank 0", {}, false);
        const auto different = differences(without_paths(config), without_paths(firsts));
        if (different.empty()) return;
        throw_input_error("it was given another configuration than rank 0: {}", format_list(different));
    });
}

void require_same_on_all_ranks(RowSource& data, const char* key, Communicator& communicator) {
    if (communicator.size() == 1) return;
    std::string mine;
    run_together(communicator, [&] { mine = fmt::format("{}", fmt::join(described(data), "\n")); });
    const std::string first = broadcast_text(communicator, mine, 0);
    run_together(communicator, [&] {
        if (mine == first) return;
        std::vector<std::string> ours = lines_of(mine);
        std::vector<std::string> theirs = lines_of(first);
        ours.resize(std::max(ours.size(), theirs.size()), "no more files");
        theirs.resize(ours.size(), "no more files");
        const auto [here, there] = std::mismatch(ours.begin(), ours.end(), theirs.begin());
        throw_input_error("the ranks see different data in {}: {} here, {} on rank 0", key, *here, *there);
    });
}

std::uint32_t parameter_checksum(const ParameterLayout& layout, const ParameterStore& store,
                                 Backend& backend) {
    std::uint32_t sum = 0;
    const auto add = [&](const auto& numbers) {
        constexpr std::size_t kPiece = std::size_t{1} << 20;
        std::vector<std::byte> piece(std::min(kPiece, numbers.size_bytes()));
        const auto* const bytes = reinterpret_cast<const std::byte*>(numbers.data());
        for (std::size_t first = 0; first < numbers.size_bytes(); first += kPiece) {
            const auto part = std::span(piece).first(std::min(kPiece, numbers.size_bytes() - first));
            backend.copy_out(part.data(), bytes + first, part.size());
            sum = crc32_of(part, sum);
        }
    };
    if (store.operands.empty()) {
        add(store.values);
        return sum;
    }
    add(store.operands);
    for (const Parameter& parameter : layout.parameters()) {
        if (parameter.is_float_everywhere()) {
            add(store.values.subspan(static_cast<std::size_t>(parameter.offset),
                                     static_cast<std::size_t>(parameter.size())));
        }
    }
    return sum;
}

void require_equal_parameters(std::uint32_t checksum, std::int64_t step, Communicator& communicator) {
    const std::vector<Vote> votes = gather_votes(checksum, communicator);
    run_on_first_rank(communicator, [&] { require_unanimity(votes, step); });
}

}  // namespace vae_dist
