#include "vae_dist/graph/plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "unit/graph/random_graph.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {
namespace {

constexpr std::int64_t kRows = 4;
constexpr std::int64_t kColumns = 6;
constexpr double kSampleWeight = 0.25;

std::vector<float> normals(std::uint64_t which, std::size_t count) {
    std::vector<float> values(count);
    CounterRandom(5, Purpose::synthetic).normals(0, which, values);
    return values;
}

/// A graph's parameters, its plan for training, and the results of a pass.
class Trained {
 public:
    Trained(const test::RandomGraph& of, Precision precision, Reuse reuse)
        : draws_(of.draws),
          x_rows_(of.graph.value(0).shape.rows == RowClass::draw ? kRows * of.draws : kRows),
          factors_(of.factors),
          backend_(make_backend({})),
          layout_(layout_of(of.graph)),
          plan_(of.graph, {.given = {0, 1}, .terms = Terms::summed, .gradients = true}, precision, layout_),
          store_(layout_, precision, *backend_),
          terms_(of.graph.terms.size()) {
        const std::vector<float> values = normals(1, store_.values.size());
        std::ranges::transform(values, store_.values.begin(), [](float value) { return value / 2; });
        store_.refresh_operands(*backend_, 0, layout_.size());
        const RowLimits limits = {.samples = kRows + 1, .draws = kRows * draws_ + 3};
        memory_ = backend_->allocate(plan_.bytes(limits, reuse));
        plan_.use(memory_.as<std::byte>(), limits, reuse);
        // What is read before it is written shows.
        std::ranges::fill(memory_.span<float>(), std::numeric_limits<float>::quiet_NaN());
        std::ranges::fill(store_.gradients, std::numeric_limits<float>::quiet_NaN());
    }

    void run() {
        const std::vector<float> x = normals(2, static_cast<std::size_t>(x_rows_ * kColumns));
        std::vector<float> target = normals(3, kRows * kColumns);
        for (float& value : target)
            value = value > 0 ? 1.0F : 0.0F;
        const std::vector<std::int64_t> rows = {3, 1, 4, 15};
        const Pass pass = {.rows = kRows,
                           .draws = draws_,
                           .row_numbers = rows,
                           .noise = CounterRandom(7, Purpose::posterior_noise),
                           .sample_weight = kSampleWeight};
        const std::vector<ConstFloatMatrix> given = {{x.data(), x_rows_, kColumns},
                                                     {target.data(), kRows, kColumns}};
        const Plan::Run run = {
            .backend = *backend_, .store = store_, .pass = pass, .given = given, .terms = terms_.data()};
        plan_.forward(run);
        plan_.backward(run, [&](std::int64_t end) {
            ends_.push_back(end);
            prefixes_.emplace_back(store_.gradients.begin(), store_.gradients.begin() + end);
        });
    }

    std::vector<float> gradients() const {
        std::vector<float> all;
        for (const Parameter& parameter : layout_.parameters()) {
            const float* const first = store_.gradients.data() + parameter.offset;
            all.insert(all.end(), first, first + parameter.size());
        }
        return all;
    }
    double objective() const {
        double sum = 0;
        for (std::size_t i = 0; i < terms_.size(); ++i)
            sum += kSampleWeight * factors_[i] * terms_[i];
        return sum;
    }

