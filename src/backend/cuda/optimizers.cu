#include <algorithm>

#include "backend/cuda/cuda_backend.hpp"
#include "backend/cuda/elements.hpp"
#include "vae_dist/core/require.hpp"
#include "vae_dist/pointwise/penalty.hpp"

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

/// An update of four adjacent weights.
template <class Rule>
struct UpdateGroup {
    static constexpr int kStates = static_cast<int>(Rule::kStates.size());
    Rule rule;
    ConstFloats gradient;
    Floats weights;
    Floats state[kStates];
    __device__ void operator()(std::int64_t row, std::int64_t column) const {
        const Four g = gradient.load(row, column);
        Four s[kStates];
        for (int k = 0; k < kStates; ++k)
            s[k] = state[k].load(row, column);
        Four w = weights.load(row, column);
        for (int i = 0; i < kGroup; ++i) {
            float one[kStates];
            for (int k = 0; k < kStates; ++k)
                one[k] = s[k].v[i];
            rule.apply(g.v[i], one, w.v[i]);
            for (int k = 0; k < kStates; ++k)
                s[k].v[i] = one[k];
        }
        for (int k = 0; k < kStates; ++k)
            state[k].store(row, column, s[k]);
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

void CudaBackend::update(const UpdateRule& any, std::span<const float> gradient,
                         std::span<const std::span<float>> state, std::span<float> weights) {
    const auto is_as_long = [&](std::span<const float> array) { return array.size() == weights.size(); };
    require_one_length(is_as_long(gradient) && std::ranges::all_of(state, is_as_long));
    const auto update_by = [&]<class Rule>(const Rule& rule) {
        UpdateGroup<Rule> group = {rule, row_of(gradient), row_of(weights), {}};
        require(state.size() == std::size(group.state), "an optimizer has all its state arrays");
        std::ranges::transform(state, group.state, [](std::span<float> array) { return row_of(array); });
        run_groups(queue_, 1, std::ssize(weights), group);
    };
    std::visit(update_by, any);
}

}  // namespace vae_dist
