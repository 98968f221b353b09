#include <numbers>

#include "backend/cuda/cuda_backend.hpp"
#include "backend/cuda/functions.hpp"
#include "backend/cuda/sums.hpp"
#include "backend/rows_a_sample.hpp"
#include "vae_dist/core/require.hpp"

namespace vae_dist {

namespace {

/// The type of the elements of a gradient that is not asked for.
struct NoGradient {};

/// A gradient by the decoder's output, if one is asked for, and the weights that it takes.
template <class T>
struct WeighedGradient {
    const float* weights;
    Rows<T> rows;
    /// f(i) is the gradient of column c + i but for the row's weight.
    template <class F>
    __device__ void store(std::int64_t row, std::int64_t column, const F& f) const {
        const float weight = weights[row];
        Four d;
        for (int i = 0; i < kGroup; ++i)
            d.v[i] = weight * f(i);
        rows.store(row, column, d);
    }
};
template <>
struct WeighedGradient<NoGradient> {
    template <class F>
    __device__ void store(std::int64_t, std::int64_t, const F&) const {}
};

/// log p(x|z) of a row, and the gradient by its logits.
template <class T>
struct BernoulliTerms {
    ConstFloats logits, x;
    std::int64_t draws;
    WeighedGradient<T> gradient;
    __device__ void operator()(std::int64_t row, std::int64_t column, Four& sums) const {
        const Four logit = logits.load(row, column);
        const Four target = x.load(row / draws, column);
        const int count = logits.count(column);
        for (int i = 0; i < kGroup; ++i) {
            const float term = target.v[i] * logit.v[i] - softplus_of(logit.v[i]);
            sums.v[i] += i < count ? term : 0.0F;
        }
        gradient.store(row, column, [&](int i) { return logistic(logit.v[i]) - target.v[i]; });
    }
};

struct InverseVariance {
    const float* log_variance;
    float* precision;
    __device__ void operator()(std::int64_t i) const { precision[i] = expf(-log_variance[i]); }
};

/// The gradient by the log-variances: a term of each row.
struct LogVarianceTerms {
    ConstFloats mean, precision, x;
    std::int64_t draws;
    const float* weights;
    __device__ Four operator()(std::int64_t row, std::int64_t column) const {
        const Four m = mean.load(row, column);
        const Four p = precision.load(0, column);
        const Four target = x.load(row / draws, column);
        const float weight = weights[row];
        Four terms;
        for (int i = 0; i < kGroup; ++i) {
            const float difference = m.v[i] - target.v[i];
            terms.v[i] = weight * (1 - difference * (difference * p.v[i]));
        }
        return terms;
    }
};
struct StoreDescent {
    const float* log_variance;
    float* to;
    __device__ void operator()(std::int64_t i, double total) const {
        const float descent = 0.5F * static_cast<float>(total);
        to[i] = log_variance[i] <= kMinLogVariance && descent > 0 ? 0.0F : descent;
    }
};

/// (x - mean)^2 / variance of a row, and the gradient by the mean.
template <class T>
struct GaussianTerms {
    ConstFloats mean, precision, x;
    std::int64_t draws;
    WeighedGradient<T> gradient;
    __device__ void operator()(std::int64_t row, std::int64_t column, Four& sums) const {
        const Four m = mean.load(row, column);
        const Four p = precision.load(0, column);
        const Four target = x.load(row / draws, column);
        Four difference;
        Four scaled;
        for (int i = 0; i < kGroup; ++i) {
            difference.v[i] = m.v[i] - target.v[i];
            scaled.v[i] = difference.v[i] * p.v[i];
            sums.v[i] += difference.v[i] * scaled.v[i];
        }
        gradient.store(row, column, [&](int i) { return scaled.v[i]; });
    }
};

struct StoreGaussian {
    double features;
    const double* sum_of_log_variance;
    float* to;
    __device__ void operator()(std::int64_t i, double total) const {
        constexpr double kLogTwoPi = 1.8378770664093454836;
        to[i] = static_cast<float>(-0.5 * (features * kLogTwoPi + *sum_of_log_variance + total));
    }
};

struct Sigmoid {
    Floats values;
    __device__ void operator()(std::int64_t row, std::int64_t column) const {
        Four four = values.load(row, column);
        for (float& value : four.v)
            value = logistic(value);
        values.store(row, column, four);
    }
};

}  // namespace

void CudaBackend::bernoulli(ConstFloatMatrix logits, ConstFloatMatrix x, const float* weights,
                            float* log_likelihood, Operand dlogits) {
    const std::int64_t draws = rows_a_sample(logits, x);
    const auto sum = [&](const auto& terms) {
        sum_rows(queue_, scratch_.partial_sums, logits.rows, logits.columns, terms, StoreSum{log_likelihood});
    };
    if (dlogits.empty()) return sum(BernoulliTerms<NoGradient>{logits, x, draws, {}});
    dlogits.visit([&]<class T>(const MatrixView<T>& gradient) {
        sum(BernoulliTerms<T>{logits, x, draws, {weights, gradient}});
    });
}

void CudaBackend::gaussian(ConstFloatMatrix mean, const float* log_variance, ConstFloatMatrix x,
                           const float* weights, float* log_likelihood, Operand dmean, float* dlog_variance) {
    const std::int64_t features = mean.columns;
    const std::int64_t draws = rows_a_sample(mean, x);
    float* const precision = scratch_.precision.get<float>(features);
    run_each(queue_, features, InverseVariance{log_variance, precision});
    double* const log_variances = scratch_.total.get<double>(1);
    this->sum({log_variance, static_cast<std::size_t>(features)}, 1, log_variances);
    const ConstFloats precisions(precision, features);
    const auto sum = [&](const auto& terms) {
        sum_rows(queue_, scratch_.partial_sums, mean.rows, features, terms,
                 StoreGaussian{static_cast<double>(features), log_variances, log_likelihood});
    };
    if (dmean.empty()) return sum(GaussianTerms<NoGradient>{mean, precisions, x, draws, {}});
    // First, for dmean may be the mean's own memory.
    sum_columns(queue_, scratch_.partial_sums, mean.rows, features,
                LogVarianceTerms{mean, precisions, x, draws, weights},
                StoreDescent{log_variance, dlog_variance});
    dmean.visit([&]<class T>(const MatrixView<T>& gradient) {
        sum(GaussianTerms<T>{mean, precisions, x, draws, {weights, gradient}});
    });
}

void CudaBackend::sigmoid(FloatMatrix values) {
    run_groups(queue_, values.rows, values.columns, Sigmoid{values});
}

}  // namespace vae_dist
