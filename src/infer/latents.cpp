#include "infer/latents.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <vector>

#include "infer/host_copy.hpp"
#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/data/rows/dataset_name.hpp"
#include "vae_dist/train/run/consistency.hpp"

namespace vae_dist {

namespace {

constexpr float kTraversed = 3;  // standard deviations of N(0, I), to either side

/// Posterior means of some rows of the data.
struct RowMeans {
    std::vector<std::vector<float>> means;  ///< (Z) each
    std::int64_t data_rows = 0;
    std::optional<double> data_scale;
};

// Collective. Every rank computes them itself, to the same bits.
RowMeans posterior_means(const std::vector<std::int64_t>& rows, const GenerateOptions& options,
                         const TrainedModel& model, Communicator& communicator, const Log& log) {
    InferenceData data(options.data, 1, model, communicator, log);
    RowMeans found = {.means = {}, .data_rows = data.rows(), .data_scale = data.scale()};
    run_together(communicator, [&] {
        for (const std::int64_t row : rows) {
            if (row >= 0 && row < data.rows()) continue;
            throw_input_error("row {} is not in {}, which has only {}", row, data.name(),
                              format_range("row", 0, data.rows() - 1));
        }
        model.vae().reserve_inference(1);
        for (const std::int64_t row : rows) {
            std::vector<float>& mean = found.means.emplace_back(model.latent_dim());
            const InferenceData::Samples samples = data.load({row, 1});
            copy_to_host(model.backend(), model.vae().encode(samples.x, samples.conditions).mean, mean);
        }
    });
    return found;
}

// Calls one(row, its latent (Z)) for each row of a range.
template <class One>
auto row_by_row(std::int64_t latent_dim, One one) {
    return [latent_dim, one = std::move(one)](const RowRange& range, std::span<float> to) {
        const auto z = static_cast<std::size_t>(latent_dim);
        for (std::int64_t i = 0; i < range.rows; ++i)
            one(range.first + i, to.subspan(static_cast<std::size_t>(i) * z, z));
    };
}

Latents from_prior(const GenerateOptions& options, const TrainedModel& model) {
    const CounterRandom random(options.seed, Purpose::prior);
    return {.kind = "prior",
            .rows = options.count.value(),
            .fill = [random, &model](const RowRange& range, std::span<float> to) {
                model.vae().draw_from_prior(random, range.first, {to.data(), range.rows, model.latent_dim()});
            }};
}

std::unique_ptr<RowSource> open_latents(const GenerateOptions& options, const TrainedModel& model) {
    const std::string& dataset = options.latents;
    const DatasetName name = existing_dataset(dataset);
    const ReadAs as = {.conventions = options.data.conventions.value_or(Conventions::automatic),
                       .setting = "--conventions"};
    auto source = open_hdf5_rows({.files = {name.file}, .dataset = name.dataset}, as);
    if (source->row_shape() == std::vector<std::int64_t>{model.latent_dim()}) return source;
    throw_input_error("{} has rows of shape {}, but {} has {}", dataset, format_shape(source->row_shape()),
                      model.file(), counted(model.latent_dim(), "latent dimension"));
}

Latents from_file(const GenerateOptions& options, const TrainedModel& model, Communicator& communicator) {
    std::unique_ptr<RowSource> source;
    run_together(communicator, [&] { source = open_latents(options, model); });
    require_same_on_all_ranks(*source, options.latents.c_str(), communicator);
    constexpr float kLargest = std::numeric_limits<float>::max();
    const ValueRange finite = {-kLargest, kLargest, "latents must be finite in float32"};
    const std::int64_t rows = source->rows();
    const ElementType type = source->element_type();
    const auto reader = std::make_shared<CheckedRows>(std::move(source), 1, finite);
    return {
        .kind = "latents", .rows = rows, .fill = [reader, type](const RowRange& range, std::span<float> to) {
            const Slice slice = reader->read(range);
            with_type(type, [&]<class T>(T) {
                for (std::size_t i = 0; i < to.size(); ++i)
                    to[i] = static_cast<float>(element_at<T>(slice.raw.data(), i));
            });
        }};
}

std::int64_t steps_of(const GenerateOptions& options) {
    return options.steps.value_or(kDefaultSteps);
}

// Row by row through dimension 0, then 1, ...
Latents traversal(const GenerateOptions& options, const TrainedModel& model, Communicator& communicator,
                  const Log& log) {
    const std::int64_t z = model.latent_dim();
    const std::int64_t steps = steps_of(options);
    RowMeans base;
    base.means.emplace_back(static_cast<std::size_t>(z));
    if (options.row) base = posterior_means({*options.row}, options, model, communicator, log);
    const auto latent_of = [steps, kept = base.means[0]](std::int64_t row, std::span<float> latent) {
        std::copy(kept.begin(), kept.end(), latent.begin());
        const double part = static_cast<double>(row % steps) / static_cast<double>(steps - 1);
        latent[static_cast<std::size_t>(row / steps)] = static_cast<float>(kTraversed * (2 * part - 1));
    };
    return {.kind = "traversal",
            .rows = z * steps,
            .row_length = steps,
            .data_rows = base.data_rows,
            .data_scale = base.data_scale,
            .fill = row_by_row(z, latent_of)};
}

Latents interpolation(const GenerateOptions& options, const TrainedModel& model, Communicator& communicator,
                      const Log& log) {
    const auto [first, last] = options.interpolate.value();
    const RowMeans ends = posterior_means({first, last}, options, model, communicator, log);
    const auto latent_of = [ends, steps = steps_of(options)](std::int64_t row, std::span<float> latent) {
        const double part = static_cast<double>(row) / static_cast<double>(steps - 1);
        for (std::size_t i = 0; i < latent.size(); ++i)
            latent[i] = static_cast<float>((1 - part) * ends.means[0][i] + part * ends.means[1][i]);
    };
    return {.kind = "interpolation",
            .rows = steps_of(options),
            .row_length = steps_of(options),
            .data_rows = ends.data_rows,
            .data_scale = ends.data_scale,
            .fill = row_by_row(model.latent_dim(), latent_of)};
}

void check_steps(const GenerateOptions& options) {
    if (!options.steps) return;
    if (!options.traverse && !options.interpolate)
        throw_input_error("--steps goes with --traverse or --interpolate only");
    if (*options.steps >= 2 && *options.steps <= kMostSteps) return;
    throw_input_error("--steps {}: a number from 2 to {} is needed", *options.steps, kMostSteps);
}

}  // namespace

void check_latent_options(const GenerateOptions& options) {
    const int ways = (options.count ? 1 : 0) + (options.latents.empty() ? 0 : 1) +
                     (options.traverse ? 1 : 0) + (options.interpolate ? 1 : 0);
    if (ways != 1) {
        throw_input_error(
            "generate needs one of --count, --latents, --traverse and --interpolate, and was given {}; see "
            "vae_dist generate --help",
            ways == 0 ? "none" : fmt::format("{}", ways));
    }
    if (options.count && (*options.count < 1 || *options.count > kMostRows)) {
        throw_input_error("--count {}: a number from 1 to {} is needed", *options.count, kMostRows);
    }
    check_steps(options);
    if (options.row && !options.traverse) throw_input_error("--row goes with --traverse only");
    const bool needs_data = options.row || options.interpolate;
    if (needs_data && options.data.dataset.empty()) {
        throw_input_error("{} needs the dataset that its rows are in: --data FILE.h5:DATASET",
                          options.row ? "--row" : "--interpolate");
    }
    if (!needs_data && !options.data.dataset.empty()) {
        throw_input_error("--data goes with --interpolate, or with --traverse and --row, only");
    }
}

Latents make_latents(const GenerateOptions& options, const TrainedModel& model, Communicator& communicator,
                     const Log& log) {
    if (options.count) return from_prior(options, model);
    if (options.traverse) return traversal(options, model, communicator, log);
    if (options.interpolate) return interpolation(options, model, communicator, log);
    return from_file(options, model, communicator);
}

}  // namespace vae_dist
