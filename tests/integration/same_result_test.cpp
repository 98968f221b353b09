// A run's result depends on its configuration and data, never on how many ranks ran it.

#include <fmt/format.h>

#include "integration/run_files.hpp"
#include "integration/sample_data.hpp"
#include "integration/workplace.hpp"

namespace vae_dist {
namespace {

constexpr const char* kImages =
    "data:\n"
    "  train: {files: [d.h5], dataset: train/x}\n"
    "  validation: {files: [d.h5], dataset: test/x}\n"
    "  transform: binarize\n"
    "  shuffle_window: 128\n"
    "model: {latent_dim: 3, encoder: {hidden: [24, 16]}, decoder: {hidden: [16, 24]}, activation: tanh}\n"
    "train: {epochs: 2, batch_size: 40, virtual_ranks: 4}\n"
    "output: {directory: run, log_every: 3}\n";

constexpr const char* kTable =
    "data:\n"
    "  train: {files: [d.h5], dataset: train/x}\n"
    "  validation: {files: [d.h5], dataset: test/x}\n"
    "  transform: standardize\n"
    "model: {latent_dim: 2, encoder: {hidden: [16]}, decoder: {hidden: [16]}, likelihood: gaussian}\n"
    "objective: {kl_warmup_steps: 5}\n"
    "optimizer: {clip_norm: 5, l2: 1e-4}\n"
    "train: {epochs: 2, batch_size: 40, virtual_ranks: 4}\n"
    "output: {directory: run, log_every: 3}\n";

constexpr const char* kConditional =
    "data:\n"
    "  train: {files: [d.h5], dataset: train/x, conditions: {energy: train/energy}}\n"
    "  validation: {files: [d.h5], dataset: test/x, conditions: {energy: test/energy}}\n"
    "  transform: standardize\n"
    "model: {latent_dim: 2, encoder: {hidden: [16]}, decoder: {hidden: [16]}, likelihood: gaussian,\n"
    "        condition: {on: [energy], into: [decoder]}}\n"
    "objective: {importance_samples: 3}\n"
    "train: {epochs: 2, batch_size: 40, virtual_ranks: 4}\n"
    "output: {directory: run, log_every: 3}\n";

class SameResult : public Workplace {
 protected:
    void use_images(std::int64_t rows) const {
        write_text("run.yaml", kImages);
        write_images(path("d.h5"), "train/x", rows);
        write_images(path("d.h5"), "test/x", 61, 100000);
    }

    void use_table(std::int64_t rows) const {
        write_text("run.yaml", kTable);
        write_table(path("d.h5"), "train/x", rows);
        write_table(path("d.h5"), "test/x", 61);
    }

    void use_conditions(std::int64_t rows) const {
        write_text("run.yaml", kConditional);
        write_table(path("d.h5"), "train/x", rows);
        write_table(path("d.h5"), "test/x", 61);
        write_energies(path("d.h5"), "train/energy", rows);
        write_energies(path("d.h5"), "test/energy", 61);
    }

    void train(int ranks, const std::string& directory, std::vector<std::string> settings = {}) const {
        settings.push_back("output.directory=" + directory);
        run_well(ranks, with_settings("run.yaml", settings));
    }

