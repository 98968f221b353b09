#include "vae_dist/train/step/step_tail.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace vae_dist {
namespace {

// What a reduction over two ranks does.
void add_words(StepTail& to, StepTail& from) {
    for (std::size_t i = 0; i < to.words().size(); ++i)
        to.words()[i] += from.words()[i];
}

void add(StepTail& to, const std::vector<double>& shares) {
    to.add(shares, 1);
}

std::vector<double> terms_of(const StepTail& tail) {
    std::vector<double> terms(tail.words().size() - StepTail::kTerms);
    tail.read_terms(terms);
    return terms;
}

TEST(StepTail, TermsReadBackAsTheSumOfTheirSharesHoweverManyThereAre) {
    StepTail tail(4, 3);
    tail.add(std::vector{-100.25, 7.5, -99.5, 3.0}, 1);
    tail.add(std::vector{-1.0, 0.25, -0.5, 6.0}, 0.5);
    EXPECT_EQ(terms_of(tail), (std::vector{-100.75, 7.625, -99.75, 6.0}));
    EXPECT_TRUE(tail.finite());
    EXPECT_FALSE(tail.failed());
    tail.report_failure();
    tail.clear();
    EXPECT_EQ(terms_of(tail), std::vector<double>(4));
    EXPECT_FALSE(tail.failed());
}

TEST(StepTail, SumsAreTheSameBitsInWhateverOrderAndOnHoweverManyRanks) {
    const double shares[] = {-0.1, -1e5 / 3, -1e-9, -77.77};
    StepTail alone(2, 4);
    for (const double share : shares)
        add(alone, {share, -share});
    StepTail first(2, 4);
    StepTail second(2, 4);
    add(first, {shares[3], -shares[3]});
    add(second, {shares[2], -shares[2]});
    add(second, {shares[0], -shares[0]});
    add(second, {shares[1], -shares[1]});
    add_words(first, second);
    EXPECT_EQ(terms_of(alone), terms_of(first));
    EXPECT_NEAR(terms_of(alone)[1], 0.1 + 1e5 / 3 + 1e-9 + 77.77, 4 * 0x1p-33);
}

TEST(StepTail, AShareThatIsNotFiniteIsKnownAfterTheSum) {
    for (const double bad :
         {std::nan(""), std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()}) {
        for (const bool in_kl : {false, true}) {
            StepTail healthy(2, 2);
            add(healthy, {-1, 1});
            StepTail sick(2, 2);
            add(sick, {in_kl ? -1 : bad, in_kl ? bad : 1});
            add_words(healthy, sick);
            EXPECT_FALSE(healthy.finite()) << bad;
            EXPECT_FALSE(healthy.failed());
        }
    }
}

TEST(StepTail, OneRanksWishToStopOrToSaveReachesAll) {
    for (const bool stops : {false, true}) {
        StepTail first(2, 2);
        StepTail second(2, 2);
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
    StepTail fits(2, 4);
    add(fits, {-0x1p27, 0});
    EXPECT_TRUE(fits.finite());
    StepTail too_large(2, 4);
    add(too_large, {-0x1p28, 0});
    EXPECT_FALSE(too_large.finite());
}

TEST(StepTail, AFailureOfOneRankIsKnownAfterTheSum) {
    StepTail healthy(2, 2);
    StepTail failed(2, 2);
    failed.report_failure();
    add_words(healthy, failed);
    EXPECT_TRUE(healthy.failed());
    EXPECT_TRUE(healthy.finite());
}

TEST(StepTail, ReportsOfSeveralRanksDoNotCancel) {
    StepTail sum(2, 4);
    StepTail other(2, 4);
    sum.report_nonfinite();
    other.report_nonfinite();
    add_words(sum, other);
    EXPECT_FALSE(sum.finite());
}

}  // namespace
}  // namespace vae_dist
