#include "vae_dist/infer/reconstruct.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "infer/command_output.hpp"
#include "infer/data_units.hpp"
#include "infer/host_copy.hpp"
#include "infer/nonfinite_rows.hpp"
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

constexpr std::int64_t kBand = 10;        // images side by side
constexpr std::int64_t kMostImages = 50;  // five bands

/// What a slice of B rows becomes; host memory.
struct Reconstructed {
    std::span<float> mean;                ///< (B, D), of p(x|z) for the posterior's mean
    std::vector<std::span<float>> terms;  ///< (B) each, for one draw from the posterior
    std::span<float> elbo;                ///< (B)
};

/// What a term is called in the output, where `reconstruction` is the samples.
std::string dataset_of(const std::string& term) {
    constexpr std::string_view kReconstruction = "reconstruction";
    if (TermValues::sign_in_elbo(term) < 1) return term;
    return std::string(kReconstruction) + "_term" + term.substr(kReconstruction.size());
}

class Reconstructor {
 public:
    /// Reserves the model's memory for slices of `most_rows` rows.
    Reconstructor(const TrainedModel& model, InferenceData& data, std::uint32_t seed, std::int64_t most_rows)
        : model_(model), data_(data), noise_(seed, Purpose::validation_noise) {
        model.vae().reserve_inference(most_rows);
    }

    // The terms as validation has them: the same draw, of visit 0.
    void run(const RowRange& slice, const Reconstructed& to) {
        Vae& vae = model_.vae();
        Backend& backend = model_.backend();
        const InferenceData::Samples samples = data_.load(slice);
        const Posterior posterior = vae.encode(samples.x, samples.conditions);
        const DrawTerms terms = vae.weigh_draws(samples.x, posterior,
                                                {.random = noise_, .rows = samples.rows}, samples.conditions);
        std::ranges::fill(to.elbo, 0.0F);
        for (std::size_t t = 0; t < to.terms.size(); ++t) {
            const std::span<float> values = to.terms[t];
            backend.copy_out(values.data(), terms.terms[t].values.data(), values.size_bytes());
            const int sign = TermValues::sign_in_elbo(terms.terms[t].name);
            for (std::size_t i = 0; i < values.size(); ++i)
                to.elbo[i] += static_cast<float>(sign) * values[i];
        }
        write_mean(posterior.mean, samples.conditions, to.mean);
    }

    /// The samples themselves and their reconstructions (rows, D), in the model's units.
    struct Pairs {
        std::vector<float> originals;
        std::vector<float> reconstructions;
    };
    Pairs pairs(std::int64_t rows, std::int64_t slice_rows) {
        const auto features = static_cast<std::size_t>(data_.features());
        Pairs pairs;
        for (const RowRange& slice : slices_of({0, rows}, slice_rows)) {
            const std::size_t numbers = static_cast<std::size_t>(slice.rows) * features;
            const std::size_t before = pairs.originals.size();
            pairs.originals.resize(before + numbers);
            pairs.reconstructions.resize(before + numbers);
            const InferenceData::Samples samples = data_.load(slice);
            copy_to_host(model_.backend(), samples.x, std::span(pairs.originals).subspan(before));
            write_mean(model_.vae().encode(samples.x, samples.conditions).mean, samples.conditions,
                       std::span(pairs.reconstructions).subspan(before));
        }
        return pairs;
    }

 private:
    void write_mean(ConstFloatMatrix latent, ConditionsView conditions, std::span<float> to) {
        const FloatMatrix output = model_.vae().decode(latent, conditions);
        copy_to_host(model_.backend(), model_.vae().to_mean(output), to);
    }

    const TrainedModel& model_;
    InferenceData& data_;
    CounterRandom noise_;
};

/// Bands of ten originals above their reconstructions, the last one filled up with the background's grey.
Picture bands_of(const Reconstructor::Pairs& pairs, const ImageShape& shape, const ValueSpan& shown) {
    const auto size = static_cast<std::size_t>(shape.height * shape.width * shape.channels);
    const std::size_t images = pairs.originals.size() / size;
    const std::size_t band = std::min<std::size_t>(images, kBand);
    std::vector<float> cells;
    for (std::size_t first = 0; first < images; first += band) {
        const std::size_t here = std::min(band, images - first);
        for (const std::vector<float>* from : {&pairs.originals, &pairs.reconstructions}) {
            const auto begin = from->begin() + static_cast<std::ptrdiff_t>(first * size);
            cells.insert(cells.end(), begin, begin + static_cast<std::ptrdiff_t>(here * size));
            cells.insert(cells.end(), (band - here) * size, (shown.lowest + shown.highest) / 2);
        }
    }
    return grid_of(cells, shape, static_cast<std::int64_t>(band), shown);
}

// How many rows a picture shows: the first ones.
std::int64_t rows_pictured(const TrainedModel& model, const InferenceData& data) {
    const bool images = image_shape(model.row_shape()).has_value();
    const std::int64_t wanted = images ? kMostImages : samples_in_panels(data.features());
    return samples_shown(std::min(wanted, data.rows()), data.features());
}

