#include "app/command_line.hpp"

#include <CLI/CLI.hpp>
#include <filesystem>

#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

namespace {

// Checked as CLI::Range does, but not spelled out in the help, where the bounds are far from what anyone
// asks.
CLI::Validator within(std::int64_t least, std::int64_t most) {
    return CLI::Range(least, most).description("");
}

constexpr std::int64_t kMostRows = std::int64_t{1} << 40;
constexpr std::int64_t kMostImportanceSamples = (std::int64_t{1} << 23) - 1;

constexpr const char* kExamples = R"(Examples:
  mpirun -np 4 vae_dist configs/fashion.yaml --set train.epochs=20
  vae_dist check configs/fashion.yaml
  mpirun -np 2 vae_dist benchmark configs/fashion.yaml --steps 100
  mpirun -np 2 vae_dist evaluate runs/fashion/best.h5 --data fashion.h5:test/x --importance-samples 100
  vae_dist encode runs/fashion --data fashion.h5:test/x --out latents.h5
  vae_dist reconstruct runs/fashion --data fashion.h5:test/x --png reconstructions.png
  vae_dist generate runs/fashion --count 100 --out samples.h5 --png samples.png
  vae_dist inspect runs/fashion/best.h5
  vae_dist import idx images-idx3-ubyte.gz --labels labels-idx1-ubyte.gz --out digits.h5:train/x
  vae_dist import csv table.csv --out table.h5:train/x
  vae_dist import npy array.npy --out array.h5:train/x

Started again, the first command goes on with the run in output.directory. A run's directory stands for its
latest complete checkpoint. Any command gives the same result on any number of ranks.
Exit status: 0 done, 2 wrong usage, configuration or data, 1 any other failure.)";

void add_config_options(CLI::App& app, std::string& config, std::vector<std::string>& overrides) {
    app.add_option("config", config, "Configuration file (YAML); configs/README.md explains every key")
        ->type_name("CONFIG.yaml");
    app.add_option("--set", overrides,
                   "Change a key: --set train.epochs=20, --set model.encoder.hidden=[200,200]")
        ->type_name("a.b=VALUE")
        ->allow_extra_args(false);
}

// The parser and the variables that it fills.
class Parser {
 public:
    Parser() {
        app_.footer(kExamples);
        app_.set_version_flag("--version", version_text);
        add_config_options(app_, train_.config, train_.overrides);
        app_.require_subcommand(0, 1);
        add_check();
        add_benchmark();
        add_evaluate();
        add_encode();
        add_reconstruct();
        add_generate();
        add_inspect();
        add_import();
    }

    Command parse(int argc, const char* const* argv) {
        try {
            app_.parse(argc, argv);
        } catch (const CLI::CallForHelp&) {
            return PrintCommand{chosen()->help()};
        } catch (const CLI::CallForVersion& version) {
            return PrintCommand{version.what()};
        } catch (const CLI::ParseError& error) {
            if (!train_.config.empty()) refuse_unknown_command();
            throw_input_error("{}; see vae_dist --help", error.what());
        }
        return command();
    }

 private:
    void add_check() {
        check_app_ = app_.add_subcommand(
            "check", "Validate the configuration, open the data, print the plan; train nothing");
        check_app_->footer("Example: mpirun -np 4 vae_dist check configs/fashion.yaml");
        add_config_options(*check_app_, check_.config, check_.overrides);
        check_app_->get_option("config")->required();
    }

    void add_benchmark() {
        benchmark_app_ = app_.add_subcommand("benchmark", "Time training steps; one JSON line last");
        benchmark_app_->footer("Example: mpirun -np 2 vae_dist benchmark configs/fashion.yaml --steps 100");
        add_config_options(*benchmark_app_, benchmark_.config, benchmark_.overrides);
        benchmark_app_->get_option("config")->required();
        benchmark_app_->add_option("--steps", benchmark_.steps, "Steps to time")
            ->check(CLI::Range(1, 1000000));
        benchmark_app_->add_option("--warmup", benchmark_.warmup, "Steps before them")
            ->check(CLI::Range(0, 1000000));
    }

    CLI::App* add_model_command(const std::string& name, const std::string& about, std::string& checkpoint) {
        CLI::App* app = app_.add_subcommand(name, about);
        app->add_option("checkpoint", checkpoint,
                        "A checkpoint, or a run's directory: its latest complete checkpoint")
            ->required()
            ->type_name("CHECKPOINT");
        return app;
    }

    static void add_seed(CLI::App* app, std::optional<std::uint32_t>& seed) {
        app->add_option("--seed", seed, "Of what is drawn; the checkpoint's train.seed unless given")
            ->type_name("S");
    }

