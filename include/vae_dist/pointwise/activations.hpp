#pragma once

#include <array>
#include <cstddef>
#include <tuple>

#include "vae_dist/pointwise/math.hpp"

namespace vae_dist {

// Activations of hidden layers. Each has its name in configurations; its value; its derivative from the
// argument x and y = value(x); and says
// - kNeedsArgument: the derivative needs x, which is then kept, and not only y;
// - kIsZeroOnHalf: y is 0, or nearly so, for negative x.

struct Relu {
    static constexpr const char* kName = "relu";
    static constexpr bool kNeedsArgument = false;
    static constexpr bool kIsZeroOnHalf = true;

    template <class Number>
    VAE_DIST_POINTWISE static Number value(const Number& x) {
        return Math<Number>::positive_part(x);
    }
    template <class Number>
    VAE_DIST_POINTWISE static Number derivative(const Number&, const Number& y) {
        using M = Math<Number>;
        return M::where_positive(y, M::constant(1), M::constant(0));
    }
};

struct Tanh {
    static constexpr const char* kName = "tanh";
    static constexpr bool kNeedsArgument = false;
    static constexpr bool kIsZeroOnHalf = false;

    template <class Number>
    VAE_DIST_POINTWISE static Number value(const Number& x) {
        return Math<Number>::tanh(x);
    }
    template <class Number>
    VAE_DIST_POINTWISE static Number derivative(const Number&, const Number& y) {
        return 1 - Math<Number>::square(y);
    }
};

/// x Phi(x), Phi the standard normal distribution function (Hendrycks and Gimpel, 2016).
struct Gelu {
    static constexpr const char* kName = "gelu";
    static constexpr bool kNeedsArgument = true;
    static constexpr bool kIsZeroOnHalf = true;

    template <class Number>
    VAE_DIST_POINTWISE static Number value(const Number& x) {
        return x * normal_cdf(x);
    }
    template <class Number>
    VAE_DIST_POINTWISE static Number derivative(const Number& x, const Number&) {
        return normal_cdf(x) + x * normal_density(x);
    }
};

/// x sigmoid(x).
struct Silu {
    static constexpr const char* kName = "silu";
    static constexpr bool kNeedsArgument = true;
    static constexpr bool kIsZeroOnHalf = true;

    template <class Number>
    VAE_DIST_POINTWISE static Number value(const Number& x) {
        return x * sigmoid(x);
    }
    template <class Number>
    VAE_DIST_POINTWISE static Number derivative(const Number& x, const Number&) {
        const Number s = sigmoid(x);
        return s * (1 + x * (1 - s));
    }
};

/// log(1 + exp(x)), whose derivative is sigmoid(x) = 1 - exp(-y).
struct Softplus {
    static constexpr const char* kName = "softplus";
    static constexpr bool kNeedsArgument = false;
    static constexpr bool kIsZeroOnHalf = true;

    template <class Number>
    VAE_DIST_POINTWISE static Number value(const Number& x) {
        return softplus(x);
    }
    template <class Number>
    VAE_DIST_POINTWISE static Number derivative(const Number&, const Number& y) {
        return -Math<Number>::expm1(-y);
    }
};

/// x above 0, exp(x) - 1 below.
struct Elu {
    static constexpr const char* kName = "elu";
    static constexpr bool kNeedsArgument = false;
    static constexpr bool kIsZeroOnHalf = true;

    template <class Number>
    VAE_DIST_POINTWISE static Number value(const Number& x) {
        using M = Math<Number>;
        return M::positive_part(x) + M::expm1(M::negative_part(x));
    }
    template <class Number>
    VAE_DIST_POINTWISE static Number derivative(const Number&, const Number& y) {
        return 1 + Math<Number>::negative_part(y);
    }
};

/// All activations; Activation names them in the same order.
using Activations = std::tuple<Relu, Tanh, Gelu, Silu, Softplus, Elu>;
enum class Activation { relu, tanh, gelu, silu, softplus, elu };

inline constexpr std::array kActivationNames =
    std::apply([](auto... one) { return std::array{decltype(one)::kName...}; }, Activations());

/// body(one), with the activation's struct.
template <std::size_t kFirst = 0, class Body>
constexpr decltype(auto) with_activation(Activation activation, const Body& body) {
    if constexpr (kFirst + 1 < std::tuple_size_v<Activations>) {
        if (activation != static_cast<Activation>(kFirst))
            return with_activation<kFirst + 1>(activation, body);
    }
    return body(std::tuple_element_t<kFirst, Activations>());
}

/// Whether the activation is 0, or nearly so, for negative arguments.
constexpr bool is_zero_on_half(Activation activation) {
    return with_activation(activation, [](auto one) { return decltype(one)::kIsZeroOnHalf; });
}

/// Whether the activation's derivative needs its argument, not only its value.
constexpr bool keeps_preactivation(Activation activation) {
    return with_activation(activation, [](auto one) { return decltype(one)::kNeedsArgument; });
}

}  // namespace vae_dist
