// What the value of a key may be.

#include <gtest/gtest.h>

#include <chrono>
#include <optional>

#include "unit/config/message_of.hpp"

namespace vae_dist {
namespace {

TEST(ConfigValues, AnIntegerMayBeSpelledLikeAWholeNumber) {
    EXPECT_EQ(parsed("train: {batch_size: 64}").train.batch_size, 64);
    EXPECT_EQ(parsed("train: {batch_size: +64}").train.batch_size, 64);
    EXPECT_EQ(parsed("train: {steps: 1e6}").train.steps, 1'000'000);
    EXPECT_EQ(parsed("train: {steps: 2.0}").train.steps, 2);
    EXPECT_EQ(parsed("train: {seed: 4294967295}").train.seed, 4294967295U);
}

TEST(ConfigValues, WhatIsNoIntegerIsAnErrorWithPlaceAndValue) {
    EXPECT_EQ(message_after_data("train:\n  epochs: abc\n"),
              "run.yaml, line 3: train.epochs: expected an integer, found 'abc'");
    EXPECT_EQ(message_after_data("train: {epochs: 1.5}\n"),
              "run.yaml, line 2: train.epochs: expected an integer, found '1.5'");
    EXPECT_EQ(message_after_data("train: {epochs: \"5\"}\n"),
              "run.yaml, line 2: train.epochs: expected an integer, found the text '5'");
    EXPECT_EQ(message_after_data("train: {epochs: [5]}\n"),
              "run.yaml, line 2: train.epochs: expected an integer, found a list");
    EXPECT_EQ(message_after_data("train: {epochs: {a: 5}}\n"),
              "run.yaml, line 2: train.epochs: expected an integer, found a section");
    for (const std::string text : {"0x10", "5 6", "+-5", "++5", "1_000", "5e", "true", "auto", "inf"}) {
        EXPECT_EQ(message_after_data("train: {epochs: " + text + "}"),
                  "run.yaml, line 2: train.epochs: expected an integer, found '" + text + "'");
    }
}

TEST(ConfigValues, AWordOfOtherTrainersIsUnderstood) {
    const auto advice = [](const std::string& setting) {
        const std::string message = message_after_data("", {setting});
        return message.substr(message.find("; ") + 2);
    };
    EXPECT_EQ(advice("model.likelihood=normal"), "did you mean gaussian?");
    EXPECT_EQ(advice("model.likelihood=mse"), "did you mean gaussian?");
    EXPECT_EQ(advice("model.likelihood=BCE"), "did you mean bernoulli?");
    EXPECT_EQ(advice("compute.backend=gpu"), "did you mean cuda?");
    EXPECT_EQ(advice("compute.backend='cuda:0'"), "did you mean cuda?");
    EXPECT_EQ(advice("optimizer.name=Adam"), "did you mean adam?");
    EXPECT_EQ(advice("data.transform=normalize"), "did you mean standardize?");
    EXPECT_EQ(advice("train.precision=bf16"), "did you mean bfloat16?");
    EXPECT_EQ(advice("model.activation=swish"), "did you mean silu?");
}

TEST(ConfigValues, AnIntegerOutOfRangeIsToldTheRange) {
    EXPECT_EQ(message_after_data("model: {latent_dim: 0}"),
              "run.yaml, line 2: model.latent_dim: 0 is out of range; it must be from 1 to 1,000,000");
    EXPECT_EQ(message_after_data("train: {seed: 4294967296}"),
              "run.yaml, line 2: train.seed: 4294967296 is out of range; it must be from 0 to 4,294,967,295");
    for (const std::string text : {"-1", "99999999999999999999999", "-99999999999999999999999", "1e300"}) {
        EXPECT_EQ(
            message_after_data("compute: {threads: " + text + "}"),
            "run.yaml, line 2: compute.threads: " + text + " is out of range; it must be from 1 to 1,024");
    }
}

TEST(ConfigValues, NumbersMayHaveExponentsAndMustBeFinite) {
    EXPECT_DOUBLE_EQ(parsed("optimizer: {learning_rate: 1e-3}").optimizer.learning_rate, 1e-3);
    EXPECT_DOUBLE_EQ(parsed("optimizer: {learning_rate: .5}").optimizer.learning_rate, 0.5);
    EXPECT_DOUBLE_EQ(parsed("optimizer: {learning_rate: +1E-3}").optimizer.learning_rate, 1e-3);
    EXPECT_DOUBLE_EQ(parsed("objective: {beta: 4}").objective.beta, 4);
    for (const std::string text : {"nan", ".nan", "inf", ".inf", "-.inf", "Infinity"}) {
        EXPECT_EQ(
            message_after_data("optimizer: {learning_rate: " + text + "}"),
            "run.yaml, line 2: optimizer.learning_rate: expected a finite number, found '" + text + "'");
    }
    for (const std::string text : {"fast", "1e-3x", "'0.001'", "1e", "--1"}) {
        EXPECT_NE(message_after_data("optimizer: {learning_rate: " + text + "}").find("expected a number"),
                  std::string::npos);
    }
}

TEST(ConfigValues, ANumberOutOfRangeIsToldTheRange) {
    EXPECT_EQ(
        message_after_data("optimizer: {learning_rate: 0}"),
        "run.yaml, line 2: optimizer.learning_rate: 0 is out of range; it must be at least 1e-30 and at "
        "most 1e+30");
    EXPECT_EQ(
        message_after_data("optimizer: {beta1: 1}"),
        "run.yaml, line 2: optimizer.beta1: 1 is out of range; it must be at least 0 and at most 0.999999");
    for (const std::string setting : {"optimizer: {learning_rate: 1e400}",
                                      "optimizer: {learning_rate: 1e-400}",
                                      "optimizer: {learning_rate: -0.1}",
                                      "optimizer: {beta2: 1}",
                                      "optimizer: {epsilon: 0}",
                                      "optimizer: {name: sgd, momentum: 1}",
                                      "optimizer: {clip_norm: -1}",
                                      "optimizer: {l1: -1}",
                                      "optimizer: {l2: -1}",
                                      "optimizer: {name: adamw, weight_decay: -1}",
                                      "objective: {beta: -1}",
                                      "objective: {free_bits: -1}",
                                      "optimizer: {schedule: {name: step, factor: 0}}",
                                      "optimizer: {schedule: {name: step, factor: 1.1}}",
                                      "optimizer: {schedule: {name: cosine, final_fraction: 1.1}}",
                                      "output: {keep: 0}",
                                      "output: {log_every: 0}",
                                      "output: {validate_every: 0}",
                                      "output: {checkpoint_every: 0}",
                                      "output: {checkpoint_every_minutes: 0}",
                                      "output: {checkpoint_every_minutes: 1000001}",
                                      "output: {keep_every: -1}",
                                      "train: {consistency_every: -1}",
                                      "train: {batch_size: 0}",
                                      "train: {epochs: 0}",
                                      "train: {steps: 0}",
                                      "train: {virtual_ranks: 0}",
                                      "model: {encoder: {hidden: [5, 0]}}",
                                      "model: {decoder: {hidden: [10000001]}}"}) {
        EXPECT_NE(message_after_data(setting).find("is out of range; it must be"), std::string::npos)
            << setting;
    }
    EXPECT_NE(message_of("data: {synthetic: {distribution: uniform}, scale: 0}").find("and not 0"),
              std::string::npos);
}

TEST(ConfigValues, AutoStandsForAValueThatIsLeftOpenAndOnlyWhereItMay) {
    const Config config = parse_config(
        "data: {synthetic: {distribution: uniform}, scale: auto}\ntrain: {virtual_ranks: auto}", "run.yaml");
    EXPECT_FALSE(config.data.scale.has_value());
    EXPECT_FALSE(config.train.virtual_ranks.has_value());
    EXPECT_EQ(parsed("train: {virtual_ranks: 3}").train.virtual_ranks, 3);
    EXPECT_EQ(message_after_data("train: {virtual_ranks: automatic}"),
              "run.yaml, line 2: train.virtual_ranks: expected an integer or auto, found 'automatic'");
}

TEST(ConfigValues, ADurationHasUnitsOrIsNone) {
    using namespace std::chrono_literals;
    const auto limit = [](const std::string& text) {
        return parsed("train: {time_limit: " + text + "}").train.time_limit;
    };
    EXPECT_EQ(limit("3h50m"), 3h + 50min);
    EXPECT_EQ(limit("'90s'"), 90s);
    EXPECT_EQ(limit("none"), kForever);
    EXPECT_EQ(limit("auto"), std::nullopt);
    EXPECT_EQ(parsed("").train.time_limit, std::nullopt);
    EXPECT_EQ(parsed("train: {stall_warning: 1d12h, stall_limit: 2d}").train.stall_warning, 36h);
    EXPECT_EQ(parsed("train: {stall_warning: none}").train.stall_warning, kForever);
}

TEST(ConfigValues, WhatIsNoDurationIsShownOne) {
    for (const std::string text : {"90", "3:50:00", "1.5h", "50m3h", "3 h", "forever"}) {
        EXPECT_EQ(message_after_data("train: {time_limit: " + text + "}"),
                  "run.yaml, line 2: train.time_limit: expected a duration such as 3h50m or 90s, none or "
                  "auto, found '" +
                      text + "'");
    }
    EXPECT_EQ(message_after_data("train: {stall_limit: auto}"),
              "run.yaml, line 2: train.stall_limit: expected a duration such as 3h50m or 90s, or none, found "
              "'auto'");
    EXPECT_EQ(message_after_data("train: {stall_limit: [5s]}"),
              "run.yaml, line 2: train.stall_limit: expected a duration such as 3h50m or 90s, or none, found "
              "a list");
    EXPECT_EQ(
        message_after_data("train:\n  stall_limit:\n"),
        "run.yaml, line 3: train.stall_limit has no value; expected a duration such as 3h50m or 90s, or "
        "none");
    for (const std::string text : {"0s", "3651d", "99999999999999999999d"}) {
        EXPECT_EQ(
            message_after_data("train: {stall_limit: " + text + "}"),
            "run.yaml, line 2: train.stall_limit: " + text + " is out of range; it must be from 1s to 3650d");
    }
}

TEST(ConfigValues, AWordIsOneOfItsListAndTheNearestIsSuggested) {
    EXPECT_EQ(parsed("model: {activation: tanh}").model.activation, Activation::tanh);
    EXPECT_EQ(message_after_data("model:\n  activation: rleu\n"),
              "run.yaml, line 3: model.activation: expected one of relu, tanh, gelu, silu, softplus, elu, "
              "found 'rleu'; did you mean relu?");
    EXPECT_EQ(message_after_data("optimizer: {schedule: {name: [step]}}"),
              "run.yaml, line 2: optimizer.schedule.name: expected one of constant, cosine, step, "
              "exponential, found a list");
}

TEST(ConfigValues, ATruthValueIsTrueOrFalse) {
    const auto shuffle = [](const std::string& word) {
        return parse_config("data: {synthetic: {distribution: uniform}, shuffle: " + word + "}", "x")
            .data.shuffle;
    };
    EXPECT_TRUE(shuffle("true"));
    EXPECT_TRUE(shuffle("yes"));
    EXPECT_FALSE(shuffle("false"));
    EXPECT_FALSE(shuffle("off"));
    for (const std::string word : {"0", "1", "maybe", "[true]", "'true'"}) {
        EXPECT_NE(message_of("data: {synthetic: {distribution: uniform}, shuffle: " + word + "}")
                      .find("data.shuffle: expected true or false, found"),
                  std::string::npos);
    }
}

TEST(ConfigValues, AMissingValueIsAnError) {
    EXPECT_EQ(message_after_data("train:\n  epochs:\n"),
              "run.yaml, line 3: train.epochs has no value; expected an integer");
    EXPECT_EQ(message_after_data("train:\n  precision: ~\n"),
              "run.yaml, line 3: train.precision has no value; expected one of float32, bfloat16");
    EXPECT_EQ(message_after_data("train: {virtual_ranks: null}\n"),
              "run.yaml, line 2: train.virtual_ranks has no value; expected an integer or auto");
}

TEST(ConfigValues, FilesAreOneTextOrAList) {
    const auto files = [](const std::string& yaml) {
        return parse_config("data: {train: {dataset: x, files: " + yaml + "}}", "run.yaml", {}, false)
            .data.train->files;
    };
    EXPECT_EQ(files("a.h5"), std::vector<std::string>{"a.h5"});
    EXPECT_EQ(files("[a.h5, 'b*.h5']"), (std::vector<std::string>{"a.h5", "b*.h5"}));
    EXPECT_EQ(message_of("data: {train: {dataset: x, files: []}}"),
              "run.yaml, line 1: data.train.files: expected at least one text, found a list");
    EXPECT_EQ(message_of("data:\n  train:\n    dataset: x\n    files:\n      - a.h5\n      - [b]\n"),
              "run.yaml, line 6: data.train.files: expected a text, found a list");
    EXPECT_NE(message_of("data: {train: {dataset: x, files: ''}}").find("not empty"), std::string::npos);
}

TEST(ConfigValues, LayersMayBeNone) {
    EXPECT_TRUE(parsed("model: {encoder: {hidden: []}}").model.encoder.hidden.empty());
    EXPECT_EQ(message_after_data("model: {encoder: {hidden: 200}}"),
              "run.yaml, line 2: model.encoder.hidden: expected a list of integers such as [200, 100], found "
              "'200'");
}

}  // namespace
}  // namespace vae_dist
