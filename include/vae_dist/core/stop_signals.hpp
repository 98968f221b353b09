#pragma once

#include <string>

namespace vae_dist {

/// Turns SIGTERM, SIGINT, SIGUSR1 and SIGUSR2 into a request that the program reads when it suits it: the
/// handlers only note which came. A second SIGINT ends the process at once, as if there were no handler. A
/// SIGINT that was ignored before, as in a shell's background jobs, stays ignored: a Ctrl-C there means
/// another program. One object at a time; signals are the process's.
class StopSignals {
 public:
    StopSignals();
    /// Restores what the signals did before.
    ~StopSignals();
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;

    /// The signal that came first since this object was made; 0: none yet.
    int received() const;
};

/// "SIGTERM"; "signal 7" for those that are none of the four.
std::string signal_name(int signal);

}  // namespace vae_dist
