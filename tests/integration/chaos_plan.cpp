#include "integration/chaos_plan.hpp"

#include <fmt/format.h>

#include <array>
#include <random>

namespace vae_dist {

std::vector<Kill> plan_kills(std::uint32_t seed, int count) {
    constexpr std::array kMoments = {Moment::training, Moment::saving, Moment::starting,
                                     Moment::training, Moment::saving, Moment::training};
    constexpr int kBlows = 5;
    constexpr int kLongestStart = 800;
    constexpr int kLongestPause = 150;
    constexpr int kLongestPauseInASave = 80;

    // Some of the run is left at the end, so that it is not over before its last kill.
    const double last_progress = 1 - 8.0 / (count + 16);

    std::mt19937 random(seed);
    // Not a standard distribution: those differ between libraries.
    const auto below = [&](int bound) { return static_cast<int>(random() % static_cast<unsigned>(bound)); };
    std::vector<Kill> kills;
    for (int i = 0; i < count; ++i) {
        Kill kill;
        kill.ranks = 1 + below(4);
        // Six moments and five blows: in thirty kills each meets each.
        kill.blow = static_cast<Blow>(i % kBlows);
        kill.moment = kMoments[static_cast<std::size_t>(i) % kMoments.size()];
        kill.victim = below(kill.ranks);
        kill.progress = last_progress * (i + below(1000) / 1000.0) / count;
        const std::array longest = {kLongestStart, kLongestPause, kLongestPauseInASave};
        kill.pause = std::chrono::milliseconds(below(longest[static_cast<std::size_t>(kill.moment)]));
        kills.push_back(kill);
    }
    return kills;
}

std::string to_text(const Kill& kill) {
    constexpr std::array kBlows = {"SIGKILL to rank", "SIGKILL to mpirun", "SIGTERM to mpirun",
                                   "SIGINT to mpirun", "SIGUSR1 to mpirun"};
    constexpr std::array kMoments = {"starting", "training", "saving"};
    std::string blow = kBlows[static_cast<std::size_t>(kill.blow)];
    if (kill.blow == Blow::kill_a_rank) blow += fmt::format(" {}", kill.victim);
    return fmt::format("{} rank{}, {} while {}", kill.ranks, kill.ranks == 1 ? "" : "s", blow,
                       kMoments[static_cast<std::size_t>(kill.moment)]);
}

}  // namespace vae_dist
