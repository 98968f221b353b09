#include "app/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <optional>

#include "app/model_command_line.hpp"
#include "app/validators.hpp"
#include "vae_dist/config/synonyms.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

namespace {

constexpr const char* kExamples = R"(Examples:
  mpirun -np 4 vae_dist configs/fashion.yaml --set train.epochs=20
  vae_dist check configs/fashion.yaml
  mpirun -np 2 vae_dist benchmark configs/fashion.yaml --steps 100
  mpirun -np 2 vae_dist evaluate runs/fashion/best.h5 --data fashion.h5:test/x --importance-samples 100
  vae_dist encode runs/fashion --data fashion.h5:test/x --out latents.h5
  vae_dist reconstruct runs/fashion --data fashion.h5:test/x --png reconstructions.png
  vae_dist generate runs/fashion --count 100 --out samples.h5 --png samples.png
  vae_dist inspect runs/fashion/best.h5
  vae_dist keys optimizer.schedule
  vae_dist import idx images-idx3-ubyte.gz --labels labels-idx1-ubyte.gz --out digits.h5:train/x
  vae_dist import csv table.csv --out table.h5:train/x
  vae_dist import npy array.npy --out array.h5:train/x

Started again, the first command goes on with the run in output.directory. A run's directory stands for its
latest complete checkpoint. Any command gives the same result on any number of ranks.
Exit status: 0 done; 75 stopped early by a signal or a time limit, and saved: the same command goes on;
2 wrong usage, configuration or data; 1 any other failure.)";

