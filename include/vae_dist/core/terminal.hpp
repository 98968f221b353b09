#pragma once

namespace vae_dist {

/// True if a person is watching what this process writes to stdout. mpirun gives its processes a
/// pseudo-terminal even where its own output goes to a file, so below mpirun it is mpirun's output that
/// counts.
bool stdout_is_watched();

/// Opens /dev/null for each of stdin, stdout and stderr that is closed, so that no file of ours takes its
/// number and with it what is printed. Call first in `main`.
void open_missing_standard_streams();

/// Columns of the terminal on stdout; 80 where it does not say.
int terminal_columns();

}  // namespace vae_dist
