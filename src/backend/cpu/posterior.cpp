#include "vae_dist/pointwise/posterior.hpp"

#include <algorithm>
#include <array>
#include <numbers>

#include "backend/cpu/blocks.hpp"
#include "backend/cpu/cpu_backend.hpp"
#include "backend/values.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

// Box and Muller's transform of pairs of words, as CounterRandom::normals but in float.
void normals_of_words(const std::uint32_t* words, std::span<float, 2 * kBlock> out) {
    Block radius_part;
    Block turn;  // less half a turn, which keeps the angle exact where it is small, and turns both signs
    for (std::int64_t i = 0; i < kBlock; ++i) {
        radius_part[i] = unit_float(words[2 * i]);
        turn[i] = unit_float(words[2 * i + 1]) - 0.5F;
    }
    const Block radius = -(-2.0F * radius_part.log()).sqrt();
    const Block angle = static_cast<float>(2 * std::numbers::pi) * turn;
    const Block first = radius * angle.cos();
    const Block second = radius * angle.sin();
    for (std::size_t i = 0; i < kBlock; ++i) {
        out[2 * i] = first[static_cast<std::int64_t>(i)];
        out[2 * i + 1] = second[static_cast<std::int64_t>(i)];
    }
}

// CounterRandom::normals of one counter.
void fill_normals(const Pass& pass, std::uint64_t counter, std::span<float> out) {
    constexpr std::size_t kChunk = 2 * kBlock;
    for (std::size_t first = 0; first < out.size(); first += kChunk) {
        std::array<std::uint32_t, kChunk> words;
        std::array<float, kChunk> normals;
        pass.noise.fill_words(pass.visit, counter, static_cast<std::uint32_t>(first / 4), words);
        normals_of_words(words.data(), normals);
        std::copy_n(normals.begin(), std::min(kChunk, out.size() - first), out.data() + first);
    }
}

using Posterior = PosteriorHalves<const float>;

[[gnu::flatten]] void draw_latents(const Threads& threads, const Posterior& posterior, const Pass& pass,
                                   FloatMatrix epsilon, FloatMatrix latent) {
    const auto draw = [&](std::int64_t r) {
        const std::int64_t b = r / pass.draws;
        const std::int64_t counter =
            pass.row_numbers[static_cast<std::size_t>(b)] + (pass.first_draw + r % pass.draws) * kMostRows;
        fill_normals(pass, static_cast<std::uint64_t>(counter),
                     {epsilon.row(r), static_cast<std::size_t>(epsilon.columns)});
        map_array(
            latent.columns, latent.row(r),
            [](const Block& m, const Block& s, const Block& e) -> Block { return latent_of(m, s, e); },
            posterior.mean.row(b), posterior.log_variance.row(b), epsilon.row(r));
    };
    threads.split(latent.rows, row_grain(8 * latent.columns), [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t r = first; r < last; ++r)
            draw(r);
    });
}

[[gnu::flatten]] void write_kl(const Threads& threads, const Posterior& posterior, std::span<float> kl) {
    const std::int64_t columns = posterior.mean.columns;
    const auto row_kl = [&](std::int64_t r) {
        Block total = Block::Zero();
        for_blocks(columns, [&](std::int64_t first, auto count) {
            total += only(kl_of(load(posterior.mean.row(r) + first, count),
                                load(posterior.log_variance.row(r) + first, count)),
                          count);
        });
        return static_cast<float>(lane_sum(total));
    };
    threads.split(std::ssize(kl), row_grain(2 * columns), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t r = begin; r < end; ++r)
            kl[static_cast<std::size_t>(r)] = row_kl(r);
    });
}

