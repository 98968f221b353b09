#include "vae_dist/train/progress_display.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "vae_dist/core/terminal.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

namespace {

constexpr const char* kClearLine = "\r\x1b[K";

template <class Metrics>
std::string terms(const Metrics& metrics) {
    const ElboTerms& mean = metrics.mean;
    const std::string bound =
        metrics.has_bound ? fmt::format("iwae bound {:.3f}  ", mean.iwae_bound) : std::string();
    return fmt::format("{}elbo {:.3f}  reconstruction {:.3f}  kl {:.3f}", bound,
                       mean.reconstruction - mean.kl, mean.reconstruction, mean.kl);
}

// The most important first: a narrow terminal cuts the end.
std::string line_with_bar(const TrainMetrics& metrics, std::int64_t total_steps, std::int64_t total_epochs,
                          const std::string& left, const std::string& speed) {
    constexpr std::int64_t kWidth = 10;
    const std::int64_t filled = kWidth * metrics.step / total_steps;
    const ElboTerms& mean = metrics.mean;
    const std::string bound =
        metrics.has_bound ? fmt::format("iwae bound {:.2f}  ", mean.iwae_bound) : std::string();
    return fmt::format(
        "[{:#<{}}{:-<{}}] {:3} %  epoch {}/{}  {}elbo {:.2f} ({:.2f} - {:.2f})  {} left  {} samples/s", "",
        filled, "", kWidth - filled, 100 * metrics.step / total_steps, metrics.epoch, total_epochs, bound,
        mean.reconstruction - mean.kl, mean.reconstruction, mean.kl, left, speed);
}

}  // namespace

ProgressDisplay::ProgressDisplay(const Log& log, std::int64_t total_steps, std::int64_t total_epochs)
    : log_(log),
      watched_(log.rank() == 0 && stdout_is_watched()),
      total_steps_(total_steps),
      total_epochs_(total_epochs) {}

void ProgressDisplay::train(const TrainMetrics& metrics, double seconds_left) {
    const std::string left = format_duration(seconds_left);
    const std::string speed = format_count(static_cast<std::int64_t>(metrics.samples_per_second));
    if (!watched_) {
        log_.info("epoch {}/{}  step {}/{}  {}  {} samples/s  {} left", metrics.epoch, total_epochs_,
                  metrics.step, total_steps_, terms(metrics), speed, left);
        return;
    }
    // A line that wraps cannot be rewritten.
    const std::string line = line_with_bar(metrics, total_steps_, total_epochs_, left, speed);
    fmt::print("{}{}", kClearLine, line.substr(0, static_cast<std::size_t>(terminal_columns() - 1)));
    std::fflush(stdout);
}

void ProgressDisplay::validation(const ValidationMetrics& metrics, bool best) {
    message(fmt::format("epoch {}/{}  validation  {}{}", metrics.epoch, total_epochs_, terms(metrics),
                        best ? "  (best so far)" : ""));
}

void ProgressDisplay::message(const std::string& line) {
    if (watched_) fmt::print("{}", kClearLine);
    log_.info("{}", line);
}

}  // namespace vae_dist
