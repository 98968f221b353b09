#include "vae_dist/data/loader/epoch_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "vae_dist/core/error.hpp"

namespace vae_dist {
namespace {

std::vector<RowRange> blocks_of(std::int64_t samples, std::int64_t block_rows) {
    std::vector<RowRange> blocks;
    for (std::int64_t first = 0; first < samples; first += block_rows) {
        blocks.push_back({first, std::min(block_rows, samples - first)});
    }
    return blocks;
}

/// The rows that virtual rank v visits in `epoch`, in order.
std::vector<std::int64_t> visits(const EpochPlan& plan, std::int64_t v, std::int64_t epoch) {
    std::vector<std::int64_t> rows;
    const auto windows = plan.windows(v, epoch);
    for (std::size_t w = 0; w < windows.size(); ++w) {
        const auto order = plan.window_order(v, epoch, static_cast<std::int64_t>(w), windows[w]);
        rows.insert(rows.end(), order.begin(), order.end());
    }
    return rows;
}

std::vector<std::int64_t> all_visits(const EpochPlan& plan, std::int64_t epoch) {
    std::vector<std::int64_t> rows;
    for (std::int64_t v = 0; v < plan.virtual_ranks(); ++v) {
        const auto of_v = visits(plan, v, epoch);
        rows.insert(rows.end(), of_v.begin(), of_v.end());
    }
    return rows;
}

std::vector<std::int64_t> rows_up_to(std::int64_t samples) {
    std::vector<std::int64_t> rows(static_cast<std::size_t>(samples));
    std::iota(rows.begin(), rows.end(), 0);
    return rows;
}

struct Case {
    std::int64_t samples, block_rows, virtual_ranks, window;
    bool shuffle;

