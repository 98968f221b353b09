// Terms by their names, from the graph of a model to a line of the metrics.

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/temporary_folder.hpp"
#include "vae_dist/graph/plan.hpp"
#include "vae_dist/train/record/metrics.hpp"
#include "vae_dist/train/step/step_tail.hpp"

namespace vae_dist {
namespace {

constexpr std::int64_t kRows = 4;
constexpr std::int64_t kLatents = 3;

// Two groups of latents, whose posteriors are given, as is log p(x|z): values 0 to 2.
Graph two_groups() {
    Graph graph;
    const ValueId density = graph.input("log_likelihood", sample_shape(1));
    const ValueId first = graph.input("posterior/1", sample_shape(2 * kLatents));
    const ValueId second = graph.input("posterior/2", sample_shape(2 * kLatents));
    graph.term("reconstruction", density);
    graph.term("kl/1", graph.add(PosteriorDraw{}, {first})[PosteriorDraw::kKl]);
    graph.term("kl/2", graph.add(PosteriorDraw{}, {second})[PosteriorDraw::kKl]);
    return graph;
}

// KL of a normal distribution of this mean and this log-variance in every dimension from the standard one.
double kl_of_row(double mean, double log_variance) {
    return kLatents * (mean * mean + std::exp(log_variance) - log_variance - 1) / 2;
}

std::vector<float> posterior(float mean, float log_variance) {
    std::vector<float> values;
    for (std::int64_t row = 0; row < kRows; ++row) {
        values.insert(values.end(), kLatents, mean);
        values.insert(values.end(), kLatents, log_variance);
    }
    return values;
}

TEST(NamedTerms, OfAnyGraphComeThroughTheStepsTailIntoTheMetrics) {
    const auto backend = make_backend({});
    const Graph graph = two_groups();
    const ParameterLayout layout = layout_of(graph);
    ParameterStore store(layout, Precision::float32, *backend);
    Plan plan(graph, {.given = {0, 1, 2}, .terms = Terms::summed}, Precision::float32, layout);
    const RowLimits limits = {.samples = kRows, .draws = kRows};
    const Buffer memory = backend->allocate(plan.bytes(limits));
    plan.use(memory.as<std::byte>(), limits);

    const std::vector<float> densities(kRows, -2.5F);
    const std::vector<float> first = posterior(0.5F, 0);
    const std::vector<float> second = posterior(0, -1);
    const std::vector<ConstFloatMatrix> given = {{densities.data(), kRows, 1},
                                                 {first.data(), kRows, 2 * kLatents},
                                                 {second.data(), kRows, 2 * kLatents}};
    const std::vector<std::int64_t> rows = {0, 1, 2, 3};
    const Pass pass = {
        .rows = kRows, .row_numbers = rows, .noise = CounterRandom(1, Purpose::posterior_noise)};
    TermValues sums(graph);
    plan.forward(
        {.backend = *backend, .store = store, .pass = pass, .given = given, .terms = sums.values().data()});

    TermValues mean(graph);
    StepTail tail(mean.values().size(), 2);
    StepTail of_other_rank(mean.values().size(), 2);
    tail.add(sums.values(), 1.0 / (2 * kRows));
    of_other_rank.add(sums.values(), 1.0 / (2 * kRows));
    for (std::size_t i = 0; i < tail.words().size(); ++i)
        tail.words()[i] += of_other_rank.words()[i];
    tail.read_terms(mean.values());

    const TemporaryFolder folder;
    TrainMetrics metrics;
    metrics.mean = mean;
    MetricsLog(folder.file("metrics.jsonl"), 0).train(metrics);
    std::ifstream file(folder.file("metrics.jsonl"));
    const auto line = nlohmann::json::parse(file);
    EXPECT_EQ(line["reconstruction"], -2.5);
    EXPECT_NEAR(line["kl/1"], kl_of_row(0.5, 0), 1e-6);
    EXPECT_NEAR(line["kl/2"], kl_of_row(0, -1), 1e-6);
    EXPECT_NEAR(line["elbo"], -2.5 - kl_of_row(0.5, 0) - kl_of_row(0, -1), 1e-6);
    EXPECT_FALSE(line.contains("kl"));
}

}  // namespace
}  // namespace vae_dist
