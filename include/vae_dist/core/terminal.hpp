#pragma once

namespace vae_dist {

/// True if a person is watching what this process writes to stdout. mpirun gives its processes a
/// pseudo-terminal even where its own output goes to a file, so below mpirun it is mpirun's output that
/// counts.
bool stdout_is_watched();

}  // namespace vae_dist
