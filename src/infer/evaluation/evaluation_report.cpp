#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "vae_dist/core/text.hpp"
#include "vae_dist/infer/evaluate.hpp"
#include "vae_dist/model/term_values.hpp"

namespace vae_dist {

namespace {

using Json = nlohmann::ordered_json;

std::string number(double value) {
    const bool tiny = value != 0 && std::abs(value) < 0.001;
    return tiny ? fmt::format("{:.2e}", value) : fmt::format("{:.4f}", value);
}

std::string line(const std::string& name, const std::string& value, const std::string& remark = "") {
    const std::string text = fmt::format("{:<20}{:>12}{}{}", name, value, remark.empty() ? "" : "  ", remark);
    return text + "\n";
}

std::string line(const std::string& name, const MeanOverRows& mean, const std::string& remark = "") {
    // Of one row there is no standard error.
    const std::string error = std::isfinite(mean.standard_error) ? "+/- " + number(mean.standard_error) : "";
    const std::string gap = error.empty() || remark.empty() ? "" : "  ";
    return line(name, number(mean.mean), error + gap + remark);
}

std::string log_likelihood_line(const Evaluation& e) {
    if (e.importance_samples == 1) return line("log p(x)", e.log_likelihood, "(one draw)");
    return line("log p(x)", e.log_likelihood,
                fmt::format("(Monte Carlo {}; {:.1f} of {} draws effective)", number(e.monte_carlo_error),
                            e.effective_draws, format_count(e.importance_samples)));
}

// The latent dimensions that say most, five in a line.
std::string latent_lines(const Evaluation& e) {
    constexpr std::size_t kMost = 10;
    constexpr std::size_t kInLine = 5;
    std::vector<std::size_t> order(e.kl_per_dimension.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(
        order, [&](std::size_t a, std::size_t b) { return e.kl_per_dimension[a] > e.kl_per_dimension[b]; });
    std::string lines;
    for (std::size_t first = 0; first < std::min(order.size(), kMost); first += kInLine) {
        std::vector<std::string> items;
        for (std::size_t i = first; i < std::min({order.size(), kMost, first + kInLine}); ++i)
            items.push_back(fmt::format("z[{}] {:.3f}", order[i], e.kl_per_dimension[order[i]]));
        lines += fmt::format("{:<20}{:>12}{}\n", first == 0 ? "  largest dimensions" : "", "",
                             fmt::join(items, "  "));
    }
    return lines;
}

std::string quality_lines(const SampleQuality& quality) {
    return line("mmd^2", number(quality.generated),
                fmt::format("generated {} against data, {} each", quality.from_means ? "means" : "draws",
                            counted(quality.rows, "row"))) +
           line("", number(quality.data), "data against other data: the least to expect");
}

Json json_of_mean(const MeanOverRows& mean) {
    return {{"mean", mean.mean}, {"standard_error", mean.standard_error}};
}

Json json_of_quality(const SampleQuality& quality) {
    return {{"generated", quality.generated},
            {"data", quality.data},
            {"bandwidth", quality.bandwidth},
            {"rows", quality.rows},
            {"from_means", quality.from_means}};
}

}  // namespace

std::string table_of(const Evaluation& e) {
    std::string table = line("rows", format_count(e.rows),
                             fmt::format("of {}, in the model's units", counted(e.features, "number")));
    table += log_likelihood_line(e);
    table += line("bits per dimension", number(e.bits_per_dimension));
    table += line("elbo", e.elbo);
    for (const TermMean& term : e.terms)
        table += line((TermValues::is_of_elbo(term.name) ? "  " : "") + term.name, term.value);
    table += latent_lines(e);
    if (e.active_units)
        table += line("active units", fmt::format("{} of {}", *e.active_units, e.mean_variance.size()));
    table += line("mse", e.mse, "per number");
    if (e.cross_entropy) table += line("cross-entropy", *e.cross_entropy);
    if (e.mmd) table += quality_lines(*e.mmd);
    return table;
}

// nlohmann-json writes null for numbers that are not finite.
std::string json_of(const Evaluation& e, const EvaluateOptions& options, const TrainedModel& model) {
    Json json = {{"checkpoint", model.file()},
                 {"step", model.checkpoint().progress.step},
                 {"data", options.data.dataset},
                 {"rows", e.rows},
                 {"features", e.features},
                 {"importance_samples", e.importance_samples},
                 {"seed", e.seed},
                 {"data_scale", e.scale},
                 {"elbo", json_of_mean(e.elbo)}};
    for (const TermMean& term : e.terms)
        json[term.name] = json_of_mean(term.value);
    json["log_likelihood"] = json_of_mean(e.log_likelihood);
    json["monte_carlo_error"] = e.monte_carlo_error;
    json["effective_draws"] = e.effective_draws;
    json["bits_per_dimension"] = e.bits_per_dimension;
    json["active_units"] = e.active_units ? Json(*e.active_units) : Json();
    json["mean_variance"] = e.mean_variance;
    json["kl_per_dimension"] = e.kl_per_dimension.empty() ? Json() : Json(e.kl_per_dimension);
    json["mse"] = json_of_mean(e.mse);
    if (e.cross_entropy) json["cross_entropy"] = json_of_mean(*e.cross_entropy);
    if (e.mmd) json["mmd"] = json_of_quality(*e.mmd);
    return json.dump(2);
}

}  // namespace vae_dist
