#include "backend_suite.hpp"

namespace vae_dist {
namespace {

TEST_P(BackendTest, PenaltiesPullWeightsToZero) {
    const Tensor weights(backend(), 1, 3, {2, 0, -4});
    const Tensor gradient(backend(), 1, 3, {1, 1, 1});
    backend().add_penalty(weights.span(), 0.5F, 0.25F, gradient.span());
    EXPECT_EQ(gradient.get(), (std::vector<float>{1 + 0.5F + 0.5F, 1, 1 - 0.5F - 1}));
}

// From a state other than 0, at the first update and at later ones.
TEST_P(BackendTest, UpdatesAreThoseOfTheirReferenceInDouble) {
    for_update_rules([&](OptimizerKind kind) {
        const UpdateReference reference = reference_of(kind);
        for (const std::int64_t size : kSizes) {
            const UpdateArrays arrays(backend(), rule_of(kind), size);
            const std::vector<float> gradient = arrays.gradient.get();
            const std::vector<float> weights = arrays.weights.get();
            std::vector<double> expected(weights.begin(), weights.end());
            std::vector<std::vector<double>> states;
            for (const Tensor& array : arrays.state) {
                const std::vector<float> values = array.get();
                states.emplace_back(values.begin(), values.end());
            }
            for (int t = 1; t <= 3; ++t) {
                const double rate = 0.05 / t;
                arrays.update(backend(), rule_at(kind, t, rate));
                for (std::size_t i = 0; i < expected.size(); ++i) {
                    std::vector<double> state;
                    for (const std::vector<double>& values : states)
                        state.push_back(values[i]);
                    expected[i] = reference.weight_after(t, rate, gradient[i], expected[i], state);
                    for (std::size_t s = 0; s < states.size(); ++s)
                        states[s][i] = state[s];
                }
            }
            expect_near(arrays.weights.get(), expected, 2e-6);
            for (std::size_t s = 0; s < states.size(); ++s)
                expect_near(arrays.state[s].get(), states[s], 1e-6);
            EXPECT_EQ(arrays.gradient.get(), gradient);
        }
    });
}

TEST_P(BackendTest, OptimizersDoNotDependOnWhereAnArrayLies) {
    expect_same_bits_everywhere([&](std::int64_t offset) {
        std::vector<float> all;
        for_update_rules([&](OptimizerKind kind) {
            const UpdateArrays arrays(backend(), rule_of(kind), 101, {0, offset});
            backend().add_penalty(arrays.weights.span(), 0.1F, 0.2F, arrays.gradient.span());
            arrays.update(backend(), rule_at(kind, 3, 0.01));
            append(all, arrays.all());
        });
        return all;
    });
}

// An optimizer's state may be cut anywhere among the ranks.
TEST_P(BackendTest, AnOptimizerStepOfPartsIsTheStepOfTheWhole) {
    for_update_rules([&](OptimizerKind kind) {
        const auto step = [&](std::size_t cut) {
            const UpdateArrays arrays(backend(), rule_of(kind), 101);
            arrays.update(backend(), rule_at(kind, 3, 0.01), 0, cut);
            arrays.update(backend(), rule_at(kind, 3, 0.01), cut);
            return arrays.all();
        };
        const auto whole = step(0);
        for (const std::size_t cut : {1, 16, 50, 99})
            EXPECT_EQ(step(cut), whole);
    });
}

TEST_P(BackendTest, AnUpdateNeedsAllOfItsStateInOneLength) {
    const Tensor array(backend(), 1, 5);
    const Tensor shorter(backend(), 1, 4);
    const auto update = [&](const std::vector<std::span<float>>& state) {
        backend().update(Adam(), array.span(), state, array.span());
    };
    EXPECT_THROW(update({array.span()}), Error);
    EXPECT_THROW(update({array.span(), shorter.span()}), Error);
}

}  // namespace
}  // namespace vae_dist
