#include "train/step/sum_formats.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "train/step/packed_integers.hpp"
#include "vae_dist/core/bfloat16.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

template <class T>
std::span<const T> as_numbers(const std::byte* from, std::size_t count) {
    return {reinterpret_cast<const T*>(from), count};
}

}  // namespace

// --- Exact

bool ExactFormat::add_slice(std::span<const float> gradients, bool overwrite, std::span<Sum> to) const {
    return arrays_.add_exact(gradients, kFractionBits, addends_, overwrite, to);
}

// As unsigned numbers, whose sums wrap around: after a bad value the sums are not used, and may be
// anything.
void ExactFormat::add_sums(std::span<const Sum> sums, bool overwrite, std::span<Sum> to) const {
    if (overwrite) {
        std::ranges::copy(sums, to.begin());
        return;
    }
    for (std::size_t i = 0; i < to.size(); ++i) {
        to[i] = static_cast<Sum>(static_cast<std::uint64_t>(to[i]) + static_cast<std::uint64_t>(sums[i]));
    }
}

void ExactFormat::finish(std::span<const Sum> sums, std::span<float> to) const {
    arrays_.from_exact(sums, kFractionBits, to);
}

bool ExactFormat::sum_slices(std::span<const float* const> slices, std::span<float> to) const {
    return arrays_.sum_exact(slices, kFractionBits, addends_, to);
}

std::size_t ExactFormat::most_packed_bytes(std::int64_t count) {
    return most_packed_integer_bytes(static_cast<std::size_t>(count));
}

std::size_t ExactFormat::pack(std::span<const Sum> sums, std::byte* to) const {
    return pack_integers(sums, to);
}

void ExactFormat::add_packed(const std::byte* from, std::span<Sum> to) const {
    add_packed_integers(from, to);
}

// --- float32

// Whether a sum is finite shows in its square.
bool Float32Format::add_slice(std::span<const float> gradients, bool overwrite, std::span<Sum> to) const {
    add_sums(gradients, overwrite, to);
    return true;
}

void Float32Format::add_sums(std::span<const Sum> sums, bool overwrite, std::span<Sum> to) const {
    if (overwrite) {
        std::ranges::copy(sums, to.begin());
    } else {
        arrays_.add(sums, to);
    }
}

void Float32Format::finish(std::span<const Sum> sums, std::span<float> to) const {
    std::ranges::copy(sums, to.begin());
}

// Block by block, for `to` may be one of the slices.
bool Float32Format::sum_slices(std::span<const float* const> slices, std::span<float> to) const {
    std::array<float, 1024> block;
    for (std::size_t first = 0; first < to.size(); first += block.size()) {
        const auto sums = std::span(block).first(std::min(block.size(), to.size() - first));
        for (std::size_t i = 0; i < slices.size(); ++i)
            add_sums({slices[i] + first, sums.size()}, i == 0, sums);
        std::ranges::copy(sums, to.begin() + static_cast<std::ptrdiff_t>(first));
    }
    return true;
}

std::size_t Float32Format::most_packed_bytes(std::int64_t count) {
    return static_cast<std::size_t>(count) * sizeof(float);
}

std::size_t Float32Format::pack(std::span<const Sum> sums, std::byte* to) const {
    std::memcpy(to, sums.data(), sums.size_bytes());
    return sums.size_bytes();
}

void Float32Format::add_packed(const std::byte* from, std::span<Sum> to) const {
    arrays_.add(as_numbers<float>(from, to.size()), to);
}

// --- bfloat16

std::size_t BFloat16Format::most_packed_bytes(std::int64_t count) {
    return static_cast<std::size_t>(count) * sizeof(BFloat16);
}

std::size_t BFloat16Format::pack(std::span<const Sum> sums, std::byte* to) const {
    const std::span<BFloat16> numbers(reinterpret_cast<BFloat16*>(to), sums.size());
    arrays_.to_bfloat16(sums, numbers);
    return numbers.size_bytes();
}

void BFloat16Format::add_packed(const std::byte* from, std::span<Sum> to) const {
    arrays_.add_bfloat16(as_numbers<BFloat16>(from, to.size()), to);
}

}  // namespace vae_dist
