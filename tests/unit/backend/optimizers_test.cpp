#include <cmath>

#include "backend_suite.hpp"

namespace vae_dist {
namespace {

TEST_P(BackendTest, PenaltiesPullWeightsToZero) {
    const Tensor weights(backend(), 1, 3, {2, 0, -4});
    const Tensor gradient(backend(), 1, 3, {1, 1, 1});
    backend().add_penalty(weights.span(), 0.5F, 0.25F, gradient.span());
    EXPECT_EQ(gradient.get(), (std::vector<float>{1 + 0.5F + 0.5F, 1, 1 - 0.5F - 1}));
}

TEST_P(BackendTest, AdamStepsAsInThePaper) {
    for (const std::int64_t size : kSizes) {
        const auto g = normal_values(size, 1);
        const auto w = normal_values(size, 2);
        const Tensor gradient(backend(), 1, size, g);
        const Tensor weights(backend(), 1, size, w);
        const Tensor first(backend(), 1, size, std::vector<float>(g.size(), 0));
        const Tensor second(backend(), 1, size, std::vector<float>(g.size(), 0));
        std::vector<double> m(g.size());
        std::vector<double> v(g.size());
        std::vector<double> expected(w.begin(), w.end());
        for (int t = 1; t <= 3; ++t) {
            const double correction1 = 1 / (1 - std::pow(0.9, t));
            const double correction2 = 1 / (1 - std::pow(0.999, t));
            backend().adam({0.01F, 0.9F, 0.999F, 1e-8F, static_cast<float>(correction1),
                            static_cast<float>(correction2), 0.99F},
                           gradient.span(), first.span(), second.span(), weights.span());
            for (std::size_t i = 0; i < g.size(); ++i) {
                m[i] = 0.9 * m[i] + 0.1 * g[i];
                v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
                expected[i] =
                    0.99 * expected[i] - 0.01 * m[i] * correction1 / (std::sqrt(v[i] * correction2) + 1e-8);
            }
        }
        expect_near(weights.get(), expected, 2e-6);
        expect_near(first.get(), m, 1e-6);
        expect_near(second.get(), v, 1e-6);
    }
}

TEST_P(BackendTest, SgdKeepsMomentum) {
    for (const std::int64_t size : kSizes) {
        const auto g = normal_values(size, 1);
        const auto w = normal_values(size, 2);
        const auto v = normal_values(size, 3);
        const Tensor gradient(backend(), 1, size, g);
        const Tensor weights(backend(), 1, size, w);
        const Tensor velocity(backend(), 1, size, v);
        backend().sgd({0.1F, 0.9F, 0.99F}, gradient.span(), velocity.span(), weights.span());
        std::vector<double> expected_velocity;
        std::vector<double> expected;
        for (std::size_t i = 0; i < g.size(); ++i) {
            expected_velocity.push_back(0.9 * v[i] + g[i]);
            expected.push_back(0.99 * w[i] - 0.1 * expected_velocity[i]);
        }
        expect_near(velocity.get(), expected_velocity, 1e-6);
        expect_near(weights.get(), expected, 1e-6);
    }
}

TEST_P(BackendTest, AdagradDividesByTheRootOfSummedSquares) {
    for (const std::int64_t size : kSizes) {
        const auto g = normal_values(size, 1);
        const auto w = normal_values(size, 2);
        const auto s = unit_values(size, 3);
        const Tensor gradient(backend(), 1, size, g);
        const Tensor weights(backend(), 1, size, w);
        const Tensor squares(backend(), 1, size, s);
        backend().adagrad({0.1F, 1e-3F, 0.99F}, gradient.span(), squares.span(), weights.span());
        std::vector<double> expected_squares;
        std::vector<double> expected;
        for (std::size_t i = 0; i < g.size(); ++i) {
            expected_squares.push_back(s[i] + static_cast<double>(g[i]) * g[i]);
            expected.push_back(0.99 * w[i] - 0.1 * g[i] / (std::sqrt(expected_squares[i]) + 1e-3));
        }
        expect_near(squares.get(), expected_squares, 1e-6);
        expect_near(weights.get(), expected, 1e-6);
    }
}

TEST_P(BackendTest, OptimizersDoNotDependOnWhereAnArrayLies) {
    const std::int64_t size = 101;
    expect_same_bits_everywhere([&](std::int64_t offset) {
        const MemoryPlace place{0, offset};
        const Tensor gradient(backend(), 1, size, normal_values(size, 1), place);
        const Tensor weights(backend(), 1, size, normal_values(size, 2), place);
        const Tensor first(backend(), 1, size, normal_values(size, 3), place);
        const Tensor second(backend(), 1, size, unit_values(size, 4), place);
        backend().add_penalty(weights.span(), 0.1F, 0.2F, gradient.span());
        backend().adam({0.01F, 0.9F, 0.999F, 1e-8F, 3, 7, 0.99F}, gradient.span(), first.span(),
                       second.span(), weights.span());
        backend().sgd({0.1F, 0.9F, 0.99F}, gradient.span(), first.span(), weights.span());
        backend().adagrad({0.1F, 1e-3F, 0.99F}, gradient.span(), second.span(), weights.span());
        std::vector<float> all;
        for (const Tensor* tensor : {&gradient, &weights, &first, &second})
            append(all, tensor->get());
        return all;
    });
}

// An optimizer's state may be cut anywhere among the ranks.
TEST_P(BackendTest, AnOptimizerStepOfPartsIsTheStepOfTheWhole) {
    const std::int64_t size = 101;
    const auto step = [&](std::size_t cut) {
        const Tensor gradient(backend(), 1, size, normal_values(size, 1));
        const Tensor weights(backend(), 1, size, normal_values(size, 2));
        const Tensor first(backend(), 1, size, normal_values(size, 3));
        const Tensor second(backend(), 1, size, unit_values(size, 4));
        for (const auto& [begin, count] : {std::pair(std::size_t{0}, cut), std::pair(cut, 101 - cut)}) {
            backend().adam({0.01F, 0.9F, 0.999F, 1e-8F, 3, 7, 0.99F}, gradient.span().subspan(begin, count),
                           first.span().subspan(begin, count), second.span().subspan(begin, count),
                           weights.span().subspan(begin, count));
        }
        return weights.get();
    };
    const auto whole = step(0);
    for (const std::size_t cut : {1, 16, 50, 99})
        EXPECT_EQ(step(cut), whole);
}

}  // namespace
}  // namespace vae_dist
