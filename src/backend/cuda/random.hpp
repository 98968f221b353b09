#pragma once

#include <Random123/philox.h>

#include <cstdint>
#include <numbers>

#include "backend/cuda/elements.hpp"
#include "vae_dist/core/random.hpp"

namespace vae_dist {

/// CounterRandom, as kernels draw from it: the same words.
struct DeviceRandom {
    std::uint32_t key[2];

    explicit DeviceRandom(const CounterRandom& random)
        : key{random.seed(), static_cast<std::uint32_t>(random.purpose())} {}

    /// The words of the indices 4 * block ... 4 * block + 3.
    __device__ r123::Philox4x32::ctr_type words(std::uint32_t visit, std::uint64_t sample,
                                                std::uint32_t block) const {
        const r123::Philox4x32::ctr_type counter = {
            {visit, static_cast<std::uint32_t>(sample), static_cast<std::uint32_t>(sample >> 32), block}};
        const r123::Philox4x32::key_type philox_key = {{key[0], key[1]}};
        return r123::Philox4x32()(counter, philox_key);
    }
};

/// As unit_float of the host does.
__device__ inline float unit_of(std::uint32_t word) {
    return (static_cast<float>(word >> 9) + 0.5F) * 0x1p-23F;
}

/// Four normals of a block of words, as CounterRandom::normals but in float.
__device__ inline Four normals_of(const r123::Philox4x32::ctr_type& words) {
    Four normals;
    for (int pair = 0; pair < kGroup; pair += 2) {
        const float radius = -sqrtf(-2.0F * logf(unit_of(words.v[pair])));
        // Less half a turn, which keeps the angle exact where it is small, and turns both signs.
        const float turn = unit_of(words.v[pair + 1]) - 0.5F;
        normals.v[pair] = radius * cospif(2 * turn);
        normals.v[pair + 1] = radius * sinpif(2 * turn);
    }
    return normals;
}

}  // namespace vae_dist