    static CLI::Option* add_data(CLI::App* app, InferenceDataOptions& data) {
        app->add_option("--scale", data.scale, "Factor for the data's numbers, instead of the checkpoint's")
            ->type_name("X");
        return app->add_option("--data", data.dataset, "A dataset; FILE.h5 may be a glob")
            ->type_name("FILE.h5:DATASET");
    }

    static void add_limit(CLI::App* app, InferenceDataOptions& data) {
        app->add_option("--limit", data.limit, "Only the first N rows")
            ->check(within(1, kMostRows))
            ->type_name("N");
    }

    static CLI::Option* add_output(CLI::App* app, OutputOptions& output) {
        app->add_flag("--force", output.force, "Replace files that exist");
        app->add_option("--compress", output.deflate, "Gzip level of the datasets, 0 for none")
            ->check(within(0, 9))
            ->type_name("0..9")
            ->capture_default_str();
        return app->add_option("--out", output.path, "HDF5 file to write")->type_name("F.h5");
    }

    void add_units(CLI::App* app) {
        app->add_option("--units", units_,
                        "model: after scale and transform, as the decoder gives them; data: as in the data")
            ->check(CLI::IsMember({"model", "data"}).description(""))
            ->type_name("model|data")
            ->capture_default_str();
    }

    void add_evaluate() {
        evaluate_app_ = add_model_command(
            "evaluate", "ELBO, log p(x), active units and sample quality on a dataset", evaluate_.checkpoint);
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
            ->check(within(1, kMostImportanceSamples))
            ->type_name("K")
            ->capture_default_str();
        evaluate_app_->add_option("--out", evaluate_.json.path, "JSON file to write")->type_name("F.json");
        evaluate_app_->add_flag("--force", evaluate_.json.force, "Replace a file that exists");
    }

    void add_encode() {
        encode_app_ = add_model_command("encode", "The posterior's mean and log-variance of every row",
                                        encode_.checkpoint);
        encode_app_->footer(
            "Example: vae_dist encode runs/fashion --data fashion.h5:test/x --out latents.h5");
        add_data(encode_app_, encode_.data)->required();
        add_limit(encode_app_, encode_.data);
        add_output(encode_app_, encode_.output)->required();
    }

