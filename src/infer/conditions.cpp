#include "infer/conditions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/data/rows/dataset_name.hpp"

namespace vae_dist {

namespace {

// "energy=50" and the like, by name.
std::map<std::string, std::string> assignments(const std::vector<std::string>& texts, const char* option,
                                               const TrainedModel& model) {
    const std::vector<std::string>& known = model.config().model.condition.on;
    std::map<std::string, std::string> found;
    for (const std::string& text : texts) {
        const std::size_t equals = text.find('=');
        if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
            throw_input_error("{} {}: expected a name and what it is, such as energy=...", option, text);
        const std::string name = text.substr(0, equals);
        if (std::find(known.begin(), known.end(), name) == known.end()) {
            throw_input_error("{} {}: {} has {}", option, text, model.file(),
                              known.empty() ? "no conditions" : "the conditions " + format_list(known));
        }
        if (!found.emplace(name, text.substr(equals + 1)).second)
            throw_input_error("{}: {} is given twice", option, name);
    }
    return found;
}

// The run's own conditions of that dataset, if it is one of its datasets.
std::map<std::string, std::string> configured_for(const std::string& dataset, const DataConfig& data) {
    const auto same = [&](const std::optional<DatasetConfig>& of) {
        const auto plain = [](std::string_view path) {
            return path.starts_with('/') ? path.substr(1) : path;
        };
        return of && plain(of->dataset) == plain(dataset);
    };
    if (same(data.train)) return data.train->conditions;
    if (same(data.validation)) return data.validation->conditions;
    return {};
}

// "50", or of several numbers "1:2:3".
std::vector<double> numbers_of(std::string_view text, const std::string& name) {
    std::vector<double> numbers;
    while (true) {
        const std::size_t colon = std::min(text.find(':'), text.size());
        const std::string_view word = text.substr(0, colon);
        double& number = numbers.emplace_back();
        const auto [end, status] = std::from_chars(word.data(), word.data() + word.size(), number);
        if (status != std::errc() || end != word.data() + word.size() || !std::isfinite(number))
            throw_input_error("--condition {}: '{}' is not a number", name, word);
        if (colon == text.size()) return numbers;
        text.remove_prefix(colon + 1);
    }
}

}  // namespace

std::map<std::string, std::string> condition_datasets(const InferenceDataOptions& options,
                                                      const TrainedModel& model) {
    std::map<std::string, std::string> datasets = assignments(options.conditions, "--conditions", model);
    const std::map<std::string, std::string> configured =
        configured_for(existing_dataset(options.dataset).dataset, model.config().data);
    datasets.insert(configured.begin(), configured.end());
    for (const std::string& name : model.config().model.condition.on) {
        if (datasets.contains(name)) continue;
        throw_input_error(
            "{} was trained with the condition {}: say which dataset of the file it is, with "
            "--conditions {}=DATASET",
            model.file(), name, name);
    }
    return datasets;
}

std::vector<std::vector<float>> condition_values(const GenerateOptions& options, const TrainedModel& model) {
    const ConditionConfig& config = model.config().model.condition;
    const std::map<std::string, std::string> given = assignments(options.condition, "--condition", model);
    if (!config.goes_into(ConditionedPart::decoder)) {
        if (!given.empty())
            throw_input_error("--condition has no effect: the decoder of {} takes no conditions",
                              model.file());
        return {};
    }
    std::vector<std::vector<float>> values;
    for (std::size_t i = 0; i < config.on.size(); ++i) {
        const std::string& name = config.on[i];
        const FeatureStatistics& statistics = model.checkpoint().condition_statistics[i];
        if (!given.contains(name)) {
            throw_input_error(
                "the samples of {} depend on {}: say on which value, with --condition {}=NUMBER "
                "(its mean in the training data is {:.6g})",
                model.file(), name, name, statistics.mean.front());
        }
        const std::vector<double> numbers = numbers_of(given.at(name), name);
        if (numbers.size() != statistics.mean.size()) {
            throw_input_error("--condition {}: it has {}, and {} given; write them with colons between them",
                              name, counted(statistics.mean.size(), "number"), numbers.size());
        }
        values.push_back(standardized(numbers, statistics));
    }
    return values;
}

}  // namespace vae_dist
