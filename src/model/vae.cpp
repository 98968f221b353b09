#include "vae_dist/model/vae.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

PosteriorDraws draws_of(const VaeInput& input) {
    return {.random = input.noise, .visit = input.visit, .rows = input.rows, .count = input.draws};
}

}  // namespace

// The parameters are added in the order in which the backward pass finishes them.
Vae::Vae(const ModelConfig& config, std::int64_t features, Backend& backend)
    : config_(config), features_(features), backend_(backend) {
    const auto width_of = [](const LayersConfig& layers, std::int64_t in) {
        return layers.hidden.empty() ? in : layers.hidden.back();
    };
    const std::int64_t z = config.latent_dim;
    likelihood_ = make_likelihood(config.likelihood, layout_, features);
    output_ = std::make_unique<Linear>(layout_, std::vector<std::string>{"decoder/output"},
                                       width_of(config.decoder, z), features, std::nullopt);
    decoder_ =
        std::make_unique<HiddenLayers>(layout_, "decoder", z, config.decoder.hidden, config.activation);
    heads_ =
        std::make_unique<Linear>(layout_, std::vector<std::string>{"encoder/mean", "encoder/log_variance"},
                                 width_of(config.encoder, features), z, std::nullopt);
    encoder_ = std::make_unique<HiddenLayers>(layout_, "encoder", features, config.encoder.hidden,
                                              config.activation);
    parameters_ = std::make_unique<ParameterStore>(layout_, backend);
}

void Vae::reserve(std::int64_t rows, std::int64_t draws) {
    const std::int64_t z = config_.latent_dim;
    const auto allocate = [&](std::int64_t matrix_rows, std::int64_t columns) {
        return backend_.allocate(static_cast<std::size_t>(matrix_rows * columns) * sizeof(float));
    };
    const std::int64_t drawn = rows * draws;
    encoder_->reserve(backend_, rows);
    decoder_->reserve(backend_, drawn);
    posterior_ = allocate(rows, 2 * z);
    posterior_gradient_ = allocate(rows, 2 * z);
    epsilon_ = allocate(drawn, z);
    latent_ = allocate(drawn, z);
    latent_gradient_ = allocate(drawn, z);
    output_buffer_ = allocate(drawn, features_);
    decoder_gradient_ = allocate(drawn, decoder_->out());
    encoder_gradient_ = allocate(rows, encoder_->out());
    log_likelihood_ = allocate(drawn, 1);
    log_ratio_ = allocate(drawn, 1);
    weights_ = allocate(drawn, 1);
    bound_ = allocate(rows, 1);
    kl_ = allocate(rows, 1);
}

std::int64_t Vae::workspace_bytes(std::int64_t rows, std::int64_t draws) const {
    const std::int64_t a_row = 4 * config_.latent_dim + encoder_->out() + 2;
    const std::int64_t a_draw = 3 * config_.latent_dim + features_ + decoder_->out() + 3;
    return rows * (a_row + draws * a_draw) * static_cast<std::int64_t>(sizeof(float)) +
           encoder_->workspace_bytes(rows) + decoder_->workspace_bytes(rows * draws);
}

Posterior Vae::posterior(std::int64_t rows) const {
    const std::int64_t z = config_.latent_dim;
    const FloatMatrix both = matrix(posterior_, rows, 2 * z);
    return {.mean = both.column_block(0, z), .log_variance = both.column_block(z, z)};
}

Posterior Vae::encode(ConstFloatMatrix x) {
    encoded_ = encoder_->forward(backend_, *parameters_, x);
    heads_->forward(backend_, *parameters_, encoded_, {}, matrix(posterior_, x.rows, 2 * config_.latent_dim));
    return posterior(x.rows);
}

FloatMatrix Vae::decode(ConstFloatMatrix latent) {
    const FloatMatrix output = matrix(output_buffer_, latent.rows, features_);
    decoded_ = decoder_->forward(backend_, *parameters_, latent);
    output_->forward(backend_, *parameters_, decoded_, {}, output);
    return output;
}

// The decoder's output (B K, D) for K draws from each sample's posterior.
FloatMatrix Vae::draw_and_decode(const Posterior& posterior, const PosteriorDraws& draws) {
    const std::int64_t drawn = posterior.mean.rows * draws.count;
    const FloatMatrix latent = matrix(latent_, drawn, config_.latent_dim);
    backend_.sample_posterior(posterior.mean, posterior.log_variance, draws,
                              matrix(epsilon_, drawn, config_.latent_dim), latent);
    return decode(latent);
}

std::span<const float> Vae::log_likelihood(ConstFloatMatrix output, ConstFloatMatrix x) {
    likelihood_->forward(backend_, *parameters_, output, x, log_likelihood_.as<float>());
    return log_likelihood_.span<const float>().first(static_cast<std::size_t>(output.rows));
}

std::span<const float> Vae::log_ratio(const Posterior& posterior, std::int64_t drawn) {
    const std::int64_t z = config_.latent_dim;
    backend_.log_prior_ratio(posterior.log_variance, matrix(epsilon_, drawn, z), matrix(latent_, drawn, z),
                             log_ratio_.as<float>());
    return log_ratio_.span<const float>().first(static_cast<std::size_t>(drawn));
}

