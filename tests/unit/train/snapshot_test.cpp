#include <gtest/gtest.h>

#include <vector>

#include "unit/train/same_checkpoint.hpp"
#include "unit/train/small_checkpoint.hpp"
#include "vae_dist/comm/self_communicator.hpp"
#include "vae_dist/train/run/start.hpp"

namespace vae_dist {
namespace {

std::vector<const void*> memory_of(const Checkpoint& snapshot) {
    std::vector<const void*> memory;
    for (const NamedArray& array : snapshot.model)
        memory.push_back(array.values.data());
    for (const auto& [state, arrays] : snapshot.optimizer) {
        for (const NamedArray& array : arrays)
            memory.push_back(array.values.data());
    }
    return memory;
}

class Snapshot : public testing::Test {
 protected:
    void take(const Progress& progress, Checkpoint& to) {
        take_snapshot(config_, data_, started_, progress, to);
    }

    Config config_ = small_config();
    SelfCommunicator self_;
    Log log_{0};
    TrainingData data_{config_, self_};
    StartedReplica started_ = start_replica(config_, data_, std::nullopt, self_, log_);
};

TEST_F(Snapshot, ASecondOneIsTheNewStateInTheMemoryOfTheFirst) {
    Checkpoint snapshot;
    take({.step = 1}, snapshot);
    const std::vector<const void*> memory = memory_of(snapshot);
    const Checkpoint first = snapshot;
    ASSERT_EQ(snapshot.optimizer.size(), 2U);

    Replica& replica = *started_.replica;
    const std::span<float> weights = replica.vae.parameters().values;
    std::fill(replica.vae.parameters().gradients.begin(), replica.vae.parameters().gradients.end(), 1.0F);
    replica.optimizer.begin(1, 1e-3);
    replica.optimizer.apply(0, replica.vae.parameters().gradients, weights);
    take({.step = 2}, snapshot);
    EXPECT_EQ(memory_of(snapshot), memory);
    EXPECT_FALSE(same(snapshot.model, first.model));
    Checkpoint fresh;
    take({.step = 2}, fresh);
    EXPECT_TRUE(same(snapshot, fresh));
}

TEST_F(Snapshot, OfAnotherShapeTheMemoryIsReplaced) {
    Checkpoint snapshot;
    snapshot.model = small_checkpoint().model;
    snapshot.optimizer = small_checkpoint().optimizer;
    snapshot.progress.epoch_end_pending = true;
    take({.step = 3}, snapshot);
    Checkpoint fresh;
    take({.step = 3}, fresh);
    EXPECT_TRUE(same(snapshot, fresh));
}

}  // namespace
}  // namespace vae_dist
