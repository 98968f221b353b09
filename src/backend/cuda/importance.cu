#include "backend/cuda/cuda_backend.hpp"
#include "backend/cuda/elements.hpp"
#include "backend/values.hpp"
#include "vae_dist/core/require.hpp"
#include "vae_dist/pointwise/posterior.hpp"

namespace vae_dist {

namespace {

/// The terms log p(x|z_k) + factor * log_ratio_k of a sample.
struct DrawTerm {
    const float* log_likelihood;
    const float* log_ratio;
    double factor;
    __device__ double operator()(std::int64_t k) const {
        return static_cast<double>(log_likelihood[k]) + factor * static_cast<double>(log_ratio[k]);
    }
    /// The largest; NaN where one is NaN.
    __device__ double largest(std::int64_t draws) const {
        double most = (*this)(0);
        for (std::int64_t k = 1; k < draws; ++k) {
            const double term = (*this)(k);
            most = term > most || term != term ? term : most;
        }
        return most;
    }
    __device__ double sum_of_exponentials(std::int64_t draws, double most) const {
        double sum = 0;
        for (std::int64_t k = 0; k < draws; ++k)
            sum += exp((*this)(k)-most);
        return sum;
    }
};

/// A thread's is a whole sample.
struct WeighDraws {
    const float* log_likelihood;
    const float* log_ratio;
    std::int64_t draws;
    float beta, sample_weight;
    float* weights;
    float* bound;
    __device__ void operator()(std::int64_t sample) const {
        const std::int64_t first = sample * draws;
        const DrawTerm of_bound = {log_likelihood + first, log_ratio + first, 1};
        const double most = of_bound.largest(draws);
        const double mean = of_bound.sum_of_exponentials(draws, most) / static_cast<double>(draws);
        bound[sample] = static_cast<float>(most + log(mean));
        const DrawTerm weighed = {log_likelihood + first, log_ratio + first, static_cast<double>(beta)};
        const double greatest = weighed.largest(draws);
        const double sum = weighed.sum_of_exponentials(draws, greatest);
        for (std::int64_t k = 0; k < draws; ++k) {
            const double part = exp(weighed(k) - greatest) / sum;
            weights[first + k] = static_cast<float>(static_cast<double>(sample_weight) * part);
        }
    }
};

struct ImportanceBackward {
    ConstFloats log_variance, epsilon, latent, dlatent;
    std::int64_t draws;
    const float* weights;
    float beta, prior_beta;
    Floats dmean, dlog_variance;
    __device__ void operator()(std::int64_t b, std::int64_t column) const {
        Four by_mean = {};
        Four by_deviation = {};
        float weight = 0;
        for (std::int64_t r = b * draws; r < (b + 1) * draws; ++r) {
            const float w = weights[r];
            const Four d = dlatent.load(r, column);
            const Four z = latent.load(r, column);
            const Four e = epsilon.load(r, column);
            for (int i = 0; i < kGroup; ++i) {
                const float by_latent = weighed_latent_derivative(d.v[i], z.v[i], prior_beta * w);
                by_mean.v[i] += by_latent;
                by_deviation.v[i] += by_latent * e.v[i];
            }
            weight += w;
        }
        const Four s = log_variance.load(b, column);
        Four by_log_variance;
        for (int i = 0; i < kGroup; ++i)
            by_log_variance.v[i] = weighed_log_variance_derivative(s.v[i], by_deviation.v[i], beta * weight);
        dmean.store(b, column, by_mean);
        dlog_variance.store(b, column, by_log_variance);
    }
};

}  // namespace

void CudaBackend::compute(const ImportanceWeights&, const Arguments& with) {
    const std::span<const float> log_likelihood = column(with.inputs[0]);
    const std::span<const float> log_ratio = column(with.inputs[1]);
    const Pass& pass = with.pass;
    require(pass.draws > 0 && log_likelihood.size() == log_ratio.size(), "every draw has both its terms");
    run_each(queue_, std::ssize(log_likelihood) / pass.draws,
             WeighDraws{log_likelihood.data(), log_ratio.data(), pass.draws, static_cast<float>(pass.beta),
                        static_cast<float>(pass.sample_weight), with.outputs[0].floats().data,
                        with.outputs[1].floats().data});
}

void CudaBackend::compute(const ImportanceGradient& gradient_of, const Arguments& with) {
    const PosteriorHalves posterior(with.inputs[0].floats());
    const PosteriorHalves gradient(with.outputs[0].floats());
    const auto beta = static_cast<float>(with.pass.beta);
    run_groups(queue_, posterior.mean.rows, posterior.mean.columns,
               ImportanceBackward{posterior.log_variance, with.inputs[1].floats(), with.inputs[2].floats(),
                                  with.inputs[3].floats(), with.pass.draws, with.inputs[4].floats().data,
                                  beta, gradient_of.standard_normal_prior ? beta : 0, gradient.mean,
                                  gradient.log_variance});
}

}  // namespace vae_dist
