#include "backend/cuda/cuda_backend.hpp"
#include "backend/cuda/elements.hpp"
#include "backend/values.hpp"
#include "vae_dist/pointwise/mixture.hpp"

namespace vae_dist {

namespace {

/// A mixture of C components of Z dimensions.
struct MixtureRows {
    ConstFloats latent;              ///< (B K, Z)
    ConstFloats mean, log_variance;  ///< (C, Z)
    const float* logit;              ///< (C)
    std::int64_t components;

    __device__ float log_variance_of(std::int64_t c, std::int64_t z) const {
        return Gaussian::bounded(log_variance.row(c)[z]);
    }
    __device__ double log_sum_of_logits() const { return log_sum(logit); }
    /// log sum exp of C numbers; NaN where one is NaN.
    __device__ double log_sum(const float* x) const {
        float largest = x[0];
        for (std::int64_t c = 1; c < components; ++c)
            largest = x[c] > largest || x[c] != x[c] ? x[c] : largest;
        double sum = 0;
        for (std::int64_t c = 0; c < components; ++c)
            sum += static_cast<double>(expf(x[c] - largest));
        return static_cast<double>(largest) + log(sum);
    }
};

/// logit_c + log p(z|c) of a draw and a component.
struct JointDensities {
    MixtureRows of;
    Floats joint;  ///< (B K, C)
    __device__ void operator()(std::int64_t i) const {
        const std::int64_t r = i / of.components;
        const std::int64_t c = i % of.components;
        const float* const latent = of.latent.row(r);
        double sum = 0;
        for (std::int64_t z = 0; z < of.latent.columns; ++z) {
            const float s = of.log_variance_of(c, z);
            const float square = mixture_square(latent[z], of.mean.row(c)[z], Gaussian::prepared(s));
            sum += kLogTwoPi + static_cast<double>(s + square);
        }
        joint.row(r)[c] = static_cast<float>(static_cast<double>(of.logit[c]) - 0.5 * sum);
    }
};

struct NormaliseJoint {
    MixtureRows of;
    Floats responsibilities;  ///< (B K, C), as JointDensities leaves them
    float* log_density;
    __device__ void operator()(std::int64_t r) const {
        float* const joint = responsibilities.row(r);
        const double log_sum = of.log_sum(joint);
        log_density[r] = static_cast<float>(log_sum - of.log_sum_of_logits());
        for (std::int64_t c = 0; c < of.components; ++c)
            joint[c] = static_cast<float>(exp(static_cast<double>(joint[c]) - log_sum));
    }
};

struct MixtureBackward {
    MixtureRows of;
    ConstFloats responsibilities;
    const float* weights;
    float beta;
    __device__ float weight(std::int64_t r, std::int64_t c) const {
        return beta * weights[r] * responsibilities.row(r)[c];
    }
    __device__ auto derivatives(std::int64_t r, std::int64_t c, std::int64_t z) const {
        return component_derivatives(of.latent.row(r)[z], of.mean.row(c)[z],
                                     Gaussian::prepared(of.log_variance_of(c, z)), weight(r, c));
    }
};

struct LatentGradient {
    MixtureBackward back;
    Floats dlatent;
    __device__ void operator()(std::int64_t i) const {
        const std::int64_t r = i / dlatent.columns;
        const std::int64_t z = i % dlatent.columns;
        float sum = 0;
        for (std::int64_t c = 0; c < back.of.components; ++c)
            sum += back.derivatives(r, c, z).latent;
        dlatent.row(r)[z] = sum;
    }
};

/// From the first draw to the last.
struct ComponentGradient {
    MixtureBackward back;
    std::int64_t rows;
    Floats dmean, dlog_variance;
    __device__ void operator()(std::int64_t i) const {
        const std::int64_t c = i / dmean.columns;
        const std::int64_t z = i % dmean.columns;
        float mean = 0;
        float log_variance = 0;
        for (std::int64_t r = 0; r < rows; ++r) {
            const auto of_row = back.derivatives(r, c, z);
            mean += of_row.mean;
            log_variance += of_row.log_variance;
        }
        dmean.row(c)[z] = mean;
        dlog_variance.row(c)[z] = Gaussian::limited(back.of.log_variance.row(c)[z], log_variance);
    }
};

struct LogitGradient {
    MixtureBackward back;
    std::int64_t rows;
    float* dlogit;
    __device__ void operator()(std::int64_t c) const {
        const auto share =
            static_cast<float>(exp(static_cast<double>(back.of.logit[c]) - back.of.log_sum_of_logits()));
        float sum = 0;
        for (std::int64_t r = 0; r < rows; ++r)
            sum += back.beta * back.weights[r] * (share - back.responsibilities.row(r)[c]);
        dlogit[c] = sum;
    }
};

MixtureRows mixture_of(const Arguments& with) {
    const ConstFloatMatrix mean = with.inputs[MixtureDensity::kMean].floats();
    return {with.inputs[MixtureDensity::kLatent].floats(), mean,
            with.inputs[MixtureDensity::kLogVariance].floats(),
            with.inputs[MixtureDensity::kLogit].floats().data, mean.rows};
}

}  // namespace

void CudaBackend::compute(const MixtureDensity&, const Arguments& with) {
    const MixtureRows of = mixture_of(with);
    const FloatMatrix responsibilities = with.outputs[MixtureDensity::kResponsibilities].floats();
    run_each(queue_, responsibilities.size(), JointDensities{of, responsibilities});
    run_each(queue_, responsibilities.rows,
             NormaliseJoint{of, responsibilities, with.outputs[MixtureDensity::kLogDensity].floats().data});
}

void CudaBackend::compute(const MixtureGradient&, const Arguments& with) {
    const MixtureBackward back = {mixture_of(with), with.inputs[MixtureGradient::kResponsibilities].floats(),
                                  column(with.inputs[MixtureGradient::kWeights]).data(),
                                  static_cast<float>(with.pass.beta)};
    const FloatMatrix dlatent = with.outputs[MixtureDensity::kLatent].floats();
    const FloatMatrix dmean = with.outputs[MixtureDensity::kMean].floats();
    run_each(queue_, dlatent.size(), LatentGradient{back, dlatent});
    run_each(
        queue_, dmean.size(),
        ComponentGradient{back, dlatent.rows, dmean, with.outputs[MixtureDensity::kLogVariance].floats()});
    run_each(queue_, dmean.rows,
             LogitGradient{back, dlatent.rows, with.outputs[MixtureDensity::kLogit].floats().data});
}

}  // namespace vae_dist
