#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <vector>

#include "vae_dist/graph/plan.hpp"
#include "vae_dist/model/likelihood.hpp"
#include "vae_dist/model/prior.hpp"
#include "vae_dist/model/term_values.hpp"
#include "vae_dist/model/vae_graph.hpp"

namespace vae_dist {

/// q(z|x) of the samples of a pass: views (B, Z) of the model's memory, valid until the next `encode`.
struct Posterior {
    FloatMatrix mean;
    FloatMatrix log_variance;
};

/// Several draws from the posterior of each of B samples, of the random numbers that Pass describes.
struct PosteriorDraws {
    CounterRandom random;
    std::uint32_t visit = 0;
    std::span<const std::int64_t> rows;  ///< (B), row number of each sample in the data, below 2^40; host
    std::int64_t first = 0;              ///< draws first ... first + count - 1, below 2^23
    std::int64_t count = 1;              ///< K
};

/// A term of each sample (B) or, where draws decide it, of each draw (B K).
struct TermColumn {
    std::string_view name;
    std::span<const float> values;
};

/// What K draws from each sample's posterior weigh, the draws of a sample adjacent; in the model's memory,
/// valid until it decodes again. log_likelihood + log_ratio is log of the importance weight p(x, z) / q(z|x).
struct DrawTerms {
    std::span<const float> log_likelihood;  ///< (B K), log p(x|z)
    std::span<const float> log_ratio;       ///< (B K), log p(z) - log q(z|x)
    /// The model's terms, in the order of Vae::terms(1). A divergence is of each sample in closed form, else
    /// of each draw.
    std::span<const TermColumn> terms;
};

/// Conditions (rows, C) each, in the order of the configuration; backend memory.
using ConditionsView = std::span<const ConstFloatMatrix>;

/// The samples that a pass is over, and the random numbers that it draws.
struct VaeInput {
    ConstFloatMatrix x;                  ///< (B, D), backend memory
    std::span<const std::int64_t> rows;  ///< (B), row number of each sample in the data; host
    CounterRandom noise;                 ///< epsilon is drawn as Pass says
    std::uint32_t visit = 0;
    std::int64_t draws = 1;  ///< K, draws from each sample's posterior
    ConditionsView conditions = {};
};

/// What is minimised, summed over the samples of the global batch:
///   sample_weight * (-log p(x|z) + beta * sum_j max(free_bits, KL_j)),  KL_j of one sample and latent
///   dimension;
/// with several draws, the negative importance-weighted bound, log p(z) / q(z|x) times beta:
///   -sample_weight * log(1/K sum_k exp(log p(x|z_k) + beta * log(p(z_k) / q(z_k|x)))).
/// Where the divergence from the prior has no closed form, log(q(z|x) / p(z)) of the drawn z takes its place,
/// and free_bits has none.
struct ObjectiveWeights {
    double sample_weight = 1;  ///< 1 / samples in the global batch
    double beta = 1;
    double free_bits = 0;
};

/// A variational autoencoder (Kingma and Welling, 2014; Rezende et al., 2014): q(z|x) a diagonal Gaussian
/// whose mean and log-variance the encoder gives, p(z) the prior, p(x|z) by the decoder and the likelihood.
class Vae {
 public:
    /// In bfloat16 the inputs, hidden outputs and weights that matrix products take, and the gradients by a
    /// layer's sums, are rounded to bfloat16; the products' sums, the posterior, the latents' distribution,
    /// the likelihood and the gradients by parameters are float.
    Vae(const ModelConfig& config, std::int64_t features, Backend& backend,
        Precision precision = Precision::float32, std::span<const ModelCondition> conditions = {});

    const ParameterLayout& layout() const { return layout_; }
    ParameterStore& parameters() { return *parameters_; }
    const ParameterStore& parameters() const { return *parameters_; }
    std::int64_t features() const { return features_; }
    Precision precision() const { return precision_; }

    /// To be called when parameters().values were written to by hand.
    void refresh_operands() { parameters_->refresh_operands(backend_, 0, layout_.size()); }

    /// Sets all parameters to their start: weights by He et al. (2015) before relu and its kin, else by
    /// Glorot and Bengio (2010); biases, and the weights of log-variances, 0; the means of a mixture standard
    /// normal. A weight's numbers depend on the seed, its name and its shape.
    void initialise(std::uint32_t seed);

    /// Starts those parameters that depend on the data, from the features' mean (D, host): see
    /// Likelihood::start.
    void start_from(std::span<const double> mean);
    const Likelihood& likelihood() const { return *likelihood_; }
    const Prior& prior() const { return *prior_; }
    const std::vector<ModelCondition>& conditions() const { return conditions_; }

