#pragma once

#include <string>

namespace vae_dist {

/// The stop signals SIGTERM, SIGINT, SIGHUP, SIGUSR1 and SIGUSR2 as a request that the program reads between
/// two steps: the handlers only record the signal. A second SIGINT ends the process at once, as if there were
/// no handler. SIGINT and SIGHUP stay ignored where they were ignored before: a shell ignores SIGINT for its
/// background jobs, nohup ignores SIGHUP. One object at a time, as signals belong to the process. The
/// handlers run on a SignalThread where there is one.
class StopSignals {
 public:
    StopSignals();
    /// Restores the earlier handlers.
    ~StopSignals();
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;

    /// The first signal since this object was made; 0: none yet.
    int received() const;
};

/// "SIGTERM"; "signal 7" for all but the five.
std::string signal_name(int signal);

}  // namespace vae_dist
