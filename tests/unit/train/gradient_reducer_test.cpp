#include "train/step/gradient_reducer.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "train/step/shared_parameters.hpp"
#include "unit/train/team_ranks.hpp"
#include "vae_dist/config/names.hpp"
#include "vae_dist/data/loader/epoch_plan.hpp"

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

// A step of all ranks: what every element's owner got, and the tail.
struct StepResult {
    explicit StepResult(std::int64_t size) : sums(static_cast<std::size_t>(size), -1.0F) {}
    std::vector<float> sums;
    std::atomic<bool> finite = true;
    std::atomic<bool> failed = false;
};

struct Options {
    Reduction reduction = Reduction::exact;
    int pieces = 1;  ///< in which a backward pass reports its gradients
    int buckets = 1;
    bool overlap = true;
    std::int64_t virtual_ranks = kVirtualRanks;
};

// One rank's memory and reducer.
struct RankReducer {
    RankReducer(const Options& asked, Team& team_)
        : options(asked),
          team(team_),
          mine(virtual_ranks_of(team.rank(), team.size(), asked.virtual_ranks)),
          backend(make_backend({})),
          layout(make_layout()),
          store(layout, Precision::float32, *backend),
          parameters(team, *backend, store),
          plan(layout.size(), team.size(), asked.buckets),
          reducer(make_gradient_reducer({.reduction = asked.reduction,
                                         .addends = asked.virtual_ranks,
                                         .slices = mine.count,
                                         .overlap = asked.overlap},
                                        plan, parameters, *backend, team)) {}

    // Five chunks and some more.
    static ParameterLayout make_layout() {
        ParameterLayout layout;
        layout.add({{"last/weight", {50, 350}}, {"last/bias", {50}}});
        layout.add({{"first/weight", {70, 53}}});
        return layout;
    }

    std::int64_t size() const { return layout.size(); }

    void add(const GradientOf& gradient, std::int64_t v, bool last) {
        for (std::int64_t i = 0; i < size(); ++i)
            store.gradients[static_cast<std::size_t>(i)] = gradient(v, i);
        for (std::int64_t piece = 0; piece < options.pieces; ++piece) {
            reducer->add(size() * piece / options.pieces, size() * (piece + 1) / options.pieces, last);
        }
    }

    // The slices of this rank for which there are samples.
    void step(
        const GradientOf& gradient, StepResult& result,
        const std::function<bool(std::int64_t)>& has_samples = [](std::int64_t) { return true; }) {
        reducer->begin();
        std::vector<std::int64_t> slices;
        for (std::int64_t v = mine.first; v < mine.first + mine.count; ++v) {
            if (has_samples(v)) slices.push_back(v);
        }
        for (const std::int64_t v : slices)
            add(gradient, v, v == slices.back());
        StepTail tail(0, options.virtual_ranks);
        reducer->reduce_tail(tail);
        if (!tail.finite()) result.finite = false;
        if (tail.failed()) result.failed = true;
        for (std::int64_t b = 0; b < plan.buckets(); ++b) {
            reducer->wait_for(b);
            for_each_chunk(plan, plan.part(b, team.rank()), [&](std::int64_t, ElementRange chunk) {
                const std::span<float> to = elements(std::span(result.sums), chunk);
                if (!reducer->sum(b, chunk, to)) result.finite = false;
                for (const float value : to) {
                    if (!std::isfinite(value)) result.finite = false;
                }
            });
        }
        team.complete_messages();
        team.communicator().barrier();
    }

    Options options;
    Team& team;
    VirtualRankRange mine;
    std::unique_ptr<Backend> backend;
    ParameterLayout layout;
    ParameterStore store;
    SharedParameters parameters;
    ShardPlan plan;
    std::unique_ptr<GradientReducer> reducer;
};

