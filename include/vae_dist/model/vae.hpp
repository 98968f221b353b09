#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "vae_dist/model/hidden_layers.hpp"
#include "vae_dist/model/likelihood.hpp"

namespace vae_dist {

/// Sums over the samples of a slice, in nats. The ELBO is reconstruction - kl.
struct ElboTerms {
    double reconstruction = 0;  ///< log p(x|z), z drawn from q(z|x)
    double kl = 0;              ///< KL(q(z|x) || p(z)), >= 0
};

/// The samples that a pass is over, and the random numbers that it draws.
struct VaeInput {
    ConstFloatMatrix x;                  ///< (B, D), backend memory
    std::span<const std::int64_t> rows;  ///< (B), row number of each sample in the data; host
    CounterRandom noise;                 ///< epsilon is drawn with the counter (visit, row, latent dimension)
    std::uint32_t visit = 0;
};

/// What is minimised, summed over the samples of the global batch:
///   sample_weight * (-log p(x|z) + beta * sum_j max(free_bits, KL_j)),  KL_j of one sample and latent
///   dimension.
struct ObjectiveWeights {
    double sample_weight = 1;  ///< 1 / samples in the global batch
    double beta = 1;
    double free_bits = 0;
};

/// A variational autoencoder (Kingma and Welling, 2014; Rezende et al., 2014): q(z|x) a diagonal Gaussian
/// whose mean and log-variance the encoder gives, p(z) standard normal, p(x|z) by the decoder and the
/// likelihood.
class Vae {
 public:
    Vae(const ModelConfig& config, std::int64_t features, Backend& backend);

    const ParameterLayout& layout() const { return layout_; }
    ParameterStore& parameters() { return *parameters_; }
    const ParameterStore& parameters() const { return *parameters_; }
    std::int64_t features() const { return features_; }

    /// Sets all parameters to their start: weights by He et al. (2015) before relu and its kin, else by
    /// Glorot and Bengio (2010), from counter-based randomness; biases 0.
    void initialise(std::uint32_t seed);

    /// Starts the bernoulli output's bias (D, host) at the logit of the features' mean, clipped to [0.001,
    /// 0.999].
    void set_output_bias_from_mean(std::span<const double> mean);

    /// Memory for passes of up to `rows` samples.
    void reserve(std::int64_t rows);
    /// Bytes that `reserve` takes.
    std::int64_t workspace_bytes(std::int64_t rows) const;

    /// The ELBO's terms of the samples; no gradients.
    ElboTerms evaluate(const VaeInput& input);

    /// The ELBO's terms, and what `backward` needs. The likelihood's gradient is computed in the same pass.
    ElboTerms forward(const VaeInput& input, const ObjectiveWeights& weights);

    /// The gradients of the pass that `forward` made with the same arguments, into parameters().gradients.
    /// `ready` is told of each finished prefix.
    void backward(const VaeInput& input, const ObjectiveWeights& weights, const GradientsReady& ready);

 private:
    FloatMatrix matrix(const Buffer& buffer, std::int64_t rows, std::int64_t columns) const {
        return {buffer.as<float>(), rows, columns};
    }
    FloatMatrix posterior_mean(std::int64_t rows) const;
    FloatMatrix posterior_log_variance(std::int64_t rows) const;
    FloatMatrix decode(const VaeInput& input);
    ElboTerms sum_terms(std::int64_t rows);

    ModelConfig config_;
    std::int64_t features_;
    Backend& backend_;
    ParameterLayout layout_;
    std::unique_ptr<Likelihood> likelihood_;
    std::unique_ptr<Linear> output_;
    std::unique_ptr<HiddenLayers> decoder_;
    std::unique_ptr<Linear> heads_;  ///< mean and log-variance, side by side
    std::unique_ptr<HiddenLayers> encoder_;
    std::unique_ptr<ParameterStore> parameters_;

    // Memory of one pass, B rows reserved.
    Buffer posterior_;           ///< (B, 2 Z): mean, log-variance
    Buffer posterior_gradient_;  ///< (B, 2 Z)
    Buffer epsilon_;             ///< (B, Z)
    Buffer latent_;              ///< (B, Z)
    Buffer latent_gradient_;     ///< (B, Z)
    Buffer output_buffer_;       ///< (B, D): logits or means, then their gradient
    Buffer decoder_gradient_;    ///< (B, last decoder layer)
    Buffer encoder_gradient_;    ///< (B, last encoder layer)
    Buffer log_likelihood_;      ///< (B)
    Buffer kl_;                  ///< (B)
    ConstFloatMatrix encoded_;   ///< the encoder's last output of this pass
    ConstFloatMatrix decoded_;   ///< the decoder's last output of this pass
};

}  // namespace vae_dist
