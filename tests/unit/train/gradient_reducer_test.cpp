#include "vae_dist/train/gradient_reducer.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "support/expect_error.hpp"
#include "support/thread_communicator.hpp"
#include "vae_dist/comm/self_communicator.hpp"
#include "vae_dist/data/epoch_plan.hpp"

namespace vae_dist {
namespace {

constexpr std::int64_t kVirtualRanks = 4;

// What virtual rank v would get from its backward pass, for element i.
using GradientOf = std::function<float(std::int64_t v, std::int64_t i)>;

// Multiples of 1/64: their sums are exact in float too.
float dyadic(std::int64_t v, std::int64_t i) {
    return static_cast<float>((i * 7 + v * 13) % 101 - 50) / 64;
}

float uneven(std::int64_t v, std::int64_t i) {
    return std::sin(static_cast<float>(i * 3 + v + 1)) * std::pow(10.0F, static_cast<float>((i + v) % 9 - 6));
}

struct RankResult {
    std::vector<float> gradients;
    bool finite = false;
    bool failed = false;
};

// One rank's memory and reducer.
struct RankReducer {
    RankReducer(Reduction reduction, Communicator& communicator)
        : backend(make_backend({})),
          layout(make_layout()),
          store(layout, *backend),
          reducer(make_gradient_reducer(reduction, store, *backend, communicator, kVirtualRanks)) {}

    static ParameterLayout make_layout() {
        ParameterLayout layout;
        layout.add({{"last/weight", {5, 7}}, {"last/bias", {5}}});
        layout.add({{"first/weight", {7, 3}}});
        return layout;
    }

    std::int64_t size() const { return layout.size(); }

    // Adds one virtual rank's gradient in as many ranges as a backward pass might report.
    void add(const GradientOf& gradient, std::int64_t v, int pieces) {
        for (std::int64_t i = 0; i < size(); ++i)
            store.gradients[static_cast<std::size_t>(i)] = gradient(v, i);
        for (int piece = 0; piece < pieces; ++piece) {
            reducer->add(size() * piece / pieces, size() * (piece + 1) / pieces);
        }
    }

    RankResult reduce(StepTail& tail) {
        reducer->reduce(tail);
        return {{store.gradients.begin(), store.gradients.end()}, tail.finite(), tail.failed()};
    }

    std::unique_ptr<Backend> backend;
    ParameterLayout layout;
    ParameterStore store;
    std::unique_ptr<GradientReducer> reducer;
};

// Two steps, the first of other numbers, so that what it leaves behind would be seen in the second. Results
// of the second step, by rank.
std::vector<RankResult> reduce_on(int ranks, Reduction reduction, const GradientOf& gradient,
                                  int pieces = 1) {
    std::vector<RankResult> results(static_cast<std::size_t>(ranks));
    run_ranks(ranks, [&](Communicator& communicator) {
        RankReducer rank(reduction, communicator);
        const VirtualRankRange mine = virtual_ranks_of(communicator.rank(), ranks, kVirtualRanks);
        const auto step = [&](const GradientOf& of) {
            StepTail tail(kVirtualRanks);
            rank.reducer->begin();
            for (std::int64_t v = mine.first; v < mine.first + mine.count; ++v)
                rank.add(of, v, pieces);
            return rank.reduce(tail);
        };
        step([](std::int64_t, std::int64_t) { return 1000.0F; });
        results[static_cast<std::size_t>(communicator.rank())] = step(gradient);
    });
    return results;
}

void expect_same_bits(const std::vector<float>& a, const std::vector<float>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        EXPECT_EQ(std::bit_cast<std::uint32_t>(a[i]), std::bit_cast<std::uint32_t>(b[i])) << "element " << i;
    }
}

// By integers of 2^-40, as the header says.
std::vector<float> exact_sum(const GradientOf& gradient, std::size_t size) {
    std::vector<float> sums;
    for (std::size_t i = 0; i < size; ++i) {
        std::int64_t sum = 0;
        for (std::int64_t v = 0; v < kVirtualRanks; ++v) {
            sum += std::llrint(static_cast<double>(gradient(v, static_cast<std::int64_t>(i))) * 0x1p40);
        }
        sums.push_back(static_cast<float>(static_cast<double>(sum) * 0x1p-40));
    }
    return sums;
}

TEST(GradientReducer, ExactSumsAreTheSameBitsOnEveryNumberOfRanks) {
    for (const int ranks : {1, 2, 3, 4}) {
        for (const RankResult& result : reduce_on(ranks, Reduction::exact, uneven)) {
            EXPECT_TRUE(result.finite);
            expect_same_bits(result.gradients, exact_sum(uneven, result.gradients.size()));
        }
    }
}

TEST(GradientReducer, BothReductionsGiveTheSumThatIsKnownInClosedForm) {
    for (const Reduction reduction : {Reduction::exact, Reduction::float32}) {
        for (const int ranks : {1, 2, 3, 4}) {
            for (const RankResult& result : reduce_on(ranks, reduction, dyadic)) {
                for (std::size_t i = 0; i < result.gradients.size(); ++i) {
                    const auto at = static_cast<std::int64_t>(i);
                    EXPECT_EQ(result.gradients[i],
                              dyadic(0, at) + dyadic(1, at) + dyadic(2, at) + dyadic(3, at));
                }
            }
        }
    }
}

TEST(GradientReducer, Float32SumsAreCloseToTheExactOnesAndEqualOnAllRanks) {
    const auto results = reduce_on(3, Reduction::float32, uneven);
    for (const RankResult& result : results) {
        expect_same_bits(result.gradients, results[0].gradients);
        const std::vector<float> exact = exact_sum(uneven, result.gradients.size());
        for (std::size_t i = 0; i < exact.size(); ++i) {
            EXPECT_NEAR(result.gradients[i], exact[i], 1e-4) << "element " << i;
        }
    }
}

TEST(GradientReducer, RangesReportedInPiecesGiveTheSameAsAWholeArray) {
    for (const Reduction reduction : {Reduction::exact, Reduction::float32}) {
        const auto whole = reduce_on(2, reduction, uneven, 1);
        const auto pieces = reduce_on(2, reduction, uneven, 5);
        for (std::size_t r = 0; r < whole.size(); ++r) {
            expect_same_bits(whole[r].gradients, pieces[r].gradients);
        }
    }
}

TEST(GradientReducer, ANumberThatIsNotFiniteOnOneRankIsKnownOnAll) {
    for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
        const auto sick = [bad](std::int64_t v, std::int64_t i) {
            return v == 2 && i == 30 ? bad : dyadic(v, i);
        };
        for (const Reduction reduction : {Reduction::exact, Reduction::float32}) {
            for (const RankResult& result : reduce_on(3, reduction, sick, 4))
                EXPECT_FALSE(result.finite);
        }
    }
}

