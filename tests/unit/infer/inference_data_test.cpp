#include "vae_dist/infer/inference_data.hpp"

#include "support/expect_error.hpp"
#include "unit/infer/trained_files.hpp"

namespace vae_dist {
namespace {

class InferenceDataTest : public Trained {
 protected:
    InferenceDataOptions options() const { return {.dataset = dataset(), .limit = {}, .scale = {}}; }

    void expect_refused(const InferenceDataOptions& chosen, std::initializer_list<std::string> parts) const {
        run(2, [&](const TrainedModel& model, Communicator& communicator, const Log& log) {
            expect_error(ErrorKind::input, parts,
                         [&] { InferenceData(chosen, 16, model, communicator, log); });
        });
    }
};

TEST_F(InferenceDataTest, RangesCoverTheRowsInOrderAndEndWithChunks) {
    save_model();
    save_data(made_up_values(kRows, kFeatures));  // blocks of 1645 rows: whole chunks of 7
    for (const std::int64_t limit : {kRows, std::int64_t{1700}, std::int64_t{1}}) {
        for (const std::int64_t most : {1, 100, 1645, 5000}) {
            run(1, [&](const TrainedModel& model, Communicator& communicator, const Log& log) {
                InferenceDataOptions chosen = options();
                chosen.limit = limit;
                const InferenceData data(chosen, 16, model, communicator, log);
                EXPECT_EQ(data.rows(), limit);
                std::int64_t next = 0;
                for (const RowRange& range : data.ranges(most)) {
                    EXPECT_EQ(range.first, next);
                    EXPECT_LE(range.rows, most);
                    EXPECT_GE(range.rows, 1);
                    EXPECT_TRUE(most < 1645 || range.end() % 7 == 0 || range.end() == limit);
                    next = range.end();
                }
                EXPECT_EQ(next, limit);
                if (most == 5000) {
                    EXPECT_EQ(data.ranges(most).size(), 1U) << "small chunks are gathered";
                }
            });
        }
    }
}

TEST_F(InferenceDataTest, SamplesGoThroughTheCheckpointsScaleAndTransform) {
    const MadeUpModel saved = save_model("gaussian", "standardize");
    const std::vector<float> values = made_up_values(30, kFeatures);
    save_data(values);
    const FeatureStatistics& statistics = *saved.checkpoint().statistics;
    run(2, [&](const TrainedModel& model, Communicator& communicator, const Log& log) {
        InferenceDataOptions chosen = options();
        chosen.scale = 3;
        InferenceData data(chosen, 16, model, communicator, log);
        EXPECT_EQ(data.scale(), 3);
        EXPECT_EQ(data.features(), kFeatures);
        const InferenceData::Samples samples = data.load({5, 16});
        ASSERT_EQ(samples.x.rows, 16);
        for (std::size_t r = 0; r < 16; ++r) {
            EXPECT_EQ(samples.rows[r], static_cast<std::int64_t>(5 + r));
            for (std::size_t d = 0; d < kFeatures; ++d) {
                const double raw = values[(5 + r) * kFeatures + d];
                const double expected = (raw * 3 - statistics.mean[d]) / statistics.deviation[d];
                EXPECT_NEAR(samples.x.row(static_cast<std::int64_t>(r))[d], expected, 1e-5);
            }
        }
    });
}

TEST_F(InferenceDataTest, WhatDoesNotFitTheModelIsRefusedOnAllRanks) {
    save_model();
    save_data(made_up_values(30, kFeatures), {20});
    expect_refused(options(), {"data.h5:x", "shape 20", "shape 4 x 5", model_file()});
    save_data(made_up_values(30, kFeatures));
    InferenceDataOptions chosen = options();
    chosen.limit = 31;
    expect_refused(chosen, {"--limit 31", "30 rows"});
    chosen.limit = 0;
    expect_refused(chosen, {"--limit 0"});
    chosen = options();
    chosen.scale = -1;
    expect_refused(chosen, {"--scale -1"});
    chosen = options();
    chosen.dataset = folder_.file("data.h5");
    expect_refused(chosen, {"FILE.h5:DATASET"});
    chosen.dataset = folder_.file("data.h5") + ":y";
    expect_refused(chosen, {"data.h5:y", "the dataset x"});
    chosen.dataset = folder_.file("none.h5") + ":x";
    expect_refused(chosen, {"none.h5"});
}

TEST_F(InferenceDataTest, AutomaticScaleMustMeanWhatItMeantInTraining) {
    save_model("bernoulli", "none", {20}, "uint8");
    save_data(made_up_values(30, kFeatures), {20});
    expect_refused(options(), {"uint8", "float32", "--scale"});
    InferenceDataOptions chosen = options();
    chosen.scale = 1;
    run(1, [&](const TrainedModel& model, Communicator& communicator, const Log& log) {
        EXPECT_EQ(InferenceData(chosen, 16, model, communicator, log).scale(), 1);
    });
    save_model("bernoulli", "none", {20}, "");  // of an older version, which did not record it
    run(1, [&](const TrainedModel& model, Communicator& communicator, const Log& log) {
        testing::internal::CaptureStderr();
        EXPECT_EQ(InferenceData(options(), 16, model, communicator, log).scale(), 1);
        EXPECT_NE(testing::internal::GetCapturedStderr().find("--scale"), std::string::npos);
    });
}

}  // namespace
}  // namespace vae_dist