Picture picture_of(const TrainedModel& model, std::int64_t rows, Reconstructor& reconstructor,
                   std::int64_t slice_rows) {
    const std::int64_t features = element_count(model.row_shape());
    const std::optional<ImageShape> shape = image_shape(model.row_shape());
    Reconstructor::Pairs pairs = reconstructor.pairs(rows, slice_rows);
    const PictureUnits units(model);
    units.apply(pairs.originals);
    units.apply(pairs.reconstructions);
    if (!shape) return panels_of(pairs.originals, pairs.reconstructions, features);
    return bands_of(pairs, *shape, units.span(span_of(pairs.originals)));
}

void open_output(CommandOutput& out, const TrainedModel& model, const ReconstructOptions& options,
                 const InferenceData& data) {
    out.open({.command = "reconstruct", .data = data.name(), .data_rows = data.rows(), .seed = options.seed},
             model);
    if (!out.has_file()) return;
    out.file().file().write_attribute("/", "data_scale", data.scale());
    out.file().file().write_attribute("/", "units", name_of(options.units));
    out.file().add("reconstruction", data.rows(), model.row_shape());
    const TermValues terms = model.vae().terms(1);
    for (const std::string& term : terms.names())
        out.file().add(dataset_of(term), data.rows(), {});
    out.file().add("elbo", data.rows(), {});
}

void write_all_rows(InferenceData& data, Reconstructor& reconstructor, std::size_t terms,
                    const std::optional<DataUnits>& units, std::int64_t slice_rows, CommandOutput& out,
                    NonFiniteRows& nonfinite, Communicator& communicator) {
    // The mean, each term, the ELBO.
    std::vector<std::int64_t> columns = {data.features()};
    columns.insert(columns.end(), terms + 1, 1);
    const std::size_t elbo = columns.size() - 1;
    const ResultLayout layout(std::move(columns));
    const auto compute = [&](const RowRange& range) {
        std::vector<std::byte> result = layout.allocate(range.rows);
        for (const RowRange& slice : slices_of(range, slice_rows)) {
            const auto part = [&](std::size_t array) {
                return layout.part(result, array, slice.first - range.first, slice.rows);
            };
            Reconstructed to = {.mean = part(0), .terms = {}, .elbo = part(elbo)};
            for (std::size_t array = 1; array < elbo; ++array)
                to.terms.push_back(part(array));
            reconstructor.run(slice, to);
            if (units) units->apply(part(0));
        }
        return result;
    };
    const auto take = [&](const RowRange& range, std::span<const std::byte> result) {
        nonfinite.look_at(range.first, layout.part(result, elbo), 1);
        for (std::size_t array = 0; array <= elbo; ++array)
            out.file().append(array, layout.part(result, array));
    };
    work_in_order(data.ranges(layout.range_rows(slice_rows)), compute, take, communicator);
}

}  // namespace

void reconstruct(const TrainedModel& model, const ReconstructOptions& options, Communicator& communicator,
                 const Log& log) {
    CommandOutput out(options.output, options.png);
    run_on_first_rank(communicator, [&] {
        if (!out.has_file() && !out.has_picture())
            throw_input_error(
                "reconstruct needs a file to write to: --out or --png; see vae_dist reconstruct --help");
        if (options.units == Units::data && !out.has_file())
            throw_input_error("--units goes with --out: a picture has units of its own");
        out.check(files_read(model, options.data.dataset));
    });
    const std::int64_t slice_rows = most_slice_rows(element_count(model.row_shape()));
    InferenceData data(options.data, slice_rows, model, communicator, log);
    std::optional<DataUnits> units;
    std::optional<Reconstructor> reconstructor;
    run_together(communicator, [&] {
        if (options.units == Units::data) units.emplace(model, data.scale());
    });
    run_on_first_rank(communicator, [&] { open_output(out, model, options, data); });
    run_together(communicator, [&] { reconstructor.emplace(model, data, options.seed, slice_rows); });
    NonFiniteRows nonfinite;
    const TermValues terms = model.vae().terms(1);
    if (out.has_file()) {
        write_all_rows(data, *reconstructor, terms.names().size(), units, slice_rows, out, nonfinite,
                       communicator);
    }
    run_on_first_rank(communicator, [&] {
        std::optional<Picture> picture;
        const std::int64_t shown = out.has_picture() ? rows_pictured(model, data) : 0;
        if (out.has_picture()) picture = picture_of(model, shown, *reconstructor, slice_rows);
        out.commit(picture);
        nonfinite.warn(data.name(), log);
        if (out.has_file()) {
            std::vector<std::string> names;
            std::ranges::transform(terms.names(), std::back_inserter(names), dataset_of);
            log.info("reconstructed {} of {}: reconstruction ({}, {}), {}, elbo in {}",
                     counted(data.rows(), "sample"), data.name(), data.rows(),
                     format_shape(model.row_shape()), fmt::join(names, ", "), out.where(shown, data.rows()));
        } else {
            const std::string first =
                shown < data.rows() ? fmt::format("the first {} of ", format_count(shown)) : "";
            log.info("reconstructed {}{} of {}: {}", first, counted(data.rows(), "sample"), data.name(),
                     out.where(shown, data.rows()));
        }
    });
}

}  // namespace vae_dist
