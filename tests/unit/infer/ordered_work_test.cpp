#include "vae_dist/infer/ordered_work.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "support/expect_error.hpp"
#include "support/thread_communicator.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {
namespace {

std::vector<RowRange> ranges_of(std::int64_t count) {
    std::vector<RowRange> ranges;
    for (std::int64_t i = 0; i < count; ++i)
        ranges.push_back({10 * i, i + 1});
    return ranges;
}

// A result whose length differs from range to range.
std::vector<std::byte> result_of(const RowRange& range) {
    return std::vector<std::byte>(static_cast<std::size_t>(range.rows), static_cast<std::byte>(range.first));
}

TEST(WorkInOrder, FirstRankTakesEveryResultOnceInOrderForAnyNumberOfRanks) {
    for (const int ranks : {1, 2, 3, 4}) {
        for (const std::int64_t count : {0, 1, 2, 3, 4, 7, 8, 25}) {
            for (const std::size_t ranges_a_turn : {1, 3}) {
                const std::vector<RowRange> ranges = ranges_of(count);
                run_ranks(ranks, [&](Communicator& communicator) {
                    std::vector<RowRange> taken;
                    work_in_order(
                        ranges, result_of,
                        [&](const RowRange& range, std::span<const std::byte> result) {
                            taken.push_back(range);
                            const std::vector<std::byte> expected = result_of(range);
                            EXPECT_TRUE(std::ranges::equal(result, expected)) << range.first;
                        },
                        communicator, ranges_a_turn);
                    EXPECT_EQ(taken, communicator.rank() == 0 ? ranges : std::vector<RowRange>());
                });
            }
        }
    }
}

// 25 ranges over 3 ranks: rounds of 9 and 9 ranges, then 7.
TEST(WorkInOrder, TheRanksShareEveryRoundEvenly) {
    run_ranks(3, [&](Communicator& communicator) {
        std::vector<std::int64_t> mine;
        work_in_order(
            ranges_of(25),
            [&](const RowRange& range) {
                mine.push_back(range.first / 10);
                return std::vector<std::byte>();
            },
            [](const RowRange&, std::span<const std::byte>) {}, communicator, 3);
        const std::int64_t rank = communicator.rank();
        ASSERT_GE(mine.size(), 8U);
        ASSERT_LE(mine.size(), 9U);
        for (std::int64_t i = 0; i < 6; ++i)
            EXPECT_EQ(mine[static_cast<std::size_t>(i)], i / 3 * 9 + rank * 3 + i % 3);
        for (std::size_t i = 6; i < mine.size(); ++i)
            EXPECT_GE(mine[i], 18);
    });
}

// A rank that did not learn of it would wait until the communicator of this test is out of patience.
void expect_failure_on_all_ranks(const std::function<std::vector<std::byte>(const RowRange&)>& compute,
                                 const std::function<void(const RowRange&)>& take) {
    run_ranks(3, [&](Communicator& communicator) {
        expect_error(ErrorKind::input, {"no good"}, [&] {
            work_in_order(
                ranges_of(7), compute,
                [&](const RowRange& range, std::span<const std::byte>) { take(range); }, communicator);
        });
    });
}

TEST(WorkInOrder, AnErrorInComputingIsThrownOnAllRanks) {
    for (const std::int64_t bad : {0, 1, 2, 5, 6}) {
        const auto compute = [bad](const RowRange& range) {
            if (range.first == 10 * bad) throw_input_error("no good");
            return result_of(range);
        };
        expect_failure_on_all_ranks(compute, [](const RowRange&) {});
    }
}

TEST(WorkInOrder, AnErrorInTakingIsThrownOnAllRanks) {
    for (const std::int64_t bad : {0, 2, 3, 6}) {
        const auto take = [bad](const RowRange& range) {
            if (range.first == 10 * bad) throw_input_error("no good");
        };
        expect_failure_on_all_ranks(result_of, take);
    }
}

}  // namespace
}  // namespace vae_dist
