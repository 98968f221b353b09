#include "vae_dist/train/step_tail.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace vae_dist {
namespace {

// What a reduction over two ranks does.
void add_words(StepTail& to, StepTail& from) {
    for (std::size_t i = 0; i < StepTail::kWords; ++i)
        to.words()[i] += from.words()[i];
}

TEST(StepTail, TermsReadBackAsTheSumOfTheirShares) {
    StepTail tail(3);
    tail.add({.reconstruction = -100.25, .kl = 7.5, .iwae_bound = -99.5});
    tail.add({.reconstruction = -0.5, .kl = 0.125, .iwae_bound = -0.25});
    EXPECT_EQ(tail.terms().reconstruction, -100.75);
    EXPECT_EQ(tail.terms().kl, 7.625);
    EXPECT_EQ(tail.terms().iwae_bound, -99.75);
    EXPECT_TRUE(tail.finite());
    EXPECT_FALSE(tail.failed());
}

TEST(StepTail, SumsAreTheSameBitsInWhateverOrderAndOnHoweverManyRanks) {
    const double shares[] = {-0.1, -1e5 / 3, -1e-9, -77.77};
    StepTail alone(4);
    for (const double share : shares)
        alone.add({.reconstruction = share, .kl = -share});
    StepTail first(4);
    StepTail second(4);
    first.add({.reconstruction = shares[3], .kl = -shares[3]});
    second.add({.reconstruction = shares[2], .kl = -shares[2]});
    second.add({.reconstruction = shares[0], .kl = -shares[0]});
    second.add({.reconstruction = shares[1], .kl = -shares[1]});
    add_words(first, second);
    EXPECT_EQ(alone.terms().reconstruction, first.terms().reconstruction);
    EXPECT_EQ(alone.terms().kl, first.terms().kl);
    EXPECT_NEAR(alone.terms().kl, 0.1 + 1e5 / 3 + 1e-9 + 77.77, 4 * 0x1p-33);
}

TEST(StepTail, AShareThatIsNotFiniteIsKnownAfterTheSum) {
    for (const double bad :
         {std::nan(""), std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()}) {
        for (const bool in_kl : {false, true}) {
            StepTail healthy(2);
            healthy.add({.reconstruction = -1, .kl = 1});
            StepTail sick(2);
            sick.add({.reconstruction = in_kl ? -1 : bad, .kl = in_kl ? bad : 1});
            add_words(healthy, sick);
            EXPECT_FALSE(healthy.finite()) << bad;
            EXPECT_FALSE(healthy.failed());
        }
    }
}

TEST(StepTail, OneRanksWishToStopOrToSaveReachesAll) {
    for (const bool stops : {false, true}) {
        StepTail first(2);
        StepTail second(2);
        if (stops) {
            second.ask_to_stop();
        } else {
            second.ask_to_save();
        }
        EXPECT_FALSE(first.is_to_stop() || first.is_to_save());
        add_words(first, second);
        EXPECT_EQ(first.is_to_stop(), stops);
        EXPECT_EQ(first.is_to_save(), !stops);
        EXPECT_TRUE(first.finite());
        EXPECT_FALSE(first.failed());
    }
}

TEST(StepTail, AShareThatTheSumCannotHoldCountsAsNotFinite) {
    // The words hold 2^30 nats in all: a quarter of that for each of four slices.
    StepTail fits(4);
    fits.add({.reconstruction = -0x1p27, .kl = 0});
    EXPECT_TRUE(fits.finite());
    StepTail too_large(4);
    too_large.add({.reconstruction = -0x1p28, .kl = 0});
    EXPECT_FALSE(too_large.finite());
}

TEST(StepTail, AFailureOfOneRankIsKnownAfterTheSum) {
    StepTail healthy(2);
    StepTail failed(2);
    failed.report_failure();
    add_words(healthy, failed);
    EXPECT_TRUE(healthy.failed());
    EXPECT_TRUE(healthy.finite());
}

TEST(StepTail, ReportsOfSeveralRanksDoNotCancel) {
    StepTail sum(4);
    StepTail other(4);
    sum.report_nonfinite();
    other.report_nonfinite();
    add_words(sum, other);
    EXPECT_FALSE(sum.finite());
}

}  // namespace
}  // namespace vae_dist
