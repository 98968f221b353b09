#include "vae_dist/infer/evaluate.hpp"

#include <algorithm>
#include <bit>

#include "infer/evaluation/data_subsets.hpp"
#include "infer/evaluation/evaluation_progress.hpp"
#include "infer/evaluation/evaluation_sums.hpp"
#include "infer/evaluation/mmd.hpp"
#include "infer/evaluation/prior_samples.hpp"
#include "infer/evaluation/range_evaluator.hpp"
#include "infer/host_copy.hpp"
#include "infer/slices.hpp"
#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/shape.hpp"
#include "vae_dist/infer/ordered_work.hpp"

namespace vae_dist {

namespace {

void check(const EvaluateOptions& options) {
    if (options.importance_samples < 1 || options.importance_samples > kMostDraws) {
        throw_input_error("--importance-samples is {}, but must be from 1 to {}", options.importance_samples,
                          kMostDraws);
    }
}

// Results are small, and a range of many draws takes some ten milliseconds: ranks that waited for the slowest
// after each would lose what any of them is held up by.
constexpr std::size_t kRangesATurn = 16;

// Of many draws few rows, so that there is enough to share out however few rows there are.
std::int64_t rows_of_range(std::int64_t draws, std::int64_t features) {
    const std::int64_t rows = std::clamp<std::int64_t>(16384 / draws, 1, most_slice_rows(features));
    return static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(rows)));
}

// Pictures and other large sets are compared as well by a thousand samples.
std::int64_t rows_to_compare(std::int64_t rows, std::int64_t features) {
    constexpr std::int64_t kMostBytes = 64 << 20;
    const std::int64_t fitting = kMostBytes / (features * static_cast<std::int64_t>(sizeof(float)));
    return std::min({std::int64_t{1000}, rows / 2, fitting});
}

// Grey values in [0, 1] may be probabilities to a likelihood: draws from it would be black and white.
bool compares_means(const TrainedModel& model) {
    const Config& config = model.config();
    return model.vae().likelihood().mean_is_probability() && config.data.transform != Transform::binarize &&
           config.data.transform != Transform::threshold;
}

/// What rank 0 gathers: sums over all rows, and the rows that stand for the data.
class Gathering {
 public:
    Gathering(const TrainedModel& model, std::int64_t features, const DataSubsets& subsets)
        : model_(model),
          features_(features),
          subsets_(subsets),
          sums_(model.vae().terms(1), model.latent_dim()) {
        for (const ModelCondition& condition : model.vae().conditions())
            width_ += condition.columns;
    }

    void take(const RowRange& range, std::span<const std::byte> bytes) {
        const RangeFigures figures = RangeFigures::from_bytes(bytes, static_cast<std::size_t>(range.rows),
                                                              model_.vae().terms(1).values().size(),
                                                              static_cast<std::size_t>(model_.latent_dim()));
        sums_.add(figures);
        picked_.resize(static_cast<std::size_t>(2 * subsets_.size() * width_));
        auto from = figures.picked.begin();
        for (const DataSubsets::Pick& pick : subsets_.in(range)) {
            std::copy_n(from, width_, picked_.begin() + pick.place * width_);
            from += width_;
        }
    }

    void finish(std::uint32_t seed, std::int64_t decoder_rows, Evaluation& evaluation) const {
        sums_.fill(evaluation, features_,
                   {.cross_entropy = model_.vae().likelihood().mean_is_probability(),
                    .kl_per_dimension = model_.vae().prior().is_standard_normal()});
        if (subsets_.size() < 2) return;
        const bool means = compares_means(model_);
        const std::vector<float> generated =
            prior_samples(model_.vae(), model_.backend(), model_.latent_dim(), subsets_.size(), seed, means,
                          decoder_rows, conditions_of_first_half());
        const std::vector<float> samples = columns_of(0, features_, 2 * subsets_.size());
        const auto picked = std::span(samples);
        evaluation.mmd = sample_quality(model_.backend(), features_, picked.first(generated.size()),
                                        picked.last(generated.size()), generated);
        if (evaluation.mmd) evaluation.mmd->from_means = means;
    }

 private:
    // Of the first rows that were picked.
    std::vector<float> columns_of(std::int64_t first, std::int64_t count, std::int64_t rows) const {
        std::vector<float> columns;
        for (std::int64_t r = 0; r < rows; ++r) {
            const auto row = picked_.begin() + r * width_ + first;
            columns.insert(columns.end(), row, row + count);
        }
        return columns;
    }
    // What the generated samples depend on: as the rows that they are compared with.
    std::vector<std::vector<float>> conditions_of_first_half() const {
        std::vector<std::vector<float>> conditions;
        std::int64_t first = features_;
        for (const ModelCondition& condition : model_.vae().conditions()) {
            conditions.push_back(columns_of(first, condition.columns, subsets_.size()));
            first += condition.columns;
        }
        return conditions;
    }

    const TrainedModel& model_;
    std::int64_t features_;
    const DataSubsets& subsets_;
    EvaluationSums sums_;
    std::int64_t width_ = features_;  ///< numbers of a row that is picked: the sample, then its conditions
    std::vector<float> picked_;       ///< (2 n, width), by place
};

std::vector<float> picked_rows(Backend& backend, const InferenceData::Samples& samples, const RowRange& range,
                               const DataSubsets& subsets) {
    std::vector<float> picked;
    for (const DataSubsets::Pick& pick : subsets.in(range)) {
        const auto append = [&](ConstFloatMatrix matrix) {
            const std::vector<float> row = to_host(backend, matrix.row_block(pick.row - range.first, 1));
            picked.insert(picked.end(), row.begin(), row.end());
        };
        append(samples.x);
        for (const ConstFloatMatrix& condition : samples.conditions)
            append(condition);
    }
    return picked;
}

}  // namespace

Evaluation evaluate(const TrainedModel& model, const EvaluateOptions& options, Communicator& communicator,
                    const Log& log) {
    run_together(communicator, [&] { check(options); });
    const std::int64_t features = element_count(model.row_shape());
    const std::int64_t most_rows = rows_of_range(options.importance_samples, features);
    InferenceData data(options.data, most_rows, model, communicator, log);

    const DataSubsets subsets(data.rows(), rows_to_compare(data.rows(), features), options.seed);
    std::optional<RangeEvaluator> evaluator;
    run_together(communicator, [&] {
        evaluator.emplace(
            model.vae(), model.backend(), model.config().model,
            RangeEvaluatorOptions{
                .draws = options.importance_samples, .seed = options.seed, .most_rows = most_rows});
    });
    Gathering gathering(model, features, subsets);
    {
        EvaluationProgress progress(data.rows(), communicator.rank() == 0);
        work_in_order(
            data.ranges(most_rows),
            [&](const RowRange& range) {
                const InferenceData::Samples samples = data.load(range);
                RangeFigures figures = evaluator->evaluate(samples);
                figures.picked = picked_rows(model.backend(), samples, range, subsets);
                return figures.to_bytes();
            },
            [&](const RowRange& range, std::span<const std::byte> bytes) {
                gathering.take(range, bytes);
                progress.add(range.rows);
            },
            communicator, kRangesATurn);
    }

    Evaluation evaluation;
    evaluation.rows = data.rows();
    evaluation.features = features;
    evaluation.importance_samples = options.importance_samples;
    evaluation.seed = options.seed;
    evaluation.scale = data.scale();
    run_on_first_rank(communicator,
                      [&] { gathering.finish(options.seed, evaluator->decoder_rows(), evaluation); });
    return evaluation;
}

}  // namespace vae_dist
