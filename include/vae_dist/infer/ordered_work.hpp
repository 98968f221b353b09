#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/data/loader/epoch_plan.hpp"

namespace vae_dist {

/// Collective. Work on ranges of rows, shared out over the ranks round by round; rank 0 takes the results in
/// the order of the ranges, whichever rank made them. As neither the ranges nor what is computed of one
/// depend on the number of ranks, neither does anything that rank 0 makes of the results. In a round a rank
/// works on up to `ranges_a_turn` ranges: ranks wait for each other less often, and rank 0 holds as many
/// results of each. `take` is called on rank 0 alone. An error of either on any rank is thrown on all.
void work_in_order(std::span<const RowRange> ranges,
                   const std::function<std::vector<std::byte>(const RowRange&)>& compute,
                   const std::function<void(const RowRange&, std::span<const std::byte>)>& take,
                   Communicator& communicator, std::size_t ranges_a_turn = 1);

}  // namespace vae_dist
