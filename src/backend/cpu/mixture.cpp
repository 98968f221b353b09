#include "vae_dist/pointwise/mixture.hpp"

#include <algorithm>
#include <cmath>

#include "backend/cpu/blocks.hpp"
#include "backend/cpu/cpu_backend.hpp"
#include "backend/values.hpp"

namespace vae_dist {

namespace {

double log_sum_of_exponentials(std::span<const float> x) {
    const auto largest = static_cast<double>(*std::ranges::max_element(x));
    double sum = 0;
    for (const float value : x)
        sum += std::exp(static_cast<double>(value) - largest);
    return largest + std::log(sum);
}

// x becomes exp(x - log sum exp x); returns this logarithm. NaN where one is NaN.
[[gnu::flatten]] double normalise_exponentials(std::span<float> x) {
    float largest = x.front();
    for (const float value : x)
        largest = value > largest || value != value ? value : largest;
    const Block shift = Block::Constant(largest);
    Block total = Block::Zero();
    for_blocks(std::ssize(x), [&](std::int64_t first, auto count) {
        const Block exponential = (load(x.data() + first, count) - shift).exp();
        total += only(exponential, count);
        store(exponential, x.data() + first, count);
    });
    const double sum = lane_sum(total);
    const Block factor = Block::Constant(static_cast<float>(1 / sum));
    map_array(
        std::ssize(x), x.data(), [&](const Block& e) -> Block { return e * factor; }, x.data());
    return static_cast<double>(largest) + std::log(sum);
}

}  // namespace

// What depends on the components alone: their inverse variances, and log weight_c - 1/2 sum (log 2 pi + s).
CpuBackend::Components CpuBackend::prepare_components(const Arguments& with) {
    const ConstFloatMatrix log_variance = with.inputs[MixtureDensity::kLogVariance].floats();
    const ConstFloatMatrix logit = with.inputs[MixtureDensity::kLogit].floats();
    const std::int64_t components = log_variance.rows;
    const std::int64_t latents = log_variance.columns;
    const FloatMatrix inverse = columns_.matrix(components, latents);
    terms_.resize(static_cast<std::size_t>(components));
    const double log_sum = log_sum_of_exponentials({logit.data, static_cast<std::size_t>(components)});
    for (std::int64_t c = 0; c < components; ++c) {
        Block total = Block::Zero();
        for_blocks(latents, [&](std::int64_t first, auto count) {
            const Block s = Gaussian::bounded(load(log_variance.row(c) + first, count));
            total += only(Gaussian::normaliser(s), count);
            store(Gaussian::prepared(s), inverse.row(c) + first, count);
        });
        terms_[static_cast<std::size_t>(c)] =
            static_cast<double>(logit.data[c]) - log_sum -
            0.5 * (static_cast<double>(latents) * kLogTwoPi + lane_sum(total));
    }
    return {
        .mean = with.inputs[MixtureDensity::kMean].floats(), .inverse_variance = inverse, .constant = terms_};
}

[[gnu::flatten]] void CpuBackend::compute(const MixtureDensity&, const Arguments& with) {
    const ConstFloatMatrix latent = with.inputs[MixtureDensity::kLatent].floats();
    const std::span<float> log_density = column(with.outputs[MixtureDensity::kLogDensity]);
    const FloatMatrix responsibilities = with.outputs[MixtureDensity::kResponsibilities].floats();
    const Components of = prepare_components(with);
    const std::int64_t components = of.mean.rows;
    const auto row_density = [&](std::int64_t r) {
        float* const joint = responsibilities.row(r);
        for (std::int64_t c = 0; c < components; ++c) {
            Block total = Block::Zero();
            for_blocks(latent.columns, [&](std::int64_t first, auto count) {
                total +=
                    mixture_square(load(latent.row(r) + first, count), load(of.mean.row(c) + first, count),
                                   load(of.inverse_variance.row(c) + first, count));
            });
            joint[c] = static_cast<float>(of.constant[static_cast<std::size_t>(c)] - 0.5 * lane_sum(total));
        }
        return static_cast<float>(normalise_exponentials({joint, static_cast<std::size_t>(components)}));
    };
    const std::int64_t grain = row_grain(components * latent.columns);
    threads_.split(latent.rows, grain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t r = begin; r < end; ++r)
            log_density[static_cast<std::size_t>(r)] = row_density(r);
    });
}

