#include "vae_dist/infer/evaluate.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/expect_error.hpp"
#include "unit/infer/trained_files.hpp"
#include "vae_dist/comm/self_communicator.hpp"

namespace vae_dist {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kRows = 53;
constexpr std::int64_t kFeatures = 6;

/// A small model and data for it, in files.
class Evaluate : public testing::Test {
 protected:
    Evaluate() {
        write_float_rows(folder_.file("data.h5"), "x", kFeatures, made_up_values(kRows, kFeatures));
        save_model("none", "bernoulli");
    }

    void save_model(const std::string& transform, const std::string& likelihood) const {
        MadeUpModel(file(), {kFeatures}, likelihood, transform, "float32");
    }

    std::string file() const { return folder_.file("model.h5"); }

    EvaluateOptions options(std::int64_t draws = 300) const {
        return {.data = {.dataset = folder_.file("data.h5") + ":x", .limit = {}, .scale = {}},
                .importance_samples = draws,
                .seed = 5};
    }

    // The JSON object that rank 0 of so many writes.
    std::string json_on(int ranks, const EvaluateOptions& chosen) const {
        std::string json;
        run_ranks(ranks, [&](Communicator& communicator) {
            const Log log(communicator.rank());
            const TrainedModel model(file(), communicator, log);
            const Evaluation evaluation = evaluate(model, chosen, communicator, log);
            EXPECT_EQ(evaluation.rows, chosen.data.limit.value_or(kRows));
            EXPECT_EQ(evaluation.importance_samples, chosen.importance_samples);
            if (communicator.rank() == 0) json = json_of(evaluation, chosen, model);
        });
        return json;
    }

    Json json(const EvaluateOptions& chosen) const { return Json::parse(json_on(1, chosen)); }

    TemporaryFolder folder_;
};

TEST_F(Evaluate, EveryNumberOfRanksGivesTheSameBits) {
    for (const std::int64_t draws : {1, 7, 3000}) {
        const std::string expected = json_on(1, options(draws));
        for (const int ranks : {2, 3, 4})
            EXPECT_EQ(json_on(ranks, options(draws)), expected) << ranks << " ranks, K = " << draws;
    }
}

TEST_F(Evaluate, WritesEveryFigure) {
    const Json found = json(options());
    EXPECT_EQ(found["checkpoint"], file());
    EXPECT_EQ(found["step"], 77);
    EXPECT_EQ(found["data"], folder_.file("data.h5") + ":x");
    EXPECT_EQ(found["rows"], kRows);
    EXPECT_EQ(found["features"], kFeatures);
    EXPECT_EQ(found["importance_samples"], 300);
    EXPECT_EQ(found["seed"], 5);
    for (const char* mean : {"elbo", "reconstruction", "kl", "log_likelihood", "mse", "cross_entropy"}) {
        EXPECT_TRUE(found[mean]["mean"].is_number()) << mean;
        EXPECT_GT(found[mean]["standard_error"], 0) << mean;
    }
    const double elbo = found["elbo"]["mean"];
    const double log_likelihood = found["log_likelihood"]["mean"];
    EXPECT_NEAR(elbo, found["reconstruction"]["mean"].get<double>() - found["kl"]["mean"].get<double>(),
                1e-12);
    EXPECT_LT(elbo, log_likelihood);
    EXPECT_NEAR(found["bits_per_dimension"], -log_likelihood / (6 * std::log(2)), 1e-12);
    EXPECT_EQ(found["mean_variance"].size(), 3U);
    EXPECT_EQ(found["kl_per_dimension"].size(), 3U);
    EXPECT_EQ(found["mmd"]["rows"], kRows / 2);
    EXPECT_GT(found["mmd"]["bandwidth"], 0);
}

TEST_F(Evaluate, MoreDrawsRaiseTheEstimateAndLowerItsError) {
    const Json few = json(options(2));
    const Json many = json(options(2000));
    EXPECT_GT(many["log_likelihood"]["mean"], few["log_likelihood"]["mean"]);
    EXPECT_LT(many["monte_carlo_error"], few["monte_carlo_error"]);
    EXPECT_GT(many["effective_draws"], few["effective_draws"]);
    EXPECT_EQ(many["kl"], few["kl"]);
}

TEST_F(Evaluate, TheSeedMakesTheDraws) {
    EvaluateOptions other = options();
    other.seed = 6;
    EXPECT_NE(json(other)["log_likelihood"], json(options())["log_likelihood"]);
    EXPECT_NE(json(other)["mmd"], json(options())["mmd"]);
    EXPECT_EQ(json(other)["mse"], json(options())["mse"]);
}

TEST_F(Evaluate, DataAreBinarizedAsInTheRunWhateverTheSeed) {
    const Json grey = json(options());
    save_model("binarize", "bernoulli");
    EvaluateOptions other = options();
    other.seed = 6;
    EXPECT_NE(json(other)["log_likelihood"], json(options())["log_likelihood"]);
    EXPECT_EQ(json(other)["mse"], json(options())["mse"]);
    EXPECT_NE(json(other)["mse"], grey["mse"]);
}

TEST_F(Evaluate, LooksAtNoMoreRowsThanTheLimit) {
    EvaluateOptions limited = options();
    limited.data.limit = 10;
    const Json found = json(limited);
    EXPECT_EQ(found["rows"], 10);
    EXPECT_EQ(found["mmd"]["rows"], 5);
    EXPECT_NE(found["kl"], json(options())["kl"]);
}

TEST_F(Evaluate, WhatOneRowCannotTellIsNull) {
    EvaluateOptions one = options(1);
    one.data.limit = 1;
    const Json found = json(one);
    EXPECT_TRUE(found["elbo"]["standard_error"].is_null());
    EXPECT_TRUE(found["monte_carlo_error"].is_null());
    EXPECT_TRUE(found["elbo"]["mean"].is_number());
    EXPECT_FALSE(found.contains("mmd"));
}

TEST_F(Evaluate, ComparesMeansWithGreyDataAndDrawsWithAllOthers) {
    EXPECT_EQ(json(options())["mmd"]["from_means"], true);
    save_model("threshold", "bernoulli");
    EXPECT_EQ(json(options())["mmd"]["from_means"], false);
    save_model("none", "gaussian");
    EXPECT_EQ(json(options())["mmd"]["from_means"], false);
    EXPECT_FALSE(json(options()).contains("cross_entropy"));
}

TEST_F(Evaluate, RefusesANumberOfDrawsOutOfRangeBeforeItReadsAnything) {
    for (const std::int64_t draws : {std::int64_t{0}, std::int64_t{-5}, kMostDraws + 1}) {
        EvaluateOptions bad = options(draws);
        bad.data.dataset = "missing.h5:x";
        expect_error(ErrorKind::input, {"importance-samples", std::to_string(draws), "1 to 8388608"},
                     [&] { json_on(2, bad); });
    }
}

TEST_F(Evaluate, TheTableSaysWhatAPersonWantsFirst) {
    const Log log(0);
    SelfCommunicator self;
    const TrainedModel model(file(), self, log);
    const std::string table = table_of(evaluate(model, options(), self, log));
    EXPECT_TRUE(table.ends_with("\n"));
    for (const char* name : {"log p(x)", "elbo", "reconstruction", "kl", "bits per dimension", "active units",
                             " of 3", "mse", "cross-entropy", "mmd^2", "means", "draws effective"})
        EXPECT_NE(table.find(name), std::string::npos) << name << " is not in\n" << table;
    EXPECT_EQ(table.find("nan"), std::string::npos) << table;
}

}  // namespace
}  // namespace vae_dist
