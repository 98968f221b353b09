#pragma once

#include "backend/cpu/blocks.hpp"
#include "vae_dist/config/config.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

// Each activation: its value, and its derivative from x (where the derivative needs it) and y = value(x).

struct Relu {
    static Block value(const Block& x) { return x.max(0.0F); }
    static Block derivative(const Block&, const Block& y) {
        return where_positive(y, Block::Ones(), Block::Zero());
    }
};

struct Tanh {
    static Block value(const Block& x) { return x.tanh(); }
    static Block derivative(const Block&, const Block& y) { return 1 - y.square(); }
};

struct Gelu {  // Hendrycks and Gimpel, 2016, in the exact form x Phi(x)
    static Block value(const Block& x) { return x * normal_cdf(x); }
    static Block derivative(const Block& x, const Block&) { return normal_cdf(x) + x * normal_density(x); }
};

struct Silu {  // x sigmoid(x)
    static Block value(const Block& x) { return x * sigmoid(x); }
    static Block derivative(const Block& x, const Block&) {
        const Block s = sigmoid(x);
        return s * (1 + x * (1 - s));
    }
};

struct Softplus {  // the derivative is sigmoid(x) = 1 - exp(-y)
    static Block value(const Block& x) { return softplus(x); }
    static Block derivative(const Block&, const Block& y) { return -(-y).expm1(); }
};

struct Elu {  // x above 0, exp(x) - 1 below
    static Block value(const Block& x) { return x.max(0.0F) + x.min(0.0F).expm1(); }
    static Block derivative(const Block&, const Block& y) { return 1 + y.min(0.0F); }
};

/// Calls `body` with the activation's type from above.
template <class Body>
void with_activation(Activation activation, Body&& body) {
    switch (activation) {
        case Activation::relu:
            return body(Relu());
        case Activation::tanh:
            return body(Tanh());
        case Activation::gelu:
            return body(Gelu());
        case Activation::silu:
            return body(Silu());
        case Activation::softplus:
            return body(Softplus());
        case Activation::elu:
            return body(Elu());
    }
    require(false, "the activation is known");
}

}  // namespace vae_dist
