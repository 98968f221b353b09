#include "vae_dist/train/run/training_data.hpp"

#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/thread_communicator.hpp"
#include "unit/train/small_checkpoint.hpp"
#include "vae_dist/comm/self_communicator.hpp"

namespace vae_dist {
namespace {

TrainConfig of_batch(std::int64_t batch_size, std::optional<std::int64_t> virtual_ranks = {}) {
    TrainConfig config;
    config.batch_size = batch_size;
    config.virtual_ranks = virtual_ranks;
    return config;
}

TEST(VirtualRanks, AreWhatTheConfigurationOrTheCheckpointOrTheRanksSay) {
    EXPECT_EQ(resolve_virtual_ranks(of_batch(8, 4), 0, 3), 4);
    EXPECT_EQ(resolve_virtual_ranks(of_batch(8), 0, 3), 3);
    EXPECT_EQ(resolve_virtual_ranks(of_batch(8), 6, 3), 6);
    EXPECT_EQ(resolve_virtual_ranks(of_batch(8, 8), 0, 8), 8);
}

TEST(VirtualRanks, MoreRanksThanVirtualRanksAreRefused) {
    expect_error(ErrorKind::input, {"5 ranks", "4 virtual ranks", "train.virtual_ranks"},
                 [] { resolve_virtual_ranks(of_batch(8, 4), 0, 5); });
    expect_error(ErrorKind::input, {"5 ranks", "4 virtual ranks", "checkpoint"},
                 [] { resolve_virtual_ranks(of_batch(8), 4, 5); });
}

TEST(VirtualRanks, ABatchSmallerThanVirtualRanksIsRefused) {
    expect_error(ErrorKind::input, {"train.batch_size 3", "4", "train.virtual_ranks"},
                 [] { resolve_virtual_ranks(of_batch(3, 4), 0, 2); });
    expect_error(ErrorKind::input, {"train.batch_size 3"}, [] { resolve_virtual_ranks(of_batch(3), 0, 4); });
}

TEST(TrainingData, CountsStepsWithASmallerLastBatch) {
    SelfCommunicator alone;
    Config config = small_config();
    config.data.synthetic->samples = 41;
    const TrainingData data(config, alone);
    EXPECT_EQ(data.steps_per_epoch(), 6);
    EXPECT_EQ(data.total_steps(), 12);
    EXPECT_EQ(data.total_epochs(), 2);
    EXPECT_EQ(data.slice_rows(), 2);
    config.train.epochs.reset();
    config.train.steps = 7;
    const TrainingData by_steps(config, alone);
    EXPECT_EQ(by_steps.total_steps(), 7);
    EXPECT_EQ(by_steps.total_epochs(), 2);
}

TEST(TrainingData, EveryRankHasItsVirtualRanksAndAllHaveEverySampleOnce) {
    constexpr int kRanks = 3;
    std::vector<std::vector<std::int64_t>> rows(kRanks);
    run_ranks(kRanks, [&](Communicator& communicator) {
        const TrainingData data(small_config(), communicator);
        const auto loader = data.start_loader(0, 0);
        for (std::int64_t step = 0; step < data.steps_per_epoch(); ++step) {
            const Batch& batch = loader->next();
            EXPECT_EQ(batch.slices.size(), static_cast<std::size_t>(data.mine().count));
            for (const Slice& slice : batch.slices) {
                auto& mine = rows[static_cast<std::size_t>(communicator.rank())];
                mine.insert(mine.end(), slice.rows.begin(), slice.rows.end());
            }
        }
    });
    std::vector<int> visits(40);
    for (const auto& of_rank : rows) {
        for (const std::int64_t row : of_rank)
            ++visits.at(static_cast<std::size_t>(row));
    }
    EXPECT_EQ(visits, std::vector<int>(40, 1));
}

TEST(TrainingData, RanksThatSeeDifferentDataAreAnErrorOnAllOfThem) {
    run_ranks(3, [](Communicator& communicator) {
        Config config = small_config();
        if (communicator.rank() == 1) config.data.synthetic->samples = 39;
        expect_error(ErrorKind::input, {"different data"}, [&] { TrainingData(config, communicator); });
    });
}

TEST(TrainingData, DataThatOneRankCannotOpenAreAnErrorOnAllOfThem) {
    run_ranks(3, [](Communicator& communicator) {
        Config config = small_config();
        if (communicator.rank() == 2) {
            config.data.synthetic.reset();
            config.data.train = DatasetConfig{{"/nowhere/missing.h5"}, "x"};
        }
        expect_error(ErrorKind::input, {"rank 2", "/nowhere/missing.h5"},
                     [&] { TrainingData(config, communicator); });
    });
}

}  // namespace
}  // namespace vae_dist
