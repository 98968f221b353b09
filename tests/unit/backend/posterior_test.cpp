#include <cmath>

#include "backend_suite.hpp"

namespace vae_dist {
namespace {

const CounterRandom kNoise(11, Purpose::posterior_noise);

double kl_of(double mean, double s) {
    return 0.5 * (mean * mean + std::exp(s) - 1 - s);
}

// Draw k of row r has the counter r + k * 2^40.
TEST_P(BackendTest, PosteriorNoiseIsTheCountersNormals) {
    for (const std::int64_t count : {1, 3}) {
        for_shapes([&](std::int64_t rows, std::int64_t latents, MemoryPlace place) {
            const auto mean = normal_values(rows * latents, 1);
            const auto s = normal_values(rows * latents, 2);
            const auto numbers = row_numbers(rows);
            const Tensor posterior(backend(), rows, 2 * latents, side_by_side(mean, s, latents), place);
            const Tensor epsilon(backend(), rows * count, latents, place);
            const Tensor latent(backend(), rows * count, latents, place);
            const std::int64_t first = count == 1 ? 0 : 2;
            run_operation(backend(), PosteriorDraw{}, {posterior.view()},
                          {epsilon.view(), latent.view(), Operand(), Operand()},
                          {.rows = rows,
                           .draws = count,
                           .row_numbers = numbers,
                           .noise = kNoise,
                           .visit = 42,
                           .first_draw = first});
            std::vector<double> noise;
            std::vector<double> expected;
            for (std::int64_t r = 0; r < rows * count; ++r) {
                const auto sample = static_cast<std::size_t>(r / count);
                std::vector<float> row(static_cast<std::size_t>(latents));
                const std::int64_t counter = numbers[sample] + (first + r % count) * (std::int64_t{1} << 40);
                kNoise.normals(42, static_cast<std::uint64_t>(counter), row);
                for (std::size_t z = 0; z < row.size(); ++z) {
                    const std::size_t i = sample * row.size() + z;
                    noise.push_back(row[z]);
                    expected.push_back(mean[i] + std::exp(0.5 * s[i]) * row[z]);
                }
            }
            expect_near(epsilon.get(), noise, 2e-6);
            expect_near(latent.get(), expected, 5e-6);
        });
    }
}

TEST_P(BackendTest, KlIsTheClosedFormOfEachSample) {
    for_shapes([&](std::int64_t rows, std::int64_t latents, MemoryPlace place) {
        const auto mean = normal_values(rows * latents, 1);
        const auto s = normal_values(rows * latents, 2);
        const auto numbers = row_numbers(rows);
        const Tensor posterior(backend(), rows, 2 * latents, side_by_side(mean, s, latents), place);
        const Tensor epsilon(backend(), rows, latents, place);
        const Tensor latent(backend(), rows, latents, place);
        const Tensor kl(backend(), rows, 1);
        run_operation(backend(), PosteriorDraw{}, {posterior.view()},
                      {epsilon.view(), latent.view(), kl.view(), Operand()},
                      {.rows = rows, .row_numbers = numbers, .noise = kNoise});
        std::vector<double> expected(static_cast<std::size_t>(rows));
        for (std::size_t i = 0; i < mean.size(); ++i) {
            expected[i / static_cast<std::size_t>(latents)] += kl_of(mean[i], s[i]);
        }
        expect_near(kl.get(), expected, 1e-6);
    });
}

// The gradients of  sum dlatent * latent + kl_weight * sum max(free_bits, KL_z)  by finite differences.
TEST_P(BackendTest, PosteriorBackwardIsTheDerivativeWithAndWithoutFreeBits) {
    for (const float free_bits : {0.0F, 0.4F}) {
        for_shapes([&](std::int64_t rows, std::int64_t latents, MemoryPlace place) {
            const float kl_weight = 0.3F;
            const auto mean = normal_values(rows * latents, 1);
            const auto s = normal_values(rows * latents, 2);
            const auto e = normal_values(rows * latents, 3);
            const auto d = normal_values(rows * latents, 4);
            const Tensor posterior(backend(), rows, 2 * latents, side_by_side(mean, s, latents), place);
            const Tensor e_tensor(backend(), rows, latents, e, place);
            const Tensor d_tensor(backend(), rows, latents, d, place);
            const Tensor gradient(backend(), rows, 2 * latents, place);
            run_operation(
                backend(), PosteriorGradient{}, {posterior.view(), e_tensor.view(), d_tensor.view()},
                {gradient.view()},
                {.rows = rows, .sample_weight = 0.5, .beta = 2 * kl_weight, .free_bits = free_bits});
            std::vector<double> expected_mean;
            std::vector<double> expected_s;
            for (std::size_t i = 0; i < mean.size(); ++i) {
                const auto loss = [&](double m, double v) {
                    const double latent = m + std::exp(0.5 * v) * e[i];
                    return d[i] * latent + kl_weight * std::max<double>(free_bits, kl_of(m, v));
                };
                const double h = 1e-6;
                expected_mean.push_back((loss(mean[i] + h, s[i]) - loss(mean[i] - h, s[i])) / (2 * h));
                expected_s.push_back((loss(mean[i], s[i] + h) - loss(mean[i], s[i] - h)) / (2 * h));
            }
            expect_near(gradient.get(), side_by_side(expected_mean, expected_s, latents), 3e-6);
        });
    }
}

TEST_P(BackendTest, PosteriorDoesNotDependOnWhereAMatrixLies) {
    const std::int64_t rows = 3;
    const std::int64_t latents = 37;
    expect_same_bits_everywhere([&](std::int64_t offset) {
        const MemoryPlace place{offset % 3 == 0 ? 5 : 0, offset};
        const auto numbers = row_numbers(rows);
        const Tensor posterior(backend(), rows, 2 * latents, normal_values(rows * 2 * latents, 1), place);
        const Tensor epsilon(backend(), rows, latents, place);
        const Tensor latent(backend(), rows, latents, place);
        const Tensor gradient(backend(), rows, 2 * latents, place);
        const Tensor kl(backend(), rows, 1, MemoryPlace{0, offset});
        const Tensor ratio(backend(), rows, 1, MemoryPlace{0, offset});
        const Pass pass = {
            .rows = rows, .row_numbers = numbers, .noise = kNoise, .visit = 1, .beta = 0.5, .free_bits = 0.2};
        run_operation(backend(), PosteriorDraw{}, {posterior.view()},
                      {epsilon.view(), latent.view(), kl.view(), ratio.view()}, pass);
        run_operation(backend(), PosteriorGradient{}, {posterior.view(), epsilon.view(), latent.view()},
                      {gradient.view()}, pass);
        std::vector<float> all;
        for (const Tensor* tensor : {&epsilon, &latent, &gradient, &kl, &ratio})
            append(all, tensor->get());
        return all;
    });
}

TEST_P(BackendTest, ASamplesNoiseDoesNotDependOnItsRow) {
    const std::int64_t latents = 20;
    const auto noise_of = [&](const std::vector<std::int64_t>& numbers) {
        const auto rows = std::ssize(numbers);
        const Tensor zeros(backend(), rows, 2 * latents, std::vector<float>(numbers.size() * 40, 0));
        const Tensor epsilon(backend(), rows, latents);
        const Tensor latent(backend(), rows, latents);
        run_operation(backend(), PosteriorDraw{}, {zeros.view()},
                      {epsilon.view(), latent.view(), Operand(), Operand()},
                      {.rows = rows, .row_numbers = numbers, .noise = kNoise});
        return epsilon.get();
    };
    const auto both = noise_of({7, 9});
    const auto second = noise_of({9});
    EXPECT_TRUE(std::equal(second.begin(), second.end(), both.begin() + latents));
}

}  // namespace
}  // namespace vae_dist
