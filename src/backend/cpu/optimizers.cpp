#include "backend/cpu/cpu_backend.hpp"
#include "vae_dist/core/error.hpp"

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

void CpuBackend::adam(const AdamStep& step, std::span<const float> gradient, std::span<float> first_moment,
                      std::span<float> second_moment, std::span<float> weights) {
    require_one_length(gradient.size() == weights.size() && first_moment.size() == weights.size() &&
                       second_moment.size() == weights.size());
    for_elements(threads_, weights.size(), [=](std::size_t i) {
        float m = first_moment[i];
        float v = second_moment[i];
        float w = weights[i];
        step.apply(gradient[i], m, v, w);
        first_moment[i] = m;
        second_moment[i] = v;
        weights[i] = w;
    });
}

void CpuBackend::sgd(const SgdStep& step, std::span<const float> gradient, std::span<float> velocity,
                     std::span<float> weights) {
    require_one_length(gradient.size() == weights.size() && velocity.size() == weights.size());
    for_elements(threads_, weights.size(), [=](std::size_t i) {
        float v = velocity[i];
        float w = weights[i];
        step.apply(gradient[i], v, w);
        velocity[i] = v;
        weights[i] = w;
    });
}

void CpuBackend::adagrad(const AdagradStep& step, std::span<const float> gradient, std::span<float> squares,
                         std::span<float> weights) {
    require_one_length(gradient.size() == weights.size() && squares.size() == weights.size());
    for_elements(threads_, weights.size(), [=](std::size_t i) {
        float s = squares[i];
        float w = weights[i];
        step.apply(gradient[i], s, w);
        squares[i] = s;
        weights[i] = w;
    });
}

}  // namespace vae_dist
