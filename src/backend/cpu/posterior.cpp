#include <algorithm>
#include <array>
#include <numbers>

#include "backend/cpu/blocks.hpp"
#include "backend/cpu/cpu_backend.hpp"
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
void fill_normals(const PosteriorDraws& draws, std::uint64_t counter, std::span<float> out) {
    constexpr std::size_t kChunk = 2 * kBlock;
    for (std::size_t first = 0; first < out.size(); first += kChunk) {
        std::array<std::uint32_t, kChunk> words;
        std::array<float, kChunk> normals;
        draws.random.fill_words(draws.visit, counter, static_cast<std::uint32_t>(first / 4), words);
        normals_of_words(words.data(), normals);
        std::copy_n(normals.begin(), std::min(kChunk, out.size() - first), out.data() + first);
    }
}

Block kl_block(const Block& mean, const Block& log_variance) {
    return 0.5F * (mean.square() + (log_variance.expm1() - log_variance));
}

}  // namespace

[[gnu::flatten]] void CpuBackend::sample_posterior(ConstFloatMatrix mean, ConstFloatMatrix log_variance,
                                                   const PosteriorDraws& draws, FloatMatrix epsilon,
                                                   FloatMatrix latent) {
    require(std::ssize(draws.rows) == mean.rows, "every row of the posterior has a number");
    require(latent.rows == mean.rows * draws.count, "every draw has a row");
    require(draws.first + draws.count <= kMostDraws, "draws are numbered below 2^23");
    const auto sample = [&](std::int64_t r) {
        const std::int64_t b = r / draws.count;
        const std::int64_t draw = draws.first + r % draws.count;
        const std::int64_t row = draws.rows[static_cast<std::size_t>(b)];
        require(row >= 0 && row < kMostRows, "rows are numbered below 2^40");
        fill_normals(draws, static_cast<std::uint64_t>(row + draw * kMostRows),
                     {epsilon.row(r), static_cast<std::size_t>(epsilon.columns)});
        map_array(
            mean.columns, latent.row(r),
            [](const Block& m, const Block& s, const Block& e) -> Block { return m + (0.5F * s).exp() * e; },
            mean.row(b), log_variance.row(b), epsilon.row(r));
    };
    threads_.split(latent.rows, row_grain(8 * latent.columns), [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t r = first; r < last; ++r)
            sample(r);
    });
}

[[gnu::flatten]] void CpuBackend::posterior_kl(ConstFloatMatrix mean, ConstFloatMatrix log_variance,
                                               float* kl) {
    const auto row_kl = [&](std::int64_t r) {
        Block total = Block::Zero();
        for_blocks(mean.columns, [&](std::int64_t first, auto count) {
            total += only(
                kl_block(load(mean.row(r) + first, count), load(log_variance.row(r) + first, count)), count);
        });
        return static_cast<float>(lane_sum(total));
    };
    threads_.split(mean.rows, row_grain(2 * mean.columns), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t r = begin; r < end; ++r)
            kl[r] = row_kl(r);
    });
}

[[gnu::flatten]] void CpuBackend::posterior_backward(ConstFloatMatrix mean, ConstFloatMatrix log_variance,
                                                     ConstFloatMatrix epsilon, ConstFloatMatrix dlatent,
                                                     float kl_weight, float free_bits, FloatMatrix dmean,
                                                     FloatMatrix dlog_variance) {
    const auto row_backward = [&](std::int64_t r, std::int64_t first, auto count) {
        const Block m = load(mean.row(r) + first, count);
        const Block s = load(log_variance.row(r) + first, count);
        const Block e = load(epsilon.row(r) + first, count);
        const Block d = load(dlatent.row(r) + first, count);
        Block weight = Block::Constant(kl_weight);
        if (free_bits > 0) weight = where_positive(free_bits - kl_block(m, s), Block::Zero(), weight);
        store(d + weight * m, dmean.row(r) + first, count);
        store(0.5F * (d * e * (0.5F * s).exp() + weight * s.expm1()), dlog_variance.row(r) + first, count);
    };
    threads_.split(mean.rows, row_grain(2 * mean.columns), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t r = begin; r < end; ++r)
            for_blocks(mean.columns, [&](std::int64_t first, auto count) { row_backward(r, first, count); });
    });
}

}  // namespace vae_dist
