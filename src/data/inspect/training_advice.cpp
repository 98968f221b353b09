#include "data/inspect/training_advice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "vae_dist/core/shape.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/data/rows/large_values.hpp"

namespace vae_dist {

namespace {

std::string last_word(const std::string& name) {
    std::string word = name.substr(name.rfind('/') + 1);
    std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
    return word;
}

template <std::size_t N>
bool is_one_of(const std::string& word, const std::array<std::string_view, N>& words) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

constexpr std::array<std::string_view, 9> kLabelNames = {"y",     "label",   "labels", "target",  "targets",
                                                         "class", "classes", "digit",  "category"};
constexpr std::array<std::string_view, 8> kIndexNames = {"index", "indices", "idx",  "id",
                                                         "ids",   "row",     "rows", "order"};
constexpr std::array<std::string_view, 6> kTokenNames = {"tokens",    "token_ids", "input_ids",
                                                         "sequences", "words",     "text"};

TrainingAdvice gaussian() {
    return {.kind = "", .obstacle = "", .scale = "", .transform = "standardize", .likelihood = "gaussian"};
}

TrainingAdvice bernoulli(std::string kind, std::string scale = "") {
    return {.kind = std::move(kind),
            .obstacle = "",
            .scale = std::move(scale),
            .transform = "",
            .likelihood = "bernoulli"};
}

// One number a sample. Whole ones are hardly ever what a model is to learn.
TrainingAdvice advise_single_numbers(const std::string& word, const ValueSummary& values) {
    TrainingAdvice advice = gaussian();
    if (!values.whole || values.finite == 0) return advice;
    constexpr std::int64_t kMostLabels = 64;
    const bool repeat = values.levels <= kMostLabels && values.finite >= 4 * values.levels;
    if (is_one_of(word, kIndexNames) || (values.counts_up && values.values > 1)) {
        advice.kind = "numbers of rows, it seems";
    } else if (is_one_of(word, kLabelNames) || repeat) {
        advice.kind = fmt::format("labels, it seems ({}{} different ones)",
                                  values.levels > kMostLabels ? "more than " : "",
                                  std::min(values.levels, kMostLabels));
    } else {
        advice.kind = "labels, ids or counts";
    }
    advice.obstacle = "it holds a single whole number a row: " + advice.kind;
    return advice;
}

// Most are small, some are large; of ids, all sizes are about as frequent.
bool look_like_counts(const ValueSummary& values) {
    return 3 * values.mean <= values.highest || 5 * values.zeros >= 2 * values.finite;
}

// They count from 0 or so, without many of them being passed over.
bool look_like_ids(const hdf5::DatasetInfo& info, const ValueSummary& values) {
    constexpr double kMostIds = 1e6;
    const bool is_float = info.type == ElementType::float32 || info.type == ElementType::float64;
    return !is_float && 10 * values.lowest <= values.highest && values.highest < kMostIds;
}

TrainingAdvice advise_whole_numbers(const std::string& word, const hdf5::DatasetInfo& info,
                                    const ValueSummary& values) {
    const bool is_byte = info.type == ElementType::uint8;
    const std::string as_they_are = is_byte ? "1" : "";
    if (values.highest <= 1) return bernoulli("zeros and ones", as_they_are);
    if (is_byte && values.highest > 128) return bernoulli("8-bit grey values");
    if (info.shape.size() > 2) {
        if (!is_byte || !values.all_rows) return gaussian();
        return bernoulli(fmt::format("grey values up to {:g}", values.highest),
                         fmt::format("{:.8g}", 1 / values.highest));
    }
    const bool counts = look_like_counts(values);
    if (is_one_of(word, kTokenNames) || (!counts && look_like_ids(info, values))) {
        return {.kind = "ids of tokens or categories, it seems",
                .obstacle =
                    "it seems to hold ids of tokens or categories, for which there is no likelihood; if "
                    "they are quantities, use data.transform: standardize with model.likelihood: gaussian",
                .scale = "",
                .transform = "",
                .likelihood = ""};
    }
    if (!counts) return gaussian();
    return {.kind = "counts, it seems",
            .obstacle = "",
            .scale = as_they_are,
            .transform = "log1p",
            .likelihood = "gaussian"};
}

}  // namespace

TrainingAdvice advise(const std::string& name, const hdf5::DatasetInfo& info,
                      const std::optional<ValueSummary>& summary) {
    const auto refused = [](std::string why) {
        TrainingAdvice advice = gaussian();
        advice.obstacle = std::move(why);
        return advice;
    };
    if (!summary) return element_count(info.shape) == 0 ? refused("it is empty") : gaussian();
    const ValueSummary& values = *summary;
    if (values.finite < values.values) {
        return refused(fmt::format("NaN or infinite values in it: {}; training refuses them",
                                   format_count(values.values - values.finite)));
    }
    if (values.marks > 0) {
        return refused(
            fmt::format("values in it that stand for missing ones: {}", format_count(values.marks)));
    }
    if (std::max(values.highest, -values.lowest) > kLargestLikely)
        return refused("values as large as this are mostly marks of missing ones");
    if (values.levels == 1 && values.values > 1)
        return refused(fmt::format("every number in it is {:g}", values.lowest));
    const std::string word = last_word(name);
    if (info.shape.size() == 1) return advise_single_numbers(word, values);
    if (values.whole && values.lowest >= 0) return advise_whole_numbers(word, info, values);
    if (values.all_rows && !values.whole && values.lowest >= 0 && values.highest <= 1)
        return bernoulli("numbers in [0, 1]");
    return gaussian();
}

}  // namespace vae_dist
