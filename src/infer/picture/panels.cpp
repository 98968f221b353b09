#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <vector>

#include "infer/picture/canvas.hpp"
#include "infer/picture/tiles.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/infer/picture.hpp"

namespace vae_dist {
namespace {

constexpr std::int64_t kMostScatterPanels = 64;  // features; more are lines
constexpr std::int64_t kMostPoints = 1000;       // in a scatter panel
constexpr std::int64_t kMostLinePanels = 16;     // samples
constexpr std::int64_t kLargestSide = 2000;      // pixels, of the whole picture
constexpr std::int64_t kLargestPanel = 480;      // pixels, of a scatter panel
constexpr Mat kPanelMat = {.margin = 8, .grey = 255};

// Panels are drawn so many times larger than they are shown, for smooth edges.
constexpr std::int64_t kFiner = 2;

// Between a panel's edge and its nearest point, so that what lies at an axis's end is seen whole.
constexpr std::int64_t kInset = 5 * kFiner;

// Dark blue and orange differ in brightness as well as in hue, which every eye sees.
constexpr Colour kOriginal = {31, 59, 115};
constexpr Colour kReconstruction = {242, 142, 28};
constexpr Colour kFrame = {150, 150, 150};
constexpr Colour kDiagonal = {190, 190, 190};
constexpr Colour kNumber = {70, 70, 70};

/// What the numbers along a side of a panel are drawn at.
class Axis {
 public:
    /// From the least to the greatest finite number of `values`, and 5 % more at both ends, over `pixels`.
    Axis(std::span<const float> values, std::int64_t pixels) : pixels_(pixels) {
        for (const float value : values) {
            if (!std::isfinite(value)) continue;
            lowest_ = std::min(lowest_, double{value});
            highest_ = std::max(highest_, double{value});
        }
        if (lowest_ > highest_) lowest_ = highest_ = 0;
        // Numbers that are all alike lie in the middle.
        const double margin =
            lowest_ < highest_ ? 0.05 * (highest_ - lowest_) : std::max(1.0, std::abs(lowest_));
        lowest_ -= margin;
        highest_ += margin;
    }

    /// Pixels from the panel's edge; what lies beyond the axis is placed at its nearer end.
    std::int64_t place(double value) const {
        const double part = std::clamp((value - lowest_) / (highest_ - lowest_), 0.0, 1.0);
        return kInset + std::lround(part * static_cast<double>(pixels_ - 1 - 2 * kInset));
    }

