#include "app/model_command_line.hpp"

#include <fmt/format.h>

#include <limits>
#include <string>

#include "app/validators.hpp"
#include "vae_dist/config/names.hpp"

namespace vae_dist {

namespace {

// "3,17".
CLI::Validator two_rows() {
    const auto check = [](const std::string& text) {
        const std::size_t comma = text.find(',');
        const auto is_row = [](const std::string& row) { return within(0, kMostRows)(row).empty(); };
        const bool good =
            comma != std::string::npos && is_row(text.substr(0, comma)) && is_row(text.substr(comma + 1));
        return good ? "" : fmt::format("{} is not two rows, such as 3,17", text);
    };
    return {check, ""};
}

// The number of a word for data.conventions, which CLI takes for the enumeration's.
CLI::Validator conventions_word() {
    const auto to_number = [](std::string& text) {
        for (std::size_t i = 0; i < kEnumNames<Conventions>.size(); ++i) {
            if (text != kEnumNames<Conventions>[i]) continue;
            text = std::to_string(i);
            return std::string();
        }
        return one_of({kEnumNames<Conventions>.begin(), kEnumNames<Conventions>.end()})(text);
    };
    return {to_number, ""};
}

void add_seed(CLI::App* app, std::optional<std::uint32_t>& seed) {
    app->add_option("--seed", seed, "Of what is drawn; the checkpoint's train.seed unless given")
        ->check(within(0, std::numeric_limits<std::uint32_t>::max()))
        ->type_name("S");
}

CLI::Option* add_data(CLI::App* app, InferenceDataOptions& data) {
    app->add_option("--scale", data.scale, "Factor for the data's numbers, instead of the checkpoint's")
        ->type_name("X");
    app->add_option("--conventions", data.conventions,
                    "What to do with what the file says of its numbers, instead of the checkpoint's "
                    "data.conventions")
        ->transform(conventions_word())
        ->type_name("auto|netcdf|matlab|none");
    app->add_option(
           "--conditions", data.conditions,
           "Of a model with conditions: which datasets of the same file they are; those of the run's "
           "configuration unless given")
        ->delimiter(',')
        ->type_name("NAME=DATASET");
    return app
        ->add_option("--data", data.dataset,
                     "A dataset; FILE.h5 may be a glob. Names with colons: '\"a.h5\":\"b:c\"'")
        ->type_name("FILE.h5:DATASET");
}

void add_limit(CLI::App* app, InferenceDataOptions& data) {
    app->add_option("--limit", data.limit, "Only the first N rows")
        ->check(within(1, kMostRows))
        ->type_name("N");
}

CLI::Option* add_output(CLI::App* app, OutputOptions& output) {
    app->add_flag("--force", output.force, "Replace files that exist");
    app->add_option("--compress", output.deflate, "Gzip level of the datasets, 0 for none")
        ->check(within(0, 9))
        ->type_name("0..9")
        ->capture_default_str();
    return app->add_option("--out", output.path, "HDF5 file to write")->type_name("F.h5");
}

}  // namespace

ModelCommandLine::ModelCommandLine(CLI::App& app) : app_(app) {
    add_evaluate();
    add_encode();
    add_reconstruct();
    add_generate();
}

std::optional<Command> ModelCommandLine::chosen() {
    reconstruct_.options.units = generate_.options.units = units_ == "data" ? Units::data : Units::model;
    if (!interpolate_.empty()) {
        generate_.options.interpolate = {std::stoll(interpolate_),
                                         std::stoll(interpolate_.substr(interpolate_.find(',') + 1))};
    }
    if (evaluate_app_->parsed()) return evaluate_;
    if (encode_app_->parsed()) return encode_;
    if (reconstruct_app_->parsed()) return reconstruct_;
    if (generate_app_->parsed()) return generate_;
    return std::nullopt;
}

CLI::App* ModelCommandLine::add_command(const std::string& name, const std::string& about,
                                        std::string& checkpoint) {
    CLI::App* app = app_.add_subcommand(name, about);
    app->add_option("checkpoint", checkpoint,
                    "A checkpoint, or a run's directory: its latest complete checkpoint")
        ->required()
        ->type_name("CHECKPOINT");
    return app;
}

void ModelCommandLine::add_units(CLI::App* app) {
    app->add_option("--units", units_,
                    "model: after scale and transform, as the decoder gives them; data: as in the data")
        ->check(one_of({"model", "data"}))
        ->type_name("model|data")
        ->capture_default_str();
}

void ModelCommandLine::add_evaluate() {
    evaluate_app_ = add_command("evaluate", "ELBO, log p(x), active units and sample quality on a dataset",
                                evaluate_.checkpoint);
    add_seed(evaluate_app_, evaluate_.seed);
    evaluate_app_->footer(
        "Example: mpirun -np 2 vae_dist evaluate runs/fashion/best.h5 --data fashion.h5:test/x --limit "
        "1000");
    EvaluateOptions& options = evaluate_.options;
    add_data(evaluate_app_, options.data)->required();
    add_limit(evaluate_app_, options.data);
    evaluate_app_
        ->add_option("--importance-samples", options.importance_samples,
                     "Draws from the posterior of each row, for log p(x); the time grows with it")
        ->check(within(1, kMostDraws))
        ->type_name("K")
        ->capture_default_str();
    evaluate_app_->add_option("--out", evaluate_.json.path, "JSON file to write")->type_name("F.json");
    evaluate_app_->add_flag("--force", evaluate_.json.force, "Replace a file that exists");
}

void ModelCommandLine::add_encode() {
    encode_app_ =
        add_command("encode", "The posterior's mean and log-variance of every row", encode_.checkpoint);
    encode_app_->footer("Example: vae_dist encode runs/fashion --data fashion.h5:test/x --out latents.h5");
    add_data(encode_app_, encode_.data)->required();
    add_limit(encode_app_, encode_.data);
    add_output(encode_app_, encode_.output)->required();
}

void ModelCommandLine::add_reconstruct() {
    reconstruct_app_ = add_command(
        "reconstruct", "The decoder's mean for the posterior's mean of every row, and the row's ELBO",
        reconstruct_.checkpoint);
    add_seed(reconstruct_app_, reconstruct_.seed);
    reconstruct_app_->footer(
        "Example: vae_dist reconstruct runs/fashion --data fashion.h5:test/x --out r.h5 --png r.png");
    ReconstructOptions& options = reconstruct_.options;
    add_data(reconstruct_app_, options.data)->required();
    add_limit(reconstruct_app_, options.data);
    add_output(reconstruct_app_, options.output);
    add_units(reconstruct_app_);
    reconstruct_app_
        ->add_option("--png", options.png, "Picture of the first rows beside their reconstructions")
        ->type_name("F.png");
}

void ModelCommandLine::add_generate() {
    generate_app_ =
        add_command("generate", "New samples from the prior, or from given latents", generate_.checkpoint);
    add_seed(generate_app_, generate_.seed);
    generate_app_->footer(
        "Example: vae_dist generate runs/fashion --count 100 --out samples.h5 --png samples.png");
    GenerateOptions& options = generate_.options;
    const auto positive = within(1, kMostRows);
    generate_app_->add_option("--count", options.count, "So many samples from the prior")
        ->check(positive)
        ->type_name("N");
    generate_app_
        ->add_option("--condition", options.condition,
                     "Of a model with conditions: on which values the samples depend, in the data's numbers")
        ->delimiter(',')
        ->type_name("NAME=NUMBER");
    generate_app_->add_option("--latents", options.latents, "Decode these latents (rows, latent_dim)")
        ->type_name("FILE.h5:DATASET");
    generate_app_->add_flag("--traverse", options.traverse,
                            "Walk each latent dimension from -3 to 3, the others at 0 or at --row");
    generate_app_
        ->add_option("--interpolate", interpolate_, "Between the posterior means of two rows of --data")
        ->check(two_rows())
        ->type_name("I,J");
    generate_app_
        ->add_option(
            "--steps", options.steps,
            fmt::format("Of a walk or interpolation, both ends included; {} unless given", kDefaultSteps))
        ->check(within(2, kMostSteps))
        ->type_name("N");
    generate_app_->add_option("--row", options.row, "Row of --data whose posterior mean a walk starts at")
        ->check(within(0, kMostRows))
        ->type_name("R");
    add_data(generate_app_, options.data);
    generate_app_->add_flag("--draw", options.draw, "Draw from the likelihood, not only its mean");
    add_output(generate_app_, options.output);
    add_units(generate_app_);
    generate_app_->add_option("--png", options.png, "Picture of the samples, or of their numbers")
        ->type_name("F.png");
    generate_app_->add_flag("--print", options.print, "Print the samples, a line each");
}

}  // namespace vae_dist