TEST(GradientReducer, ANumberThatTheExactSumCannotHoldIsKnownOnAll) {
    const auto large = [](std::int64_t v, std::int64_t i) {
        return v == 3 && i == 0 ? 0x1p20F : dyadic(v, i);
    };
    for (const RankResult& result : reduce_on(4, Reduction::exact, large))
        EXPECT_FALSE(result.finite);
}

TEST(GradientReducer, AStepAfterABadOneIsGoodAgain) {
    SelfCommunicator alone;
    for (const Reduction reduction : {Reduction::exact, Reduction::float32}) {
        RankReducer rank(reduction, alone);
        StepTail bad(kVirtualRanks);
        rank.reducer->begin();
        rank.add([](std::int64_t, std::int64_t) { return std::nanf(""); }, 0, 1);
        EXPECT_FALSE(rank.reduce(bad).finite);
        StepTail good(kVirtualRanks);
        rank.reducer->begin();
        rank.add(dyadic, 0, 1);
        const RankResult result = rank.reduce(good);
        EXPECT_TRUE(result.finite);
        EXPECT_EQ(result.gradients[5], dyadic(0, 5));
    }
}

TEST(GradientReducer, ARankWithoutSamplesAddsNothing) {
    for (const Reduction reduction : {Reduction::exact, Reduction::float32}) {
        run_ranks(3, [&](Communicator& communicator) {
            RankReducer rank(reduction, communicator);
            for (std::int64_t& step : std::vector<std::int64_t>{0, 1}) {
                StepTail tail(kVirtualRanks);
                rank.reducer->begin();
                // In the first step all have samples, in the second rank 1 alone.
                if (step == 0 || communicator.rank() == 1) rank.add(dyadic, 1, 2);
                const RankResult result = rank.reduce(tail);
                EXPECT_TRUE(result.finite);
                const float times = step == 0 ? 3 : 1;
                for (std::int64_t i = 0; i < rank.size(); ++i) {
                    EXPECT_EQ(result.gradients[static_cast<std::size_t>(i)], times * dyadic(1, i));
                }
            }
        });
    }
}

TEST(GradientReducer, TheTailIsSummedWithTheGradients) {
    for (const Reduction reduction : {Reduction::exact, Reduction::float32}) {
        run_ranks(3, [&](Communicator& communicator) {
            RankReducer rank(reduction, communicator);
            StepTail tail(3);
            tail.add({.reconstruction = -1.0 - communicator.rank(), .kl = 0.5});
            if (communicator.rank() == 2) tail.report_failure();
            rank.reducer->begin();
            rank.reducer->reduce(tail);
            EXPECT_EQ(tail.terms().reconstruction, -6);
            EXPECT_EQ(tail.terms().kl, 1.5);
            EXPECT_TRUE(tail.failed());
        });
    }
}

TEST(GradientReducer, BfloatIsRefusedByName) {
    SelfCommunicator alone;
    expect_error(ErrorKind::input, {"train.reduction", "bfloat16"},
                 [&] { RankReducer(Reduction::bfloat16, alone); });
}

}  // namespace
}  // namespace vae_dist
