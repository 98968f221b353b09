#include "vae_dist/train/progress_display.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "vae_dist/core/terminal.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

namespace {

constexpr const char* kClearLine = "\r\x1b[K";

std::string terms(const ElboTerms& mean) {
    return fmt::format("elbo {:.3f}  reconstruction {:.3f}  kl {:.3f}", mean.reconstruction - mean.kl,
                       mean.reconstruction, mean.kl);
}

std::string bar(std::int64_t done, std::int64_t total) {
    constexpr std::int64_t kWidth = 20;
    const std::int64_t filled = kWidth * done / total;
    return fmt::format("[{:#<{}}{:-<{}}] {:3} %", "", filled, "", kWidth - filled, 100 * done / total);
}

}  // namespace

ProgressDisplay::ProgressDisplay(const Log& log, std::int64_t total_steps, std::int64_t total_epochs)
    : log_(log),
      watched_(log.rank() == 0 && stdout_is_watched()),
      total_steps_(total_steps),
      total_epochs_(total_epochs) {}

void ProgressDisplay::train(const TrainMetrics& metrics, double seconds_left) {
    const std::string line = fmt::format("epoch {}/{}  step {}/{}  {}  {} samples/s  {} left", metrics.epoch,
                                         total_epochs_, metrics.step, total_steps_, terms(metrics.mean),
                                         format_count(static_cast<std::int64_t>(metrics.samples_per_second)),
                                         format_duration(seconds_left));
    if (!watched_) {
        log_.info("{}", line);
        return;
    }
    fmt::print("{}{}  {}", kClearLine, bar(metrics.step, total_steps_), line);
    std::fflush(stdout);
}

void ProgressDisplay::validation(const ValidationMetrics& metrics, bool best) {
    message(fmt::format("epoch {}/{}  validation  {}{}", metrics.epoch, total_epochs_, terms(metrics.mean),
                        best ? "  (best so far)" : ""));
}

void ProgressDisplay::message(const std::string& line) {
    if (watched_) fmt::print("{}", kClearLine);
    log_.info("{}", line);
}

}  // namespace vae_dist
