#pragma once

#include <array>
#include <cstddef>
#include <tuple>
#include <utility>

#include "vae_dist/pointwise/densities/bernoulli.hpp"
#include "vae_dist/pointwise/densities/gaussian.hpp"

namespace vae_dist {

/// All densities of data, in the order of their kinds.
using Densities = std::tuple<Bernoulli, Gaussian>;
enum class LikelihoodKind { bernoulli, gaussian };

inline constexpr std::size_t kDensities = std::tuple_size_v<Densities>;

/// The densities' words.
inline constexpr auto kDensityNames = []<std::size_t... i>(std::index_sequence<i...>) {
    return std::array{std::tuple_element_t<i, Densities>::kName...};
}
(std::make_index_sequence<kDensities>());

/// Returns body(D()), where D is the kind's struct; body returns one type for all.
template <std::size_t kFirst = 0, class Body>
constexpr decltype(auto) with_density(LikelihoodKind kind, Body&& body) {
    if constexpr (kFirst + 1 == kDensities) {
        return body(std::tuple_element_t<kFirst, Densities>());
    } else {
        if (static_cast<std::size_t>(kind) == kFirst) return body(std::tuple_element_t<kFirst, Densities>());
        return with_density<kFirst + 1>(kind, std::forward<Body>(body));
    }
}

/// Whether the density's last parameter may be one row, for all samples.
constexpr bool may_share_last_parameter(LikelihoodKind kind) {
    return with_density(kind, []<class D>(D) { return D::kParameters > 1; });
}

constexpr Support support_of(LikelihoodKind kind) {
    return with_density(kind, []<class D>(D) { return D::kSupport; });
}

}  // namespace vae_dist