    std::int64_t draws_;
    std::int64_t x_rows_;
    std::vector<double> factors_;
    std::unique_ptr<Backend> backend_;
    ParameterLayout layout_;
    Plan plan_;
    ParameterStore store_;
    std::vector<double> terms_;
    Buffer memory_;
    std::vector<std::int64_t> ends_;
    std::vector<std::vector<float>> prefixes_;  ///< as `ready` was told of them
};

class RandomGraphs : public testing::TestWithParam<Precision> {};

TEST_P(RandomGraphs, ReuseOfMemoryChangesNoBit) {
    std::size_t smaller = 0;
    for (std::uint32_t seed = 0; seed < 200; ++seed) {
        const test::RandomGraph graph = test::random_graph(seed);
        Trained reused(graph, GetParam(), Reuse::on);
        Trained apart(graph, GetParam(), Reuse::off);
        reused.run();
        apart.run();
        const std::vector<float> gradients = reused.gradients();
        ASSERT_TRUE(std::ranges::all_of(gradients, [](float g) { return std::isfinite(g); })) << seed;
        ASSERT_EQ(gradients, apart.gradients()) << seed;
        ASSERT_EQ(reused.terms_, apart.terms_) << seed;
        if (reused.memory_.bytes() < apart.memory_.bytes()) ++smaller;
    }
    EXPECT_GT(smaller, 150U);
}

TEST_P(RandomGraphs, EachPrefixThatIsReadyIsFinal) {
    for (std::uint32_t seed = 0; seed < 50; ++seed) {
        const test::RandomGraph graph = test::random_graph(seed);
        Trained trained(graph, GetParam(), Reuse::on);
        trained.run();
        ASSERT_TRUE(std::ranges::is_sorted(trained.ends_)) << seed;
        ASSERT_EQ(trained.ends_.back(), trained.layout_.size()) << seed;
        // Before the pass all were NaN, so what was told of too early differs.
        for (const std::vector<float>& prefix : trained.prefixes_) {
            const auto final = trained.store_.gradients.first(prefix.size());
            ASSERT_EQ(std::memcmp(prefix.data(), final.data(), final.size_bytes()), 0) << seed;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Precisions, RandomGraphs, testing::Values(Precision::float32, Precision::bfloat16),
                         [](const auto& tested) {
                             return tested.param == Precision::float32 ? "float32" : "bfloat16";
                         });

TEST(Plan, GradientsAreThoseOfFiniteDifferences) {
    constexpr float kStep = 0.002F;
    for (std::uint32_t seed = 0; seed < 20; ++seed) {
        const test::RandomGraph graph = test::random_graph(seed);
        Trained trained(graph, Precision::float32, Reuse::on);
        trained.run();
        const std::vector<float> gradients(trained.store_.gradients.begin(), trained.store_.gradients.end());
        for (const Parameter& parameter : trained.layout_.parameters()) {
            // Along a direction, so that the difference is larger than float's error.
            const auto first = static_cast<std::size_t>(parameter.offset);
            const auto size = static_cast<std::size_t>(parameter.size());
            const std::span<float> values = trained.store_.values.subspan(first, size);
            const std::vector<float> before(values.begin(), values.end());
            const std::vector<float> direction = normals(100 + first, size);
            double expected = 0;
            for (std::size_t i = 0; i < size; ++i)
                expected += static_cast<double>(direction[i]) * gradients[first + i];
            double difference = 0;
            for (const float sign : {1.0F, -1.0F}) {
                for (std::size_t i = 0; i < size; ++i)
                    values[i] = before[i] + sign * kStep * direction[i];
                trained.run();
                difference += static_cast<double>(sign) * trained.objective();
            }
            std::ranges::copy(before, values.begin());
            EXPECT_NEAR(difference / (2 * static_cast<double>(kStep)), expected,
                        0.02 * std::abs(expected) + 0.02)
                << seed << " " << parameter.name;
        }
    }
}

TEST(Plan, RefusesPassesLargerThanWhatIsReserved) {
    Trained trained(test::random_graph(1), Precision::float32, Reuse::on);
    const std::vector<float> x(1000, 0.5F);
    const Pass pass = {.rows = 50, .draws = 1};
    const std::vector<ConstFloatMatrix> given = {{x.data(), 50, kColumns}, {x.data(), 50, kColumns}};
    EXPECT_THROW(trained.plan_.forward({.backend = *trained.backend_,
                                        .store = trained.store_,
                                        .pass = pass,
                                        .given = given,
                                        .terms = trained.terms_.data()}),
                 Error);
}

}  // namespace
}  // namespace vae_dist
