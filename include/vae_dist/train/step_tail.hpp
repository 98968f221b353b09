#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "vae_dist/model/vae.hpp"

namespace vae_dist {

/// What all ranks learn of a step besides the gradients, as integers whose sum is exact: the ELBO's terms,
/// whether any rank met a number that is not finite, or failed, and what ranks ask of all: to stop, to save.
class StepTail {
 public:
    /// `shares` is how many will be added in all, over all ranks.
    explicit StepTail(std::int64_t shares) : shares_(shares) {}

    /// As it was made.
    void clear() { words_ = {}; }
    /// Adds samples' share of the global means (their sums divided by the number of samples in all), in
    /// multiples of 2^-32 nats. A share that is not finite or does not fit counts as not finite.
    void add(const ElboTerms& share);
    void report_nonfinite() { words_[kNonFinite] = 1; }
    void report_failure() { words_[kFailed] = 1; }
    void ask_to_stop() { words_[kStop] = 1; }
    void ask_to_save() { words_[kSave] = 1; }

    ElboTerms terms() const;
    bool finite() const { return words_[kNonFinite] == 0; }
    bool failed() const { return words_[kFailed] != 0; }
    bool is_to_stop() const { return words_[kStop] != 0; }
    bool is_to_save() const { return words_[kSave] != 0; }

    /// What is to be summed over all ranks.
    std::span<std::int64_t> words() { return words_; }
    static constexpr std::size_t kWords = 7;

    // For who adds them up elsewhere: the first three words are ElboTerms in its order, multiples of
    // 2^-kFractionBits.
    static constexpr int kFractionBits = 32;
    static constexpr std::size_t kTerms = 3;
    static constexpr std::size_t kNonFinite = kTerms;

 private:
    enum : std::size_t { kReconstruction, kKl, kBound, kFailed = kNonFinite + 1, kStop, kSave };

    void add_fixed(double value, std::int64_t& word);

    std::int64_t shares_;
    std::array<std::int64_t, kWords> words_{};
};

}  // namespace vae_dist
