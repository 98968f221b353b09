#include <cmath>
#include <numbers>

#include "backend/cpu/blocks.hpp"
#include "backend/cpu/cpu_backend.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

// How many adjacent rows of the decoder's output belong to one row of x.
std::int64_t rows_a_sample(ConstFloatMatrix output, ConstFloatMatrix x) {
    if (x.rows == 0) return 1;
    require(output.rows % x.rows == 0, "every sample has equally many rows of the decoder's output");
    return output.rows / x.rows;
}

// Sum of log(1 + small) over many numbers in [0, 1]: factors of at most 2 are multiplied up until a float
// might overflow, and the logarithm is taken of their product.
class LogOfProduct {
 public:
    void multiply(const Block& factor) {
        product_ *= factor;
        if (++factors_ == kMostFactors) flush();
    }
    const Block& sum() {
        flush();
        return sum_;
    }

 private:
    static constexpr int kMostFactors = 120;  // 2^120 is a float

    void flush() {
        sum_ += product_.log();
        product_ = Block::Ones();
        factors_ = 0;
    }

    Block product_ = Block::Ones();
    Block sum_ = Block::Zero();
    int factors_ = 0;
};

// With and without the gradient: training and evaluation.
template <bool kGradient>
void bernoulli_rows(ConstFloatMatrix logits, ConstFloatMatrix x, const float* weights, float* log_likelihood,
                    FloatMatrix dlogits) {
    const std::int64_t draws = rows_a_sample(logits, x);
    for (std::int64_t r = 0; r < logits.rows; ++r) {
        Block total = Block::Zero();
        LogOfProduct softplus;  // softplus(logit) = max(logit, 0) + log(1 + exp(-|logit|))
        for_blocks(logits.columns, [&](std::int64_t first, auto count) {
            const Block logit = load(logits.row(r) + first, count);
            const Block target = load(x.row(r / draws) + first, count);
            const Block small = (-logit.abs()).exp();
            total += target * logit - logit.max(0.0F);
            softplus.multiply(1 + only(small, count));
            if constexpr (kGradient) {
                const Block rest = 1 / (1 + small);
                const Block probability = where_positive(logit, rest, small * rest);
                store(weights[r] * (probability - target), dlogits.row(r) + first, count);
            }
        });
        log_likelihood[r] = static_cast<float>(lane_sum(total) - lane_sum(softplus.sum()));
    }
}

template <bool kGradient>
void gaussian_rows(ConstFloatMatrix mean, const float* precision, double constant, ConstFloatMatrix x,
                   const float* weights, float* log_likelihood, FloatMatrix dmean, float* dlog_variance) {
    const std::int64_t draws = rows_a_sample(mean, x);
    for (std::int64_t r = 0; r < mean.rows; ++r) {
        Block total = Block::Zero();
        for_blocks(mean.columns, [&](std::int64_t first, auto count) {
            const Block difference = load(mean.row(r) + first, count) - load(x.row(r / draws) + first, count);
            const Block scaled = difference * load(precision + first, count);
            const Block square = difference * scaled;
            total += square;
            if constexpr (kGradient) {
                store(weights[r] * scaled, dmean.row(r) + first, count);
                store(load(dlog_variance + first, count) + weights[r] * (1 - square), dlog_variance + first,
                      count);
            }
        });
        log_likelihood[r] = static_cast<float>(-0.5 * (lane_sum(total) + constant));
    }
}

}  // namespace

void CpuBackend::bernoulli(ConstFloatMatrix logits, ConstFloatMatrix x, const float* weights,
                           float* log_likelihood, FloatMatrix dlogits) {
    if (dlogits.data == nullptr) return bernoulli_rows<false>(logits, x, weights, log_likelihood, dlogits);
    bernoulli_rows<true>(logits, x, weights, log_likelihood, dlogits);
}

void CpuBackend::gaussian(ConstFloatMatrix mean, const float* log_variance, ConstFloatMatrix x,
                          const float* weights, float* log_likelihood, FloatMatrix dmean,
                          float* dlog_variance) {
    const std::int64_t features = mean.columns;
    const std::span<const float> s(log_variance, static_cast<std::size_t>(features));
    precision_.resize(s.size());
    map_array(
        features, precision_.data(), [](const Block& a) -> Block { return (-a).exp(); }, log_variance);
    const double constant = static_cast<double>(features) * std::log(2 * std::numbers::pi) + sum(s);
    if (dmean.data == nullptr) {
        return gaussian_rows<false>(mean, precision_.data(), constant, x, weights, log_likelihood, dmean,
                                    nullptr);
    }
    fill({dlog_variance, s.size()}, 0);
    gaussian_rows<true>(mean, precision_.data(), constant, x, weights, log_likelihood, dmean, dlog_variance);
    for (std::size_t i = 0; i < s.size(); ++i) {
        const float gradient = 0.5F * dlog_variance[i];
        dlog_variance[i] = s[i] <= kMinLogVariance && gradient > 0 ? 0.0F : gradient;
    }
}

void CpuBackend::sigmoid(FloatMatrix values) {
    map_matrix(
        values,
        [](const Block& a) -> Block {
            const Block small = (-a.abs()).exp();
            const Block rest = 1 / (1 + small);
            return where_positive(a, rest, small * rest);
        },
        values);
}

}  // namespace vae_dist
