#include "infer/evaluation/range_figures.hpp"

#include <algorithm>
#include <type_traits>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

template <class T>
void append(std::vector<std::byte>& bytes, const std::vector<T>& values) {
    static_assert(std::is_trivially_copyable_v<T>);
    const auto raw = std::as_bytes(std::span(values));
    bytes.insert(bytes.end(), raw.begin(), raw.end());
}

// Takes `count` values from the beginning of `bytes`.
template <class T>
std::vector<T> take(std::span<const std::byte>& bytes, std::size_t count) {
    const std::size_t length = count * sizeof(T);
    require(bytes.size() >= length, "a range's figures come whole");
    std::vector<T> values(count);
    std::ranges::copy(bytes.first(length), std::as_writable_bytes(std::span(values)).begin());
    bytes = bytes.subspan(length);
    return values;
}

}  // namespace

std::vector<std::byte> RangeFigures::to_bytes() const {
    std::vector<std::byte> bytes;
    append(bytes, rows);
    append(bytes, terms);
    append(bytes, latents);
    append(bytes, picked);
    return bytes;
}

RangeFigures RangeFigures::from_bytes(std::span<const std::byte> bytes, std::size_t rows, std::size_t terms,
                                      std::size_t latent_dim) {
    RangeFigures figures;
    figures.rows = take<RowFigures>(bytes, rows);
    figures.terms = take<double>(bytes, rows * terms);
    figures.latents = take<LatentFigures>(bytes, latent_dim);
    require(bytes.size() % sizeof(float) == 0, "a range's figures come whole");
    figures.picked = take<float>(bytes, bytes.size() / sizeof(float));
    return figures;
}

}  // namespace vae_dist
