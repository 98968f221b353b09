#include "vae_dist/infer/inference_data.hpp"

#include <algorithm>
#include <cmath>

#include "infer/conditions.hpp"
#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/config/names.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/data/rows/dataset_name.hpp"
#include "vae_dist/data/rows/matching_files.hpp"
#include "vae_dist/train/run/consistency.hpp"

namespace vae_dist {

namespace {

DataConfig data_config(const InferenceDataOptions& options, const TrainedModel& model) {
    DataConfig config = model.config().data;
    if (options.scale) config.scale = options.scale;
    if (options.conventions) config.conventions = *options.conventions;
    return config;
}

void require_same_shape(const RowSource& source, const TrainedModel& model) {
    if (source.row_shape() == model.row_shape()) return;
    throw_input_error("samples have the shape {} ({}), but {} was trained on samples of shape {}",
                      format_shape(source.row_shape()), source.description(), model.file(),
                      format_shape(model.row_shape()));
}

void require_same_conditions(const RowSource& source, const TrainedModel& model) {
    const std::vector<RowField> fields = source.fields();
    for (std::size_t i = 1; i < fields.size(); ++i) {
        const auto trained = std::ssize(model.checkpoint().condition_statistics[i - 1].mean);
        if (fields[i].numbers() == trained) continue;
        throw_input_error("the condition {} has {} a row ({}), but {} in the training data", fields[i].name,
                          counted(fields[i].numbers(), "number"), source.description(), trained);
    }
}

// data.scale: auto goes by the type of the numbers.
void require_same_scale(const RowSource& source, const DataConfig& config, const TrainedModel& model) {
    const std::string& trained = model.checkpoint().data_type;
    if (config.scale || trained.empty()) return;
    const ElementType type = source.element_type();
    if ((type == ElementType::uint8) == (trained == element_name(ElementType::uint8))) return;
    throw_input_error(
        "{} was trained on {} numbers, and {} holds {}: data.scale: auto divides unsigned 8-bit numbers by "
        "255 and leaves all others as they are. Say with --scale by what to multiply these",
        model.file(), trained, source.description(), element_name(type));
}

void check_options(const InferenceDataOptions& options) {
    if (options.limit && *options.limit < 1) {
        throw_input_error("--limit {}: at least one row is needed", *options.limit);
    }
    require_scale(options.scale);
}

std::unique_ptr<RowSource> open_source(const InferenceDataOptions& options, const TrainedModel& model) {
    check_options(options);
    const DatasetName name = existing_dataset(options.dataset);
    const ReadAs as = {.conventions = data_config(options, model).conventions, .setting = "--conventions"};
    const DatasetConfig dataset = {
        .files = {name.file}, .dataset = name.dataset, .conditions = condition_datasets(options, model)};
    std::unique_ptr<RowSource> source = open_rows(dataset, model.config().model.condition.on, as);
    require_same_shape(*source, model);
    require_same_conditions(*source, model);
    require_same_scale(*source, data_config(options, model), model);
    if (options.limit && *options.limit > source->rows()) {
        throw_input_error("--limit {} is more than the {} of {}", *options.limit,
                          counted(source->rows(), "row"), source->description());
    }
    return source;
}

CheckedRows open_together(const InferenceDataOptions& options, const TrainedModel& model,
                          Communicator& communicator) {
    std::unique_ptr<RowSource> source;
    run_together(communicator, [&] { source = open_source(options, model); });
    require_same_on_all_ranks(*source, options.dataset.c_str(), communicator);
    const double scale = input_scale(data_config(options, model), source->element_type());
    return {std::move(source), scale,
            allowed_values(model.config().data.transform, support_of(model.config().model.likelihood.kind))};
}

}  // namespace

void require_scale(const std::optional<double>& scale) {
    if (!scale || (std::isfinite(*scale) && *scale > 0)) return;
    throw_input_error("--scale {}: a number above 0 is needed", *scale);
}

InferenceData::InferenceData(const InferenceDataOptions& options, std::int64_t most_rows,
                             const TrainedModel& model, Communicator& communicator, const Log& log)
    : options_(options),
      rows_(open_together(options, model, communicator)),
      rows_count_(options.limit.value_or(rows_.source().rows())) {
    run_on_first_rank(communicator, [&] {
        const std::string pattern = existing_dataset(options.dataset).file;
        for (const std::string& sentence : files_named_twice(matching_files(pattern)))
            log.warn("--data: {}", sentence);
    });
    const DataConfig config = data_config(options, model);
    const ElementType type = rows_.source().element_type();
    scale_ = input_scale(config, type);
    if (!config.scale && model.checkpoint().data_type.empty() && communicator.rank() == 0) {
        log.warn(
            "{} does not record what numbers it was trained on; those of {} are multiplied by {} "
            "(data.scale: auto); --scale sets another factor",
            model.file(), options.dataset, scale_);
    }
    run_together(communicator, [&] {
        const InputStatistics statistics = {.samples = model.checkpoint().statistics,
                                            .conditions = model.checkpoint().condition_statistics};
        input_ = std::make_unique<InputPipeline>(config, model.config().train.seed, rows_.source(),
                                                 statistics, most_rows, model.backend());
    });
}

std::vector<RowRange> InferenceData::ranges(std::int64_t most_rows) const {
    std::vector<RowRange> ranges;
    for (const RowRange& block : rows_.source().blocks()) {
        if (block.first >= rows_count_) break;
        const std::int64_t end = std::min(block.end(), rows_count_);
        const bool fits = !ranges.empty() && end - ranges.back().first <= most_rows;
        if (fits) {
            ranges.back().rows = end - ranges.back().first;
            continue;
        }
        for (std::int64_t first = block.first; first < end; first += most_rows)
            ranges.push_back({first, std::min(most_rows, end - first)});
    }
    return ranges;
}

InferenceData::Samples InferenceData::load(const RowRange& range) {
    const Slice slice = rows_.read(range);
    const ModelInput input = input_->load(slice, 0);
    return {.x = input.x, .rows = slice.rows, .conditions = input.conditions};
}

}  // namespace vae_dist