void write_log_ratio(const Threads& threads, ConstFloatMatrix log_variance, std::int64_t draws,
                     ConstFloatMatrix epsilon, ConstFloatMatrix latent, std::span<float> log_ratio) {
    const auto row_ratio = [&](std::int64_t r) {
        const float* const s = log_variance.row(r / draws);
        Block total = Block::Zero();
        for_blocks(latent.columns, [&](std::int64_t first, auto count) {
            const Block e = load(epsilon.row(r) + first, count);
            const Block z = load(latent.row(r) + first, count);
            total += twice_log_ratio_of(load(s + first, count), e, z);
        });
        return static_cast<float>(0.5 * lane_sum(total));
    };
    threads.split(latent.rows, row_grain(latent.columns), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t r = begin; r < end; ++r)
            log_ratio[static_cast<std::size_t>(r)] = row_ratio(r);
    });
}

void write_minus_log_posterior(const Threads& threads, ConstFloatMatrix log_variance, std::int64_t draws,
                               ConstFloatMatrix epsilon, std::span<float> to) {
    const double constant = static_cast<double>(epsilon.columns) * kLogTwoPi;
    const auto row_value = [&](std::int64_t r) {
        const float* const s = log_variance.row(r / draws);
        Block total = Block::Zero();
        for_blocks(epsilon.columns, [&](std::int64_t first, auto count) {
            total +=
                twice_minus_log_posterior_of(load(s + first, count), load(epsilon.row(r) + first, count));
        });
        return static_cast<float>(0.5 * (constant + lane_sum(total)));
    };
    threads.split(epsilon.rows, row_grain(epsilon.columns), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t r = begin; r < end; ++r)
            to[static_cast<std::size_t>(r)] = row_value(r);
    });
}

}  // namespace

void CpuBackend::compute(const PosteriorDraw& draw, const Arguments& with) {
    const Posterior posterior(with.inputs[0].floats());
    const FloatMatrix epsilon = with.outputs[PosteriorDraw::kEpsilon].floats();
    const FloatMatrix latent = with.outputs[PosteriorDraw::kLatent].floats();
    require_drawable(with.pass, posterior.mean.rows, latent.rows);
    draw_latents(threads_, posterior, with.pass, epsilon, latent);
    const Operand& kl = with.outputs[PosteriorDraw::kKl];
    if (!kl.empty()) write_kl(threads_, posterior, column(kl));
    const Operand& log_ratio = with.outputs[PosteriorDraw::kLogRatio];
    if (log_ratio.empty()) return;
    if (draw.standard_normal_prior) {
        write_log_ratio(threads_, posterior.log_variance, with.pass.draws, epsilon, latent,
                        column(log_ratio));
    } else {
        write_minus_log_posterior(threads_, posterior.log_variance, with.pass.draws, epsilon,
                                  column(log_ratio));
    }
}

[[gnu::flatten]] void CpuBackend::compute(const PosteriorGradient&, const Arguments& with) {
    require(with.pass.draws == 1, "the evidence lower bound has one draw a sample");
    const Posterior posterior(with.inputs[0].floats());
    const ConstFloatMatrix epsilon = with.inputs[1].floats();
    const ConstFloatMatrix dlatent = with.inputs[2].floats();
    const PosteriorHalves gradient(with.outputs[0].floats());
    const auto kl_weight = static_cast<float>(with.pass.sample_weight * with.pass.beta);
    const auto free_bits = static_cast<float>(with.pass.free_bits);
    const auto row_backward = [&](std::int64_t r, std::int64_t first, auto count) {
        const Block m = load(posterior.mean.row(r) + first, count);
        const Block s = load(posterior.log_variance.row(r) + first, count);
        const Block e = load(epsilon.row(r) + first, count);
        const Block d = load(dlatent.row(r) + first, count);
        const auto derivatives = posterior_derivatives(m, s, e, d, kl_weight, free_bits);
        store(derivatives.mean, gradient.mean.row(r) + first, count);
        store(derivatives.log_variance, gradient.log_variance.row(r) + first, count);
    };
    const std::int64_t columns = posterior.mean.columns;
    threads_.split(posterior.mean.rows, row_grain(2 * columns), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t r = begin; r < end; ++r)
            for_blocks(columns, [&](std::int64_t first, auto count) { row_backward(r, first, count); });
    });
}

}  // namespace vae_dist
