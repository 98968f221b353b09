#include "vae_dist/train/step/shard_plan.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace vae_dist {
namespace {

constexpr std::int64_t kChunk = ShardPlan::kChunk;

TEST(ShardPlan, PartsOfAllRanksFollowOneAnotherAndCoverTheArrayOnce) {
    for (const std::int64_t size :
         {std::int64_t{0}, std::int64_t{1}, kChunk, kChunk + 1, 7 * kChunk - 3, 100 * kChunk + 5}) {
        for (const int ranks : {1, 2, 3, 7, 200}) {
            for (const std::int64_t buckets : {1, 2, 5, 1000}) {
                const ShardPlan plan(size, ranks, buckets);
                std::int64_t end = 0;
                for (std::int64_t b = 0; b < plan.buckets(); ++b) {
                    EXPECT_EQ(plan.bucket(b).begin, end);
                    for (int rank = 0; rank < ranks; ++rank) {
                        const ElementRange part = plan.part(b, rank);
                        EXPECT_EQ(part.begin, end);
                        EXPECT_GE(part.size(), 0);
                        end = part.end;
                    }
                    EXPECT_EQ(plan.bucket(b).end, end);
                }
                EXPECT_EQ(end, size);
            }
        }
    }
}

TEST(ShardPlan, PartsAreWholeChunksThatDoNotDependOnTheNumberOfRanks) {
    const std::int64_t size = 50 * kChunk + 17;
    for (const int ranks : {1, 2, 3, 5}) {
        const ShardPlan plan(size, ranks, 4);
        std::vector<ElementRange> chunks;
        for (std::int64_t b = 0; b < plan.buckets(); ++b) {
            for (int rank = 0; rank < ranks; ++rank) {
                for_each_chunk(plan, plan.part(b, rank), [&](std::int64_t index, ElementRange chunk) {
                    EXPECT_EQ(index, std::ssize(chunks));
                    chunks.push_back(chunk);
                });
            }
        }
        ASSERT_EQ(std::ssize(chunks), 51);
        for (std::int64_t i = 0; i < 51; ++i) {
            EXPECT_EQ(chunks[static_cast<std::size_t>(i)],
                      (ElementRange{i * kChunk, std::min((i + 1) * kChunk, size)}));
        }
    }
}

TEST(ShardPlan, RanksGetEquallyMuchUpToAChunkOfEachBucket) {
    const ShardPlan plan(1000 * kChunk, 7, 10);
    for (int rank = 0; rank < 7; ++rank) {
        std::int64_t chunks = 0;
        for (std::int64_t b = 0; b < plan.buckets(); ++b)
            chunks += plan.part(b, rank).size() / kChunk;
        EXPECT_NEAR(static_cast<double>(chunks), 1000.0 / 7, 10);
    }
}

TEST(ShardPlan, HasNoMoreBucketsThanChunks) {
    EXPECT_EQ(ShardPlan(3 * kChunk, 2, 16).buckets(), 3);
    EXPECT_EQ(ShardPlan(5, 2, 16).buckets(), 1);
    EXPECT_EQ(ShardPlan(0, 2, 16).buckets(), 1);
}

}  // namespace
}  // namespace vae_dist