// A thread's are some draws, and then some components, whose sums go from the first draw to the last.
[[gnu::flatten]] void CpuBackend::compute(const MixtureGradient&, const Arguments& with) {
    const ConstFloatMatrix latent = with.inputs[MixtureDensity::kLatent].floats();
    const ConstFloatMatrix log_variance = with.inputs[MixtureDensity::kLogVariance].floats();
    const float* const logit = with.inputs[MixtureDensity::kLogit].floats().data;
    const ConstFloatMatrix responsibilities = with.inputs[MixtureGradient::kResponsibilities].floats();
    const std::span<const float> weights = column(with.inputs[MixtureGradient::kWeights]);
    const FloatMatrix dlatent = with.outputs[MixtureDensity::kLatent].floats();
    const FloatMatrix dmean = with.outputs[MixtureDensity::kMean].floats();
    const FloatMatrix dlog_variance = with.outputs[MixtureDensity::kLogVariance].floats();
    float* const dlogit = with.outputs[MixtureDensity::kLogit].floats().data;
    const auto beta = static_cast<float>(with.pass.beta);
    const Components of = prepare_components(with);
    const std::int64_t components = of.mean.rows;
    const auto weight_of = [&](std::int64_t r, std::int64_t c) {
        return beta * weights[static_cast<std::size_t>(r)] * responsibilities.row(r)[c];
    };
    const auto derivatives = [&](std::int64_t r, std::int64_t c, std::int64_t first, auto count) {
        return component_derivatives(load(latent.row(r) + first, count), load(of.mean.row(c) + first, count),
                                     load(of.inverse_variance.row(c) + first, count), weight_of(r, c));
    };
    const auto latent_gradient = [&](std::int64_t r, std::int64_t first, auto count) {
        Block sum = Block::Zero();
        for (std::int64_t c = 0; c < components; ++c)
            sum += derivatives(r, c, first, count).latent;
        store(sum, dlatent.row(r) + first, count);
    };
    threads_.split(
        latent.rows, row_grain(components * latent.columns), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t r = begin; r < end; ++r)
                for_blocks(latent.columns,
                           [&](std::int64_t first, auto count) { latent_gradient(r, first, count); });
        });

    const double log_sum = log_sum_of_exponentials({logit, static_cast<std::size_t>(components)});
    const auto component_gradient = [&](std::int64_t c, std::int64_t first, auto count) {
        Block mean = Block::Zero();
        Block log_var = Block::Zero();
        for (std::int64_t r = 0; r < latent.rows; ++r) {
            const auto of_row = derivatives(r, c, first, count);
            mean += of_row.mean;
            log_var += of_row.log_variance;
        }
        store(mean, dmean.row(c) + first, count);
        store(Gaussian::limited(load(log_variance.row(c) + first, count), log_var),
              dlog_variance.row(c) + first, count);
    };
    const auto logit_gradient = [&](std::int64_t c) {
        const auto share = static_cast<float>(std::exp(static_cast<double>(logit[c]) - log_sum));
        float sum = 0;
        for (std::int64_t r = 0; r < latent.rows; ++r) {
            const float weight = beta * weights[static_cast<std::size_t>(r)];
            sum += weight * (share - responsibilities.row(r)[c]);
        }
        return sum;
    };
    threads_.split(
        components, row_grain(latent.rows * latent.columns), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t c = begin; c < end; ++c) {
                dlogit[c] = logit_gradient(c);
                for_blocks(latent.columns,
                           [&](std::int64_t first, auto count) { component_gradient(c, first, count); });
            }
        });
}

}  // namespace vae_dist
