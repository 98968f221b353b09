#pragma once

namespace vae_dist {

/// Whether stdout leads to a terminal. mpirun gives its processes a pseudo-terminal even where its own output
/// goes to a file, so for processes of mpirun its own output counts.
bool stdout_is_watched();

/// Opens /dev/null for each of stdin, stdout and stderr that is closed: a file of the program could otherwise
/// get its number, and then what is printed. To be called first in `main`.
void open_missing_standard_streams();

/// The number of columns of the terminal on stdout; 80 where it is not known.
int terminal_columns();

}  // namespace vae_dist