    friend void PrintTo(const Case& which, std::ostream* to) {
        *to << which.samples << " samples in blocks of " << which.block_rows << ", " << which.virtual_ranks
            << " virtual ranks, window " << which.window << (which.shuffle ? ", shuffled" : "");
    }
};

class EpochPlans : public testing::TestWithParam<Case> {
 protected:
    EpochPlan plan(std::uint32_t seed = 1) const {
        const Case& c = GetParam();
        return EpochPlan(blocks_of(c.samples, c.block_rows), {.seed = seed,
                                                              .virtual_ranks = c.virtual_ranks,
                                                              .shuffle_window = c.window,
                                                              .shuffle = c.shuffle});
    }
};

TEST_P(EpochPlans, VisitEveryRowExactlyOnceInEachEpoch) {
    for (const std::int64_t epoch : {0, 1, 7}) {
        auto rows = all_visits(plan(), epoch);
        std::sort(rows.begin(), rows.end());
        EXPECT_EQ(rows, rows_up_to(GetParam().samples)) << "epoch " << epoch;
    }
}

TEST_P(EpochPlans, HaveShardsThatDifferByAtMostOneSample) {
    const EpochPlan p = plan();
    for (std::int64_t v = 0; v < p.virtual_ranks(); ++v) {
        std::int64_t rows = 0;
        for (const RowRange& piece : p.shard(v))
            rows += piece.rows;
        EXPECT_EQ(rows, p.shard_samples(v));
        EXPECT_GE(rows, p.samples() / p.virtual_ranks());
        EXPECT_LE(rows, p.samples() / p.virtual_ranks() + 1);
    }
}

TEST_P(EpochPlans, CutABlockOnlyBetweenNeighbouringShards) {
    const EpochPlan p = plan();
    const auto blocks = blocks_of(GetParam().samples, GetParam().block_rows);
    for (std::int64_t v = 0; v < p.virtual_ranks(); ++v) {
        const auto pieces = p.shard(v);
        for (std::size_t i = 1; i + 1 < pieces.size(); ++i) {
            EXPECT_NE(std::find(blocks.begin(), blocks.end(), pieces[i]), blocks.end());
        }
    }
}

TEST_P(EpochPlans, HaveWindowsOfBoundedSize) {
    const EpochPlan p = plan();
    const std::int64_t most = GetParam().window / p.virtual_ranks();
    for (std::int64_t v = 0; v < p.virtual_ranks(); ++v) {
        for (const auto& window : p.windows(v, 3)) {
            std::int64_t rows = 0;
            for (const RowRange& piece : window)
                rows += piece.rows;
            EXPECT_FALSE(window.empty());
            EXPECT_TRUE(rows <= most || window.size() == 1)
                << rows << " rows in " << window.size() << " pieces";
            EXPECT_LE(rows, p.largest_window(v));
        }
    }
}

TEST_P(EpochPlans, KeepTheOrderOfTheDataOnlyWithoutShuffling) {
    const bool in_order = all_visits(plan(), 2) == rows_up_to(GetParam().samples);
    if (!GetParam().shuffle) {
        EXPECT_TRUE(in_order);
    } else if (GetParam().samples > 20 && GetParam().virtual_ranks < GetParam().samples) {
        EXPECT_FALSE(in_order);
    }
}

INSTANTIATE_TEST_SUITE_P(AwkwardSizes, EpochPlans,
                         testing::Values(Case{1, 1, 1, 1, true}, Case{7, 3, 7, 100, true},
                                         Case{7, 100, 7, 1, true}, Case{100, 10, 3, 50, true},
                                         Case{1000, 7, 16, 64, true}, Case{1000, 400, 16, 1000, true},
                                         Case{1000, 1000, 1, 10, true}, Case{1000, 1000, 8, 65536, true},
                                         Case{5000, 1, 3, 100, true}, Case{5000, 1, 3, 2, true},
                                         Case{997, 64, 13, 256, true}, Case{997, 64, 13, 256, false},
                                         Case{1000, 1000, 3, 10, false}, Case{50, 1, 50, 50, false}),
                         [](const testing::TestParamInfo<Case>& test) {
                             const Case& c = test.param;
                             return "Samples" + std::to_string(c.samples) + "Blocks" +
                                    std::to_string(c.block_rows) + "Ranks" + std::to_string(c.virtual_ranks) +
                                    "Window" + std::to_string(c.window) +
                                    (c.shuffle ? "Shuffled" : "InOrder");
                         });

TEST(EpochPlan, HasAnOrderThatNeverChanges) {
    const EpochPlan plan(blocks_of(14, 3), {.seed = 1, .virtual_ranks = 2, .shuffle_window = 10});
    EXPECT_EQ(visits(plan, 0, 0), (std::vector<std::int64_t>{6, 3, 7, 8, 11, 10, 9}));
    EXPECT_EQ(visits(plan, 1, 0), (std::vector<std::int64_t>{2, 1, 5, 0, 4, 12, 13}));
    EXPECT_EQ(visits(plan, 0, 1), (std::vector<std::int64_t>{8, 6, 7, 11, 9, 3, 10}));
}

TEST(EpochPlan, OrdersEachEpochAndEachSeedDifferently) {
    const EpochPlanOptions options{.seed = 1, .virtual_ranks = 3, .shuffle_window = 60};
    EpochPlanOptions other_seed = options;
    other_seed.seed = 2;
    const EpochPlan plan(blocks_of(300, 5), options);
    const EpochPlan other(blocks_of(300, 5), other_seed);
    EXPECT_NE(visits(plan, 1, 0), visits(plan, 1, 1));
    EXPECT_NE(visits(plan, 1, 0), visits(other, 1, 0));
    EXPECT_FALSE(std::ranges::equal(plan.shard(1), other.shard(1)));
}

TEST(EpochPlan, KeepsItsShardsFromEpochToEpoch) {
    const EpochPlan plan(blocks_of(300, 5), {.virtual_ranks = 3, .shuffle_window = 60});
    auto one = visits(plan, 1, 0);
    auto another = visits(plan, 1, 5);
    std::sort(one.begin(), one.end());
    std::sort(another.begin(), another.end());
    EXPECT_EQ(one, another);
}

TEST(EpochPlan, RefusesMoreVirtualRanksThanSamples) {
    try {
        EpochPlan(blocks_of(3, 1), {.virtual_ranks = 4});
        FAIL() << "a virtual rank would have no sample";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
        EXPECT_NE(std::string(error.what()).find("3 samples"), std::string::npos) << error.what();
        EXPECT_NE(std::string(error.what()).find("4 virtual ranks"), std::string::npos) << error.what();
    }
}

TEST(EpochPlan, RefusesBlocksWithAGap) {
    EXPECT_THROW(EpochPlan({{0, 3}, {4, 2}}, {}), Error);
}

TEST(DealtTo, GivesSlicesThatDifferByAtMostOneAndSumToTheBatch) {
    for (const std::int64_t virtual_ranks : {1, 2, 3, 7, 16}) {
        for (const std::int64_t batch : {1, 5, 16, 33}) {
            for (std::int64_t visited = 0; visited < 200; visited += batch) {
                std::vector<std::int64_t> slices;
                for (std::int64_t v = 0; v < virtual_ranks; ++v) {
                    slices.push_back(dealt_to(visited + batch, v, virtual_ranks) -
                                     dealt_to(visited, v, virtual_ranks));
                }
                EXPECT_EQ(std::accumulate(slices.begin(), slices.end(), std::int64_t{0}), batch);
                const auto [least, most] = std::minmax_element(slices.begin(), slices.end());
                EXPECT_LE(*most - *least, 1);
            }
        }
    }
}

TEST(VirtualRanksOf, PartitionsThemIntoBlocksThatDifferByAtMostOne) {
    for (const std::int64_t virtual_ranks : {1, 4, 5, 16}) {
        for (const int size : {1, 2, 3, 4, 7}) {
            std::int64_t next = 0;
            for (int rank = 0; rank < size; ++rank) {
                const VirtualRankRange mine = virtual_ranks_of(rank, size, virtual_ranks);
                EXPECT_EQ(mine.first, next);
                EXPECT_GE(mine.count, virtual_ranks / size);
                EXPECT_LE(mine.count, virtual_ranks / size + 1);
                next += mine.count;
            }
            EXPECT_EQ(next, virtual_ranks);
        }
    }
}

TEST(StepsPerEpoch, CountsTheSmallerLastOne) {
    EXPECT_EQ(steps_per_epoch(100, 50), 2);
    EXPECT_EQ(steps_per_epoch(101, 50), 3);
    EXPECT_EQ(steps_per_epoch(1, 50), 1);
}

}  // namespace
}  // namespace vae_dist
