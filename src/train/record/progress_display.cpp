#include "vae_dist/train/record/progress_display.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "vae_dist/core/terminal.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

namespace {

constexpr const char* kClearLine = "\r\x1b[K";

// The ELBO, behind it the terms that it is made of, and before it all others: "iwae_bound" as "iwae bound".
std::string terms(const TermValues& mean, int digits) {
    std::vector<std::string> before;
    std::vector<std::string> behind = {fmt::format("elbo {:.{}f}", mean.elbo(), digits)};
    for (std::size_t i = 0; i < mean.names().size(); ++i) {
        std::string name = mean.names()[i];
        std::vector<std::string>& side = TermValues::is_of_elbo(name) ? behind : before;
        std::ranges::replace(name, '_', ' ');
        side.push_back(fmt::format("{} {:.{}f}", name, mean.values()[i], digits));
    }
    before.insert(before.end(), behind.begin(), behind.end());
    return fmt::format("{}", fmt::join(before, "  "));
}

std::string speed_of(const TrainMetrics& metrics) {
    return format_count(static_cast<std::int64_t>(metrics.samples_per_second)) + " samples/s";
}

}  // namespace

std::string progress_line(const TrainMetrics& metrics, std::int64_t total_steps, std::int64_t total_epochs,
                          double seconds_left, int columns) {
    constexpr std::int64_t kWidth = 10;
    const std::int64_t filled = kWidth * metrics.step / total_steps;
    std::vector<std::string> parts = {fmt::format("[{:#<{}}{:-<{}}] {:3} %", "", filled, "", kWidth - filled,
                                                  100 * metrics.step / total_steps),
                                      fmt::format("epoch {}/{}", metrics.epoch, total_epochs),
                                      terms(metrics.mean, 2), format_duration(seconds_left) + " left",
                                      speed_of(metrics)};
    const auto width = static_cast<std::size_t>(std::max(columns, 1));
    const auto line = [&] { return fmt::format("{}", fmt::join(parts, "  ")); };
    if (line().size() > width) parts.pop_back();  // the speed
    if (line().size() > width)
        parts[0] = parts[0].substr(kWidth + 3);  // the bar, of which the percentage stays
    return line().substr(0, width);
}

ProgressDisplay::ProgressDisplay(const Log& log, std::int64_t total_steps, std::int64_t total_epochs,
                                 bool watched)
    : log_(log), watched_(watched), total_steps_(total_steps), total_epochs_(total_epochs) {}

void ProgressDisplay::step(const TrainMetrics& metrics, double seconds_left, Clock::time_point now) {
    if (!is_due(now)) return;
    // A line that wraps cannot be rewritten.
    line_ = progress_line(metrics, total_steps_, total_epochs_, seconds_left, terminal_columns() - 1);
    drawn_at_ = now;
    fmt::print("{}{}", kClearLine, line_);
    std::fflush(stdout);
}

void ProgressDisplay::train(const TrainMetrics& metrics, double seconds_left) {
    if (watched_) return;
    log_.info("epoch {}/{}  step {}/{}  {}  {}  {} left", metrics.epoch, total_epochs_, metrics.step,
              total_steps_, terms(metrics.mean, 3), speed_of(metrics), format_duration(seconds_left));
}

void ProgressDisplay::validation(const ValidationMetrics& metrics, bool best) {
    message(fmt::format("epoch {}/{}  validation  {}{}", metrics.epoch, total_epochs_, terms(metrics.mean, 3),
                        best ? "  (best so far)" : ""));
}

void ProgressDisplay::message(const std::string& line) {
    const std::string below = line_;
    end(line);
    if (below.empty()) return;
    line_ = below;
    fmt::print("{}", line_);
    std::fflush(stdout);
}

void ProgressDisplay::end(const std::string& line) {
    if (!line_.empty()) {
        fmt::print("{}", kClearLine);
        std::fflush(stdout);
        line_.clear();
    }
    log_.info("{}", line);
}

}  // namespace vae_dist