// Two steps, the first of other numbers, so that what it leaves behind would be seen in the second.
void reduce_on(const Placement& hosts, const Options& options, const GradientOf& gradient,
               StepResult& result) {
    run_team(hosts, [&](Team& team) {
        RankReducer rank(options, team);
        StepResult other(rank.size());
        rank.step([](std::int64_t, std::int64_t) { return 1000.0F; }, other);
        rank.step(gradient, result);
    });
}

std::int64_t whole_size() {
    return RankReducer::make_layout().size();
}

std::string name_of_case(const Placement& hosts, const Options& options) {
    return fmt::format("hosts {}, {}, {} pieces, {} buckets, {} virtual ranks", fmt::join(hosts, ""),
                       name_of(options.reduction), options.pieces, options.buckets, options.virtual_ranks);
}

void expect_same_bits(const std::vector<float>& a, const std::vector<float>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        EXPECT_EQ(std::bit_cast<std::uint32_t>(a[i]), std::bit_cast<std::uint32_t>(b[i])) << "element " << i;
    }
}

// By integers of 2^-40, as the header says.
std::vector<float> exact_sum(const GradientOf& gradient, std::size_t size, std::int64_t virtual_ranks) {
    std::vector<float> sums;
    for (std::size_t i = 0; i < size; ++i) {
        std::int64_t sum = 0;
        for (std::int64_t v = 0; v < virtual_ranks; ++v) {
            sum += std::llrint(static_cast<double>(gradient(v, static_cast<std::int64_t>(i))) * 0x1p40);
        }
        sums.push_back(static_cast<float>(static_cast<double>(sum) * 0x1p-40));
    }
    return sums;
}

// All placements, with one slice a rank and with several, with and without pieces.
void for_each_case(Reduction reduction, const std::function<void(const Placement&, const Options&)>& visit) {
    for (const Placement& hosts : placements()) {
        for (const bool one_slice : {true, false}) {
            for (const auto& [pieces, buckets, overlap] :
                 {std::tuple{1, 1, true}, std::tuple{5, 4, true}, std::tuple{5, 4, false}}) {
                const Options options = {reduction, pieces, buckets, overlap,
                                         one_slice ? std::ssize(hosts) : kVirtualRanks};
                SCOPED_TRACE(name_of_case(hosts, options));
                visit(hosts, options);
            }
        }
    }
}

TEST(GradientReducer, ExactSumsAreTheSameBitsOnEveryPlacement) {
    for_each_case(Reduction::exact, [](const Placement& hosts, const Options& options) {
        StepResult result(whole_size());
        reduce_on(hosts, options, uneven, result);
        EXPECT_TRUE(result.finite);
        expect_same_bits(result.sums, exact_sum(uneven, result.sums.size(), options.virtual_ranks));
    });
}

TEST(GradientReducer, Float32GivesTheSumThatIsKnownInClosedForm) {
    for_each_case(Reduction::float32, [](const Placement& hosts, const Options& options) {
        StepResult result(whole_size());
        reduce_on(hosts, options, dyadic, result);
        EXPECT_TRUE(result.finite);
        for (std::size_t i = 0; i < result.sums.size(); ++i) {
            float sum = 0;
            for (std::int64_t v = 0; v < options.virtual_ranks; ++v)
                sum += dyadic(v, static_cast<std::int64_t>(i));
            ASSERT_EQ(result.sums[i], sum) << "element " << i;
        }
    });
}

// Only what comes from other hosts is rounded, to 8 bits.
TEST(GradientReducer, Bfloat16RoundsWhatTravelsBetweenHosts) {
    for_each_case(Reduction::bfloat16, [](const Placement& hosts, const Options& options) {
        StepResult result(whole_size());
        reduce_on(hosts, options, uneven, result);
        const std::vector<float> exact = exact_sum(uneven, result.sums.size(), options.virtual_ranks);
        bool rounded = false;
        for (std::size_t i = 0; i < exact.size(); ++i) {
            float magnitudes = 0;
            for (std::int64_t v = 0; v < options.virtual_ranks; ++v)
                magnitudes += std::abs(uneven(v, static_cast<std::int64_t>(i)));
            ASSERT_NEAR(result.sums[i], exact[i], magnitudes / 256 + 1e-6) << "element " << i;
            rounded = rounded || std::abs(result.sums[i] - exact[i]) > 1e-5F * magnitudes + 1e-6F;
        }
        const bool several_hosts = std::ranges::adjacent_find(hosts, std::not_equal_to()) != hosts.end();
        EXPECT_EQ(rounded, several_hosts);
    });
}

