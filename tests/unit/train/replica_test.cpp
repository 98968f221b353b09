#include "vae_dist/train/step/replica.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "support/expect_error.hpp"
#include "unit/train/small_checkpoint.hpp"
#include "vae_dist/data/rows/row_source.hpp"

namespace vae_dist {
namespace {

// A replica that was never trained, with memory of its own.
struct Fresh {
    explicit Fresh(const Config& config)
        : backend(make_backend(config.compute)),
          rows(make_synthetic_rows(*config.data.synthetic)),
          replica(config, *rows, {}, 8, *backend) {}

    std::unique_ptr<Backend> backend;
    std::unique_ptr<RowSource> rows;
    Replica replica;
};

std::vector<float> copy(std::span<const float> values) {
    return {values.begin(), values.end()};
}

// Initialised, and with an optimizer that has made a step.
Fresh trained(const Config& config) {
    Fresh fresh(config);
    fresh.replica.vae.initialise(5);
    ParameterStore& store = fresh.replica.vae.parameters();
    for (const Parameter& parameter : fresh.replica.vae.layout().parameters()) {
        const auto begin = static_cast<std::size_t>(parameter.offset);
        for (std::size_t i = 0; i < static_cast<std::size_t>(parameter.size()); ++i) {
            store.gradients[begin + i] = 0.01F * static_cast<float>(i + 1);
        }
    }
    fresh.replica.optimizer.begin(1, 1e-3);
    fresh.replica.optimizer.apply(0, store.gradients, store.values);
    return fresh;
}

TEST(Replica, ARestoredOneHasTheSameBits) {
    const Config config = small_config();
    Fresh before = trained(config);
    Checkpoint checkpoint;
    capture_replica(before.replica, checkpoint);
    Fresh after(config);
    restore_replica(checkpoint, after.replica);
    EXPECT_EQ(copy(after.replica.vae.parameters().values), copy(before.replica.vae.parameters().values));
    for (std::size_t s = 0; s < 2; ++s) {
        const auto saved = before.replica.optimizer.states()[s].buffer.span<float>();
        EXPECT_TRUE(std::any_of(saved.begin(), saved.end(), [](float v) { return v != 0; }));
        EXPECT_EQ(copy(after.replica.optimizer.states()[s].buffer.span<float>()), copy(saved));
    }
}

TEST(Replica, ItsCheckpointHasThePublishedNames) {
    Fresh fresh(small_config());
    Checkpoint checkpoint;
    capture_replica(fresh.replica, checkpoint);
    std::vector<std::string> names;
    for (const NamedArray& array : checkpoint.model)
        names.push_back(array.name);
    std::sort(names.begin(), names.end());
    EXPECT_EQ(names,
              (std::vector<std::string>{
                  "decoder/0/bias", "decoder/0/weight", "decoder/log_variance", "decoder/output/bias",
                  "decoder/output/weight", "encoder/0/bias", "encoder/0/weight", "encoder/log_variance/bias",
                  "encoder/log_variance/weight", "encoder/mean/bias", "encoder/mean/weight"}));
    ASSERT_EQ(checkpoint.optimizer.size(), 2U);
    EXPECT_EQ(checkpoint.optimizer[0].first, "first_moment");
    EXPECT_EQ(checkpoint.optimizer[1].second.size(), names.size());
}

TEST(Replica, AShapeThatDiffersFromTheModelIsNamed) {
    Fresh before(small_config());
    Checkpoint checkpoint;
    capture_replica(before.replica, checkpoint);
    Config wider = small_config();
    wider.model.encoder.hidden = {9};
    Fresh other(wider);
    expect_error(ErrorKind::input, {"/model/encoder/", "in the checkpoint", "in the configured model"},
                 [&] { restore_replica(checkpoint, other.replica); });
}

TEST(Replica, AnArrayTooFewOrTooManyIsRefused) {
    Fresh fresh(small_config());
    Checkpoint checkpoint;
    capture_replica(fresh.replica, checkpoint);
    Checkpoint fewer = checkpoint;
    std::erase_if(fewer.model, [](const NamedArray& array) { return array.name == "decoder/output/bias"; });
    expect_error(ErrorKind::input, {"/model/decoder/output/bias"},
                 [&] { restore_replica(fewer, fresh.replica); });
    Checkpoint more = checkpoint;
    more.model.push_back({"decoder/7/bias", {1}, {0}});
    expect_error(ErrorKind::input, {"/model", "12", "11"}, [&] { restore_replica(more, fresh.replica); });
}

TEST(Replica, AMissingOptimizerStateIsNamed) {
    Fresh fresh(small_config());
    Checkpoint checkpoint;
    capture_replica(fresh.replica, checkpoint);
    checkpoint.optimizer.pop_back();
    expect_error(ErrorKind::input, {"/optimizer/second_moment"},
                 [&] { restore_replica(checkpoint, fresh.replica); });
}

}  // namespace
}  // namespace vae_dist