    /// Memory for training and validation, in passes of up to `rows` samples with `draws` draws each.
    void reserve(std::int64_t rows, std::int64_t draws = 1);
    /// Bytes that `reserve` takes.
    std::int64_t workspace_bytes(std::int64_t rows, std::int64_t draws = 1) const;
    /// What training passes of so many draws a sample do.
    const Plan& training_plan(std::int64_t draws) const { return objective(draws).training; }
    /// Memory for inference: the posteriors of up to `rows` samples, with `draws` draws each.
    void reserve_inference(std::int64_t rows, std::int64_t draws = 1);

    // --- Training and validation
    /// The terms of passes with so many draws a sample, all zero.
    TermValues terms(std::int64_t draws) const;
    /// The terms, sums over the samples, until the next pass; no gradients.
    const TermValues& evaluate(const VaeInput& input);

    /// The terms until the next pass, and what `backward` needs.
    const TermValues& forward(const VaeInput& input, const ObjectiveWeights& weights);
    /// The same, but the terms are left in the backend's memory until the next pass.
    std::span<const double> start_forward(const VaeInput& input, const ObjectiveWeights& weights);

    /// The gradients of the pass that `forward` made with the same arguments, into parameters().gradients.
    /// `ready` is told of each finished prefix.
    void backward(const VaeInput& input, const ObjectiveWeights& weights, const GradientsReady& ready);

    // --- Inference: the pieces of a pass
    /// q(z|x) of x (B, D). A model with conditions takes them wherever they are an argument, a row of each
    /// for each row of the first argument.
    Posterior encode(ConstFloatMatrix x, ConditionsView conditions = {});
    /// Draws from the posterior that `encode` gave for x, and decodes them: B * draws.count rows at most as
    /// reserved.
    DrawTerms weigh_draws(ConstFloatMatrix x, const Posterior& posterior, const PosteriorDraws& draws,
                          ConditionsView conditions = {});
    /// Draws first, first + 1, ... (rows, Z), in host memory, from p(z), as Prior::draw does.
    void draw_from_prior(const CounterRandom& random, std::int64_t first, FloatMatrix to_host) const;
    /// The decoder's output (R, H D) for latents (R, Z), R at most as many as B K reserved: see Likelihood.
    FloatMatrix decode(ConstFloatMatrix latent, ConditionsView conditions = {});
    /// log p(x|z) (B K) of the decoder's output (B K, H D), of which K adjacent rows belong to one of x (B,
    /// D).
    std::span<const float> log_likelihood(ConstFloatMatrix output, ConstFloatMatrix x);
    /// Replaces the decoder's output (B, H D) by the parameters of p(x|z), and gives the mean (B, D) among
    /// them.
    FloatMatrix to_mean(FloatMatrix output) const;
    /// Draws (B, D), in host memory, from p(x|z) of these parameters (B, H D), as Likelihood::draw does.
    void draw(const CounterRandom& random, std::span<const std::int64_t> rows, ConstFloatMatrix parameters,
              FloatMatrix to_host) const;

 private:
    /// The plans of passes with one draw a sample, or with several.
    struct Objective {
        VaeGraph model;
        Plan training;
        Plan validation;
        Buffer terms;     ///< a double each
        TermValues read;  ///< the last pass's
    };

    const Objective& objective(std::int64_t draws) const { return objectives_[draws > 1 ? 1 : 0]; }
    Objective& objective(std::int64_t draws) { return objectives_[draws > 1 ? 1 : 0]; }
    Pass pass_of(const VaeInput& input, const ObjectiveWeights& weights) const;
    /// Of what is given to a plan: these, and then the conditions.
    Plan::Run run_of(const Pass& pass, std::initializer_list<ConstFloatMatrix> given,
                     ConditionsView conditions);
    Posterior posterior_in(FloatMatrix both) const;
    const TermValues& read_terms(Objective& of) const;

    ModelConfig config_;
    std::int64_t features_;
    Backend& backend_;
    Precision precision_;
    std::unique_ptr<Likelihood> likelihood_;
    std::unique_ptr<Prior> prior_;
    std::vector<ModelCondition> conditions_;
    std::array<Objective, 2> objectives_;
    std::vector<ConstFloatMatrix> given_;    ///< of the pass
    std::vector<TermColumn> term_columns_;   ///< of the last draws that were weighed
    Plan encode_, draw_, decode_, density_;  ///< for inference
    ParameterLayout layout_;
    std::unique_ptr<ParameterStore> parameters_;
    Buffer memory_;  ///< of training and validation
    Buffer inference_memory_;
};

}  // namespace vae_dist
