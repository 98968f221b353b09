#include "vae_dist/train/record/metrics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "vae_dist/core/files.hpp"

namespace vae_dist {
namespace {

using Json = nlohmann::ordered_json;

class Metrics : public testing::Test {
 protected:
    std::vector<std::string> lines() const {
        std::istringstream text(read_text_file(path_));
        std::vector<std::string> lines;
        for (std::string line; std::getline(text, line);)
            lines.push_back(line);
        return lines;
    }

    static std::vector<std::string> keys(const std::string& line) {
        std::vector<std::string> keys;
        const Json json = Json::parse(line);
        for (auto field = json.begin(); field != json.end(); ++field)
            keys.push_back(field.key());
        return keys;
    }

    static TrainMetrics at_step(std::int64_t step) {
        return {.step = step,
                .epoch = 2,
                .samples = 10 * step,
                .mean = {{"reconstruction", -90.25}, {"kl", 10.5}},
                .beta = 0.5,
                .gradient_norm = 3.75,
                .learning_rate = 1e-3,
                .samples_per_second = 1e4,
                .seconds = 12.5};
    }

    TemporaryFolder folder_;
    std::string path_ = folder_.file("metrics.jsonl");
};

TEST_F(Metrics, TheIwaeBoundStandsInTheLinesOfRunsThatHaveOne) {
    TrainMetrics train = at_step(50);
    train.mean = {{"reconstruction", -90.25}, {"kl", 10.5}, {"iwae_bound", -97.5}};
    ValidationMetrics validation;
    validation.step = 50;
    validation.mean = {{"reconstruction", -91}, {"kl", 10}, {"iwae_bound", -98.5}};
    MetricsLog log(path_, 0);
    log.train(train);
    log.validation(validation);
    EXPECT_EQ(Json::parse(lines()[0])["iwae_bound"], -97.5);
    EXPECT_EQ(Json::parse(lines()[1])["iwae_bound"], -98.5);
}

TEST_F(Metrics, TermsStandThereByTheNamesThatTheModelGivesThem) {
    TrainMetrics train = at_step(50);
    train.mean = {{"reconstruction", -90}, {"kl/1", 10.5}, {"kl/2", 2}, {"class accuracy", 0.5}};
    ValidationMetrics validation;
    validation.step = 50;
    validation.mean = train.mean;
    MetricsLog log(path_, 0);
    log.train(train);
    log.validation(validation);
    for (const std::string& line : lines()) {
        const std::vector<std::string> all = keys(line);
        EXPECT_EQ(std::vector<std::string>(all.begin() + 4, all.begin() + 9),
                  (std::vector<std::string>{"elbo", "reconstruction", "kl/1", "kl/2", "class accuracy"}));
        EXPECT_EQ(Json::parse(line)["elbo"], -102.5);
        EXPECT_EQ(Json::parse(line)["kl/2"], 2);
    }
}

TEST_F(Metrics, ATrainLineHasThePublishedFieldsInOrder) {
    MetricsLog(path_, 0).train(at_step(50));
    ASSERT_EQ(lines().size(), 1U);
    EXPECT_EQ(keys(lines()[0]), (std::vector<std::string>{"event", "step", "epoch", "samples", "elbo",
                                                          "reconstruction", "kl", "beta", "gradient_norm",
                                                          "learning_rate", "samples_per_second", "seconds"}));
    const Json json = Json::parse(lines()[0]);
    EXPECT_EQ(json["event"], "train");
    EXPECT_EQ(json["step"], 50);
    EXPECT_EQ(json["epoch"], 2);
    EXPECT_EQ(json["samples"], 500);
    EXPECT_EQ(json["elbo"], -100.75);
    EXPECT_EQ(json["reconstruction"], -90.25);
    EXPECT_EQ(json["kl"], 10.5);
    EXPECT_EQ(json["beta"], 0.5);
    EXPECT_EQ(json["gradient_norm"], 3.75);
    EXPECT_FALSE(json.contains("iwae_bound"));
    EXPECT_EQ(json["learning_rate"], 1e-3);
    EXPECT_EQ(json["seconds"], 12.5);
}

TEST_F(Metrics, OtherLinesSayWhatHappened) {
    MetricsLog log(path_, 0);
    log.validation({.step = 60, .epoch = 3, .samples = 7, .mean = {{"reconstruction", -4}, {"kl", 1}}});
    log.skipped(61, 4);
    log.checkpoint({.step = 62,
                    .epoch = 4,
                    .file = "checkpoints/step_0000000062.h5",
                    .pause_seconds = 0.25,
                    .write_seconds = 1.5});
    ASSERT_EQ(lines().size(), 3U);
    EXPECT_EQ(keys(lines()[0]),
              (std::vector<std::string>{"event", "step", "epoch", "samples", "elbo", "reconstruction", "kl",
                                        "samples_per_second", "seconds"}));
    EXPECT_EQ(Json::parse(lines()[0])["event"], "validation");
    EXPECT_EQ(Json::parse(lines()[0])["elbo"], -5);
    EXPECT_EQ(lines()[1], R"({"event":"skipped","step":61,"epoch":4})");
    EXPECT_EQ(lines()[2],
              R"({"event":"checkpoint","step":62,"epoch":4,"file":"checkpoints/step_0000000062.h5",)"
              R"("pause_seconds":0.25,"write_seconds":1.5})");
}

TEST_F(Metrics, NumbersKeepAllTheirBits) {
    TrainMetrics metrics = at_step(1);
    metrics.mean = {{"reconstruction", -100.0 / 3}};
    MetricsLog(path_, 0).train(metrics);
    EXPECT_EQ(Json::parse(lines()[0])["reconstruction"].get<double>(), -100.0 / 3);
}

TEST_F(Metrics, NumbersThatAreNotFiniteBecomeNull) {
    TrainMetrics metrics = at_step(1);
    metrics.gradient_norm = std::nan("");
    metrics.mean = {{"reconstruction", -std::numeric_limits<double>::infinity()}, {"kl", 1}};
    MetricsLog(path_, 0).train(metrics);
    const Json json = Json::parse(lines()[0]);
    EXPECT_TRUE(json["gradient_norm"].is_null());
    EXPECT_TRUE(json["reconstruction"].is_null());
    EXPECT_TRUE(json["elbo"].is_null());
}

TEST_F(Metrics, GoingOnDropsLaterLinesAndATornOne) {
    {
        MetricsLog log(path_, 0);
        for (const std::int64_t step : {10, 20, 30})
            log.train(at_step(step));
    }
    std::ofstream(path_, std::ios::app) << R"({"event":"train","step":2)";
    MetricsLog resumed(path_, 20);
    resumed.train(at_step(40));
    const auto kept = lines();
    ASSERT_EQ(kept.size(), 3U);
    EXPECT_EQ(Json::parse(kept[0])["step"], 10);
    EXPECT_EQ(Json::parse(kept[1])["step"], 20);
    EXPECT_EQ(Json::parse(kept[2])["step"], 40);
}

TEST_F(Metrics, ATornLineInTheMiddleIsDropped) {
    std::ofstream(path_) << "{\"event\":\"train\",\"st\n{\"event\":\"skipped\",\"step\":3,\"epoch\":1}\n";
    const MetricsLog resumed(path_, 20);
    ASSERT_EQ(lines().size(), 1U);
    EXPECT_EQ(Json::parse(lines()[0])["step"], 3);
}

TEST_F(Metrics, ACheckpointHasOneLineHoweverOftenTheRunIsResumed) {
    MetricsLog(path_, 0).checkpoint({.step = 10, .epoch = 1, .file = "a.h5"});
    MetricsLog(path_, 10).checkpoint({.step = 10, .epoch = 1, .file = "a.h5"});
    EXPECT_EQ(lines().size(), 1U);
    MetricsLog resumed(path_, 10);
    resumed.checkpoint({.step = 20, .epoch = 2, .file = "b.h5"});
    EXPECT_EQ(lines().size(), 2U);
}

TEST_F(Metrics, AKillBetweenACheckpointAndItsLineIsMadeGood) {
    MetricsLog(path_, 0).train(at_step(10));
    MetricsLog(path_, 10).checkpoint({.step = 10, .epoch = 1, .file = "a.h5"});
    ASSERT_EQ(lines().size(), 2U);
    EXPECT_EQ(lines()[1], R"({"event":"checkpoint","step":10,"epoch":1,"file":"a.h5","pause_seconds":null,)"
                          R"("write_seconds":null})")
        << "how long it took is not known";
}

TEST_F(Metrics, WhatComesAgainAtAPendingEndOfAnEpochIsDropped) {
    std::vector<std::string> before;
    for (const bool pending : {false, true}) {
        std::filesystem::remove(path_);
        {
            MetricsLog log(path_, 0);
            log.validation({.step = 10, .epoch = 1});
            log.checkpoint({.step = 10, .epoch = 1, .file = "a.h5"});
            log.train(at_step(20));
            log.skipped(20, 2);
            log.validation({.step = 20, .epoch = 2});
            log.checkpoint({.step = 20, .epoch = 2, .file = "b.h5"});
            before = lines();
        }
        MetricsLog resumed(path_, 20, pending);
        EXPECT_EQ(lines(), std::vector<std::string>(before.begin(), before.end() - (pending ? 2 : 0)));
        resumed.validation({.step = 20, .epoch = 2});
        resumed.checkpoint({.step = 20, .epoch = 2, .file = "b.h5"});
        if (pending) {
            EXPECT_EQ(lines(), before);
        }
    }
}

TEST_F(Metrics, TheLineOfACheckpointIsFoundWithoutTouchingTheFile) {
    EXPECT_FALSE(has_line_of_checkpoint(path_, 10)) << "there is no file";
    MetricsLog(path_, 0).train(at_step(10));
    EXPECT_FALSE(has_line_of_checkpoint(path_, 10));
    MetricsLog(path_, 10).checkpoint({.step = 10, .epoch = 1, .file = "a.h5", .final = true});
    const std::vector<std::string> before = lines();
    std::ofstream(path_, std::ios::app) << R"({"event":"checkpoint","step":2)";
    EXPECT_TRUE(has_line_of_checkpoint(path_, 10));
    for (const std::int64_t step : {2, 9, 20})
        EXPECT_FALSE(has_line_of_checkpoint(path_, step)) << step;
    EXPECT_EQ(lines().size(), before.size() + 1);
}

TEST_F(Metrics, FinalLinesGoWhenTheRunIsMadeLonger) {
    {
        MetricsLog log(path_, 0);
        log.train(at_step(50));
        log.validation({.step = 50, .epoch = 2, .samples = 7, .mean = {}, .final = true});
        log.checkpoint({.step = 50, .epoch = 2, .file = "checkpoints/step_0000000050.h5", .final = true});
    }
    ASSERT_EQ(lines().size(), 3U);
    const std::vector<std::string> before = lines();
    EXPECT_EQ(Json::parse(before[1])["final"], true);
    EXPECT_EQ(keys(before[2]), (std::vector<std::string>{"event", "step", "epoch", "file", "final",
                                                         "pause_seconds", "write_seconds"}));
    MetricsLog(path_, 50).train(at_step(100));
    ASSERT_EQ(lines().size(), 2U);
    EXPECT_EQ(lines()[0], before[0]);
}

TEST_F(Metrics, LinesThatAreNotOursDoNotStopARun) {
    std::ofstream(path_) << "[1]\n{\"step\":\"two\"}\n{\"step\":3}\nno json\n"
                            "{\"event\":5,\"step\":4,\"final\":\"no\"}\n";
    MetricsLog(path_, 10).train(at_step(20));
    ASSERT_EQ(lines().size(), 3U);
    EXPECT_EQ(lines()[0], "{\"step\":3}");
}

TEST_F(Metrics, AFileThatCannotBeWrittenIsNamed) {
    std::filesystem::create_directory(path_);
    expect_error(ErrorKind::failure, {path_}, [&] { MetricsLog(path_, 0).train(at_step(1)); });
}

}  // namespace
}  // namespace vae_dist