 private:
    double lowest_ = std::numeric_limits<double>::infinity();
    double highest_ = -std::numeric_limits<double>::infinity();
    std::int64_t pixels_;
};

std::vector<float> up_to(std::size_t count) {
    std::vector<float> numbers(count);
    std::iota(numbers.begin(), numbers.end(), 0.0F);
    return numbers;
}

/// The size and number of a panel, in pixels as drawn.
struct Panel {
    std::int64_t height;
    std::int64_t width;
    std::int64_t number;
};

/// `part` of the way from dark blue to orange.
Colour between(double part) {
    const auto mixed = [part](std::uint8_t from, std::uint8_t to) {
        return static_cast<std::uint8_t>(std::lround((1 - part) * from + part * to));
    };
    return {mixed(kOriginal.red, kReconstruction.red), mixed(kOriginal.green, kReconstruction.green),
            mixed(kOriginal.blue, kReconstruction.blue)};
}

Picture finished(Canvas& canvas, const Panel& panel) {
    canvas.number({6 * kFiner, 6 * kFiner}, panel.number, 3 * kFiner, kNumber);
    canvas.fill({0, 0}, kFiner, panel.width, kFrame);
    canvas.fill({0, panel.height - kFiner}, kFiner, panel.width, kFrame);
    canvas.fill({0, 0}, panel.height, kFiner, kFrame);
    canvas.fill({panel.width - kFiner, 0}, panel.height, kFiner, kFrame);
    return canvas.shrunk(kFiner);
}

/// Values (N) of one feature, a point for each pair.
Picture scatter_panel(std::span<const float> originals, std::span<const float> reconstructions,
                      const Panel& panel) {
    const std::int64_t radius = panel.width / 160;
    const Axis axis(originals, panel.width);
    Canvas canvas(panel.height, panel.width);
    canvas.line({0, panel.height - 1}, {panel.width - 1, 0}, kFiner, kDiagonal);
    for (std::size_t i = 0; i < originals.size(); ++i) {
        if (!std::isfinite(originals[i]) || !std::isfinite(reconstructions[i])) continue;
        const Point point = {axis.place(originals[i]), panel.height - 1 - axis.place(reconstructions[i])};
        canvas.disc(point, radius, kOriginal, 0.5);
    }
    return finished(canvas, panel);
}

/// The places in `values` (D) that a line through them has to touch: of each of up to `stretches` equal parts
/// the least and the greatest finite number. To the eye that is the whole line, however long it is.
std::vector<std::size_t> corners_of(std::span<const float> values, std::size_t stretches) {
    stretches = std::min(stretches, values.size());
    std::vector<std::size_t> corners;
    for (std::size_t s = 0; s < stretches; ++s) {
        std::optional<std::size_t> least, greatest;
        for (std::size_t i = s * values.size() / stretches; i < (s + 1) * values.size() / stretches; ++i) {
            if (!std::isfinite(values[i])) continue;
            if (!least || values[i] < values[*least]) least = i;
            if (!greatest || values[i] > values[*greatest]) greatest = i;
        }
        if (!least) continue;
        corners.push_back(std::min(*least, *greatest));
        if (*least != *greatest) corners.push_back(std::max(*least, *greatest));
    }
    return corners;
}

void draw_line(Canvas& canvas, std::span<const float> values, const Axis& across, const Axis& up,
               const Panel& panel, std::int64_t thickness, Colour colour) {
    const auto point_at = [&](std::size_t i) {
        return Point{across.place(static_cast<double>(i)), panel.height - 1 - up.place(values[i])};
    };
    const auto corners = corners_of(values, static_cast<std::size_t>(panel.width / (2 * kFiner)));
    for (std::size_t c = 0; c < corners.size(); ++c) {
        canvas.line(point_at(corners[c > 0 ? c - 1 : 0]), point_at(corners[c]), thickness, colour);
    }
}

/// One sample (D) and its reconstruction as lines.
Picture line_panel(std::span<const float> original, std::span<const float> reconstruction,
                   const Panel& panel) {
    std::vector<float> both(original.begin(), original.end());
    both.insert(both.end(), reconstruction.begin(), reconstruction.end());
    const Axis up(both, panel.height);
    const float ends[] = {0, static_cast<float>(original.size() - 1)};
    const Axis across(ends, panel.width);
    Canvas canvas(panel.height, panel.width);
    draw_line(canvas, original, across, up, panel, 3 * kFiner, kOriginal);
    draw_line(canvas, reconstruction, across, up, panel, 3 * kFiner / 2, kReconstruction);
    return finished(canvas, panel);
}

/// Values (N) of one feature, a point for each, in their order from left to right.
Picture course_panel(std::span<const float> values, const Panel& panel) {
    const std::int64_t radius = panel.width / 160;
    const Axis up(values, panel.height);
    const Axis across(up_to(values.size()), panel.width);
    Canvas canvas(panel.height, panel.width);
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!std::isfinite(values[i])) continue;
        const Point point = {across.place(static_cast<double>(i)), panel.height - 1 - up.place(values[i])};
        canvas.disc(point, radius, kOriginal, 0.5);
    }
    return finished(canvas, panel);
}

/// Samples (N, D) as lines.
Picture lines_panel(std::span<const float> samples, std::size_t features, const Panel& panel) {
    const Axis up(samples, panel.height);
    const float ends[] = {0, static_cast<float>(features - 1)};
    const Axis across(ends, panel.width);
    Canvas canvas(panel.height, panel.width);
    const std::size_t count = samples.size() / features;
    for (std::size_t i = 0; i < count; ++i) {
        const double part = count == 1 ? 0 : static_cast<double>(i) / static_cast<double>(count - 1);
        draw_line(canvas, samples.subspan(i * features, features), across, up, panel, 3 * kFiner / 2,
                  between(part));
    }
    return finished(canvas, panel);
}