DrawTerms Vae::weigh_draws(ConstFloatMatrix x, const Posterior& posterior, const PosteriorDraws& draws) {
    const FloatMatrix output = draw_and_decode(posterior, draws);
    return {.log_likelihood = log_likelihood(output, x), .log_ratio = log_ratio(posterior, output.rows)};
}

// The importance weights (B K) of the draws that were decoded last, and each sample's bound (B).
void Vae::weigh(const Posterior& posterior, std::int64_t draws, double beta, double sample_weight) {
    const std::span<const float> ratio = log_ratio(posterior, posterior.mean.rows * draws);
    backend_.importance_weights(log_likelihood_.span<const float>().first(ratio.size()), ratio, draws,
                                static_cast<float>(beta), static_cast<float>(sample_weight),
                                weights_.as<float>(), bound_.as<float>());
}

ElboTerms Vae::sum_terms(const Posterior& posterior, std::int64_t draws) {
    const auto rows = static_cast<std::size_t>(posterior.mean.rows);
    const auto drawn = rows * static_cast<std::size_t>(draws);
    backend_.posterior_kl(posterior.mean, posterior.log_variance, kl_.as<float>());
    return {.reconstruction =
                backend_.sum(log_likelihood_.span<const float>().first(drawn)) / static_cast<double>(draws),
            .kl = backend_.sum(kl_.span<const float>().first(rows)),
            .iwae_bound = draws > 1 ? backend_.sum(bound_.span<const float>().first(rows)) : 0};
}

ElboTerms Vae::evaluate(const VaeInput& input) {
    const Posterior q = encode(input.x);
    log_likelihood(draw_and_decode(q, draws_of(input)), input.x);
    if (input.draws > 1) weigh(q, input.draws, 1, 1);
    return sum_terms(q, input.draws);
}

ElboTerms Vae::forward(const VaeInput& input, const ObjectiveWeights& weights) {
    const Posterior q = encode(input.x);
    const FloatMatrix output = draw_and_decode(q, draws_of(input));
    if (input.draws > 1) {
        log_likelihood(output, input.x);
        weigh(q, input.draws, weights.beta, weights.sample_weight);
    } else {
        backend_.fill(weights_.span<float>().first(static_cast<std::size_t>(output.rows)),
                      static_cast<float>(weights.sample_weight));
    }
    likelihood_->backward(backend_, *parameters_, output, input.x, weights_.as<float>(),
                          log_likelihood_.as<float>());
    return sum_terms(q, input.draws);
}

void Vae::backward(const VaeInput& input, const ObjectiveWeights& weights, const GradientsReady& ready) {
    const std::int64_t rows = input.x.rows;
    const std::int64_t drawn = rows * input.draws;
    const std::int64_t z = config_.latent_dim;
    const FloatMatrix latent = matrix(latent_, drawn, z);
    const FloatMatrix latent_gradient = matrix(latent_gradient_, drawn, z);
    // Without hidden layers the output layer's input is the latent itself.
    const bool has_decoder_layers = !decoder_->layers().empty();
    const FloatMatrix decoded_gradient =
        has_decoder_layers ? matrix(decoder_gradient_, drawn, decoder_->out()) : latent_gradient;
    const FloatMatrix encoded_gradient =
        encoder_->layers().empty() ? FloatMatrix() : matrix(encoder_gradient_, rows, encoder_->out());

    if (likelihood_->end() > 0) ready(likelihood_->end());
    output_->backward(backend_, *parameters_, decoded_, {}, {}, matrix(output_buffer_, drawn, features_),
                      decoded_gradient);
    ready(output_->end());
    decoder_->backward(backend_, *parameters_, latent, decoded_gradient, latent_gradient, ready);
    heads_->backward(backend_, *parameters_, encoded_, {}, {}, posterior_backward(input, weights),
                     encoded_gradient);
    ready(heads_->end());
    encoder_->backward(backend_, *parameters_, input.x, encoded_gradient, {}, ready);
}

// The gradient (B, 2 Z) by the posterior's parameters, from that by the latents.
FloatMatrix Vae::posterior_backward(const VaeInput& input, const ObjectiveWeights& weights) {
    const std::int64_t z = config_.latent_dim;
    const std::int64_t drawn = input.x.rows * input.draws;
    const Posterior q = posterior(input.x.rows);
    const FloatMatrix epsilon = matrix(epsilon_, drawn, z);
    const FloatMatrix latent_gradient = matrix(latent_gradient_, drawn, z);
    const FloatMatrix gradient = matrix(posterior_gradient_, input.x.rows, 2 * z);
    if (input.draws > 1) {
        backend_.importance_backward(q.log_variance, epsilon, matrix(latent_, drawn, z), latent_gradient,
                                     weights_.as<float>(), static_cast<float>(weights.beta),
                                     gradient.column_block(0, z), gradient.column_block(z, z));
    } else {
        backend_.posterior_backward(q.mean, q.log_variance, epsilon, latent_gradient,
                                    static_cast<float>(weights.sample_weight * weights.beta),
                                    static_cast<float>(weights.free_bits), gradient.column_block(0, z),
                                    gradient.column_block(z, z));
    }
    return gradient;
}

}  // namespace vae_dist
