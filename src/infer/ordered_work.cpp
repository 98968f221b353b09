#include "vae_dist/infer/ordered_work.hpp"

#include "vae_dist/comm/agreement.hpp"

namespace vae_dist {

// In a round rank p works on the p-th range of as many as there are ranks. What rank 0 gathers of it is taken
// inside of the next round's run_together, by which an error there reaches all ranks.
void work_in_order(std::span<const RowRange> ranges,
                   const std::function<std::vector<std::byte>(const RowRange&)>& compute,
                   const std::function<void(const RowRange&, std::span<const std::byte>)>& take,
                   Communicator& communicator) {
    const auto rank = static_cast<std::size_t>(communicator.rank());
    const auto size = static_cast<std::size_t>(communicator.size());
    std::vector<std::vector<std::byte>> results;  // of the round before, on rank 0
    std::size_t next_taken = 0;
    const auto take_results = [&] {
        for (std::size_t p = 0; p < results.size() && next_taken < ranges.size(); ++p, ++next_taken)
            take(ranges[next_taken], results[p]);
        results.clear();
    };
    for (std::size_t first = 0; first < ranges.size(); first += size) {
        std::vector<std::byte> mine;
        run_together(communicator, [&] {
            take_results();
            if (first + rank < ranges.size()) mine = compute(ranges[first + rank]);
        });
        results = communicator.gather(mine, 0);
    }
    run_together(communicator, take_results);
}

}  // namespace vae_dist
