// Samples that are not images, as panels.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <vector>

#include "support/expect_error.hpp"
#include "unit/infer/pixels.hpp"
#include "vae_dist/infer/picture.hpp"

namespace vae_dist {
namespace {

constexpr std::int64_t kMargin = 8;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// -1 to 1.
std::vector<float> ramp(std::size_t count) {
    std::vector<float> values;
    for (std::size_t i = 0; i < count; ++i) {
        values.push_back(-1 + 2 * static_cast<float>(i) / static_cast<float>(count - 1));
    }
    return values;
}

/// The one panel of one feature's values.
Picture scatter(const std::vector<float>& originals, const std::vector<float>& reconstructions) {
    const Picture picture = panels_of(originals, reconstructions, 1);
    return cut(picture, kMargin, kMargin, picture.height - 2 * kMargin, picture.width - 2 * kMargin);
}

/// The one panel of one sample of many features.
Picture lines(const std::vector<float>& original, const std::vector<float>& reconstruction) {
    const Picture picture = panels_of(original, reconstruction, static_cast<std::int64_t>(original.size()));
    return cut(picture, kMargin, kMargin, picture.height - 2 * kMargin, picture.width - 2 * kMargin);
}

/// True if `first` is less than 1 % of `size` away from `second`.
bool close(std::int64_t first, std::int64_t second, std::int64_t size) {
    return std::abs(first - second) * 100 <= size;
}

TEST(Panels, StayBelowTwoThousandPixels) {
    for (const std::int64_t features : {1, 2, 5, 10, 63, 64, 65, 5000}) {
        for (const std::int64_t samples : {1, 3, 2000}) {
            const std::vector<float> values(static_cast<std::size_t>(features * samples), 1);
            const Picture picture = panels_of(values, values, features);
            EXPECT_EQ(picture.channels, 3);
            EXPECT_LE(picture.width, 2000) << features << " features, " << samples << " samples";
            EXPECT_LE(picture.height, 2000) << features << " features, " << samples << " samples";
            EXPECT_GE(picture.height, 200);
            EXPECT_EQ(picture.pixels.size(), static_cast<std::size_t>(picture.height * picture.width * 3));
        }
    }
}

TEST(Panels, ShowTheFirstSamplesOfMany) {
    for (const std::size_t features : {3, 100}) {
        const auto shown = static_cast<std::size_t>(samples_in_panels(static_cast<std::int64_t>(features)));
        std::vector<float> values = ramp(features * shown);
        const Picture first = panels_of(values, values, static_cast<std::int64_t>(features));
        values.insert(values.end(), features * 5, 100.F);
        EXPECT_EQ(panels_of(values, values, static_cast<std::int64_t>(features)).pixels, first.pixels);
    }
}

TEST(Panels, RefuseWhatIsNotWholeSamples) {
    const std::vector<float> five(5), six(6);
    expect_error(ErrorKind::bug, {"whole samples"}, [&] { panels_of(five, five, 2); });
    expect_error(ErrorKind::bug, {"whole samples"}, [&] { panels_of({}, {}, 2); });
    expect_error(ErrorKind::bug, {"reconstruction"}, [&] { panels_of(six, five, 1); });
}

TEST(ScatterPanels, PerfectReconstructionsLieOnTheDiagonal) {
    const Picture panel = scatter(ramp(1000), ramp(1000));
    ASSERT_EQ(panel.width, panel.height);
    std::int64_t found = 0;
    for (std::int64_t y = 0; y < panel.height; ++y) {
        for (std::int64_t x = 0; x < panel.width; ++x) {
            if (!pixel_at(panel, y, x).is_bluish()) continue;
            ++found;
            ASSERT_LE(std::abs(x - (panel.height - 1 - y)), 6) << "row " << y << ", column " << x;
        }
    }
    EXPECT_GT(found, panel.width);
}

TEST(ScatterPanels, OriginalsGoRightAndReconstructionsGoUp) {
    // Far right and in the middle of the height; on the left and far up.
    const Extent right = bluish(scatter({-1, 1, 1}, {kNan, kNan, 0}));
    const Picture panel = scatter({-1, 1, -1}, {kNan, kNan, 1});
    const Extent up = bluish(panel);
    EXPECT_GT(right.left, panel.width * 85 / 100);
    EXPECT_TRUE(close((right.top + right.bottom) / 2, panel.height / 2, panel.height));
    EXPECT_LT(up.right, panel.width * 15 / 100);
    EXPECT_LT(up.bottom, panel.height * 15 / 100);
}

TEST(ScatterPanels, AxesSpanTheOriginalsAndWhatLiesBeyondIsSeenAtTheEdge) {
    std::vector<float> reconstructions(1000, 0);
    const Picture panel = scatter(ramp(1000), reconstructions);
    const Extent level = bluish(panel);
    EXPECT_LT(level.left, panel.width / 10);
    EXPECT_GT(level.right, panel.width * 9 / 10);

    reconstructions[999] = 1e9F;
    const Extent with_outlier = bluish(scatter(ramp(1000), reconstructions));
    EXPECT_EQ(with_outlier.left, level.left);
    EXPECT_EQ(with_outlier.right, level.right);
    EXPECT_EQ(with_outlier.bottom, level.bottom) << "the others stay where they are";
    EXPECT_LT(with_outlier.top, panel.height / 20);
}

TEST(ScatterPanels, AFeatureThatNeverVariesLiesInTheMiddle) {
    for (const float value : {0.F, 5.F, -1e30F}) {
        const Picture panel = scatter({value, value}, {value, value});
        const Extent point = bluish(panel);
        EXPECT_GT(point.count, 0);
        EXPECT_TRUE(close((point.left + point.right) / 2, panel.width / 2, panel.width)) << value;
        EXPECT_TRUE(close((point.top + point.bottom) / 2, panel.height / 2, panel.height)) << value;
    }
}

TEST(ScatterPanels, LeaveOutWhatIsNotFinite) {
    const Picture without = scatter({-1, 0, 1}, {-1, 0.5F, 1});
    const Picture with = scatter({-1, kNan, 0, 0, kInfinity, 1}, {-1, 0, 0.5F, kInfinity, 0, 1});
    EXPECT_EQ(with.pixels, without.pixels);
    EXPECT_EQ(bluish(scatter({kNan, kInfinity}, {0, 0})).count, 0);
}

TEST(ScatterPanels, StandInReadingOrder) {
    // Of four features only the third varies.
    std::vector<float> samples;
    for (const float value : ramp(500))
        samples.insert(samples.end(), {0, 0, value, 0});
    const Picture picture = panels_of(samples, samples, 4);
    const std::int64_t side = (picture.width - 3 * kMargin) / 2;
    EXPECT_EQ(picture.height, picture.width);
    const auto blue_in = [&](std::int64_t row, std::int64_t column) {
        return bluish(
            cut(picture, kMargin + row * (side + kMargin), kMargin + column * (side + kMargin), side, side));
    };
    const Extent third = blue_in(1, 0);
    EXPECT_GT(third.right - third.left, side / 2);
    EXPECT_GT(third.bottom - third.top, side / 2) << "with its own reconstructions";
    for (const Extent& other : {blue_in(0, 0), blue_in(0, 1), blue_in(1, 1)}) {
        EXPECT_GT(other.count, 0);
        EXPECT_LT(other.right - other.left, side / 10);
    }
}

TEST(ScatterPanels, HaveTheirNumberInTheTopLeftCorner) {
    std::vector<float> samples;
    for (const float value : ramp(100))
        samples.insert(samples.end(), 12, value);
    const Picture picture = panels_of(samples, samples, 12);  // four in a row
    const std::int64_t side = (picture.width - 5 * kMargin) / 4;
    const auto panel = [&](std::int64_t i) {
        return cut(picture, kMargin + i / 4 * (side + kMargin), kMargin + i % 4 * (side + kMargin), side,
                   side);
    };
    constexpr std::int64_t kCorner = 40;
    for (std::int64_t i = 1; i < 12; ++i) {
        const Picture other = panel(i);
        EXPECT_NE(cut(other, 0, 0, kCorner, kCorner).pixels, cut(panel(i - 1), 0, 0, kCorner, kCorner).pixels)
            << i;
        EXPECT_EQ(cut(other, kCorner, 0, side - kCorner, side).pixels,
                  cut(panel(0), kCorner, 0, side - kCorner, side).pixels)
            << i;
    }
}

TEST(LinePanels, GoFromLeftToRightAndUp) {
    const Picture panel = lines(ramp(100), std::vector<float>(100, kNan));
    const Extent line = bluish(panel);
    EXPECT_LT(line.left, panel.width / 10);
    EXPECT_GT(line.right, panel.width * 9 / 10);
    const std::int64_t fifth = panel.width / 5;
    EXPECT_GT(bluish(cut(panel, 0, 0, panel.height, fifth)).top, panel.height / 2) << "low on the left";
    EXPECT_LT(bluish(cut(panel, 0, 4 * fifth, panel.height, fifth)).bottom, panel.height / 2)
        << "high on the right";
}

TEST(LinePanels, OriginalsAreBlueAndReconstructionsOrangeOnOneScale) {
    const Picture panel = lines(std::vector<float>(100, 1), std::vector<float>(100, 3));
    const Extent original = bluish(panel);
    const Extent reconstruction = orange(panel);
    EXPECT_GT(original.count, panel.width / 2);
    EXPECT_GT(reconstruction.count, panel.width / 2);
    EXPECT_GT(original.top, panel.height * 8 / 10);
    EXPECT_LT(reconstruction.bottom, panel.height * 2 / 10);
}

TEST(LinePanels, BothLinesAreSeenWhereTheyAgree) {
    const Picture panel = lines(ramp(100), ramp(100));
    EXPECT_GT(bluish(panel).count, panel.width / 2);
    EXPECT_GT(orange(panel).count, panel.width / 2);
}

TEST(LinePanels, AnyOneOfManyNumbersIsSeenAtItsPlace) {
    constexpr std::size_t kFeatures = 100000;
    for (const std::size_t place : {kFeatures / 4, kFeatures * 3 / 4}) {
        for (const float value : {1.F, -1.F}) {
            std::vector<float> sample(kFeatures, 0);
            sample[place] = value;
            const Picture panel = lines(sample, std::vector<float>(kFeatures, kNan));
            const std::int64_t half = panel.height / 2;
            const Extent peak = bluish(cut(panel, value > 0 ? 0 : half, 0, half, panel.width));
            ASSERT_GT(peak.count, 0);
            const double expected = 0.05 + 0.9 * static_cast<double>(place) / kFeatures;
            EXPECT_NEAR(static_cast<double>(peak.left + peak.right) / 2 / static_cast<double>(panel.width),
                        expected, 0.02);
            EXPECT_LT(peak.right - peak.left, 10);
        }
    }
}

TEST(LinePanels, GoOverWhatIsNotFinite) {
    std::vector<float> sample = ramp(101);
    const Picture whole = lines(sample, sample);
    sample[30] = kNan;
    sample[50] = kInfinity;
    const Picture broken = lines(sample, sample);
    EXPECT_TRUE(close(bluish(broken).count, bluish(whole).count, bluish(whole).count * 2));
    const std::vector<float> none(100, kNan);
    EXPECT_EQ(bluish(lines(none, none)).count, 0);
}

TEST(LinePanels, StandInReadingOrder) {
    // The third of four samples alone has a reconstruction.
    const std::vector<float> originals(400, 0);
    std::vector<float> reconstructions(400, kNan);
    std::fill(reconstructions.begin() + 200, reconstructions.begin() + 300, 1.F);
    const Picture picture = panels_of(originals, reconstructions, 100);
    const Extent found = orange(picture);
    EXPECT_GT(found.count, 0);
    EXPECT_GT(found.top, picture.height / 2);
    EXPECT_LT(found.right, picture.width / 2);
}

// --- Of samples alone

TEST(SamplePanels, OfFewFeaturesShowEachAlongTheSamples) {
    std::vector<float> samples;  // of two features only the second varies
    for (const float value : ramp(500))
        samples.insert(samples.end(), {0, value});
    const Picture picture = panels_of(samples, 2, 1);
    const std::int64_t side = (picture.width - 3 * kMargin) / 2;
    const Extent first = bluish(cut(picture, kMargin, kMargin, side, side));
    const Extent second = bluish(cut(picture, kMargin, 2 * kMargin + side, side, side));
    EXPECT_GT(first.right - first.left, side * 8 / 10) << "from the first sample to the last";
    EXPECT_LT(first.bottom - first.top, side / 10);
    EXPECT_GT(second.bottom - second.top, side * 8 / 10);
}

TEST(SamplePanels, OfManyFeaturesAreALineEachOrAPanelAWalk) {
    std::vector<float> samples;
    for (int i = 0; i < 6; ++i)
        samples.insert(samples.end(), 100, static_cast<float>(i));
    const Picture alone = panels_of(samples, 100, 1);
    const Picture walks = panels_of(samples, 100, 3);
    EXPECT_EQ(alone.width, walks.width);
    EXPECT_EQ((alone.height - kMargin), 3 * (walks.height - kMargin)) << "three rows of panels, and one";
    EXPECT_EQ(orange(alone).count, 0);
    EXPECT_GT(orange(walks).count, 0) << "a walk ends in orange";
    EXPECT_LT(orange(walks).bottom, walks.height * 6 / 10) << "the last steps have the largest numbers";
    EXPECT_GT(bluish(walks).top, walks.height * 6 / 10);
}

TEST(SamplePanels, ShowSoManySamples) {
    EXPECT_EQ(samples_in_panels(64, 1), 1000);
    EXPECT_EQ(samples_in_panels(64, 7), 994);
    EXPECT_EQ(samples_in_panels(65, 1), 16);
    EXPECT_EQ(samples_in_panels(65, 10), 160);
    for (const std::int64_t features : {std::int64_t{2}, std::int64_t{100}}) {
        const std::int64_t most = samples_in_panels(features, 1);
        std::vector<float> samples(static_cast<std::size_t>(most * features), 1);
        const Picture full = panels_of(samples, features, 1);
        samples.resize(samples.size() + static_cast<std::size_t>(features), 2);
        EXPECT_EQ(panels_of(samples, features, 1).pixels, full.pixels);
    }
}

}  // namespace
}  // namespace vae_dist
