#include <cmath>

#include "backend/cpu/cpu_backend.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

// Plain loops: sums, products, quotients and roots are exact to the last bit in IEEE arithmetic, so the
// compiler's vector instructions give what its scalar ones do, wherever threads cut the arrays.

void CpuBackend::add_penalty(std::span<const float> weights, float l1, float l2, std::span<float> gradient) {
    require(weights.size() == gradient.size(), "arrays of an optimizer have one length");
    threads_.split(std::ssize(weights), kGrain, [&](std::int64_t first, std::int64_t last) {
        for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
            const float w = weights[i];
            const float sign = w > 0 ? 1.0F : (w < 0 ? -1.0F : 0.0F);
            gradient[i] += l1 * sign + l2 * w;
        }
    });
}

void CpuBackend::adam(const AdamStep& step, std::span<const float> gradient, std::span<float> first_moment,
                      std::span<float> second_moment, std::span<float> weights) {
    require(gradient.size() == weights.size() && first_moment.size() == weights.size() &&
                second_moment.size() == weights.size(),
            "arrays of an optimizer have one length");
    threads_.split(std::ssize(weights), kGrain, [&](std::int64_t first, std::int64_t last) {
        for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
            const float g = gradient[i];
            const float m = step.beta1 * first_moment[i] + (1 - step.beta1) * g;
            const float v = step.beta2 * second_moment[i] + (1 - step.beta2) * g * g;
            const float direction = m * step.correction1 / (std::sqrt(v * step.correction2) + step.epsilon);
            first_moment[i] = m;
            second_moment[i] = v;
            weights[i] = step.decay * weights[i] - step.learning_rate * direction;
        }
    });
}

void CpuBackend::sgd(float learning_rate, float momentum, float decay, std::span<const float> gradient,
                     std::span<float> velocity, std::span<float> weights) {
    require(gradient.size() == weights.size() && velocity.size() == weights.size(),
            "arrays of an optimizer have one length");
    threads_.split(std::ssize(weights), kGrain, [&](std::int64_t first, std::int64_t last) {
        for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
            const float v = momentum * velocity[i] + gradient[i];
            velocity[i] = v;
            weights[i] = decay * weights[i] - learning_rate * v;
        }
    });
}

void CpuBackend::adagrad(float learning_rate, float epsilon, float decay, std::span<const float> gradient,
                         std::span<float> squares, std::span<float> weights) {
    require(gradient.size() == weights.size() && squares.size() == weights.size(),
            "arrays of an optimizer have one length");
    threads_.split(std::ssize(weights), kGrain, [&](std::int64_t first, std::int64_t last) {
        for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
            const float s = squares[i] + gradient[i] * gradient[i];
            squares[i] = s;
            weights[i] = decay * weights[i] - learning_rate * gradient[i] / (std::sqrt(s) + epsilon);
        }
    });
}

}  // namespace vae_dist
