#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "vae_dist/model/hidden_layers.hpp"
#include "vae_dist/model/likelihood.hpp"

namespace vae_dist {

/// Sums over the samples of a slice, in nats. The ELBO is reconstruction - kl.
struct ElboTerms {
    double reconstruction = 0;  ///< log p(x|z), z drawn from q(z|x); the mean of the draws
    double kl = 0;              ///< KL(q(z|x) || p(z)), >= 0
    /// The importance-weighted bound log(1/K sum_k p(x, z_k) / q(z_k|x)) (Burda et al., 2016, eq. 8); only of
    /// passes with several draws, else 0.
    double iwae_bound = 0;
};

/// The share of such sums in the means over more samples, each of which counts `sample_weight`.
inline ElboTerms share_of(const ElboTerms& sums, double sample_weight) {
    return {sums.reconstruction * sample_weight, sums.kl * sample_weight, sums.iwae_bound * sample_weight};
}

/// q(z|x) of the samples of a pass: views (B, Z) of the model's memory, valid until its next pass.
struct Posterior {
    FloatMatrix mean;
    FloatMatrix log_variance;
};

/// What K draws from each sample's posterior weigh, the draws of a sample adjacent: (B K) each, in the
/// model's memory, valid until its next pass. Their sum is log of the importance weight p(x, z) / q(z|x).
struct DrawTerms {
    std::span<const float> log_likelihood;  ///< log p(x|z)
    std::span<const float> log_ratio;       ///< log p(z) - log q(z|x)
};

/// The samples that a pass is over, and the random numbers that it draws.
struct VaeInput {
    ConstFloatMatrix x;                  ///< (B, D), backend memory
    std::span<const std::int64_t> rows;  ///< (B), row number of each sample in the data; host
    CounterRandom noise;                 ///< epsilon is drawn as PosteriorDraws says
    std::uint32_t visit = 0;
    std::int64_t draws = 1;  ///< K, draws from each sample's posterior
};

/// What is minimised, summed over the samples of the global batch:
///   sample_weight * (-log p(x|z) + beta * sum_j max(free_bits, KL_j)),  KL_j of one sample and latent
///   dimension;
/// with several draws, the negative importance-weighted bound, log p(z) / q(z|x) times beta:
///   -sample_weight * log(1/K sum_k exp(log p(x|z_k) + beta * log(p(z_k) / q(z_k|x)))).
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

    /// Memory for passes of up to `rows` samples with `draws` draws each.
    void reserve(std::int64_t rows, std::int64_t draws = 1);
    /// Bytes that `reserve` takes.
    std::int64_t workspace_bytes(std::int64_t rows, std::int64_t draws = 1) const;

    // --- Training and validation
    /// The ELBO's terms of the samples; no gradients.
    ElboTerms evaluate(const VaeInput& input);

    /// The ELBO's terms, and what `backward` needs.
    ElboTerms forward(const VaeInput& input, const ObjectiveWeights& weights);

    /// The gradients of the pass that `forward` made with the same arguments, into parameters().gradients.
    /// `ready` is told of each finished prefix.
    void backward(const VaeInput& input, const ObjectiveWeights& weights, const GradientsReady& ready);

    // --- Inference: the pieces of a pass
    /// q(z|x) of x (B, D).
    Posterior encode(ConstFloatMatrix x);
    /// Draws from the posterior that `encode` gave for x, and decodes them: B * draws.count rows at most as
    /// reserved.
    DrawTerms weigh_draws(ConstFloatMatrix x, const Posterior& posterior, const PosteriorDraws& draws);
    /// The decoder's output (R, D) for latents (R, Z), R at most as many as B K reserved: logits (bernoulli)
    /// or means (gaussian).
    FloatMatrix decode(ConstFloatMatrix latent);
    /// log p(x|z) (B K) of the decoder's output (B K, D), of which K adjacent rows belong to one of x (B, D).
    std::span<const float> log_likelihood(ConstFloatMatrix output, ConstFloatMatrix x);
    const Likelihood& likelihood() const { return *likelihood_; }

 private:
    FloatMatrix matrix(const Buffer& buffer, std::int64_t rows, std::int64_t columns) const {
        return {buffer.as<float>(), rows, columns};
    }
    Posterior posterior(std::int64_t rows) const;
    FloatMatrix draw_and_decode(const Posterior& posterior, const PosteriorDraws& draws);
    std::span<const float> log_ratio(const Posterior& posterior, std::int64_t drawn);
    void weigh(const Posterior& posterior, std::int64_t draws, double beta, double sample_weight);
    ElboTerms sum_terms(const Posterior& posterior, std::int64_t draws);
    FloatMatrix posterior_backward(const VaeInput& input, const ObjectiveWeights& weights);

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

    // Memory of one pass: B rows with K draws each reserved.
    Buffer posterior_;           ///< (B, 2 Z): mean, log-variance
    Buffer posterior_gradient_;  ///< (B, 2 Z)
    Buffer epsilon_;             ///< (B K, Z)
    Buffer latent_;              ///< (B K, Z)
    Buffer latent_gradient_;     ///< (B K, Z)
    Buffer output_buffer_;       ///< (B K, D): logits or means, then their gradient
    Buffer decoder_gradient_;    ///< (B K, last decoder layer)
    Buffer encoder_gradient_;    ///< (B, last encoder layer)
    Buffer log_likelihood_;      ///< (B K)
    Buffer log_ratio_;           ///< (B K)
    Buffer weights_;             ///< (B K)
    Buffer bound_;               ///< (B)
    Buffer kl_;                  ///< (B)
    ConstFloatMatrix encoded_;   ///< the encoder's last output of this pass
    ConstFloatMatrix decoded_;   ///< the decoder's last output of this pass
};

}  // namespace vae_dist
