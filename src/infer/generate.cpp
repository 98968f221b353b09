#include "vae_dist/infer/generate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "infer/command_output.hpp"
#include "infer/conditions.hpp"
#include "infer/data_units.hpp"
#include "infer/host_copy.hpp"
#include "infer/latents.hpp"
#include "infer/picture_units.hpp"
#include "infer/result_layout.hpp"
#include "infer/slices.hpp"
#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/shape.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/infer/ordered_work.hpp"

namespace vae_dist {

namespace {

constexpr std::int64_t kMostPrinted = 1000;   // samples
constexpr std::int64_t kPictureColumns = 10;  // of samples that do not belong together
constexpr std::int64_t kMostPictured = 100;   // of them
constexpr std::int64_t kMostPictureSteps = 256;
constexpr std::int64_t kMostPictureDimensions = 64;

/// Decodes latents slice by slice.
class Generator {
 public:
    /// Reserves the model's memory.
    Generator(const TrainedModel& model, const Latents& latents, const GenerateOptions& options,
              std::int64_t slice_rows)
        : model_(model),
          latents_(latents),
          draw_(options.draw),
          random_(options.seed, Purpose::likelihood),
          latent_(model.backend().allocate(static_cast<std::size_t>(slice_rows * model.latent_dim()) *
                                           sizeof(float))) {
        model.vae().reserve_inference(slice_rows);
        for (const std::vector<float>& numbers : condition_values(options, model))
            add_condition(numbers, slice_rows);
    }

    /// Of a slice of B rows, host memory: latent (B, Z), sample (B, D), in the model's units, and where there
    /// are draws the mean (B, D), else nothing.
    void run(const RowRange& slice, std::span<float> latent, std::span<float> sample, std::span<float> mean) {
        Vae& vae = model_.vae();
        latents_.fill(slice, latent);
        model_.backend().copy_in(latent_.as<float>(), latent.data(), latent.size_bytes());
        for (ConstFloatMatrix& condition : conditions_)
            condition.rows = slice.rows;
        const FloatMatrix output =
            vae.decode({latent_.as<const float>(), slice.rows, model_.latent_dim()}, conditions_);
        copy_to_host(model_.backend(), vae.to_mean(output), draw_ ? mean : sample);
        if (!draw_) return;
        std::vector<std::int64_t> rows(static_cast<std::size_t>(slice.rows));
        std::iota(rows.begin(), rows.end(), slice.first);
        vae.draw(random_, rows, output, {sample.data(), slice.rows, vae.features()});
    }

 private:
    void add_condition(const std::vector<float>& numbers, std::int64_t rows) {
        std::vector<float> repeated;
        for (std::int64_t r = 0; r < rows; ++r)
            repeated.insert(repeated.end(), numbers.begin(), numbers.end());
        Buffer& there =
            condition_memory_.emplace_back(model_.backend().allocate(repeated.size() * sizeof(float)));
        model_.backend().copy_in(there.as<float>(), repeated.data(), repeated.size() * sizeof(float));
        conditions_.emplace_back(there.as<const float>(), rows, std::ssize(numbers));
    }

    const TrainedModel& model_;
    const Latents& latents_;
    bool draw_;
    CounterRandom random_;
    Buffer latent_;  ///< (slice rows, Z)
    std::vector<Buffer> condition_memory_;
    std::vector<ConstFloatMatrix> conditions_;  ///< (slice rows, C) each, all rows the same
};

/// What rank 0 does with samples that are done: to the file, and to the terminal.
class Taker {
 public:
    Taker(CommandOutput& out, const ResultLayout& layout, bool draw, bool print, std::int64_t features,
          const Log& log)
        : out_(out),
          layout_(layout),
          arrays_(draw ? 3 : 2),
          print_(print),
          features_(static_cast<std::size_t>(features)),
          log_(log) {}

    void take(std::span<const std::byte> result) const {
        for (std::size_t array = 0; out_.has_file() && array < arrays_; ++array)
            out_.file().append(array, layout_.part(result, array));
        if (!print_) return;
        const std::span<const float> samples = layout_.part(result, 1);
        for (std::size_t at = 0; at < samples.size(); at += features_)
            log_.info("{}", fmt::join(samples.subspan(at, features_), " "));
    }

