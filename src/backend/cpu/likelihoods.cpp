#include <cmath>
#include <numbers>

#include "backend/cpu/activations.hpp"
#include "backend/cpu/cpu_backend.hpp"
#include "backend/rows_a_sample.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

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

// With the gradient in one precision or the other, or without where T is void.
template <class T>
[[gnu::flatten]] void bernoulli_row(std::int64_t features, const float* logits, const float* x,
                                    const float* weight, float* log_likelihood, T* gradient) {
    Block total = Block::Zero();
    LogOfProduct softplus;  // softplus(logit) = max(logit, 0) + log(1 + exp(-|logit|))
    for_blocks(features, [&](std::int64_t first, auto count) {
        const Block logit = load(logits + first, count);
        const Block target = load(x + first, count);
        const Block small = exp_minus_abs(logit);
        total += target * logit - logit.max(0.0F);
        softplus.multiply(1 + only(small, count));
        if constexpr (!std::is_void_v<T>) {
            const Block rest = 1 / (1 + small);
            const Block probability = where_positive(logit, rest, small * rest);
            store(*weight * (probability - target), gradient + first, count);
        }
    });
    *log_likelihood = static_cast<float>(lane_sum(total) - lane_sum(softplus.sum()));
}

// One row's log-likelihood but for what does not depend on it, and the gradient by the mean.
template <class T>
double gaussian_row(std::int64_t features, const float* mean, const float* precision, const float* x,
                    const float* weight, T* gradient) {
    Block total = Block::Zero();
    for_blocks(features, [&](std::int64_t first, auto count) {
        const Block difference = load(mean + first, count) - load(x + first, count);
        const Block scaled = difference * load(precision + first, count);
        total += difference * scaled;
        if constexpr (!std::is_void_v<T>) store(*weight * scaled, gradient + first, count);
    });
    return -0.5 * lane_sum(total);
}

// The gradients by the log-variances of some columns, from the first row to the last.
void add_log_variance_gradients(ConstFloatMatrix mean, const float* precision, ConstFloatMatrix x,
                                const float* weights, float* gradient) {
    const std::int64_t draws = rows_a_sample(mean, x);
    std::fill_n(gradient, mean.columns, 0.0F);
    for (std::int64_t r = 0; r < mean.rows; ++r) {
        for_blocks(mean.columns, [&](std::int64_t first, auto count) {
            const Block difference = load(mean.row(r) + first, count) - load(x.row(r / draws) + first, count);
            const Block square = difference * (difference * load(precision + first, count));
            store(load(gradient + first, count) + weights[r] * (1 - square), gradient + first, count);
        });
    }
}

// Calls body(row_of) where row_of(r) is row r of the gradient, in its precision; a null void* where there is
// none.
template <class Body>
void with_gradient(const Operand& gradient, const Body& body) {
    if (gradient.empty()) return body([](std::int64_t) -> void* { return nullptr; });
    gradient.visit([&](const auto& view) { body([&view](std::int64_t r) { return view.row(r); }); });
}

}  // namespace

void CpuBackend::bernoulli(ConstFloatMatrix logits, ConstFloatMatrix x, const float* weights,
                           float* log_likelihood, Operand dlogits) {
    const std::int64_t draws = rows_a_sample(logits, x);
    with_gradient(dlogits, [&](auto gradient_row) {
        threads_.split(logits.rows, row_grain(4 * logits.columns),
                       [&](std::int64_t first, std::int64_t last) {
                           for (std::int64_t r = first; r < last; ++r) {
                               bernoulli_row(logits.columns, logits.row(r), x.row(r / draws), weights + r,
                                             log_likelihood + r, gradient_row(r));
                           }
                       });
    });
}

void CpuBackend::gaussian(ConstFloatMatrix mean, const float* log_variance, ConstFloatMatrix x,
                          const float* weights, float* log_likelihood, Operand dmean, float* dlog_variance) {
    const std::int64_t features = mean.columns;
    const std::int64_t draws = rows_a_sample(mean, x);
    float* const precision = precision_.get<float>(features);
    map_array(
        features, precision, [](const Block& a) -> Block { return (-a).exp(); }, log_variance);
    double log_variances = 0;
    sum({log_variance, static_cast<std::size_t>(features)}, 1, &log_variances);
    const double constant =
        -0.5 * (static_cast<double>(features) * std::log(2 * std::numbers::pi) + log_variances);
    if (!dmean.empty()) {
        // First, for dmean may be the mean's own memory.
        threads_.split(features, 64, [&](std::int64_t first, std::int64_t last) {
            float* const gradient = dlog_variance + first;
            add_log_variance_gradients(mean.column_block(first, last - first), precision + first,
                                       x.column_block(first, last - first), weights, gradient);
            for (std::int64_t i = 0; i < last - first; ++i) {
                const float descent = 0.5F * gradient[i];
                gradient[i] = log_variance[first + i] <= kMinLogVariance && descent > 0 ? 0.0F : descent;
            }
        });
    }
    with_gradient(dmean, [&](auto gradient_row) {
        threads_.split(mean.rows, row_grain(features), [&](std::int64_t first, std::int64_t last) {
            for (std::int64_t r = first; r < last; ++r) {
                log_likelihood[r] = static_cast<float>(constant + gaussian_row(features, mean.row(r),
                                                                               precision, x.row(r / draws),
                                                                               weights + r, gradient_row(r)));
            }
        });
    });
}

void CpuBackend::sigmoid(FloatMatrix values) {
    const auto of_block = [](const Block& a) -> Block { return vae_dist::sigmoid(a); };
    threads_.split(values.rows, row_grain(values.columns), [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t r = first; r < last; ++r)
            map_array(values.columns, values.row(r), of_block, values.row(r));
    });
}

}  // namespace vae_dist
