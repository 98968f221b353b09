#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "vae_dist/core/log.hpp"
#include "vae_dist/core/terminal.hpp"
#include "vae_dist/train/record/metrics.hpp"

namespace vae_dist {

/// What a person at the terminal sees of a run: plain lines where the output goes to a file; where someone
/// watches, one line with a bar below all others, that is rewritten four times a second.
class ProgressDisplay {
 public:
    using Clock = std::chrono::steady_clock;

    ProgressDisplay(const Log& log, std::int64_t total_steps, std::int64_t total_epochs,
                    bool watched = stdout_is_watched());

    /// Whether the line with the bar is to be rewritten: `step` is what does it.
    bool is_due(Clock::time_point now = Clock::now()) const {
        return watched_ && log_.rank() == 0 && (line_.empty() || now - drawn_at_ >= kInterval);
    }
    /// Rewrites the line. `seconds_left`: until the end of the run, at the present speed.
    void step(const TrainMetrics& metrics, double seconds_left, Clock::time_point now = Clock::now());
    /// A line of metrics was written: a plain line where nobody watches.
    void train(const TrainMetrics& metrics, double seconds_left);
    void validation(const ValidationMetrics& metrics, bool best);
    /// A line of its own, above the one with the bar.
    void message(const std::string& line);
    /// The last line, in place of the one with the bar.
    void end(const std::string& line);

 private:
    static constexpr std::chrono::milliseconds kInterval{250};

    const Log& log_;
    bool watched_;
    std::int64_t total_steps_;
    std::int64_t total_epochs_;
    std::string line_;  ///< the one with the bar as it stands there
    Clock::time_point drawn_at_;
};

/// The line with the bar, in no more than `columns` characters: what is least important goes first.
std::string progress_line(const TrainMetrics& metrics, std::int64_t total_steps, std::int64_t total_epochs,
                          double seconds_left, int columns);

}  // namespace vae_dist
