#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vae_dist {

/// What all ranks learn of a step besides the gradients, as integers whose sum is exact: the model's terms,
/// whether any rank had a number that is not finite, or failed, and what ranks request of all: to stop, to
/// save.
class StepTail {
 public:
    /// For so many terms; `shares` is how many will be added in all, over all ranks.
    StepTail(std::size_t terms, std::int64_t shares) : shares_(shares), words_(kTerms + terms) {}

    /// As it was made.
    void clear() { std::ranges::fill(words_, 0); }
    /// Adds samples' share of the global means: the terms' sums, each times `weight` (1 / number of samples
    /// in all), in multiples of 2^-32 nats. A share that is not finite or does not fit counts as not finite.
    void add(std::span<const double> sums, double weight);
    void report_nonfinite() { words_[kNonFinite] = 1; }
    void report_failure() { words_[kFailed] = 1; }
    void ask_to_stop() { words_[kStop] = 1; }
    void ask_to_save() { words_[kSave] = 1; }

    /// The terms' means, in their order.
    void read_terms(std::span<double> to) const;
    bool finite() const { return words_[kNonFinite] == 0; }
    bool failed() const { return words_[kFailed] != 0; }
    bool is_to_stop() const { return words_[kStop] != 0; }
    bool is_to_save() const { return words_[kSave] != 0; }

    /// What is to be summed over all ranks.
    std::span<std::int64_t> words() { return words_; }
    std::span<const std::int64_t> words() const { return words_; }

    // For sums of terms elsewhere: the words of terms, behind all others, are multiples of 2^-kFractionBits.
    static constexpr int kFractionBits = 32;
    static constexpr std::size_t kNonFinite = 0;
    static constexpr std::size_t kTerms = 4;

 private:
    static constexpr std::size_t kFailed = 1;
    static constexpr std::size_t kStop = 2;
    static constexpr std::size_t kSave = 3;

    void add_fixed(double value, std::int64_t& word);

    std::int64_t shares_;
    std::vector<std::int64_t> words_;
};

}  // namespace vae_dist
