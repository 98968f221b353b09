#pragma once

#include <string>

namespace vae_dist {

/// Turns SIGTERM, SIGINT, SIGHUP, SIGUSR1 and SIGUSR2 into a request that the program reads when it suits it:
/// the handlers only note which came. A second SIGINT ends the process at once, as if there were no handler.
/// SIGINT and SIGHUP stay ignored where they were ignored before: a shell ignores SIGINT for its background
/// jobs, nohup ignores SIGHUP. One object at a time; signals are the process's. The handlers run on a
/// SignalThread where there is one.
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

/// "SIGTERM"; "signal 7" for those that are none of the five.
std::string signal_name(int signal);

}  // namespace vae_dist
