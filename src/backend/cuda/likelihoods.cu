#include <numbers>

#include "backend/cuda/cuda_backend.hpp"
#include "backend/cuda/functions.hpp"
#include "backend/cuda/sums.hpp"
#include "vae_dist/core/require.hpp"

namespace vae_dist {

namespace {

// How many adjacent rows of the decoder's output belong to one row of x.
std::int64_t rows_a_sample(ConstFloatMatrix output, ConstFloatMatrix x) {
    if (x.rows == 0) return 1;
    require(output.rows % x.rows == 0, "every sample has equally many rows of the decoder's output");
    return output.rows / x.rows;
}

/// What stands for the type of a gradient that is not asked for.
struct NoGradient {};

/// log p(x|z) of a row, and the gradient by its logits.
template <class T>
struct BernoulliTerms {
    ConstFloats logits, x;
    std::int64_t draws;
    const float* weights;
    Rows<T> gradient;
    __device__ void operator()(std::int64_t row, std::int64_t column, Four& sums) const {
        const Four logit = logits.load(row, column);
        const Four target = x.load(row / draws, column);
        const int count = logits.count(column);
        for (int i = 0; i < kGroup; ++i) {
            const float term = target.v[i] * logit.v[i] - softplus_of(logit.v[i]);
            sums.v[i] += i < count ? term : 0.0F;
        }
        const float weight = weights[row];
        Four d;
        for (int i = 0; i < kGroup; ++i)
            d.v[i] = weight * (logistic(logit.v[i]) - target.v[i]);
        gradient.store(row, column, d);
    }
};
template <>
struct BernoulliTerms<NoGradient> {
    ConstFloats logits, x;
    std::int64_t draws;
    __device__ void operator()(std::int64_t row, std::int64_t column, Four& sums) const {
        const Four logit = logits.load(row, column);
        const Four target = x.load(row / draws, column);
        const int count = logits.count(column);
        for (int i = 0; i < kGroup; ++i) {
            const float term = target.v[i] * logit.v[i] - softplus_of(logit.v[i]);
            sums.v[i] += i < count ? term : 0.0F;
        }
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

/// (x - mean)^2 / variance of a row, and the gradient by the mean, in one precision, the other or none.
template <class T>
struct GaussianTerms {
    ConstFloats mean, precision, x;
    std::int64_t draws;
    const float* weights;
    Rows<T> gradient;
    __device__ void operator()(std::int64_t row, std::int64_t column, Four& sums) const {
        const Four m = mean.load(row, column);
        const Four p = precision.load(0, column);
        const Four target = x.load(row / draws, column);
        const float weight = weights[row];
        Four d;
        for (int i = 0; i < kGroup; ++i) {
            const float difference = m.v[i] - target.v[i];
            const float scaled = difference * p.v[i];
            sums.v[i] += difference * scaled;
            d.v[i] = weight * scaled;
        }
        gradient.store(row, column, d);
    }
};
template <>
struct GaussianTerms<NoGradient> {
    ConstFloats mean, precision, x;
    std::int64_t draws;
    __device__ void operator()(std::int64_t row, std::int64_t column, Four& sums) const {
        const Four m = mean.load(row, column);
        const Four p = precision.load(0, column);
        const Four target = x.load(row / draws, column);
        for (int i = 0; i < kGroup; ++i) {
            const float difference = m.v[i] - target.v[i];
            sums.v[i] += difference * (difference * p.v[i]);
        }
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
    if (dlogits.empty()) return sum(BernoulliTerms<NoGradient>{logits, x, draws});
    dlogits.visit([&]<class T>(const MatrixView<T>& gradient) {
        sum(BernoulliTerms<T>{logits, x, draws, weights, gradient});
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
    if (dmean.empty()) return sum(GaussianTerms<NoGradient>{mean, precisions, x, draws});
    // First, for dmean may be the mean's own memory.
    sum_columns(queue_, scratch_.partial_sums, mean.rows, features,
                LogVarianceTerms{mean, precisions, x, draws, weights},
                StoreDescent{log_variance, dlog_variance});
    dmean.visit([&]<class T>(const MatrixView<T>& gradient) {
        sum(GaussianTerms<T>{mean, precisions, x, draws, weights, gradient});
    });
}

void CudaBackend::sigmoid(FloatMatrix values) {
    run_groups(queue_, values.rows, values.columns, Sigmoid{values});
}

}  // namespace vae_dist