void add_config_options(CLI::App& app, std::string& config, std::vector<std::string>& overrides) {
    app.add_option("config", config, "Configuration file (YAML); vae_dist keys explains every key")
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
        app_.set_version_flag("-V,--version", version_text,
                              "Show the version, and what is built in, and exit");
        add_config_options(app_, train_.config, train_.overrides);
        app_.require_subcommand(0, 1);
        add_check();
        add_benchmark();
        models_.emplace(app_);
        add_inspect();
        add_keys();
        add_import();
    }

    Command parse(int argc, const char* const* argv) {
        try {
            app_.parse(argc, argv);
        } catch (const CLI::CallForHelp&) {
            return PrintCommand{app_.help()};
        } catch (const CLI::CallForVersion& version) {
            return PrintCommand{version.what()};
        } catch (const CLI::ParseError& error) {
            explain(error, std::vector<std::string>(argv + 1, argv + argc));
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
        check_app_->add_flag("--plan", check_.plan,
                             "Print each operation of a training pass: shapes, bytes, place in memory");
    }

    void add_benchmark() {
        benchmark_app_ = app_.add_subcommand("benchmark", "Time training steps; one JSON line last");
        benchmark_app_->footer("Example: mpirun -np 2 vae_dist benchmark configs/fashion.yaml --steps 100");
        add_config_options(*benchmark_app_, benchmark_.config, benchmark_.overrides);
        benchmark_app_->get_option("config")->required();
        benchmark_app_->add_option("--steps", benchmark_.steps, "Steps to time")
            ->check(within(1, 1000000))
            ->type_name("N")
            ->capture_default_str();
        benchmark_app_->add_option("--warmup", benchmark_.warmup, "Steps before them")
            ->check(within(0, 1000000))
            ->type_name("N")
            ->capture_default_str();
    }

    void add_inspect() {
        inspect_app_ = app_.add_subcommand("inspect", "Checkpoints or data files, each in a screenful");
        inspect_app_->footer(
            "Examples: vae_dist inspect runs/fashion/best.h5, vae_dist inspect 'data/**/*.h5'");
        inspect_app_
            ->add_option("file", inspect_.files, "HDF5 files, patterns of names, or runs' directories")
            ->required()
            ->type_name("FILE.h5");
    }

    void add_keys() {
        keys_app_ = app_.add_subcommand("keys", "Explain the keys of a configuration");
        keys_app_->footer(
            "The last line of a key says whether the same run may go on with another value.\n"
            "Examples: vae_dist keys, vae_dist keys optimizer.schedule, vae_dist keys train.batch_size");
        keys_app_->add_option("name", keys_.name, "A key or a section; all keys unless given")
            ->type_name("KEY|SECTION");
        keys_app_->add_flag("--markdown", keys_.markdown, "Print the tables of configs/README.md");
    }

    void add_import() {
        import_app_ = app_.add_subcommand("import", "Turn a file of another format into an HDF5 dataset");
        import_app_->footer(
            "Example: vae_dist import idx images.gz --labels labels.gz --out digits.h5:train/x");
        import_app_->require_subcommand(0, 1);  // `command` says more about its absence
        CLI::App* idx = add_import_format("idx", "LeCun's IDX format, gzipped or not", ImportFormat::idx);
        idx->add_option("--labels", import_.labels, "IDX file of labels; they go beside the dataset as y");
        idx->footer("Example: vae_dist import idx images.gz --labels labels.gz --out digits.h5:train/x");
        const std::map<std::string, CsvHeader> header_words = {
            {"yes", CsvHeader::yes}, {"no", CsvHeader::no}, {"auto", CsvHeader::automatic}};
        CLI::App* csv =
            add_import_format("csv", "A table of numbers; a first line of names is kept", ImportFormat::csv);
        csv->add_option_function<std::string>(
               "--delimiter",
               [this](const std::string& text) { import_.csv.delimiter = parse_delimiter(text); },
               "Between two fields, \\t for a tab; a comma unless given, with --decimal , a semicolon")
            ->type_name("C");
        csv->add_option("--decimal", import_.csv.decimal, "Before a number's fraction: . or ,")
            ->check(one_of({".", ","}))
            ->type_name(".|,")
            ->capture_default_str();
        csv->add_option_function<std::string>(
               "--header",
               [this, header_words](const std::string& word) { import_.csv.header = header_words.at(word); },
               "Whether the first line has names; auto decides and says so, or asks")
            ->check(one_of({"yes", "no", "auto"}))
            ->type_name("yes|no|auto")
            ->default_str("auto");
        csv->add_option(
               "--columns", import_.csv.columns,
               "Only these, in this order: names, numbers from 1 on, ranges (age,3,5-7); or all but some "
               "(not:id,9)")
            ->type_name("LIST");
        csv->add_option("--skip-lines", import_.csv.skip_lines, "Lines to pass over at the beginning")
            ->check(within(0, 1000000000000))
            ->type_name("N")
            ->capture_default_str();
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
            ->check(within(0, 9))
            ->type_name("0..9")
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

    // "vae_dist import csv --help".
    std::string help_command() const {
        std::string names = "--help";
        for (const CLI::App* app = chosen(); app != nullptr; app = app->get_parent())
            names = app->get_name() + " " + names;
        return names;
    }

    // Says what is wrong with the arguments in words of this program, where the parser's are not enough.
    [[noreturn]] void explain(const CLI::ParseError& error, const std::vector<std::string>& arguments) const {
        if (!nearest_command(train_.config).empty()) refuse_unknown_command();
        refuse_unknown_format();
        for (const std::string& left : chosen()->remaining()) {
            if (left.starts_with("-") && left.size() > 1) refuse_option(left, arguments);
        }
        if (!train_.config.empty()) refuse_unknown_command();
        const std::string said = error.what();
        if (error.get_name() == "ArgumentMismatch")  // "--count: 1 required N missing"
            throw_input_error("{} needs a value; see {}", said.substr(0, said.find(':')), help_command());
        throw_input_error("{}; see {}", said, help_command());
    }

    // An option may be meant for a key of the configuration, or may be misspelt.
    [[noreturn]] void refuse_option(const std::string& option,
                                    const std::vector<std::string>& arguments) const {
        const std::size_t equals = option.find('=');
        const std::string name = option.substr(0, equals);
        std::string value = equals == std::string::npos ? "" : option.substr(equals + 1);
        const auto at = std::ranges::find(arguments, option);
        if (value.empty() && at != arguments.end() && at + 1 != arguments.end() && !at[1].starts_with("-"))
            value = at[1];
        std::string advice;
        const CLI::App* app = chosen();
        const std::vector<std::string> keys = keys_meant_by(name);
        const std::string near = nearest_option(*app, name);
        if (app->get_option_no_throw("--set") != nullptr && !keys.empty()) {
            std::vector<std::string> settings;
            for (const std::string& key : keys)
                settings.push_back(fmt::format("--set {}={}", key, value.empty() ? "VALUE" : value));
            advice = fmt::format("; keys of the configuration are set by {}", format_list(settings));
        } else if (!near.empty()) {
            advice = fmt::format("; did you mean {}?", near);
        }
        throw_input_error("unknown option {}{}; see {}", name, advice, help_command());
    }

    static std::string nearest_option(const CLI::App& app, const std::string& name) {
        std::vector<std::string> names;
        for (const CLI::Option* option : app.get_options()) {
            for (const std::string& long_name : option->get_lnames())
                names.push_back("--" + long_name);
        }
        return nearest_word(name, names);
    }

    static std::string nearest_command(const std::string& word) {
        return nearest_word(word, {"check", "benchmark", "evaluate", "encode", "reconstruct", "generate",
                                   "inspect", "keys", "import"});
    }

    // A word that does not name a file was meant as a command.
    void refuse_unknown_command() const {
        const std::string& word = train_.config;
        if (word.find_first_of("./") != std::string::npos || std::filesystem::exists(word)) return;
        const std::string nearest = nearest_command(word);
        throw_input_error("'{}' is neither a command nor a configuration file{}; see vae_dist --help", word,
                          nearest.empty() ? "" : fmt::format(" (did you mean {}?)", nearest));
    }

    // The word after import is none of the formats, or missing.
    void refuse_unknown_format() const {
        if (!import_app_->parsed() || !import_app_->get_subcommands().empty()) return;
        const std::vector<std::string> left = import_app_->remaining();
        const auto word =
            std::ranges::find_if(left, [](const std::string& text) { return !text.starts_with("-"); });
        constexpr const char* kFormats = "idx, csv and npy";
        if (word == left.end())
            throw_input_error("import: the format is missing: {}; see {}", kFormats, help_command());
        constexpr std::array kOfHdf5 = {"h5ad", "h5", "hdf5", "hdf", "nc", "netcdf", "mat", "loom", "matlab"};
        const bool is_hdf5 = std::ranges::find(kOfHdf5, *word) != kOfHdf5.end();
        throw_input_error(
            "import: there is no format '{}', only {}{}; see {}", *word, kFormats,
            is_hdf5 ? "; such files are HDF5 already and need no import: vae_dist inspect FILE shows "
                      "their datasets (not those of MATLAB before 7.3 and netCDF before 4)"
                    : "",
            help_command());
    }

    Command command() {
        if (check_app_->parsed()) return check_;
        if (benchmark_app_->parsed()) return benchmark_;
        if (inspect_app_->parsed()) return inspect_;
        if (keys_app_->parsed()) return keys_;
        if (import_app_->parsed()) {
            refuse_unknown_format();
            const bool replace = import_.target.replace;
            const int deflate = import_.target.deflate;
            import_.target = parse_target(out_);
            import_.target.replace = replace;
            import_.target.deflate = deflate;
            return import_;
        }
        if (std::optional<Command> command = models_->chosen()) return *command;
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
    CLI::App* inspect_app_ = nullptr;
    CLI::App* keys_app_ = nullptr;
    CLI::App* import_app_ = nullptr;
    TrainCommand train_;
    CheckCommand check_;
    BenchmarkCommand benchmark_;
    std::optional<ModelCommandLine> models_;
    InspectCommand inspect_;
    KeysCommand keys_;
    ImportCommand import_;
    std::string out_;
};

}  // namespace

Command parse_command_line(int argc, const char* const* argv) {
    return Parser().parse(argc, argv);
}

}  // namespace vae_dist
