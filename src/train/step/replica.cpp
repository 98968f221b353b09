#include "vae_dist/train/step/replica.hpp"

#include <algorithm>

namespace vae_dist {

namespace {

std::vector<ModelCondition> conditions_of(const RowSource& data) {
    std::vector<ModelCondition> conditions;
    for (const RowField& field : data.fields())
        conditions.push_back({.name = field.name, .columns = field.numbers()});
    conditions.erase(conditions.begin());  // the samples
    return conditions;
}

}  // namespace

Replica::Replica(const Config& config, const RowSource& data, const InputStatistics& statistics,
                 std::int64_t rows, Backend& backend_)
    : backend(backend_),
      slice_rows(rows),
      vae(config.model, data.features(), backend_, config.train.precision, conditions_of(data)),
      optimizer(config.optimizer, backend_, vae.layout().size()),
      input(config.data, config.train.seed, data, statistics,
            rows_a_pass(rows, config.objective.importance_samples), backend_) {
    const std::int64_t draws = config.objective.importance_samples;
    vae.reserve(rows_a_pass(rows, draws), draws);
}

const TermValues& Replica::evaluate(const Slice& pass, const CounterRandom& noise, std::int64_t draws) {
    const ModelInput loaded = input.load(pass, 0);
    return vae.evaluate({.x = loaded.x,
                         .rows = pass.rows,
                         .noise = noise,
                         .visit = 0,
                         .draws = draws,
                         .conditions = loaded.conditions});
}

std::int64_t rows_a_pass(std::int64_t slice_rows, std::int64_t draws) {
    constexpr std::int64_t kMostDecoderRows = 16384;
    return draws == 1 ? slice_rows : std::clamp<std::int64_t>(kMostDecoderRows / draws, 1, slice_rows);
}

std::int64_t passes_of(std::int64_t slice_rows, std::int64_t draws) {
    const std::int64_t rows = rows_a_pass(slice_rows, draws);
    return (slice_rows + rows - 1) / rows;
}

}  // namespace vae_dist
