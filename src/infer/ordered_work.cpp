#include "vae_dist/infer/ordered_work.hpp"

#include <algorithm>
#include <cstring>

#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

// Results one after the other, each behind its length.
void append_result(std::vector<std::byte>& to, std::span<const std::byte> result) {
    const std::uint64_t length = result.size();
    const auto length_bytes = std::as_bytes(std::span(&length, 1));
    to.insert(to.end(), length_bytes.begin(), length_bytes.end());
    to.insert(to.end(), result.begin(), result.end());
}

std::span<const std::byte> first_result(std::span<const std::byte>& from) {
    std::uint64_t length = 0;
    require(from.size() >= sizeof(length), "a result comes behind its length");
    std::memcpy(&length, from.data(), sizeof(length));
    require(from.size() - sizeof(length) >= length, "a result comes whole");
    const auto result = from.subspan(sizeof(length), length);
    from = from.subspan(sizeof(length) + length);
    return result;
}

}  // namespace

// In a round every rank works on its even share of the next ranges. What rank 0 gathers of it is taken inside
// of the next round's run_together, by which an error there reaches all ranks.
void work_in_order(std::span<const RowRange> ranges,
                   const std::function<std::vector<std::byte>(const RowRange&)>& compute,
                   const std::function<void(const RowRange&, std::span<const std::byte>)>& take,
                   Communicator& communicator, std::size_t ranges_a_turn) {
    const auto rank = static_cast<std::size_t>(communicator.rank());
    const auto size = static_cast<std::size_t>(communicator.size());
    std::vector<std::vector<std::byte>> results;  // of the round before, on rank 0
    std::size_t next_taken = 0;
    const auto take_results = [&] {
        for (const std::vector<std::byte>& of_rank : results) {
            for (std::span<const std::byte> rest(of_rank); !rest.empty(); ++next_taken)
                take(ranges[next_taken], first_result(rest));
        }
        results.clear();
    };
    for (std::size_t first = 0; first < ranges.size(); first += ranges_a_turn * size) {
        const auto round = ranges.subspan(first, std::min(ranges_a_turn * size, ranges.size() - first));
        const std::size_t begin = round.size() * rank / size;
        const std::size_t end = round.size() * (rank + 1) / size;
        std::vector<std::byte> mine;
        run_together(communicator, [&] {
            take_results();
            for (const RowRange& range : round.subspan(begin, end - begin))
                append_result(mine, compute(range));
        });
        results = communicator.gather(mine, 0);
    }
    run_together(communicator, take_results);
}

}  // namespace vae_dist
