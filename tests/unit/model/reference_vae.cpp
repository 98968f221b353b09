#include "unit/model/reference_vae.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace vae_dist {

namespace {

double activate(Activation activation, double a) {
    switch (activation) {
        case Activation::relu:
            return std::max(a, 0.0);
        case Activation::tanh:
            return std::tanh(a);
        case Activation::gelu:
            return a * 0.5 * std::erfc(-a / std::numbers::sqrt2);
        case Activation::silu:
            return a / (1 + std::exp(-a));
        case Activation::softplus:
            return std::log1p(std::exp(a));
        case Activation::elu:
            return a > 0 ? a : std::expm1(a);
    }
    return 0;
}

// weight (out, in), bias (out)
std::vector<double> affine(const ReferenceVae::Parameters& parameters, const std::string& name,
                           const std::vector<double>& x) {
    const std::vector<double>& weight = parameters.at(name + "/weight");
    std::vector<double> y = parameters.at(name + "/bias");
    for (std::size_t o = 0; o < y.size(); ++o) {
        for (std::size_t i = 0; i < x.size(); ++i)
            y[o] += weight[o * x.size() + i] * x[i];
    }
    return y;
}

// Of the last hidden layer's output.
double log_likelihood(const LikelihoodConfig& config, const ReferenceVae::Parameters& parameters,
                      const std::vector<double>& decoded, const std::vector<double>& x) {
    const std::vector<double> output = affine(parameters, "decoder/output", decoded);
    std::vector<double> log_variance;
    if (config.kind == LikelihoodKind::gaussian) {
        log_variance = config.variance == VarianceKind::feature
                           ? parameters.at("decoder/log_variance")
                           : affine(parameters, "decoder/log_variance", decoded);
    }
    double sum = 0;
    for (std::size_t d = 0; d < x.size(); ++d) {
        if (config.kind == LikelihoodKind::bernoulli) {
            const double p = 1 / (1 + std::exp(-output[d]));
            sum += x[d] * std::log(p) + (1 - x[d]) * std::log(1 - p);
        } else {
            const double s = log_variance[d];
            const double difference = x[d] - output[d];
            sum -= 0.5 * (std::log(2 * std::numbers::pi) + s + difference * difference / std::exp(s));
        }
    }
    return sum;
}

double log_prior(const SizedWord<PriorKind>& prior, const ReferenceVae::Parameters& parameters,
                 const std::vector<double>& latent) {
    const std::size_t latents = latent.size();
    const auto components = static_cast<std::size_t>(std::max<std::int64_t>(prior.size, 1));
    std::vector<double> mean(components * latents, 0);
    std::vector<double> log_variance = mean;
    std::vector<double> logit(components, 0);
    if (prior.word == PriorKind::mixture) {
        mean = parameters.at("prior/mean");
        log_variance = parameters.at("prior/log_variance");
        logit = parameters.at("prior/logit");
    }
    double density = 0;
    double weights = 0;
    for (std::size_t c = 0; c < components; ++c) {
        double log_normal = 0;
        for (std::size_t z = 0; z < latents; ++z) {
            const double s = log_variance[c * latents + z];
            const double difference = latent[z] - mean[c * latents + z];
            log_normal -= 0.5 * (std::log(2 * std::numbers::pi) + s + difference * difference / std::exp(s));
        }
        density += std::exp(logit[c] + log_normal);
        weights += std::exp(logit[c]);
    }
    return std::log(density / weights);
}

}  // namespace

std::vector<double> ReferenceVae::layers(const Parameters& parameters, const std::string& name,
                                         std::size_t count, std::vector<double> x) const {
    for (std::size_t i = 0; i < count; ++i) {
        x = affine(parameters, name + "/" + std::to_string(i), x);
        for (double& value : x)
            value = activate(config_.activation, value);
    }
    return x;
}

std::vector<double> ReferenceVae::conditioned(ConditionedPart part, std::vector<double> x,
                                              const std::vector<double>& conditions) const {
    if (config_.condition.goes_into(part)) x.insert(x.end(), conditions.begin(), conditions.end());
    return x;
}

std::pair<std::vector<double>, std::vector<double>> ReferenceVae::posterior(
    const Parameters& parameters, const std::vector<double>& x, const std::vector<double>& conditions) const {
    const std::vector<double> encoded = layers(parameters, "encoder", config_.encoder.hidden.size(),
                                               conditioned(ConditionedPart::encoder, x, conditions));
    return {affine(parameters, "encoder/mean", encoded), affine(parameters, "encoder/log_variance", encoded)};
}

ReferenceVae::Terms ReferenceVae::terms(const Parameters& parameters, const std::vector<Sample>& samples,
                                        double weight, double beta, double free_bits) const {
    Terms terms;
    for (const Sample& sample : samples) {
        const auto [mean, log_variance] = posterior(parameters, sample.x, sample.conditions);
        const bool closed_form = config_.prior.word == PriorKind::standard_normal;
        double penalty = 0;
        for (std::size_t z = 0; closed_form && z < mean.size(); ++z) {
            const double kl = (mean[z] * mean[z] + std::exp(log_variance[z]) - 1 - log_variance[z]) / 2;
            terms.kl += kl;
            penalty += std::max(free_bits, kl);
        }
        const auto draws = static_cast<double>(sample.epsilon.size());
        double reconstruction = 0;
        double weights = 0;
        double tempered = 0;
        for (const std::vector<double>& epsilon : sample.epsilon) {
            std::vector<double> latent = mean;
            double log_posterior = 0;
            for (std::size_t z = 0; z < latent.size(); ++z) {
                latent[z] += std::exp(log_variance[z] / 2) * epsilon[z];
                log_posterior -=
                    (std::log(2 * std::numbers::pi) + log_variance[z] + epsilon[z] * epsilon[z]) / 2;
            }
            const double log_ratio = log_prior(config_.prior, parameters, latent) - log_posterior;
            if (!closed_form) terms.kl -= log_ratio / draws;
            if (!closed_form) penalty -= log_ratio / draws;
            const std::vector<double> decoded =
                layers(parameters, "decoder", config_.decoder.hidden.size(),
                       conditioned(ConditionedPart::decoder, latent, sample.conditions));
            const double likelihood = log_likelihood(config_.likelihood, parameters, decoded, sample.x);
            reconstruction += likelihood / draws;
            weights += std::exp(likelihood + log_ratio) / draws;
            tempered += std::exp(likelihood + beta * log_ratio) / draws;
        }
        terms.reconstruction += reconstruction;
        terms.iwae_bound += std::log(weights);
        terms.objective += weight * (draws > 1 ? -std::log(tempered) : -reconstruction + beta * penalty);
    }
    return terms;
}

}  // namespace vae_dist
