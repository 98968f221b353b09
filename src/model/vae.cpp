#include "vae_dist/model/vae.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

PosteriorDraws draws_of(const VaeInput& input) {
    return {.random = input.noise, .visit = input.visit, .rows = input.rows, .count = input.draws};
}

// The first `count` of a row of numbers.
std::span<float> first_of(const FloatMatrix& row, std::int64_t count) {
    return {row.data, static_cast<std::size_t>(count)};
}

}  // namespace

// The parameters are added in the order in which the backward pass finishes them.
Vae::Vae(const ModelConfig& config, std::int64_t features, Backend& backend, Precision precision)
    : config_(config), features_(features), backend_(backend), precision_(precision) {
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
    parameters_ = std::make_unique<ParameterStore>(layout_, precision, backend);
    terms_ = backend.allocate(3 * sizeof(double));
}

Vae::Workspace Vae::lay_out(Arena& arena, std::int64_t rows, std::int64_t draws) const {
    const std::int64_t z = config_.latent_dim;
    const std::int64_t drawn = rows * draws;
    const auto rounded = [&](std::int64_t matrix_rows, std::int64_t columns) {
        return precision_ == Precision::float32 ? Operand() : arena.operand(precision_, matrix_rows, columns);
    };
    Workspace space;
    space.x = rounded(rows, features_);
    space.encoder = encoder_->lay_out(arena, precision_, rows);
    space.posterior = arena.floats(rows, 2 * z);
    space.epsilon = arena.floats(drawn, z);
    space.latent = arena.floats(drawn, z);
    space.latent_operand = rounded(drawn, z);
    space.decoder = decoder_->lay_out(arena, precision_, drawn);
    space.output = arena.floats(drawn, features_);
    space.output_gradient = rounded(drawn, features_);
    for (FloatMatrix* of_draws : {&space.log_likelihood, &space.log_ratio, &space.weights})
        *of_draws = arena.floats(1, drawn);
    for (FloatMatrix* of_samples : {&space.bound, &space.kl})
        *of_samples = arena.floats(1, rows);
    // The encoder's input is not among them: no gradient is by it.
    const std::int64_t most = std::max(drawn * std::max(z, decoder_->widest_output()),
                                       rows * std::max(2 * z, encoder_->widest_output()));
    space.gradients = BackwardSpace(arena, precision_, most);
    return space;
}

void Vae::reserve(std::int64_t rows, std::int64_t draws) {
    memory_ = backend_.allocate(static_cast<std::size_t>(workspace_bytes(rows, draws)));
    Arena arena(memory_.as<std::byte>());
    workspace_ = lay_out(arena, rows, draws);
    encoder_->use(std::move(workspace_.encoder));
    decoder_->use(std::move(workspace_.decoder));
}

std::int64_t Vae::workspace_bytes(std::int64_t rows, std::int64_t draws) const {
    Arena counts;
    lay_out(counts, rows, draws);
    return static_cast<std::int64_t>(counts.bytes());
}

Posterior Vae::posterior(std::int64_t rows) const {
    const std::int64_t z = config_.latent_dim;
    const FloatMatrix both = workspace_.posterior.row_block(0, rows);
    return {.mean = both.column_block(0, z), .log_variance = both.column_block(z, z)};
}

// What products take for `matrix`.
ConstOperand Vae::as_operand(ConstFloatMatrix matrix, const Operand& rounded) {
    if (precision_ == Precision::float32) return matrix;
    const Operand to = rounded.row_block(0, matrix.rows);
    backend_.convert(matrix, to);
    return to;
}

Posterior Vae::encode(ConstFloatMatrix x) {
    require(x.rows <= workspace_.posterior.rows, "a pass is not larger than what was reserved");
    x_ = as_operand(x, workspace_.x);
    encoded_ = encoder_->forward(backend_, *parameters_, x_);
    heads_->forward(backend_, *parameters_, encoded_, {}, workspace_.posterior.row_block(0, x.rows));
    return posterior(x.rows);
}

FloatMatrix Vae::decode(ConstFloatMatrix latent) {
    require(latent.rows <= workspace_.output.rows, "a pass is not larger than what was reserved");
    const FloatMatrix output = workspace_.output.row_block(0, latent.rows);
    latent_ = as_operand(latent, workspace_.latent_operand);
    decoded_ = decoder_->forward(backend_, *parameters_, latent_);
    output_->forward(backend_, *parameters_, decoded_, {}, output);
    return output;
}

// The decoder's output (B K, D) for K draws from each sample's posterior.
FloatMatrix Vae::draw_and_decode(const Posterior& posterior, const PosteriorDraws& draws) {
    const std::int64_t drawn = posterior.mean.rows * draws.count;
    require(drawn <= workspace_.latent.rows, "a pass is not larger than what was reserved");
    const FloatMatrix latent = workspace_.latent.row_block(0, drawn);
    backend_.sample_posterior(posterior.mean, posterior.log_variance, draws,
                              workspace_.epsilon.row_block(0, drawn), latent);
    return decode(latent);
}

std::span<const float> Vae::log_likelihood(ConstFloatMatrix output, ConstFloatMatrix x) {
    likelihood_->forward(backend_, *parameters_, output, x, workspace_.log_likelihood.data);
    return first_of(workspace_.log_likelihood, output.rows);
}

std::span<const float> Vae::log_ratio(const Posterior& posterior, std::int64_t drawn) {
    backend_.log_prior_ratio(posterior.log_variance, workspace_.epsilon.row_block(0, drawn),
                             workspace_.latent.row_block(0, drawn), workspace_.log_ratio.data);
    return first_of(workspace_.log_ratio, drawn);
}

