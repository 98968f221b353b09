#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace vae_dist {

enum class Blow { kill_a_rank, kill_mpirun, terminate_mpirun, interrupt_mpirun, ask_to_stop };
enum class Moment { starting, training, saving };

/// One start of a run, and how it ends.
struct Kill {
    int ranks = 1;
    Blow blow = Blow::kill_a_rank;
    int victim = 0;  ///< the rank, where one is killed
    Moment moment = Moment::training;
    double progress = 0;              ///< of the whole run, that it has to have made before; not for starting
    std::chrono::milliseconds pause;  ///< from the moment to the blow
};

/// So many kills, drawn by `seed`: ranks from 1 to 4; every kind of blow, and a third of them during a save.
std::vector<Kill> plan_kills(std::uint32_t seed, int count);

/// "3 ranks, SIGKILL to rank 2 while saving"
std::string to_text(const Kill& kill);

}  // namespace vae_dist
