#include "comm/failure_detector/rank_connections.hpp"

#include <gtest/gtest.h>

namespace vae_dist {
namespace {

using Hosts = std::map<int, std::string>;
using Ranks = std::vector<int>;

TEST(ReportingRanks, BeginWithTheFirstRankThatIsNotOnRankZerosHost) {
    EXPECT_EQ(reporting_ranks({{0, "b"}, {1, "b"}, {2, "a"}, {3, "a"}}), Ranks({2, 1}));
    EXPECT_EQ(reporting_ranks({{0, "a"}, {3, "a"}, {4, "c"}, {5, "b"}, {6, "b"}, {7, "c"}}),
              Ranks({4, 5, 3}));
}

TEST(ReportingRanks, AreOneRankWhereThereIsOneHost) {
    EXPECT_EQ(reporting_ranks({{0, "a"}, {1, "a"}, {2, "a"}}), Ranks({1}));
}

TEST(ReportingRanks, AreNoneWhereOnlyRankZeroIsMonitored) {
    EXPECT_EQ(reporting_ranks({{0, "a"}}), Ranks());
}

}  // namespace
}  // namespace vae_dist
