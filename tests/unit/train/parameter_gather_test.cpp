#include "train/step/parameter_gather.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "unit/train/team_ranks.hpp"

namespace vae_dist {
namespace {

ParameterLayout some_layout() {
    ParameterLayout layout;
    layout.add({{"last/weight", {50, 350}}, {"last/bias", {50}}});
    layout.add({{"first/weight", {70, 53}}, {"first/bias", {70}}});
    return layout;
}

// What the owner of element i has after step s; with digits that bfloat16 does not keep.
float updated(std::int64_t step, std::int64_t i) {
    return static_cast<float>(step) + static_cast<float>(i % 1000) / 1000 + 0.001F;
}

bool is_in_vector(const ParameterLayout& layout, std::int64_t i) {
    for (const Parameter& parameter : layout.parameters()) {
        if (parameter.is_vector() && i >= parameter.offset && i < parameter.offset + parameter.size())
            return true;
    }
    return false;
}

// Three steps in which each rank updates its own parts; calls look(store, step) after each.
void gather_on(const Placement& hosts, Precision precision, std::int64_t buckets,
               const std::function<void(Team&, const ParameterStore&, std::int64_t)>& look) {
    run_team(hosts, [&](Team& team) {
        const auto backend = make_backend({});
        const ParameterLayout layout = some_layout();
        ParameterStore store(layout, precision, *backend);
        SharedParameters parameters(team, *backend, store);
        const ShardPlan plan(layout.size(), team.size(), buckets);
        ParameterGather gather(plan, layout, parameters, *backend, team);
        for (std::int64_t step = 1; step <= 3; ++step) {
            gather.begin();
            for (std::int64_t b = 0; b < plan.buckets(); ++b) {
                const ElementRange part = plan.part(b, team.rank());
                for (std::int64_t i = part.begin; i < part.end; ++i)
                    store.values[static_cast<std::size_t>(i)] = updated(step, i);
                store.refresh_operands(*backend, part.begin, part.end);
                gather.send(b);
            }
            gather.finish();
            team.complete_messages();
            look(team, store, step);
            team.communicator().barrier();
        }
    });
}

TEST(ParameterGather, BringsEveryRankAllValues) {
    for (const Placement& hosts : placements()) {
        for (const std::int64_t buckets : {1, 3}) {
            gather_on(hosts, Precision::float32, buckets,
                      [](Team& team, const ParameterStore& store, std::int64_t step) {
                          for (std::int64_t i = 0; i < std::ssize(store.values); ++i) {
                              ASSERT_EQ(store.values[static_cast<std::size_t>(i)], updated(step, i))
                                  << "element " << i << " on rank " << team.rank() << " of " << team.size();
                          }
                      });
        }
    }
}

TEST(ParameterGather, BringsEveryRankAllOperandsAndTheValuesOfVectors) {
    const ParameterLayout layout = some_layout();
    for (const Placement& hosts : placements()) {
        for (const std::int64_t buckets : {1, 3}) {
            gather_on(hosts, Precision::bfloat16, buckets,
                      [&](Team& team, const ParameterStore& store, std::int64_t step) {
                          for (std::int64_t i = 0; i < layout.size(); ++i) {
                              const auto at = static_cast<std::size_t>(i);
                              ASSERT_EQ(store.operands[at], to_bfloat16(updated(step, i)))
                                  << "element " << i << " on rank " << team.rank() << " of " << team.size();
                              if (is_in_vector(layout, i)) {
                                  ASSERT_EQ(store.values[at], updated(step, i)) << i;
                              }
                          }
                      });
        }
    }
}

TEST(ParameterGather, CollectsAnArrayOnTheFirstRank) {
    constexpr std::int64_t kSize = 5 * ShardPlan::kChunk + 3;
    for (const Placement& hosts : placements()) {
        run_team(hosts, [&](Team& team) {
            const ShardPlan plan(kSize, team.size(), 2);
            std::vector<float> array(kSize, -1.0F);
            for (std::int64_t b = 0; b < plan.buckets(); ++b) {
                const ElementRange part = plan.part(b, team.rank());
                for (std::int64_t i = part.begin; i < part.end; ++i)
                    array[static_cast<std::size_t>(i)] = updated(1, i);
            }
            collect_on_first_rank(plan, array, team);
            if (team.rank() != 0) return;
            for (std::int64_t i = 0; i < kSize; ++i)
                ASSERT_EQ(array[static_cast<std::size_t>(i)], updated(1, i)) << i;
        });
    }
}

}  // namespace
}  // namespace vae_dist
