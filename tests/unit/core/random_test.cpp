#include "vae_dist/core/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace vae_dist {
namespace {

TEST(CounterRandom, IsPhilox4x32With10Rounds) {
    // Known answer of the Random123 distribution (kat_vectors): philox4x32 10, key a4093822 299f31d0.
    EXPECT_EQ(CounterRandom(0, static_cast<Purpose>(0)).words(0, 0, 0),
              (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
    EXPECT_EQ(CounterRandom(0xa4093822, static_cast<Purpose>(0x299f31d0))
                  .words(0x243f6a88, 0x13198a2e85a308d3, 0x03707344),
              (std::array<std::uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(CounterRandom, ManyWordsAtOnceAreTheWordsOneBlockAtATime) {
    const CounterRandom random(0xdeadbeef, Purpose::binarize);
    const std::uint64_t sample = 0x123456789ab;
    for (const std::uint32_t first_block : {1000U, 0xfffffff9U}) {  // the second goes on at 0
        for (const std::size_t size : {0, 1, 4, 63, 64, 65, 200}) {
            std::vector<std::uint32_t> many(size + 1, 7);
            random.fill_words(9, sample, first_block, std::span(many).first(size));
            for (std::size_t i = 0; i < size; ++i) {
                const auto block = first_block + static_cast<std::uint32_t>(i / 4);
                EXPECT_EQ(many[i], random.words(9, sample, block)[i % 4]) << i;
            }
            EXPECT_EQ(many[size], 7U);
        }
    }
}

TEST(CounterRandom, UniformStaysInsideTheOpenInterval) {
    EXPECT_GT(unit_float(0), 0.0F);
    EXPECT_LT(unit_float(0xffffffff), 1.0F);
}

TEST(CounterRandom, NormalsHaveMeanZeroAndVarianceOne) {
    std::vector<float> values(200000);
    CounterRandom(1, Purpose::synthetic).normals(0, 0, values);
    double sum = 0;
    double squares = 0;
    for (const float v : values) {
        sum += v;
        squares += static_cast<double>(v) * v;
    }
    const double n = static_cast<double>(values.size());
    EXPECT_NEAR(sum / n, 0, 5 / std::sqrt(n));
    EXPECT_NEAR(squares / n, 1, 5 * std::sqrt(2 / n));
}

TEST(CounterRandom, AShorterRequestIsAPrefixOfALongerOne) {
    const CounterRandom random(7, Purpose::posterior_noise);
    std::vector<float> longer(10);
    std::vector<float> shorter(5);
    random.normals(3, 99, longer);
    random.normals(3, 99, shorter);
    EXPECT_TRUE(std::equal(shorter.begin(), shorter.end(), longer.begin()));
}

TEST(CounterRandom, StreamsDifferBySeedPurposeVisitAndSample) {
    const auto base = CounterRandom(1, Purpose::binarize).words(0, 0, 0);
    EXPECT_NE(base, CounterRandom(2, Purpose::binarize).words(0, 0, 0));
    EXPECT_NE(base, CounterRandom(1, Purpose::synthetic).words(0, 0, 0));
    EXPECT_NE(base, CounterRandom(1, Purpose::binarize).words(1, 0, 0));
    EXPECT_NE(base, CounterRandom(1, Purpose::binarize).words(0, std::uint64_t{1} << 32, 0));
    EXPECT_NE(base, CounterRandom(1, Purpose::binarize).words(0, 0, 1));
}

TEST(CounterRandom, BelowReachesEveryValueAndNothingElse) {
    const CounterRandom random(5, Purpose::epoch_order);
    std::vector<int> seen(7);
    for (std::uint32_t i = 0; i < 700; ++i)
        ++seen.at(random.below(7, 0, 0, i));
    for (const int count : seen)
        EXPECT_GT(count, 50);
}

TEST(CounterRandom, ShuffleIsAPermutationThatTheCounterNames) {
    std::vector<int> items(100);
    std::iota(items.begin(), items.end(), 0);
    std::vector<int> once = items;
    std::vector<int> again = items;
    std::vector<int> other = items;
    const CounterRandom random(5, Purpose::window_order);
    random.shuffle(std::span(once), 4, 2);
    random.shuffle(std::span(again), 4, 2);
    random.shuffle(std::span(other), 5, 2);
    EXPECT_EQ(once, again);
    EXPECT_NE(once, other);
    EXPECT_NE(once, items);
    std::sort(once.begin(), once.end());
    EXPECT_EQ(once, items);
}

}  // namespace
}  // namespace vae_dist
