#pragma once

#include <array>
#include <cstdint>
#include <numbers>
#include <span>

namespace vae_dist {

/// The purpose of a random number. Each purpose has its own stream, so that new draws of one do not change
/// the others. The values are part of the result of a run: add new ones, never renumber.
enum class Purpose : std::uint32_t {
    initialise = 1,        ///< weights: (CRC-32 of the name, row, column)
    shard_order = 2,       ///< which row blocks make up which shard
    epoch_order = 3,       ///< order of a shard's pieces in an epoch
    window_order = 4,      ///< order of the samples in a shuffle window
    posterior_noise = 5,   ///< epsilon of the reparameterisation: (epoch, sample, latent dimension)
    binarize = 6,          ///< Bernoulli draws of the pixels: (epoch, sample, feature)
    synthetic = 7,         ///< made-up data: (-, sample, feature)
    validation_noise = 8,  ///< epsilon in validation and evaluation: (0, sample, latent dimension)
    prior = 9,             ///< latents of generated samples: (0, sample, latent dimension)
    likelihood = 10,       ///< draws from p(x|z): (0, sample, feature)
    subset = 11,           ///< which samples stand for the data in a comparison
};

/// Random numbers as a pure function of a key (seed, purpose) and a counter (visit, sample, index):
/// Philox4x32-10 of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011), by Random123.
/// There is no state, so the order of draws does not matter.
class CounterRandom {
 public:
    CounterRandom(std::uint32_t seed, Purpose purpose) : key_{seed, static_cast<std::uint32_t>(purpose)} {}

    std::uint32_t seed() const { return key_[0]; }
    Purpose purpose() const { return static_cast<Purpose>(key_[1]); }

    /// The four words that serve the indices 4 * block ... 4 * block + 3.
    std::array<std::uint32_t, 4> words(std::uint32_t visit, std::uint64_t sample, std::uint32_t block) const;

    /// The words of the blocks first_block, first_block + 1, ... one after another: equal to those of
    /// `words`, but several times faster. The last block may be used in part.
    void fill_words(std::uint32_t visit, std::uint64_t sample, std::uint32_t first_block,
                    std::span<std::uint32_t> out) const;

    /// Uniform in (0, 1), a multiple of 2^-23 plus 2^-24: neither 0 nor 1.
    float uniform(std::uint32_t visit, std::uint64_t sample, std::uint32_t index) const;

    /// Standard normal numbers for the indices 0 ... size - 1, by Box and Muller (1958): the words 4b and 4b
    /// + 1 give the normals 4b and 4b + 1, the words 4b + 2 and 4b + 3 the next two. Computed in double.
    void normals(std::uint32_t visit, std::uint64_t sample, std::span<float> out) const;

    /// Uniform in [0, bound), from 64 random bits by multiplication; bound > 0.
    std::uint64_t below(std::uint64_t bound, std::uint32_t visit, std::uint64_t sample,
                        std::uint32_t index) const;

    /// Permutes `items` by Fisher and Yates's shuffle; `visit` and `sample` name the permutation.
    template <class T>
    void shuffle(std::span<T> items, std::uint32_t visit, std::uint64_t sample) const {
        for (std::size_t i = items.size(); i > 1; --i) {
            using std::swap;
            swap(items[i - 1], items[below(i, visit, sample, static_cast<std::uint32_t>(i))]);
        }
    }

 private:
    std::array<std::uint32_t, 2> key_;
};

/// A random word as a float in (0, 1): its top 23 bits in the middle of their interval, which is exact (the
/// half of a 24-bit number would be rounded, up to 1).
inline float unit_float(std::uint32_t word) {
    return (static_cast<float>(word >> 9) + 0.5F) * 0x1p-23F;
}

}  // namespace vae_dist