    void expect_same_on_every_number_of_ranks(const std::vector<std::string>& settings = {}) const {
        train(0, "p0", settings);
        for (const int ranks : {1, 2, 3, 4}) {
            const std::string name = fmt::format("p{}", ranks);
            train(ranks, name, settings);
            SCOPED_TRACE(std::to_string(ranks) + " ranks");
            expect_equal_runs(path("p0"), path(name));
        }
        // Or nothing was compared.
        EXPECT_EQ(checkpoints_in(path("p0")).size(), 3U);
        EXPECT_TRUE(std::filesystem::exists(path("p0/best.h5")));
        EXPECT_FALSE(metric(path("p0"), "train", "elbo").empty());
        EXPECT_EQ(metric(path("p0"), "validation", "elbo").size(), 2U);
    }
};

TEST_F(SameResult, BernoulliOnBinarizedImages) {
    use_images(400);
    expect_same_on_every_number_of_ranks();
}

TEST_F(SameResult, BernoulliWithAnUnevenLastBatch) {
    // A last batch of two samples: two virtual ranks have none.
    use_images(402);
    expect_same_on_every_number_of_ranks();
}

TEST_F(SameResult, ImportanceWeightedBoundWithAnUnevenLastBatch) {
    use_images(402);
    write_text("run.yaml", std::string(kImages) + "objective: {importance_samples: 5, kl_warmup_steps: 4}\n");
    expect_same_on_every_number_of_ranks();
    const auto bound = metric(path("p0"), "validation", "iwae_bound");
    const auto elbo = metric(path("p0"), "validation", "elbo");
    ASSERT_EQ(bound.size(), 2U);
    for (std::size_t i = 0; i < bound.size(); ++i)
        EXPECT_GT(bound[i], elbo[i]);
    EXPECT_EQ(metric(path("p0"), "train", "iwae_bound").size(), metric(path("p0"), "train", "elbo").size());
}

TEST_F(SameResult, GaussianOnAStandardizedTable) {
    use_table(400);
    expect_same_on_every_number_of_ranks();
}

TEST_F(SameResult, GaussianWithAnUnevenLastBatch) {
    use_table(401);
    expect_same_on_every_number_of_ranks();
}

TEST_F(SameResult, GaussianWithTheVarianceOfTheDecoder) {
    use_table(401);
    expect_same_on_every_number_of_ranks({"model.likelihood.variance=decoder", "train.precision=bfloat16"});
}

TEST_F(SameResult, AMixtureAsPrior) {
    use_table(401);
    expect_same_on_every_number_of_ranks({"model.prior={mixture: 7}", "train.precision=bfloat16"});
}

TEST_F(SameResult, AMixtureAsPriorWithSeveralImportanceSamples) {
    use_table(401);
    expect_same_on_every_number_of_ranks({"model.prior={mixture: 7}", "objective.importance_samples=3"});
}

TEST_F(SameResult, ConditionsOfTheDecoder) {
    use_conditions(401);
    expect_same_on_every_number_of_ranks();
}

TEST_F(SameResult, ConditionsOfBothPartsStreamed) {
    use_conditions(401);
    const std::vector<std::string> settings = {"model.condition.into=[encoder,decoder]",
                                               "objective.importance_samples=1", "train.precision=bfloat16"};
    train(2, "memory", settings);
    std::vector<std::string> streamed = settings;
    streamed.insert(streamed.end(), {"data.cache=stream", "data.shuffle_window=64"});
    expect_same_on_every_number_of_ranks(streamed);
    streamed.back() = "data.shuffle_window=65536";
    train(3, "stream", streamed);
    EXPECT_EQ(metrics_of(path("memory")), metrics_of(path("stream")));
}

TEST_F(SameResult, AConditionIsPartOfTheModel) {
    use_conditions(401);
    train(2, "with");
    train(2, "without",
          {"model.condition=null", "data.train.conditions=null", "data.validation.conditions=null"});
    EXPECT_NE(metrics_of(path("with")), metrics_of(path("without")));
    // It tells a part of what else the latents must.
    EXPECT_GT(metric(path("with"), "validation", "elbo").back(),
              metric(path("without"), "validation", "elbo").back());
}

TEST_F(SameResult, ProductsInBfloat16) {
    use_images(402);
    expect_same_on_every_number_of_ranks({"train.precision=bfloat16"});
}

TEST_F(SameResult, ProductsInBfloat16OnATable) {
    use_table(401);
    expect_same_on_every_number_of_ranks({"train.precision=bfloat16", "model.activation=gelu"});
}

TEST_F(SameResult, RanksThatSendMessagesGiveTheBitsOfThoseThatShareMemory) {
    use_images(402);
    train(3, "shared");
    expect_same_on_every_number_of_ranks({"compute.shared_memory=off"});
    EXPECT_EQ(metrics_of(path("shared")), metrics_of(path("p4")));
}

TEST_F(SameResult, ThreadsAndOverlapChangeNoBit) {
    use_images(402);
    train(2, "plain");
    train(2, "threads", {"compute.threads=3"});
    train(3, "late", {"compute.shared_memory=off", "compute.overlap=off"});
    EXPECT_EQ(metrics_of(path("plain")), metrics_of(path("threads")));
    EXPECT_EQ(metrics_of(path("plain")), metrics_of(path("late")));
}

TEST_F(SameResult, StreamedDataGiveTheBitsOfDataInMemory) {
    use_images(402);
    train(2, "memory", {"data.cache=memory"});
    train(2, "stream", {"data.cache=stream"});
    const auto memory = checkpoints_in(path("memory"));
    const auto stream = checkpoints_in(path("stream"));
    ASSERT_EQ(memory.size(), stream.size());
    EXPECT_EQ(metrics_of(path("memory")), metrics_of(path("stream")));
    // The files differ in the configuration that they keep.
    train(0, "memory", {"data.cache=stream", "train.epochs=3"});
    train(0, "stream", {"data.cache=stream", "train.epochs=3"});
    expect_equal_hdf5(checkpoints_in(path("memory")).back(), checkpoints_in(path("stream")).back());
}

TEST_F(SameResult, AnotherSeedIsAnotherResult) {
    use_images(120);
    train(2, "one", {"train.epochs=1"});
    train(2, "two", {"train.epochs=1", "train.seed=2"});
    EXPECT_NE(metrics_of(path("one")), metrics_of(path("two")));
}

TEST_F(SameResult, ReductionsInFloat32AndBfloat16AreCloseToTheExactOne) {
    use_table(400);
    train(3, "exact");
    const auto exact = metric(path("exact"), "validation", "elbo");
    for (const std::string reduction : {"float32", "bfloat16"}) {
        for (const std::string shared : {"auto", "off"}) {
            const std::string name = reduction + shared;
            train(3, name, {"train.reduction=" + reduction, "compute.shared_memory=" + shared});
            const auto fast = metric(path(name), "validation", "elbo");
            ASSERT_EQ(exact.size(), fast.size());
            for (std::size_t i = 0; i < exact.size(); ++i)
                EXPECT_NEAR(exact[i], fast[i], 1e-2 * std::abs(exact[i])) << name;
        }
    }
}

}  // namespace
}  // namespace vae_dist
