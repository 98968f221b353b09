#include "backend/cuda/cuda_backend.hpp"
#include "backend/cuda/elements.hpp"
#include "vae_dist/core/require.hpp"

namespace vae_dist {

namespace {

struct AddPenalty {
    Penalty penalty;
    ConstFloats weights;
    Floats gradient;
    __device__ void operator()(std::int64_t row, std::int64_t column) const {
        const Four w = weights.load(row, column);
        Four g = gradient.load(row, column);
        for (int i = 0; i < kGroup; ++i)
            penalty.apply(w.v[i], g.v[i]);
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
        for (int i = 0; i < kGroup; ++i)
            step.apply(g.v[i], m.v[i], v.v[i], w.v[i]);
        first_moment.store(row, column, m);
        second_moment.store(row, column, v);
        weights.store(row, column, w);
    }
};

/// A step of an optimizer with one array of state.
template <class Step>
struct Update {
    Step step;
    ConstFloats gradient;
    Floats state, weights;
    __device__ void operator()(std::int64_t row, std::int64_t column) const {
        const Four g = gradient.load(row, column);
        Four s = state.load(row, column);
        Four w = weights.load(row, column);
        for (int i = 0; i < kGroup; ++i)
            step.apply(g.v[i], s.v[i], w.v[i]);
        state.store(row, column, s);
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
    run_groups(queue_, 1, std::ssize(weights), AddPenalty{{l1, l2}, row_of(weights), row_of(gradient)});
}

void CudaBackend::adam(const AdamStep& step, std::span<const float> gradient, std::span<float> first_moment,
                       std::span<float> second_moment, std::span<float> weights) {
    require_one_length(gradient.size() == weights.size() && first_moment.size() == weights.size() &&
                       second_moment.size() == weights.size());
    run_groups(queue_, 1, std::ssize(weights),
               Adam{step, row_of(gradient), row_of(first_moment), row_of(second_moment), row_of(weights)});
}

void CudaBackend::sgd(const SgdStep& step, std::span<const float> gradient, std::span<float> velocity,
                      std::span<float> weights) {
    require_one_length(gradient.size() == weights.size() && velocity.size() == weights.size());
    run_groups(queue_, 1, std::ssize(weights),
               Update<SgdStep>{step, row_of(gradient), row_of(velocity), row_of(weights)});
}

void CudaBackend::adagrad(const AdagradStep& step, std::span<const float> gradient, std::span<float> squares,
                          std::span<float> weights) {
    require_one_length(gradient.size() == weights.size() && squares.size() == weights.size());
    run_groups(queue_, 1, std::ssize(weights),
               Update<AdagradStep>{step, row_of(gradient), row_of(squares), row_of(weights)});
}

}  // namespace vae_dist
