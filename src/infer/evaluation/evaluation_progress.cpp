#include "infer/evaluation/evaluation_progress.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "vae_dist/core/terminal.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

namespace {

constexpr const char* kClearLine = "\r\x1b[K";

void print(const std::string& text) {
    fmt::print("{}{}", kClearLine, text);
    std::fflush(stdout);
}

}  // namespace

EvaluationProgress::EvaluationProgress(std::int64_t rows, bool wanted)
    : rows_(rows), watched_(wanted && stdout_is_watched()) {}

EvaluationProgress::~EvaluationProgress() {
    if (shown_) print("");
}

void EvaluationProgress::add(std::int64_t rows) {
    done_ += rows;
    const Clock::time_point now = Clock::now();
    if (!watched_ || now - last_ < std::chrono::seconds(1)) return;
    last_ = now;
    shown_ = true;
    const std::string line = progress_line(done_, rows_, std::chrono::duration<double>(now - start_).count());
    // A line that wraps cannot be rewritten.
    print(line.substr(0, static_cast<std::size_t>(terminal_columns() - 1)));
}

std::string progress_line(std::int64_t done, std::int64_t rows, double seconds) {
    const double left = seconds * static_cast<double>(rows - done) / static_cast<double>(done);
    return fmt::format("evaluating: {} of {}, {} left", format_count(done), counted(rows, "row"),
                       format_duration(left));
}

}  // namespace vae_dist
