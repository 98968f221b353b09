#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace vae_dist {

/// For a person who waits at the terminal: one line that is rewritten, and gone at the end. Nothing where
/// nobody watches.
class EvaluationProgress {
 public:
    /// `wanted`: false on ranks that don't speak.
    EvaluationProgress(std::int64_t rows, bool wanted);
    ~EvaluationProgress();
    EvaluationProgress(const EvaluationProgress&) = delete;
    EvaluationProgress& operator=(const EvaluationProgress&) = delete;

    void add(std::int64_t rows);

 private:
    using Clock = std::chrono::steady_clock;

    std::int64_t rows_;
    std::int64_t done_ = 0;
    bool watched_;
    bool shown_ = false;
    Clock::time_point start_ = Clock::now();
    Clock::time_point last_ = start_;
};

/// "evaluating: 4,096 of 10,000 rows, 2 min 10 s left".
std::string progress_line(std::int64_t done, std::int64_t rows, double seconds);

}  // namespace vae_dist
