#include <cmath>

#include "backend/cuda/cuda_backend.hpp"
#include "backend/cuda/elements.hpp"
#include "vae_dist/core/require.hpp"

namespace vae_dist {

namespace {

// Sums, products, quotients and roots are exact to the last bit in IEEE arithmetic and not fused: what a
// processor gives.

struct AddPenalty {
    ConstFloats weights;
    float l1, l2;
    Floats gradient;
    __device__ void operator()(std::int64_t row, std::int64_t column) const {
        const Four w = weights.load(row, column);
        Four g = gradient.load(row, column);
        for (int i = 0; i < kGroup; ++i) {
            const float sign = w.v[i] > 0 ? 1.0F : (w.v[i] < 0 ? -1.0F : 0.0F);
            g.v[i] += l1 * sign + l2 * w.v[i];
        }
        gradient.store(row, column, g);
    }
};

struct Adam {
    AdamStep step;
    ConstFloats gradient;
    Floats first_moment, second_moment, weights;
    __device__ void operator()(std::int64_t row, std::int64_t column) const {
        const Four g = gradient.load(row, column);
        Four m = first_moment.load(row, column);
        Four v = second_moment.load(row, column);
        Four w = weights.load(row, column);
        for (int i = 0; i < kGroup; ++i) {
            m.v[i] = step.beta1 * m.v[i] + (1 - step.beta1) * g.v[i];
            v.v[i] = step.beta2 * v.v[i] + (1 - step.beta2) * g.v[i] * g.v[i];
            const float direction =
                m.v[i] * step.correction1 / (sqrtf(v.v[i] * step.correction2) + step.epsilon);
            w.v[i] = step.decay * w.v[i] - step.learning_rate * direction;
        }
        first_moment.store(row, column, m);
        second_moment.store(row, column, v);
        weights.store(row, column, w);
    }
};

struct Sgd {
    float learning_rate, momentum, decay;
    ConstFloats gradient;
    Floats velocity, weights;
    __device__ void operator()(std::int64_t row, std::int64_t column) const {
        const Four g = gradient.load(row, column);
        Four v = velocity.load(row, column);
        Four w = weights.load(row, column);
        for (int i = 0; i < kGroup; ++i) {
            v.v[i] = momentum * v.v[i] + g.v[i];
            w.v[i] = decay * w.v[i] - learning_rate * v.v[i];
        }
        velocity.store(row, column, v);
        weights.store(row, column, w);
    }
};

struct Adagrad {
    float learning_rate, epsilon, decay;
    ConstFloats gradient;
    Floats squares, weights;
    __device__ void operator()(std::int64_t row, std::int64_t column) const {
        const Four g = gradient.load(row, column);
        Four s = squares.load(row, column);
        Four w = weights.load(row, column);
        for (int i = 0; i < kGroup; ++i) {
            s.v[i] = s.v[i] + g.v[i] * g.v[i];
            w.v[i] = decay * w.v[i] - learning_rate * g.v[i] / (sqrtf(s.v[i]) + epsilon);
        }
        squares.store(row, column, s);
        weights.store(row, column, w);
    }
};

Floats row_of(std::span<float> array) {
    return {array.data(), std::ssize(array)};
}
ConstFloats row_of(std::span<const float> array) {
    return {array.data(), std::ssize(array)};
}

void require_one_length(bool equal) {
    require(equal, "arrays of an optimizer have one length");
}

}  // namespace

void CudaBackend::add_penalty(std::span<const float> weights, float l1, float l2, std::span<float> gradient) {
    require_one_length(weights.size() == gradient.size());
    run_groups(queue_, 1, std::ssize(weights), AddPenalty{row_of(weights), l1, l2, row_of(gradient)});
}

void CudaBackend::adam(const AdamStep& step, std::span<const float> gradient, std::span<float> first_moment,
                       std::span<float> second_moment, std::span<float> weights) {
    require_one_length(gradient.size() == weights.size() && first_moment.size() == weights.size() &&
                       second_moment.size() == weights.size());
    run_groups(queue_, 1, std::ssize(weights),
               Adam{step, row_of(gradient), row_of(first_moment), row_of(second_moment), row_of(weights)});
}

void CudaBackend::sgd(float learning_rate, float momentum, float decay, std::span<const float> gradient,
                      std::span<float> velocity, std::span<float> weights) {
    require_one_length(gradient.size() == weights.size() && velocity.size() == weights.size());
    run_groups(queue_, 1, std::ssize(weights),
               Sgd{learning_rate, momentum, decay, row_of(gradient), row_of(velocity), row_of(weights)});
}

void CudaBackend::adagrad(float learning_rate, float epsilon, float decay, std::span<const float> gradient,
                          std::span<float> squares, std::span<float> weights) {
    require_one_length(gradient.size() == weights.size() && squares.size() == weights.size());
    run_groups(queue_, 1, std::ssize(weights),
               Adagrad{learning_rate, epsilon, decay, row_of(gradient), row_of(squares), row_of(weights)});
}

}  // namespace vae_dist
