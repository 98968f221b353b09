#include "infer/evaluation/prior_samples.hpp"

#include <algorithm>
#include <numeric>

#include "infer/host_copy.hpp"

namespace vae_dist {

std::vector<float> prior_samples(Vae& vae, Backend& backend, std::int64_t latent_dim, std::int64_t n,
                                 std::uint32_t seed, bool means, std::int64_t decoder_rows,
                                 const std::vector<std::vector<float>>& conditions) {
    const auto z = static_cast<std::size_t>(latent_dim);
    const CounterRandom prior(seed, Purpose::prior);
    const Buffer buffer = backend.allocate(static_cast<std::size_t>(decoder_rows) * z * sizeof(float));
    std::vector<Buffer> condition_memory;
    for (const std::vector<float>& condition : conditions) {
        Buffer& there = condition_memory.emplace_back(backend.allocate(condition.size() * sizeof(float)));
        backend.copy_in(there.as<float>(), condition.data(), condition.size() * sizeof(float));
    }
    std::vector<float> samples(static_cast<std::size_t>(n * vae.features()));
    for (std::int64_t first = 0; first < n; first += decoder_rows) {
        const std::int64_t count = std::min(decoder_rows, n - first);
        std::vector<float> latents(static_cast<std::size_t>(count) * z);  // (count, Z)
        vae.draw_from_prior(prior, first, {latents.data(), count, latent_dim});
        backend.copy_in(buffer.as<float>(), latents.data(), latents.size() * sizeof(float));

        std::vector<ConstFloatMatrix> given;
        for (std::size_t i = 0; i < conditions.size(); ++i) {
            const ConstFloatMatrix all(condition_memory[i].as<const float>(), n,
                                       std::ssize(conditions[i]) / n);
            given.push_back(all.row_block(first, count));
        }
        const FloatMatrix output = vae.decode({buffer.as<const float>(), count, latent_dim}, given);
        const FloatMatrix mean = vae.to_mean(output);
        const FloatMatrix mine(samples.data() + first * vae.features(), count, vae.features());
        if (means) {
            copy_to_host(backend, mean, {mine.data, static_cast<std::size_t>(mine.size())});
            continue;
        }
        std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
        std::iota(rows.begin(), rows.end(), first);
        vae.draw(CounterRandom(seed, Purpose::likelihood), rows, output, mine);
    }
    return samples;
}

}  // namespace vae_dist
