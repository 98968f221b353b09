#include <algorithm>
#include <array>

#include "backend/cpu/cpu_backend.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/pointwise/penalty.hpp"

namespace vae_dist {

namespace {

void require_one_length(bool equal) {
    require(equal, "arrays of an optimizer have one length");
}

// body(i) for each element, on all threads. In plain loops: the compiler's vector instructions give what its
// scalar ones do, wherever threads cut the arrays.
template <class Body>
void for_elements(const Threads& threads, std::size_t size, const Body& body) {
    threads.split(static_cast<std::int64_t>(size), kGrain, [&](std::int64_t first, std::int64_t last) {
        for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i)
            body(i);
    });
}

}  // namespace

void CpuBackend::add_penalty(std::span<const float> weights, float l1, float l2, std::span<float> gradient) {
    require_one_length(weights.size() == gradient.size());
    const Penalty penalty = {.l1 = l1, .l2 = l2};
    for_elements(threads_, weights.size(), [=](std::size_t i) { penalty.apply(weights[i], gradient[i]); });
}

void CpuBackend::update(const UpdateRule& any, std::span<const float> gradient,
                        std::span<const std::span<float>> state, std::span<float> weights) {
    const auto is_as_long = [&](std::span<const float> array) { return array.size() == weights.size(); };
    require_one_length(is_as_long(gradient) && std::ranges::all_of(state, is_as_long));
    const auto update_by = [&]<class Rule>(const Rule& rule) {
        constexpr std::size_t kStates = Rule::kStates.size();
        require(state.size() == kStates, "an optimizer has all its state arrays");
        std::array<std::span<float>, kStates> states;
        std::ranges::copy(state, states.begin());
        for_elements(threads_, weights.size(), [=](std::size_t i) {
            float s[kStates];
            for (std::size_t k = 0; k < kStates; ++k)
                s[k] = states[k][i];
            float w = weights[i];
            rule.apply(gradient[i], s, w);
            for (std::size_t k = 0; k < kStates; ++k)
                states[k][i] = s[k];
            weights[i] = w;
        });
    };
    std::visit(update_by, any);
}

}  // namespace vae_dist
