#include "vae_dist/core/text.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

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

TEST(Text, ANounIsPluralUnlessItsCountIsOne) {
    EXPECT_EQ(counted(0, "sample"), "0 samples");
    EXPECT_EQ(counted(1, "sample"), "1 sample");
    EXPECT_EQ(counted(2U, "sample"), "2 samples");
    EXPECT_EQ(counted(std::size_t{1234}, "virtual rank"), "1,234 virtual ranks");
}

TEST(Text, ARangeOfOneIsOneNumber) {
    EXPECT_EQ(format_range("row", 0, 0), "row 0");
    EXPECT_EQ(format_range("virtual rank", 3, 5), "virtual ranks 3 to 5");
}

TEST(Text, DurationsUseTheTwoLargestUnits) {
    EXPECT_EQ(format_duration(12.4), "12 s");
    EXPECT_EQ(format_duration(200), "3 min 20 s");
    EXPECT_EQ(format_duration(7500), "2 h 05 min");
}

TEST(Text, CompactDurationsLeaveOutWhatIsZero) {
    using namespace std::chrono_literals;
    EXPECT_EQ(compact_duration(0s), "0s");
    EXPECT_EQ(compact_duration(59s), "59s");
    EXPECT_EQ(compact_duration(60s), "1m");
    EXPECT_EQ(compact_duration(90s), "1m30s");
    EXPECT_EQ(compact_duration(3h + 50min), "3h50m");
    EXPECT_EQ(compact_duration(36h + 1s), "1d12h1s");
}

TEST(Text, DurationsAreReadInDaysHoursMinutesAndSeconds) {
    using namespace std::chrono_literals;
    EXPECT_EQ(parse_duration("3h50m"), 3h + 50min);
    EXPECT_EQ(parse_duration("90s"), 90s);
    EXPECT_EQ(parse_duration("1d12h"), 36h);
    EXPECT_EQ(parse_duration("2d3h4m5s"), 51h + 4min + 5s);
    EXPECT_EQ(parse_duration("100m"), 100min);
    EXPECT_EQ(parse_duration("0s"), 0s);
}

TEST(Text, ACompactDurationIsReadBack) {
    for (const std::int64_t seconds : {0L, 1L, 59L, 60L, 3599L, 3600L, 13800L, 86399L, 86400L, 315360000L}) {
        const std::chrono::seconds time(seconds);
        EXPECT_EQ(parse_duration(compact_duration(time)), time) << compact_duration(time);
    }
}

TEST(Text, WhatIsNoDurationIsRefused) {
    for (const char* const text :
         {"",     "90",  "s",   "h5",    "1:30:00", "50m3h", "3h3h", "1.5h", "3h 50m", " 3h", "3h ",
          "3h50", "-5s", "+5s", "3h-5m", "5S",      "5min",  "5ms",  "1w",   "1e3s",   "none"}) {
        EXPECT_EQ(parse_duration(text), std::nullopt) << "'" << text << "'";
    }
}

TEST(Text, ADurationBeyondAllIsTheLongest) {
    for (const char* const text : {"99999999999999999999s", "9223372036854775807d", "200000000000000d1h",
                                   "9223372036854775807s", "106751991167300d999999999999999h5s"}) {
        EXPECT_EQ(parse_duration(text), std::chrono::seconds::max()) << text;
    }
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
