// Keys that contradict each other, that do nothing, and that are not supported yet.

#include <gtest/gtest.h>

#include "unit/config/message_of.hpp"

namespace vae_dist {
namespace {

TEST(ConfigChecks, TrainingDataComeFromOnePlace) {
    EXPECT_EQ(message_of("data:\n  train: {files: a.h5, dataset: x}\n  synthetic: {samples: 5}\n"),
              "run.yaml, line 2: data.train contradicts data.synthetic (line 3): training data come from one "
              "of them; remove the other");
    EXPECT_EQ(message_of("train: {seed: 1}\n"),
              "run.yaml: there are no training data; give data.train or data.synthetic");
}

TEST(ConfigChecks, ADatasetNeedsFilesAndAPath) {
    EXPECT_EQ(message_of("data:\n  train:\n    files: a.h5\n"),
              "run.yaml, line 2: data.train.dataset is missing: the path of the dataset inside the files");
    EXPECT_EQ(message_after_data("", {"data.validation.dataset=x"}),
              "--set data.validation.dataset=x: data.validation.files is missing");
}

TEST(ConfigChecks, SyntheticSamplesHaveABoundedSize) {
    EXPECT_NE(message_of("data: {synthetic: {distribution: uniform, shape: [1000000, 1000000]}}")
                  .find("data.synthetic.shape"),
              std::string::npos);
}

TEST(ConfigChecks, ValidationGoesWithSyntheticDataToo) {
    EXPECT_TRUE(parsed("", {"data.validation={files: [a.h5], dataset: x}"}).data.validation.has_value());
}

TEST(ConfigChecks, ARunHasOneLength) {
    EXPECT_EQ(
        message_after_data("train:\n  epochs: 5\n  steps: 10\n"),
        "run.yaml, line 3: train.epochs: 5 contradicts train.steps: 10 (line 4): a run's length is one of "
        "them; remove the other (--set train.epochs=null does)");
    EXPECT_EQ(parsed("").train.epochs, 10);
    EXPECT_FALSE(parsed("train: {steps: 7}").train.epochs.has_value());
}

TEST(ConfigChecks, EveryVirtualRankNeedsASampleOfABatch) {
    EXPECT_EQ(message_after_data("train: {batch_size: 3, virtual_ranks: 4}"),
              "run.yaml, line 2: train.batch_size: 3 contradicts train.virtual_ranks: 4 (line 2): every "
              "virtual rank needs a sample of each batch");
    EXPECT_EQ(parsed("train: {batch_size: 4, virtual_ranks: 4}").train.batch_size, 4);
}

TEST(ConfigChecks, AStalledRunIsWarnedOfBeforeItEnds) {
    EXPECT_EQ(message_after_data("train:\n  stall_warning: 5m\n  stall_limit: 300s\n"),
              "run.yaml, line 4: train.stall_limit: 5m contradicts train.stall_warning: 5m (line 3): the "
              "warning comes before the end; make the limit longer");
    EXPECT_EQ(message_after_data("train: {stall_limit: 30s}"),
              "run.yaml, line 2: train.stall_limit: 30s contradicts train.stall_warning: 1m (the default): "
              "the warning comes before the end; make the limit longer");
    EXPECT_NO_THROW(parsed("train: {stall_warning: 5m, stall_limit: 301s}"));
    EXPECT_NO_THROW(parsed("train: {stall_warning: none, stall_limit: 1s}"));
    EXPECT_NO_THROW(parsed("train: {stall_warning: 1d, stall_limit: none}"));
    EXPECT_NO_THROW(parsed("train: {stall_warning: none, stall_limit: none}"));
}

TEST(ConfigChecks, TheBernoulliLikelihoodNeedsDataFromZeroToOne) {
    const auto data = [](const std::string& settings, const std::string& likelihood) {
        return "data: {synthetic: {" + settings + "}}\nmodel: {likelihood: " + likelihood + "}";
    };
    const auto with = [](const std::string& transform) { return std::vector{"data.transform=" + transform}; };

    EXPECT_EQ(message_of(data("distribution: normal", "bernoulli")),
              "run.yaml, line 1: data.synthetic.distribution: normal contradicts model.likelihood: bernoulli "
              "(line 2): the bernoulli likelihood needs data in [0, 1]; use gaussian");
    for (const std::string transform : {"standardize", "log1p"}) {
        EXPECT_NE(message_of(data("distribution: uniform", "bernoulli"), with(transform))
                      .find("contradicts model.likelihood: bernoulli"),
                  std::string::npos);
    }
    for (const std::string transform : {"binarize", "log1p"}) {
        EXPECT_NE(message_of(data("distribution: normal", "gaussian"), with(transform))
                      .find("contradicts data.synthetic.distribution: normal"),
                  std::string::npos);
    }
    EXPECT_NO_THROW(parse_config(data("distribution: normal", "bernoulli"), "x", with("threshold")));
    EXPECT_NO_THROW(parse_config(data("distribution: normal", "gaussian"), "x", with("standardize")));
    EXPECT_NO_THROW(parse_config(data("distribution: uniform", "gaussian"), "x", with("binarize")));
}

TEST(ConfigChecks, AContradictedDefaultIsCalledOne) {
    EXPECT_EQ(message_of("data: {synthetic: {samples: 5}}"),
              "run.yaml: data.synthetic.distribution: normal contradicts model.likelihood: bernoulli (the "
              "default): the bernoulli likelihood needs data in [0, 1]; use gaussian");
}

TEST(ConfigChecks, AdamPointsToAdamwForWeightDecay) {
    EXPECT_NE(message_after_data("optimizer: {weight_decay: 0.1}").find("use adamw"), std::string::npos);
    for (const std::string name : {"adamw", "sgd", "adagrad"}) {
        EXPECT_NO_THROW(parsed("optimizer: {weight_decay: 0.1, name: " + name + "}"));
    }
}

TEST(ConfigChecks, AKeyThatDoesNothingIsAnError) {
    EXPECT_EQ(message_after_data("optimizer:\n  name: adam\n  momentum: 0.5\n"),
              "run.yaml, line 4: optimizer.momentum: 0.5 has no effect with optimizer.name: adam (line 3); "
              "remove it");
    EXPECT_EQ(
        message_after_data("optimizer:\n  momentum: 0.5\n"),
        "run.yaml, line 3: optimizer.momentum: 0.5 has no effect with optimizer.name: adam (the default); "
        "remove it");
    for (const std::string setting :
         {"{name: sgd, beta1: 0.5}", "{name: adagrad, beta2: 0.5}", "{name: sgd, epsilon: 0.5}",
          "{schedule: {decay_steps: 5}}", "{schedule: {name: step, final_fraction: 0.5}}",
          "{schedule: {name: cosine, every_steps: 5}}", "{schedule: {factor: 0.1}}"}) {
        EXPECT_NE(message_after_data("optimizer: " + setting).find("has no effect with"), std::string::npos)
            << setting;
    }
    EXPECT_NE(message_of("data: {synthetic: {distribution: uniform}, shuffle: false, shuffle_window: 5}")
                  .find("data.shuffle_window: 5 has no effect with data.shuffle: false"),
              std::string::npos);
    EXPECT_EQ(message_after_data("objective: {importance_samples: 5, free_bits: 0.1}"),
              "run.yaml, line 2: objective.free_bits: 0.1 has no effect with objective.importance_samples: 5 "
              "(line 2); remove it");
}

TEST(ConfigChecks, APriorThatIsNoneIsRefused) {
    const auto message = [](const std::string& prior) {
        return message_after_data("model:\n  prior: " + prior + "\n");
    };
    EXPECT_EQ(message("mixture"),
              "run.yaml, line 3: model.prior: expected {mixture: K} with a whole number K, found 'mixture'");
    EXPECT_EQ(message("{mixture: 0}"),
              "run.yaml, line 3: model.prior.mixture: 0 is out of range; it must be from 1 to 100,000");
    EXPECT_EQ(message("{standard_normal: 3}"),
              "run.yaml, line 3: model.prior: standard_normal has no number; write model.prior: "
              "standard_normal");
    EXPECT_EQ(message("{mog: 3}"),
              "run.yaml, line 3: model.prior: expected one of standard_normal, mixture, found 'mog'; did you "
              "mean mixture?");
    EXPECT_EQ(
        message("{mixture: 3, vamp: 3}"),
        "run.yaml, line 3: model.prior: expected one of standard_normal, {mixture: K}, found a section");
    EXPECT_EQ(
        message_after_data("model:\n  prior: {mixture: 3}\nobjective: {free_bits: 0.5}\n"),
        "run.yaml, line 4: objective.free_bits: 0.5 has no effect with model.prior: mixture: 3 (line 3); "
        "remove it");
}

TEST(ConfigChecks, AVarianceGoesWithALikelihoodThatHasOne) {
    EXPECT_EQ(message_after_data("model:\n  likelihood: {kind: bernoulli, variance: decoder}\n"),
              "run.yaml, line 3: model.likelihood.variance: decoder has no effect with model.likelihood: "
              "bernoulli (line 3); remove it");
    EXPECT_EQ(
        message_after_data("model:\n  likelihood: {variance: decoder}\n"),
        "run.yaml, line 3: model.likelihood.kind is missing: a section of model.likelihood says which one "
        "it is for");
    EXPECT_EQ(message_after_data("model:\n  likelihood: {kind: normal}\n"),
              "run.yaml, line 3: model.likelihood: expected one of bernoulli, gaussian, found 'normal'; did "
              "you mean gaussian?");
}

std::string message_of_conditions(const std::string& conditions, const std::string& on) {
    return message_of("data: {train: {files: a.h5, dataset: x, conditions: " + conditions +
                      "}}\nmodel: {condition: {on: " + on + "}}\noutput: {directory: r}\n");
}

TEST(ConfigChecks, ConditionsOfTheModelAreConditionsOfTheDataAndTheOtherWayRound) {
    EXPECT_EQ(message_of_conditions("{}", "[energy]"),
              "run.yaml, line 2: model.condition.on: data.train has no 'energy'; say which dataset it is: "
              "data.train.conditions: {energy: DATASET}");
    EXPECT_EQ(
        message_of_conditions("{energy: e, mass: m}", "[energy]"),
        "run.yaml, line 1: data.train.conditions: 'mass' has no effect, for model.condition.on does not "
        "name it; remove it");
    EXPECT_EQ(message_of_conditions("{energy: e}", "[energy, energy]"),
              "run.yaml, line 2: model.condition.on: 'energy' is there twice");
    EXPECT_EQ(
        message_of_conditions("{a-b: e}", "[energy]"),
        "run.yaml, line 1: data.train.conditions: 'a-b' is no name for a condition: letters, digits and "
        "_, and not x");
    EXPECT_EQ(message_of_conditions("[energy]", "[energy]"),
              "run.yaml, line 1: data.train.conditions: expected names with a dataset each, such as {energy: "
              "events/energy}, found a list");
    EXPECT_EQ(
        message_of("data: {synthetic: {}}\nmodel: {condition: {on: [energy]}, likelihood: gaussian}\n"
                   "output: {directory: r}\n"),
        "run.yaml, line 2: model.condition.on: [energy] contradicts data.synthetic (line 1): made-up data "
        "have no conditions");
    EXPECT_EQ(message_after_data("model:\n  condition: {into: [decoder]}\n"),
              "run.yaml, line 3: model.condition.into: [decoder] has no effect with model.condition.on (the "
              "default); remove it");
}

TEST(ConfigChecks, AKeyThatDoesSomethingIsNone) {
    for (const std::string setting :
         {"{name: adamw, beta1: 0.5}", "{name: adam, beta2: 0.5}", "{name: adagrad, epsilon: 0.5}",
          "{name: sgd, momentum: 0.5}", "{schedule: {name: cosine, decay_steps: 5, final_fraction: 0.5}}",
          "{schedule: {name: step, every_steps: 5}}", "{schedule: {name: exponential, factor: 0.1}}",
          "{schedule: {warmup_steps: 5}}", "{name: adam, momentum: 0.9}"}) {
        EXPECT_NO_THROW(parsed("optimizer: " + setting)) << setting;
    }
}

TEST(ConfigChecks, WhatDoesNothingOnGpusIsRefusedWithThem) {
    EXPECT_EQ(
        message_after_data("compute: {backend: cuda, threads: 2}"),
        "run.yaml, line 2: compute.threads: 2 has no effect with compute.backend: cuda (line 2); remove it");
    EXPECT_EQ(message_after_data("compute: {backend: cuda, shared_memory: on}"),
              "run.yaml, line 2: compute.shared_memory: on has no effect with compute.backend: cuda (line "
              "2); remove "
              "it");
    EXPECT_NO_THROW(parsed("compute: {backend: cuda, overlap: off}"));
}

TEST(ConfigChecks, NcclWithoutGpusIsRefused) {
    EXPECT_EQ(
        message_after_data("compute: {backend: cpu, communicator: nccl}"),
        "run.yaml, line 2: compute.communicator: nccl contradicts compute.backend: cpu (line 2): NCCL adds "
        "up what is in GPUs' memory");
    EXPECT_NO_THROW(parsed("compute: {communicator: nccl}"));
    EXPECT_NO_THROW(parsed("compute: {backend: cuda, communicator: nccl}"));
}

}  // namespace
}  // namespace vae_dist