/// Feature `feature` of samples (N, D).
std::vector<float> column(std::span<const float> samples, std::size_t features, std::size_t feature) {
    std::vector<float> values;
    for (std::size_t i = feature; i < samples.size(); i += features)
        values.push_back(samples[i]);
    return values;
}

/// The side of each of `count` panels that stand in a row of `kLargestSide` pixels.
std::int64_t side_of(std::int64_t count) {
    return (kLargestSide - kPanelMat.margin) / count - kPanelMat.margin;
}

/// One panel a feature: draw(feature, panel).
template <class Draw>
Picture feature_panels(std::int64_t features, const Draw& draw) {
    const auto columns = static_cast<std::int64_t>(std::ceil(std::sqrt(features)));
    const std::int64_t side = std::min(kLargestPanel, side_of(columns)) * kFiner;
    return tiled(features, columns, kPanelMat, [&](std::int64_t i) {
        return draw(static_cast<std::size_t>(i), Panel{side, side, i});
    });
}

/// So many panels of lines: draw(number, panel).
template <class Draw>
Picture sample_panels(std::size_t panels, const Draw& draw) {
    constexpr std::int64_t kColumns = 2;
    const std::int64_t height = side_of(kMostLinePanels / kColumns) * kFiner;
    const std::int64_t width = side_of(kColumns) * kFiner;
    return tiled(static_cast<std::int64_t>(panels), kColumns, kPanelMat, [&](std::int64_t i) {
        return draw(static_cast<std::size_t>(i), Panel{height, width, i});
    });
}

}  // namespace

Picture panels_of(std::span<const float> samples, std::int64_t features, std::int64_t together) {
    const auto count = static_cast<std::size_t>(features);
    require(features > 0 && together > 0 && samples.size() >= count && samples.size() % count == 0,
            "panels show whole samples");
    if (features <= kMostScatterPanels) {
        const auto most = static_cast<std::size_t>(samples_in_panels(features, together)) * count;
        const std::span<const float> shown = samples.first(std::min(samples.size(), most));
        return feature_panels(features, [&](std::size_t feature, const Panel& panel) {
            return course_panel(column(shown, count, feature), panel);
        });
    }
    const std::size_t group = static_cast<std::size_t>(together) * count;
    const std::size_t panels = std::min<std::size_t>((samples.size() + group - 1) / group, kMostLinePanels);
    return sample_panels(panels, [&](std::size_t i, const Panel& panel) {
        return lines_panel(samples.subspan(i * group, std::min(group, samples.size() - i * group)), count,
                           panel);
    });
}

std::int64_t samples_in_panels(std::int64_t features) {
    return features <= kMostScatterPanels ? kMostPoints : kMostLinePanels;
}

std::int64_t samples_in_panels(std::int64_t features, std::int64_t together) {
    if (features > kMostScatterPanels) return kMostLinePanels * together;
    return std::max<std::int64_t>(kMostPoints / together, 1) * together;
}

Picture panels_of(std::span<const float> originals, std::span<const float> reconstructions,
                  std::int64_t features) {
    const auto count = static_cast<std::size_t>(features);
    require(features > 0 && originals.size() >= count && originals.size() % count == 0,
            "panels show whole samples");
    require(originals.size() == reconstructions.size(), "each sample has a reconstruction");
    const std::size_t shown =
        std::min(originals.size(), static_cast<std::size_t>(samples_in_panels(features)) * count);
    if (features <= kMostScatterPanels) {
        return feature_panels(features, [&](std::size_t feature, const Panel& panel) {
            return scatter_panel(column(originals.first(shown), count, feature),
                                 column(reconstructions.first(shown), count, feature), panel);
        });
    }
    return sample_panels(shown / count, [&](std::size_t i, const Panel& panel) {
        return line_panel(originals.subspan(i * count, count), reconstructions.subspan(i * count, count),
                          panel);
    });
}

}  // namespace vae_dist
