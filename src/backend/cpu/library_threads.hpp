#pragma once

namespace vae_dist {

/// From now on oneDNN plans for one thread, and runs on it, where the calling thread calls it. It asks
/// OpenMP, which keeps the number for each calling thread; unasked it would take all cores, for every rank of
/// a node. Costs nothing where the number is one already.
void use_one_library_thread();

/// How many threads it would take now.
int library_threads();

}  // namespace vae_dist