DrawTerms Vae::weigh_draws(ConstFloatMatrix x, const Posterior& posterior, const PosteriorDraws& draws) {
    const FloatMatrix output = draw_and_decode(posterior, draws);
    return {.log_likelihood = log_likelihood(output, x), .log_ratio = log_ratio(posterior, output.rows)};
}

// The importance weights (B K) of the draws that were decoded last, and each sample's bound (B).
void Vae::weigh(const Posterior& posterior, std::int64_t draws, double beta, double sample_weight) {
    const std::int64_t drawn = posterior.mean.rows * draws;
    backend_.importance_weights(first_of(workspace_.log_likelihood, drawn), log_ratio(posterior, drawn),
                                draws, static_cast<float>(beta), static_cast<float>(sample_weight),
                                workspace_.weights.data, workspace_.bound.data);
}

void Vae::sum_terms(const Posterior& posterior, std::int64_t draws) {
    const std::int64_t rows = posterior.mean.rows;
    double* const terms = terms_.as<double>();
    backend_.posterior_kl(posterior.mean, posterior.log_variance, workspace_.kl.data);
    backend_.sum(first_of(workspace_.log_likelihood, rows * draws), static_cast<double>(draws), terms);
    backend_.sum(first_of(workspace_.kl, rows), 1, terms + 1);
    backend_.sum(first_of(workspace_.bound, draws > 1 ? rows : 0), 1, terms + 2);
}

ElboTerms Vae::read_terms() const {
    std::array<double, 3> terms;
    backend_.copy_out(terms.data(), terms_.as<double>(), sizeof terms);
    return {.reconstruction = terms[0], .kl = terms[1], .iwae_bound = terms[2]};
}

ElboTerms Vae::evaluate(const VaeInput& input) {
    const Posterior q = encode(input.x);
    log_likelihood(draw_and_decode(q, draws_of(input)), input.x);
    if (input.draws > 1) weigh(q, input.draws, 1, 1);
    sum_terms(q, input.draws);
    return read_terms();
}

ElboTerms Vae::forward(const VaeInput& input, const ObjectiveWeights& weights) {
    start_forward(input, weights);
    return read_terms();
}

std::span<const double> Vae::start_forward(const VaeInput& input, const ObjectiveWeights& weights) {
    const Posterior q = encode(input.x);
    const FloatMatrix output = draw_and_decode(q, draws_of(input));
    if (input.draws > 1) {
        log_likelihood(output, input.x);
        weigh(q, input.draws, weights.beta, weights.sample_weight);
    } else {
        backend_.fill(first_of(workspace_.weights, output.rows), static_cast<float>(weights.sample_weight));
    }
    likelihood_->backward(backend_, *parameters_, output, input.x, workspace_.weights.data,
                          workspace_.log_likelihood.data, output_gradient(output.rows));
    sum_terms(q, input.draws);
    return terms_.span<double>();
}

// In float32 it takes the output's own place.
Operand Vae::output_gradient(std::int64_t drawn) const {
    if (precision_ == Precision::float32) return workspace_.output.row_block(0, drawn);
    return workspace_.output_gradient.row_block(0, drawn);
}

void Vae::backward(const VaeInput& input, const ObjectiveWeights& weights, const GradientsReady& ready) {
    const std::int64_t drawn = input.x.rows * input.draws;
    BackwardSpace& space = workspace_.gradients;
    if (likelihood_->end() > 0) ready(likelihood_->end());
    const Operand doutput = output_gradient(drawn);
    const FloatMatrix by_decoded = space.first(drawn, output_->in());
    output_->backward_bias(backend_, *parameters_, doutput);
    output_->backward(backend_, *parameters_, decoded_, doutput, by_decoded);
    ready(output_->end());
    const FloatMatrix by_latent =
        decoder_->backward(backend_, *parameters_, latent_, by_decoded, true, space, ready);

    const FloatMatrix by_posterior = posterior_backward(input, weights, by_latent);
    const Operand dposterior = space.operand(by_posterior);
    heads_->backward_activation(backend_, *parameters_, {}, {}, by_posterior, dposterior);
    const FloatMatrix by_encoded =
        encoder_->layers().empty() ? FloatMatrix() : space.other(by_posterior, encoder_->out());
    heads_->backward(backend_, *parameters_, encoded_, dposterior, by_encoded);
    ready(heads_->end());
    encoder_->backward(backend_, *parameters_, x_, by_encoded, false, space, ready);
}

// The gradient (B, 2 Z) by the posterior's parameters, from that by the latents (B K, Z).
FloatMatrix Vae::posterior_backward(const VaeInput& input, const ObjectiveWeights& weights,
                                    const FloatMatrix& latent_gradient) {
    const std::int64_t z = config_.latent_dim;
    const std::int64_t drawn = input.x.rows * input.draws;
    const Posterior q = posterior(input.x.rows);
    const FloatMatrix epsilon = workspace_.epsilon.row_block(0, drawn);
    const FloatMatrix other = workspace_.gradients.other(latent_gradient, 0);
    const FloatMatrix gradient(other.data, input.x.rows, 2 * z);
    if (input.draws > 1) {
        backend_.importance_backward(q.log_variance, epsilon, workspace_.latent.row_block(0, drawn),
                                     latent_gradient, workspace_.weights.data,
                                     static_cast<float>(weights.beta), gradient.column_block(0, z),
                                     gradient.column_block(z, z));
    } else {
        backend_.posterior_backward(q.mean, q.log_variance, epsilon, latent_gradient,
                                    static_cast<float>(weights.sample_weight * weights.beta),
                                    static_cast<float>(weights.free_bits), gradient.column_block(0, z),
                                    gradient.column_block(z, z));
    }
    return gradient;
}

}  // namespace vae_dist
