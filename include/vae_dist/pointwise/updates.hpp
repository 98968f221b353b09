#pragma once

#include "vae_dist/pointwise/math.hpp"

namespace vae_dist {

// What an optimizer does with one weight. Sums, products, quotients and roots are exact to the last bit in
// IEEE arithmetic: processors and GPUs give the same.

/// Penalties on weights: gradient += l1 * sign(weight) + l2 * weight.
struct Penalty {
    float l1 = 0;
    float l2 = 0;

    template <class Number>
    VAE_DIST_POINTWISE void apply(const Number& weight, Number& gradient) const {
        using M = Math<Number>;
        const Number sign = M::where_positive(weight, M::constant(1),
                                              M::where_positive(-weight, M::constant(-1), M::constant(0)));
        gradient += l1 * sign + l2 * weight;
    }
};

/// One step of Adam (Kingma and Ba, 2015) with decoupled weight decay (Loshchilov and Hutter, 2019).
struct AdamStep {
    float learning_rate = 0;
    float beta1 = 0;
    float beta2 = 0;
    float epsilon = 0;
    float correction1 = 1;  ///< 1 / (1 - beta1^t)
    float correction2 = 1;  ///< 1 / (1 - beta2^t)
    float decay = 1;        ///< factor of the weights before the step, 1 - learning_rate * weight_decay

    template <class Number>
    VAE_DIST_POINTWISE void apply(const Number& gradient, Number& first_moment, Number& second_moment,
                                  Number& weight) const {
        first_moment = beta1 * first_moment + (1 - beta1) * gradient;
        second_moment = beta2 * second_moment + (1 - beta2) * gradient * gradient;
        const Number direction =
            first_moment * correction1 / (Math<Number>::sqrt(second_moment * correction2) + epsilon);
        weight = decay * weight - learning_rate * direction;
    }
};

/// One step of gradient descent with momentum.
struct SgdStep {
    float learning_rate = 0;
    float momentum = 0;
    float decay = 1;  ///< as AdamStep's

    template <class Number>
    VAE_DIST_POINTWISE void apply(const Number& gradient, Number& velocity, Number& weight) const {
        velocity = momentum * velocity + gradient;
        weight = decay * weight - learning_rate * velocity;
    }
};

/// One step of Adagrad (Duchi et al., 2011).
struct AdagradStep {
    float learning_rate = 0;
    float epsilon = 0;
    float decay = 1;  ///< as AdamStep's

    template <class Number>
    VAE_DIST_POINTWISE void apply(const Number& gradient, Number& squares, Number& weight) const {
        squares = squares + gradient * gradient;
        weight = decay * weight - learning_rate * gradient / (Math<Number>::sqrt(squares) + epsilon);
    }
};

}  // namespace vae_dist
