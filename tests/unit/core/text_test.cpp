#include "vae_dist/core/text.hpp"

#include <gtest/gtest.h>

namespace vae_dist {
namespace {

TEST(Text, BytesAreInBinaryUnits) {
    EXPECT_EQ(format_bytes(12), "12 B");
    EXPECT_EQ(format_bytes(1536), "1.5 KiB");
    EXPECT_EQ(format_bytes(3ULL << 30), "3.0 GiB");
}

TEST(Text, CountsAreGroupedByThousands) {
    EXPECT_EQ(format_count(0), "0");
    EXPECT_EQ(format_count(999), "999");
    EXPECT_EQ(format_count(1000), "1,000");
    EXPECT_EQ(format_count(-1234567), "-1,234,567");
}

TEST(Text, DurationsUseTheTwoLargestUnits) {
    EXPECT_EQ(format_duration(12.4), "12 s");
    EXPECT_EQ(format_duration(200), "3 min 20 s");
    EXPECT_EQ(format_duration(7500), "2 h 05 min");
}

TEST(Text, ListsReadLikeASentenceAndStopAtTheLimit) {
    EXPECT_EQ(format_list({}), "");
    EXPECT_EQ(format_list({"a"}), "a");
    EXPECT_EQ(format_list({"a", "b", "c"}), "a, b and c");
    EXPECT_EQ(format_list({"a", "b", "c", "d"}, 2), "a, b and 2 more");
}

TEST(Text, NearestWordFindsTyposAndRejectsStrangers) {
    const std::vector<std::string> keys = {"learning_rate", "batch_size", "epochs"};
    EXPECT_EQ(nearest_word("lerning_rate", keys), "learning_rate");
    EXPECT_EQ(nearest_word("epohcs", keys), "epochs");
    EXPECT_EQ(nearest_word("qqqq", keys), "");
}

TEST(Text, ShapesAreSpelledWithTimes) {
    const std::vector<std::int64_t> shape = {28, 28};
    EXPECT_EQ(format_shape(shape), "28 x 28");
    EXPECT_EQ(format_shape({}), "scalar");
}

}  // namespace
}  // namespace vae_dist
