#include "vae_dist/train/step_tail.hpp"

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

void StepTail::add(const ElboTerms& share) {
    add_fixed(share.reconstruction, words_[kReconstruction]);
    add_fixed(share.kl, words_[kKl]);
    add_fixed(share.iwae_bound, words_[kBound]);
}

ElboTerms StepTail::terms() const {
    return {.reconstruction = static_cast<double>(words_[kReconstruction]) * kUnit,
            .kl = static_cast<double>(words_[kKl]) * kUnit,
            .iwae_bound = static_cast<double>(words_[kBound]) * kUnit};
}

}  // namespace vae_dist
