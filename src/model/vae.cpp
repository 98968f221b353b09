#include "vae_dist/model/vae.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

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

void Vae::reserve(std::int64_t rows) {
    const auto allocate = [&](std::int64_t columns) {
        return backend_.allocate(static_cast<std::size_t>(rows * columns) * sizeof(float));
    };
    const std::int64_t z = config_.latent_dim;
    encoder_->reserve(backend_, rows);
    decoder_->reserve(backend_, rows);
    posterior_ = allocate(2 * z);
    posterior_gradient_ = allocate(2 * z);
    epsilon_ = allocate(z);
    latent_ = allocate(z);
    latent_gradient_ = allocate(z);
    output_buffer_ = allocate(features_);
    decoder_gradient_ = allocate(decoder_->out());
    encoder_gradient_ = allocate(encoder_->out());
    log_likelihood_ = allocate(1);
    kl_ = allocate(1);
}

std::int64_t Vae::workspace_bytes(std::int64_t rows) const {
    const std::int64_t columns = 7 * config_.latent_dim + features_ + decoder_->out() + encoder_->out() + 2;
    return columns * rows * static_cast<std::int64_t>(sizeof(float)) + encoder_->workspace_bytes(rows) +
           decoder_->workspace_bytes(rows);
}

FloatMatrix Vae::posterior_mean(std::int64_t rows) const {
    return matrix(posterior_, rows, 2 * config_.latent_dim).column_block(0, config_.latent_dim);
}

FloatMatrix Vae::posterior_log_variance(std::int64_t rows) const {
    return matrix(posterior_, rows, 2 * config_.latent_dim)
        .column_block(config_.latent_dim, config_.latent_dim);
}

// From x to the decoder's output (B, D), by way of one draw from the posterior, and the KL of each sample.
FloatMatrix Vae::decode(const VaeInput& input) {
    const std::int64_t rows = input.x.rows;
    const std::int64_t z = config_.latent_dim;
    const FloatMatrix latent = matrix(latent_, rows, z);
    const FloatMatrix output = matrix(output_buffer_, rows, features_);
    encoded_ = encoder_->forward(backend_, *parameters_, input.x);
    heads_->forward(backend_, *parameters_, encoded_, {}, matrix(posterior_, rows, 2 * z));
    backend_.sample_posterior(posterior_mean(rows), posterior_log_variance(rows), input.noise, input.visit,
                              input.rows, matrix(epsilon_, rows, z), latent);
    backend_.posterior_kl(posterior_mean(rows), posterior_log_variance(rows), kl_.as<float>());
    decoded_ = decoder_->forward(backend_, *parameters_, latent);
    output_->forward(backend_, *parameters_, decoded_, {}, output);
    return output;
}

ElboTerms Vae::sum_terms(std::int64_t rows) {
    const auto count = static_cast<std::size_t>(rows);
    return {.reconstruction = backend_.sum({log_likelihood_.as<const float>(), count}),
            .kl = backend_.sum({kl_.as<const float>(), count})};
}

ElboTerms Vae::evaluate(const VaeInput& input) {
    const FloatMatrix output = decode(input);
    likelihood_->forward(backend_, *parameters_, output, input.x, log_likelihood_.as<float>());
    return sum_terms(input.x.rows);
}

ElboTerms Vae::forward(const VaeInput& input, const ObjectiveWeights& weights) {
    const FloatMatrix output = decode(input);
    likelihood_->backward(backend_, *parameters_, output, input.x, static_cast<float>(weights.sample_weight),
                          log_likelihood_.as<float>());
    return sum_terms(input.x.rows);
}

void Vae::backward(const VaeInput& input, const ObjectiveWeights& weights, const GradientsReady& ready) {
    const std::int64_t rows = input.x.rows;
    const std::int64_t z = config_.latent_dim;
    const FloatMatrix latent = matrix(latent_, rows, z);
    const FloatMatrix latent_gradient = matrix(latent_gradient_, rows, z);
    const FloatMatrix posterior_gradient = matrix(posterior_gradient_, rows, 2 * z);
    // Without hidden layers the output layer's input is the latent itself.
    const bool has_decoder_layers = !decoder_->layers().empty();
    const FloatMatrix decoded_gradient =
        has_decoder_layers ? matrix(decoder_gradient_, rows, decoder_->out()) : latent_gradient;
    const FloatMatrix encoded_gradient =
        encoder_->layers().empty() ? FloatMatrix() : matrix(encoder_gradient_, rows, encoder_->out());

    if (likelihood_->end() > 0) ready(likelihood_->end());
    output_->backward(backend_, *parameters_, decoded_, {}, {}, matrix(output_buffer_, rows, features_),
                      decoded_gradient);
    ready(output_->end());
    decoder_->backward(backend_, *parameters_, latent, decoded_gradient, latent_gradient, ready);
    backend_.posterior_backward(posterior_mean(rows), posterior_log_variance(rows), matrix(epsilon_, rows, z),
                                latent_gradient, static_cast<float>(weights.sample_weight * weights.beta),
                                static_cast<float>(weights.free_bits), posterior_gradient.column_block(0, z),
                                posterior_gradient.column_block(z, z));
    heads_->backward(backend_, *parameters_, encoded_, {}, {}, posterior_gradient, encoded_gradient);
    ready(heads_->end());
    encoder_->backward(backend_, *parameters_, input.x, encoded_gradient, {}, ready);
}

}  // namespace vae_dist
