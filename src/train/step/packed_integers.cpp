#include "train/step/packed_integers.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

static_assert(std::endian::native == std::endian::little, "numbers are cut to their low bytes in place");

constexpr std::size_t kBlock = 256;
constexpr std::size_t kWord = sizeof(std::int64_t);

// The fewest bytes in which every value fits as a signed number; 0 where all are 0.
std::size_t width_of(std::span<const std::int64_t> values) {
    std::uint64_t bits = 0;  // set wherever a value differs from its sign
    std::uint64_t any = 0;
    for (const std::int64_t value : values) {
        bits |= static_cast<std::uint64_t>(value ^ (value >> 63));
        any |= static_cast<std::uint64_t>(value);
    }
    return any == 0 ? 0 : (static_cast<std::size_t>(std::bit_width(bits)) + 1 + 7) / 8;
}

// Each number is stored whole, and the next one over what is not its own: loops of one width are short, and
// the compiler unrolls them.
template <std::size_t kWidth>
void store_block(std::span<const std::int64_t> values, std::byte* to) {
    for (std::size_t i = 0; i < values.size(); ++i)
        std::memcpy(to + i * kWidth, &values[i], kWord);
}

template <std::size_t kWidth>
void add_block(const std::byte* from, std::span<std::int64_t> to) {
    constexpr int kUnused = static_cast<int>(8 * (kWord - kWidth));
    for (std::size_t i = 0; i < to.size(); ++i) {
        std::uint64_t word = 0;
        std::memcpy(&word, from + i * kWidth, kWord);
        const std::int64_t value = static_cast<std::int64_t>(word << kUnused) >> kUnused;
        to[i] =
            static_cast<std::int64_t>(static_cast<std::uint64_t>(to[i]) + static_cast<std::uint64_t>(value));
    }
}

// Calls `work` with a width known when compiling, 1 to 8.
template <class Work>
void with_width(std::size_t width, const Work& work) {
    const auto call = [&]<std::size_t... kLess>(std::index_sequence<kLess...>) {
        const bool known =
            ((width == kLess + 1 ? (work.template operator()<kLess + 1>(), true) : false) || ...);
        require(known, "packed integers have 1 to 8 bytes");
    };
    call(std::make_index_sequence<kWord>());
}

}  // namespace

std::size_t most_packed_integer_bytes(std::size_t count) {
    const std::size_t blocks = (count + kBlock - 1) / kBlock;
    return blocks + count * kWord + kWord;
}

std::size_t pack_integers(std::span<const std::int64_t> values, std::byte* to) {
    std::byte* const begin = to;
    for (std::size_t first = 0; first < values.size(); first += kBlock) {
        const auto block = values.subspan(first, std::min(kBlock, values.size() - first));
        const std::size_t width = width_of(block);
        *to++ = static_cast<std::byte>(width);
        if (width == 0) continue;
        with_width(width, [&]<std::size_t kWidth>() { store_block<kWidth>(block, to); });
        to += block.size() * width;
    }
    return static_cast<std::size_t>(to - begin);
}

void add_packed_integers(const std::byte* from, std::span<std::int64_t> to) {
    for (std::size_t first = 0; first < to.size(); first += kBlock) {
        const auto block = to.subspan(first, std::min(kBlock, to.size() - first));
        const auto width = static_cast<std::size_t>(*from++);
        if (width == 0) continue;
        with_width(width, [&]<std::size_t kWidth>() { add_block<kWidth>(from, block); });
        from += block.size() * width;
    }
}

}  // namespace vae_dist
