#include "vae_dist/train/step/step_tail.hpp"

#include <cmath>

namespace vae_dist {

namespace {

constexpr double kUnit = 0x1p-32;

}  // namespace

void StepTail::add_fixed(double value, std::int64_t& word) {
    const double scaled = value / kUnit;
    // False for NaN too. Below the limit the sum over all shares cannot overflow.
    if (!(std::abs(scaled) < 0x1p62 / static_cast<double>(shares_))) {
        report_nonfinite();
        return;
    }
    word += std::llrint(scaled);
}

void StepTail::add(std::span<const double> sums, double weight) {
    for (std::size_t i = 0; i < sums.size(); ++i)
        add_fixed(sums[i] * weight, words_[kTerms + i]);
}

void StepTail::read_terms(std::span<double> to) const {
    for (std::size_t i = 0; i < to.size(); ++i)
        to[i] = static_cast<double>(words_[kTerms + i]) * kUnit;
}

}  // namespace vae_dist
