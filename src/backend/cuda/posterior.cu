#include "backend/cuda/cuda_backend.hpp"
#include "backend/cuda/random.hpp"
#include "backend/cuda/sums.hpp"
#include "backend/values.hpp"
#include "vae_dist/core/require.hpp"
#include "vae_dist/pointwise/posterior.hpp"

namespace vae_dist {

namespace {

/// epsilon and latent of four dimensions of a draw: one block of random words.
struct DrawLatents {
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
            z.v[i] = latent_of(m.v[i], s.v[i], e.v[i]);
        epsilon.store(r, column, e);
        latent.store(r, column, z);
    }
};

struct KlTerms {
    ConstFloats mean, log_variance;
    __device__ void operator()(std::int64_t row, std::int64_t column, Four& sums) const {
        const Four m = mean.load(row, column);
        const Four s = log_variance.load(row, column);
        for (int i = 0; i < kGroup; ++i)
            sums.v[i] += kl_of(m.v[i], s.v[i]);  // 0 beyond the last
    }
};

struct RatioTerms {
    ConstFloats log_variance, epsilon, latent;
    std::int64_t draws;
    __device__ void operator()(std::int64_t row, std::int64_t column, Four& sums) const {
        const Four s = log_variance.load(row / draws, column);
        const Four e = epsilon.load(row, column);
        const Four z = latent.load(row, column);
        for (int i = 0; i < kGroup; ++i)
            sums.v[i] += twice_log_ratio_of(s.v[i], e.v[i], z.v[i]);
    }
};

struct MinusLogPosteriorTerms {
    ConstFloats log_variance, epsilon;
    std::int64_t draws;
    __device__ void operator()(std::int64_t row, std::int64_t column, Four& sums) const {
        const Four s = log_variance.load(row / draws, column);
        const Four e = epsilon.load(row, column);
        for (int i = 0; i < kGroup; ++i)
            sums.v[i] += twice_minus_log_posterior_of(s.v[i], e.v[i]);
    }
};

struct StoreHalf {
    float* to;
    double constant = 0;
    __device__ void operator()(std::int64_t i, double total) const {
        to[i] = static_cast<float>(0.5 * (constant + total));
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
            const auto derivatives =
                posterior_derivatives(m.v[i], s.v[i], e.v[i], d.v[i], kl_weight, free_bits);
            by_mean.v[i] = derivatives.mean;
            by_log_variance.v[i] = derivatives.log_variance;
        }
        dmean.store(row, column, by_mean);
        dlog_variance.store(row, column, by_log_variance);
    }
};

}  // namespace

void CudaBackend::compute(const PosteriorDraw& draw, const Arguments& with) {
    const Pass& pass = with.pass;
    const PosteriorHalves posterior(with.inputs[0].floats());
    const FloatMatrix epsilon = with.outputs[PosteriorDraw::kEpsilon].floats();
    const FloatMatrix latent = with.outputs[PosteriorDraw::kLatent].floats();
    require_drawable(pass, posterior.mean.rows, latent.rows);
    const auto uploaded = queue_.upload({std::as_bytes(pass.row_numbers)});
    run_groups(queue_, latent.rows, latent.columns,
               DrawLatents{posterior.mean, posterior.log_variance, DeviceRandom(pass.noise), pass.visit,
                           reinterpret_cast<const std::int64_t*>(uploaded[0]), pass.first_draw, pass.draws,
                           epsilon, latent});
    const Operand& kl = with.outputs[PosteriorDraw::kKl];
    if (!kl.empty())
        sum_rows(queue_, scratch_.partial_sums, posterior.mean.rows, posterior.mean.columns,
                 KlTerms{posterior.mean, posterior.log_variance}, StoreSum{kl.floats().data});
    const Operand& log_ratio = with.outputs[PosteriorDraw::kLogRatio];
    if (log_ratio.empty()) return;
    if (draw.standard_normal_prior) {
        sum_rows(queue_, scratch_.partial_sums, latent.rows, latent.columns,
                 RatioTerms{posterior.log_variance, ConstFloatMatrix(epsilon), ConstFloatMatrix(latent),
                            pass.draws},
                 StoreHalf{log_ratio.floats().data});
    } else {
        sum_rows(queue_, scratch_.partial_sums, latent.rows, latent.columns,
                 MinusLogPosteriorTerms{posterior.log_variance, ConstFloatMatrix(epsilon), pass.draws},
                 StoreHalf{log_ratio.floats().data, static_cast<double>(latent.columns) * kLogTwoPi});
    }
}

void CudaBackend::compute(const PosteriorGradient&, const Arguments& with) {
    require(with.pass.draws == 1, "the evidence lower bound has one draw a sample");
    const PosteriorHalves posterior(with.inputs[0].floats());
    const PosteriorHalves gradient(with.outputs[0].floats());
    run_groups(queue_, posterior.mean.rows, posterior.mean.columns,
               PosteriorBackward{
                   posterior.mean, posterior.log_variance, with.inputs[1].floats(), with.inputs[2].floats(),
                   static_cast<float>(with.pass.sample_weight * with.pass.beta),
                   static_cast<float>(with.pass.free_bits), gradient.mean, gradient.log_variance});
}

}  // namespace vae_dist
