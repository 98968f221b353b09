#include "backend/cuda/cuda_backend.hpp"
#include "backend/cuda/functions.hpp"
#include "backend/cuda/random.hpp"
#include "backend/cuda/sums.hpp"
#include "vae_dist/core/require.hpp"

namespace vae_dist {

namespace {

/// epsilon and latent of four dimensions of a draw: one block of random words.
struct Sample {
    ConstFloats mean, log_variance;
    DeviceRandom random;
    std::uint32_t visit;
    const std::int64_t* rows;
    std::int64_t first_draw, draws;
    Floats epsilon, latent;
    __device__ void operator()(std::int64_t r, std::int64_t column) const {
        const std::int64_t b = r / draws;
        const std::int64_t counter = rows[b] + (first_draw + r % draws) * kMostRows;
        const Four e = normals_of(random.words(visit, static_cast<std::uint64_t>(counter),
                                               static_cast<std::uint32_t>(column / kGroup)));
        const Four m = mean.load(b, column);
        const Four s = log_variance.load(b, column);
        Four z;
        for (int i = 0; i < kGroup; ++i)
            z.v[i] = m.v[i] + expf(0.5F * s.v[i]) * e.v[i];
        epsilon.store(r, column, e);
        latent.store(r, column, z);
    }
};

__device__ inline float kl_of(float mean, float log_variance) {
    return 0.5F * (mean * mean + (expm1f(log_variance) - log_variance));
}

struct KlTerms {
    ConstFloats mean, log_variance;
    __device__ void operator()(std::int64_t row, std::int64_t column, Four& sums) const {
        const Four m = mean.load(row, column);
        const Four s = log_variance.load(row, column);
        for (int i = 0; i < kGroup; ++i)
            sums.v[i] += kl_of(m.v[i], s.v[i]);  // 0 beyond the last
    }
};

struct PosteriorBackward {
    ConstFloats mean, log_variance, epsilon, dlatent;
    float kl_weight, free_bits;
    Floats dmean, dlog_variance;
    __device__ void operator()(std::int64_t row, std::int64_t column) const {
        const Four m = mean.load(row, column);
        const Four s = log_variance.load(row, column);
        const Four e = epsilon.load(row, column);
        const Four d = dlatent.load(row, column);
        Four by_mean;
        Four by_log_variance;
        for (int i = 0; i < kGroup; ++i) {
            const bool is_free = free_bits > 0 && free_bits - kl_of(m.v[i], s.v[i]) > 0;
            const float weight = is_free ? 0.0F : kl_weight;
            by_mean.v[i] = d.v[i] + weight * m.v[i];
            by_log_variance.v[i] = 0.5F * (d.v[i] * e.v[i] * expf(0.5F * s.v[i]) + weight * expm1f(s.v[i]));
        }
        dmean.store(row, column, by_mean);
        dlog_variance.store(row, column, by_log_variance);
    }
};

}  // namespace

void CudaBackend::sample_posterior(ConstFloatMatrix mean, ConstFloatMatrix log_variance,
                                   const PosteriorDraws& draws, FloatMatrix epsilon, FloatMatrix latent) {
    require(std::ssize(draws.rows) == mean.rows, "every row of the posterior has a number");
    require(latent.rows == mean.rows * draws.count, "every draw has a row");
    require(draws.first + draws.count <= kMostDraws, "draws are numbered below 2^23");
    for (const std::int64_t row : draws.rows)
        require(row >= 0 && row < kMostRows, "rows are numbered below 2^40");
    const auto uploaded = queue_.upload({std::as_bytes(draws.rows)});
    run_groups(queue_, latent.rows, latent.columns,
               Sample{mean, log_variance, DeviceRandom(draws.random), draws.visit,
                      reinterpret_cast<const std::int64_t*>(uploaded[0]), draws.first, draws.count, epsilon,
                      latent});
}

void CudaBackend::posterior_kl(ConstFloatMatrix mean, ConstFloatMatrix log_variance, float* kl) {
    sum_rows(queue_, scratch_.partial_sums, mean.rows, mean.columns, KlTerms{mean, log_variance},
             StoreSum{kl});
}

void CudaBackend::posterior_backward(ConstFloatMatrix mean, ConstFloatMatrix log_variance,
                                     ConstFloatMatrix epsilon, ConstFloatMatrix dlatent, float kl_weight,
                                     float free_bits, FloatMatrix dmean, FloatMatrix dlog_variance) {
    run_groups(
        queue_, mean.rows, mean.columns,
        PosteriorBackward{mean, log_variance, epsilon, dlatent, kl_weight, free_bits, dmean, dlog_variance});
}

}  // namespace vae_dist