    void add_reconstruct() {
        reconstruct_app_ = add_model_command(
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

    void add_generate() {
        generate_app_ = add_model_command("generate", "New samples from the prior, or from given latents",
                                          generate_.checkpoint);
        add_seed(generate_app_, generate_.seed);
        generate_app_->footer(
            "Example: vae_dist generate runs/fashion --count 100 --out samples.h5 --png samples.png");
        GenerateOptions& options = generate_.options;
        const auto positive = within(1, kMostRows);
        generate_app_->add_option("--count", options.count, "So many samples from the prior")
            ->check(positive)
            ->type_name("N");
        generate_app_->add_option("--latents", options.latents, "Decode these latents (rows, latent_dim)")
            ->type_name("FILE.h5:DATASET");
        generate_app_->add_flag("--traverse", options.traverse,
                                "Walk each latent dimension from -3 to 3, the others at 0 or at --row");
        generate_app_
            ->add_option("--interpolate", interpolate_, "Between the posterior means of two rows of --data")
            ->delimiter(',')
            ->expected(2)
            ->check(within(0, kMostRows))
            ->type_name("I,J");
        generate_app_->add_option("--steps", options.steps, "Of a walk or interpolation, both ends included")
            ->check(within(2, 10000))
            ->type_name("N")
            ->capture_default_str();
        generate_app_->add_option("--row", options.row, "Row of --data whose posterior mean a walk starts at")
            ->check(within(0, kMostRows))
            ->type_name("R");
        add_data(generate_app_, options.data);
        generate_app_->add_flag("--draw", options.draw, "Draw from the likelihood, not only its mean");
        add_output(generate_app_, options.output);
        add_units(generate_app_);
        generate_app_->add_option("--png", options.png, "Picture of the samples")->type_name("F.png");
        generate_app_->add_flag("--print", options.print, "Print the samples, a line each");
    }

    void add_inspect() {
        inspect_app_ = app_.add_subcommand("inspect", "A checkpoint or a data file, in a screenful");
        inspect_app_->footer("Example: vae_dist inspect runs/fashion/best.h5");
        inspect_app_->add_option("file", inspect_.file, "HDF5 file, or a run's directory")
            ->required()
            ->type_name("FILE.h5");
    }

    void add_import() {
        import_app_ = app_.add_subcommand("import", "Turn a file of another format into an HDF5 dataset");
        import_app_->footer(
            "Example: vae_dist import idx images.gz --labels labels.gz --out digits.h5:train/x");
        import_app_->require_subcommand(1);
        CLI::App* idx = add_import_format("idx", "LeCun's IDX format, gzipped or not", ImportFormat::idx);
        idx->add_option("--labels", import_.labels, "IDX file of labels; they go beside the dataset as y");
        idx->footer("Example: vae_dist import idx images.gz --labels labels.gz --out digits.h5:train/x");
        CLI::App* csv =
            add_import_format("csv", "A table of numbers; a first line of names is kept", ImportFormat::csv);
        csv->add_option("--delimiter", import_.csv.delimiter, "Between two fields")->capture_default_str();
        csv->add_option("--skip-lines", import_.csv.skip_lines, "Lines to pass over at the beginning")
            ->check(CLI::NonNegativeNumber);
        csv->footer("Example: vae_dist import csv table.csv --out table.h5:train/x");
        add_import_format("npy", "A NumPy array", ImportFormat::npy)
            ->footer("Example: vae_dist import npy array.npy --out array.h5:train/x");
    }

    CLI::App* add_import_format(const std::string& name, const std::string& about, ImportFormat format) {
        CLI::App* app = import_app_->add_subcommand(name, about);
        app->add_option("input", import_.input, "File to read")->required()->type_name("FILE");
        app->add_option("--out", out_, "Where to: a dataset in an HDF5 file, which may exist")
            ->required()
            ->type_name("F.h5:DATASET");
        app->add_flag("--force", import_.target.replace, "Replace the dataset if it exists");
        app->add_option("--compress", import_.target.deflate, "Gzip level, 0 for none")
            ->check(CLI::Range(0, 9))
            ->capture_default_str();
        app->callback([this, format] { import_.format = format; });
        return app;
    }

    // The innermost subcommand that was named, for its help.
    const CLI::App* chosen() const {
        const CLI::App* app = &app_;
        while (!app->get_subcommands().empty())
            app = app->get_subcommands().front();
        return app;
    }

    // A word that is no file was meant as a command.
    void refuse_unknown_command() const {
        const std::string& word = train_.config;
        if (word.find_first_of("./") != std::string::npos || std::filesystem::exists(word)) return;
        const std::string nearest = nearest_word(word, {"check", "benchmark", "evaluate", "encode",
                                                        "reconstruct", "generate", "inspect", "import"});
        throw_input_error("'{}' is neither a command nor a configuration file{}; see vae_dist --help", word,
                          nearest.empty() ? "" : fmt::format(" (did you mean {}?)", nearest));
    }

    Command command() {
        if (check_app_->parsed()) return check_;
        if (benchmark_app_->parsed()) return benchmark_;
        if (inspect_app_->parsed()) return inspect_;
        if (import_app_->parsed()) {
            const bool replace = import_.target.replace;
            const int deflate = import_.target.deflate;
            import_.target = parse_target(out_);
            import_.target.replace = replace;
            import_.target.deflate = deflate;
            return import_;
        }
        if (evaluate_app_->parsed()) return evaluate_;
        if (encode_app_->parsed()) return encode_;
        reconstruct_.options.units = generate_.options.units = units_ == "data" ? Units::data : Units::model;
        if (reconstruct_app_->parsed()) return reconstruct_;
        if (generate_app_->parsed()) {
            if (!interpolate_.empty()) generate_.options.interpolate = {interpolate_[0], interpolate_[1]};
            return generate_;
        }
        if (train_.config.empty())
            throw_input_error("a configuration file or a command is missing; see vae_dist --help");
        refuse_unknown_command();
        return train_;
    }

    CLI::App app_{
        "Train variational autoencoders on any number of MPI ranks, with the same result on each number.",
        "vae_dist"};
    CLI::App* check_app_ = nullptr;
    CLI::App* benchmark_app_ = nullptr;
    CLI::App* evaluate_app_ = nullptr;
    CLI::App* encode_app_ = nullptr;
    CLI::App* reconstruct_app_ = nullptr;
    CLI::App* generate_app_ = nullptr;
    CLI::App* inspect_app_ = nullptr;
    CLI::App* import_app_ = nullptr;
    TrainCommand train_;
    CheckCommand check_;
    BenchmarkCommand benchmark_;
    EvaluateCommand evaluate_;
    EncodeCommand encode_;
    ReconstructCommand reconstruct_;
    GenerateCommand generate_;
    std::vector<std::int64_t> interpolate_;
    std::string units_ = "model";
    InspectCommand inspect_;
    ImportCommand import_;
    std::string out_;
};

}  // namespace

Command parse_command_line(int argc, const char* const* argv) {
    return Parser().parse(argc, argv);
}

}  // namespace vae_dist
