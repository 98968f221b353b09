#include <cmath>
#include <numbers>

#include "backend/cpu/blocks.hpp"
#include "backend/cpu/cpu_backend.hpp"

namespace vae_dist {

namespace {

// With and without the gradient: training and validation.
template <bool kGradient>
void bernoulli_rows(ConstFloatMatrix logits, ConstFloatMatrix x, float weight, float* log_likelihood,
                    FloatMatrix dlogits) {
    for (std::int64_t r = 0; r < logits.rows; ++r) {
        Block total = Block::Zero();
        for_blocks(logits.columns, [&](std::int64_t first, auto count) {
            const Block logit = load(logits.row(r) + first, count);
            const Block target = load(x.row(r) + first, count);
            const Block small = (-logit.abs()).exp();
            total += only(target * logit - (logit.max(0.0F) + small.log1p()), count);
            if constexpr (kGradient) {
                const Block rest = 1 / (1 + small);
                const Block probability = where_positive(logit, rest, small * rest);
                store(weight * (probability - target), dlogits.row(r) + first, count);
            }
        });
        log_likelihood[r] = static_cast<float>(lane_sum(total));
    }
}

template <bool kGradient>
void gaussian_rows(ConstFloatMatrix mean, const float* precision, double constant, ConstFloatMatrix x,
                   float weight, float* log_likelihood, FloatMatrix dmean, float* dlog_variance) {
    for (std::int64_t r = 0; r < mean.rows; ++r) {
        Block total = Block::Zero();
        for_blocks(mean.columns, [&](std::int64_t first, auto count) {
            const Block difference = load(mean.row(r) + first, count) - load(x.row(r) + first, count);
            const Block scaled = difference * load(precision + first, count);
            const Block square = difference * scaled;
            total += square;
            if constexpr (kGradient) {
                store(weight * scaled, dmean.row(r) + first, count);
                store(load(dlog_variance + first, count) + (1 - square), dlog_variance + first, count);
            }
        });
        log_likelihood[r] = static_cast<float>(-0.5 * (lane_sum(total) + constant));
    }
}

}  // namespace

void CpuBackend::bernoulli(ConstFloatMatrix logits, ConstFloatMatrix x, float weight, float* log_likelihood,
                           FloatMatrix dlogits) {
    if (dlogits.data == nullptr) return bernoulli_rows<false>(logits, x, weight, log_likelihood, dlogits);
    bernoulli_rows<true>(logits, x, weight, log_likelihood, dlogits);
}

void CpuBackend::gaussian(ConstFloatMatrix mean, const float* log_variance, ConstFloatMatrix x, float weight,
                          float* log_likelihood, FloatMatrix dmean, float* dlog_variance) {
    const std::int64_t features = mean.columns;
    const std::span<const float> s(log_variance, static_cast<std::size_t>(features));
    precision_.resize(s.size());
    map_array(
        features, precision_.data(), [](const Block& a) -> Block { return (-a).exp(); }, log_variance);
    const double constant = static_cast<double>(features) * std::log(2 * std::numbers::pi) + sum(s);
    if (dmean.data == nullptr) {
        return gaussian_rows<false>(mean, precision_.data(), constant, x, weight, log_likelihood, dmean,
                                    nullptr);
    }
    fill({dlog_variance, s.size()}, 0);
    gaussian_rows<true>(mean, precision_.data(), constant, x, weight, log_likelihood, dmean, dlog_variance);
    for (std::size_t i = 0; i < s.size(); ++i) {
        const float gradient = 0.5F * weight * dlog_variance[i];
        dlog_variance[i] = s[i] <= kMinLogVariance && gradient > 0 ? 0.0F : gradient;
    }
}

}  // namespace vae_dist