 private:
    CommandOutput& out_;
    const ResultLayout& layout_;
    std::size_t arrays_;
    bool print_;
    std::size_t features_;
    const Log& log_;
};

void check_options(const GenerateOptions& options, const TrainedModel& model, const CommandOutput& out) {
    check_latent_options(options);
    require_scale(options.data.scale);
    if (options.data.scale && options.units == Units::model && options.data.dataset.empty())
        throw_input_error("--scale has no effect without --units data or --data");
    if (options.units == Units::data && !out.has_file() && !options.print)
        throw_input_error("--units goes with --out or --print: a picture has units of its own");
    if (!out.has_file() && !out.has_picture() && !options.print) {
        throw_input_error(
            "generate needs something to do with the samples: --out, --png or --print; see vae_dist generate "
            "--help");
    }
    const std::int64_t steps =
        options.count || !options.latents.empty() ? 0 : options.steps.value_or(kDefaultSteps);
    const std::int64_t most_steps = samples_shown(kMostPictureSteps, model.vae().features());
    if (out.has_picture() && steps > most_steps)
        throw_input_error("--steps {}: a picture has room for {} at the most", steps, most_steps);
    std::vector<std::string> inputs = files_read(model, options.data.dataset);
    const std::vector<std::string> latents = files_read(model, options.latents);
    inputs.insert(inputs.end(), latents.begin(), latents.end());
    out.check(inputs);
}

void open_output(CommandOutput& out, const GenerateOptions& options, const TrainedModel& model,
                 const Latents& latents, const std::optional<double>& scale) {
    const bool data = !options.data.dataset.empty();
    out.open({.command = "generate",
              .data = options.data.dataset,
              .data_rows = data ? latents.data_rows : 0,
              .seed = options.seed},
             model);
    if (!out.has_file()) return;
    const auto write = [&](const char* name, const auto& value) {
        out.file().file().write_attribute("/", name, value);
    };
    write("kind", latents.kind);
    write("units", name_of(options.units));
    if (scale) write("data_scale", *scale);
    write("sample", options.draw ? "a draw from p(x|z)" : "the mean of p(x|z)");
    if (!options.latents.empty()) write("latents", options.latents);
    if (!options.condition.empty()) write("condition", fmt::format("{}", fmt::join(options.condition, ",")));
    if (latents.row_length > 0) write("steps", latents.row_length);
    if (options.row) write("row", *options.row);
    if (options.interpolate) {
        write("first_row", options.interpolate->front());
        write("last_row", options.interpolate->back());
    }
    out.file().add("latent", latents.rows, {model.latent_dim()});
    out.file().add("sample", latents.rows, model.row_shape());
    if (options.draw) out.file().add("mean", latents.rows, model.row_shape());
}

void make_all_samples(Generator& generator, const Latents& latents, const GenerateOptions& options,
                      const TrainedModel& model, const std::optional<DataUnits>& units,
                      std::int64_t slice_rows, CommandOutput& out, Communicator& communicator,
                      const Log& log) {
    const std::int64_t features = model.vae().features();
    const ResultLayout layout({model.latent_dim(), features, options.draw ? features : 0});
    const Taker taker(out, layout, options.draw, options.print, features, log);
    const auto compute = [&](const RowRange& range) {
        std::vector<std::byte> result = layout.allocate(range.rows);
        for (const RowRange& slice : slices_of(range, slice_rows)) {
            const auto part = [&](std::size_t array) {
                return layout.part(result, array, slice.first - range.first, slice.rows);
            };
            generator.run(slice, part(0), part(1), part(2));
            if (units) units->apply(part(1));
            if (units) units->apply(part(2));
        }
        return result;
    };
    // Group after group, as a list of all ranges need not fit into memory.
    const std::int64_t range_rows = layout.range_rows(slice_rows);
    for (const RowRange& group : slices_of({0, latents.rows}, range_rows << 16)) {
        work_in_order(
            slices_of(group, range_rows), compute,
            [&](const RowRange&, std::span<const std::byte> result) { taker.take(result); }, communicator);
    }
}

/// What of the samples a picture shows: the first `rows`.
struct Pictured {
    std::int64_t rows;
    std::int64_t columns;   ///< of a grid
    std::int64_t together;  ///< samples of one walk
};

Pictured pictured(const Latents& latents, const TrainedModel& model) {
    const std::int64_t features = model.vae().features();
    const std::int64_t together = std::max<std::int64_t>(latents.row_length, 1);
    std::int64_t most = samples_in_panels(features, together) / together;
    if (image_shape(model.row_shape()))
        most = latents.row_length == 0 ? kMostPictured : kMostPictureDimensions;
    const std::int64_t shown = samples_shown(std::min(most, latents.rows / together), features * together);
    return {.rows = shown * together,
            .columns = latents.row_length == 0 ? std::min(kPictureColumns, latents.rows) : together,
            .together = together};
}

Picture picture_of(Generator& generator, const Pictured& grid, const TrainedModel& model, bool draw,
                   std::int64_t slice_rows) {
    const auto numbers = [](std::int64_t rows, std::int64_t width) {
        return static_cast<std::size_t>(rows * width);
    };
    const std::int64_t features = model.vae().features();
    std::vector<float> samples(numbers(grid.rows, features));
    for (const RowRange& slice : slices_of({0, grid.rows}, slice_rows)) {
        std::vector<float> latent(numbers(slice.rows, model.latent_dim()));
        std::vector<float> mean(draw ? numbers(slice.rows, features) : 0);
        generator.run(
            slice, latent,
            std::span(samples).subspan(numbers(slice.first, features), numbers(slice.rows, features)), mean);
    }
    const PictureUnits units(model);
    units.apply(samples);
    const std::optional<ImageShape> shape = image_shape(model.row_shape());
    if (!shape) return panels_of(samples, features, grid.together);
    return grid_of(samples, *shape, grid.columns, units.span(span_of_most(samples)));
}

std::string summary(const GenerateOptions& options, const TrainedModel& model, const Latents& latents) {
    const std::string shape = format_shape(model.row_shape());
    return fmt::format("latent ({0}, {1}), sample ({0}, {2}){3} in ", latents.rows, model.latent_dim(), shape,
                       options.draw ? fmt::format(", mean ({}, {})", latents.rows, shape) : "");
}

}  // namespace

void generate(const TrainedModel& model, const GenerateOptions& options, Communicator& communicator,
              const Log& log) {
    CommandOutput out(options.output, options.png);
    std::optional<DataUnits> units;
    std::optional<double> scale;
    run_on_first_rank(communicator, [&] { check_options(options, model, out); });
    const Latents latents = make_latents(options, model, communicator, log);
    run_together(communicator, [&] {
        scale = latents.data_scale;
        if (options.units == Units::model) return;
        if (!scale) scale = scale_of_training(model, options.data.scale);
        units.emplace(model, *scale);
    });
    run_on_first_rank(communicator, [&] {
        if (options.print && latents.rows > kMostPrinted) {
            throw_input_error("--print: {} samples are more than the {} that are printed at the most",
                              latents.rows, kMostPrinted);
        }
        open_output(out, options, model, latents, scale);
    });
    const std::int64_t slice_rows = most_slice_rows(model.vae().features());
    std::optional<Generator> generator;
    run_together(communicator, [&] { generator.emplace(model, latents, options, slice_rows); });
    if (out.has_file() || options.print) {
        make_all_samples(*generator, latents, options, model, units, slice_rows, out, communicator, log);
    }
    run_on_first_rank(communicator, [&] {
        std::optional<Picture> picture;
        std::int64_t shown = 0;
        if (out.has_picture()) {
            const Pictured grid = pictured(latents, model);
            shown = grid.rows;
            if (latents.row_length > 0 && grid.rows < latents.rows && !options.print) {
                log.info("the picture shows the first {} of {} latent dimensions", grid.rows / grid.columns,
                         latents.rows / grid.columns);
            }
            picture = picture_of(*generator, grid, model, options.draw, slice_rows);
        }
        out.commit(picture);
        if (options.print) return;  // nothing but samples
        if (out.has_file()) {
            log.info("generated {} ({}): {}{}", counted(latents.rows, "sample"), latents.kind,
                     summary(options, model, latents), out.where(shown, latents.rows));
        } else if (out.has_picture()) {
            const std::string first =
                shown < latents.rows ? fmt::format("the first {} of ", format_count(shown)) : "";
            log.info("generated {}{} ({}): {}", first, counted(latents.rows, "sample"), latents.kind,
                     out.where(shown, latents.rows));
        }
    });
}

}  // namespace vae_dist