TEST(GradientReducer, ANumberThatIsNotFiniteOnOneRankIsNoticed) {
    for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
        for (const std::int64_t at : {std::int64_t{30}, whole_size() - 1}) {
            const auto sick = [&](std::int64_t v, std::int64_t i) {
                return v == 0 && i == at ? bad : dyadic(v, i);
            };
            for (const Reduction reduction : {Reduction::exact, Reduction::float32, Reduction::bfloat16}) {
                for_each_case(reduction, [&](const Placement& hosts, const Options& options) {
                    StepResult result(whole_size());
                    reduce_on(hosts, options, sick, result);
                    EXPECT_FALSE(result.finite);
                });
            }
        }
    }
}

TEST(GradientReducer, ANumberThatTheExactSumCannotHoldIsNoticed) {
    const auto large = [](std::int64_t v, std::int64_t i) {
        return v == 0 && i == 0 ? 0x1p22F : dyadic(v, i);
    };
    for_each_case(Reduction::exact, [&](const Placement& hosts, const Options& options) {
        StepResult result(whole_size());
        reduce_on(hosts, options, large, result);
        EXPECT_FALSE(result.finite);
    });
}

TEST(GradientReducer, AStepAfterABadOneIsGoodAgain) {
    for_each_case(Reduction::exact, [](const Placement& hosts, const Options& options) {
        StepResult bad(whole_size());
        StepResult good(whole_size());
        run_team(hosts, [&](Team& team) {
            RankReducer rank(options, team);
            rank.step([](std::int64_t, std::int64_t) { return std::nanf(""); }, bad);
            rank.step(uneven, good);
        });
        EXPECT_FALSE(bad.finite);
        EXPECT_TRUE(good.finite);
        expect_same_bits(good.sums, exact_sum(uneven, good.sums.size(), options.virtual_ranks));
    });
}

TEST(GradientReducer, ASliceWithoutSamplesAddsNothing) {
    for (const Reduction reduction : {Reduction::exact, Reduction::float32}) {
        for_each_case(reduction, [](const Placement& hosts, const Options& options) {
            StepResult first(whole_size());
            StepResult second(whole_size());
            run_team(hosts, [&](Team& team) {
                RankReducer rank(options, team);
                rank.step(uneven, first);
                rank.step(dyadic, second, [](std::int64_t v) { return v == 0; });
            });
            EXPECT_TRUE(second.finite);
            for (std::size_t i = 0; i < second.sums.size(); ++i)
                ASSERT_EQ(second.sums[i], dyadic(0, static_cast<std::int64_t>(i))) << "element " << i;
        });
    }
}

TEST(GradientReducer, TheTailIsSummedOverAllRanks) {
    for (const Placement& hosts : placements()) {
        run_team(hosts, [&](Team& team) {
            RankReducer rank({}, team);
            StepTail tail(2, 4);
            tail.add(std::vector{-1.0 - team.rank(), 0.5}, 1);
            if (team.rank() == 0) tail.report_failure();
            rank.reducer->begin();
            rank.reducer->reduce_tail(tail);
            const int ranks = team.size();
            std::vector<double> terms(2);
            tail.read_terms(terms);
            EXPECT_EQ(terms, (std::vector{-ranks * (ranks + 1) / 2.0, 0.5 * ranks}));
            EXPECT_TRUE(tail.failed());
            EXPECT_TRUE(tail.finite());
            for (std::int64_t b = 0; b < rank.plan.buckets(); ++b)
                rank.reducer->wait_for(b);
            team.complete_messages();
        });
    }
}

}  // namespace
}  // namespace vae_dist
