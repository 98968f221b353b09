// What is made with a trained model: the same on every number of ranks, equal to the formulas, whole or not
// there.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <thread>

#include "integration/run_files.hpp"
#include "integration/sample_data.hpp"
#include "integration/workplace.hpp"
#include "unit/model/reference_vae.hpp"
#include "vae_dist/core/random.hpp"
#include "vae_dist/data/hdf5/hdf5.hpp"

namespace vae_dist {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kRows = 301;

class Inference : public Workplace {
 protected:
    // Grey images that training binarizes; rows enough for blocks of different sizes.
    void train_on_images() const {
        write_images(path("d.h5"), "train/x", 200);
        write_images(path("d.h5"), "test/x", kRows, 100000);
        write_text(
            "run.yaml",
            "data: {train: {files: [d.h5], dataset: train/x}, validation: {files: [d.h5], dataset: test/x},\n"
            "       transform: binarize}\n"
            "model: {latent_dim: 3, encoder: {hidden: [16, 12]}, decoder: {hidden: [12]}, activation: tanh}\n"
            "train: {epochs: 4, batch_size: 40, virtual_ranks: 2}\n"
            "output: {directory: run}\n");
        run_well(2, {"run.yaml"});
    }

    void train_on_a_table(const std::string& likelihood = "gaussian",
                          const std::string& prior = "standard_normal") const {
        write_table(path("d.h5"), "train/x", 200);
        write_table(path("d.h5"), "test/x", kRows);
        write_text("run.yaml",
                   "data: {train: {files: [d.h5], dataset: train/x}, transform: standardize}\n"
                   "model: {latent_dim: 2, encoder: {hidden: [12]}, decoder: {hidden: [12]}, likelihood: " +
                       likelihood + ", prior: " + prior +
                       "}\n"
                       "train: {epochs: 4, batch_size: 40, virtual_ranks: 2}\n"
                       "output: {directory: run}\n");
        run_well(2, {"run.yaml"});
    }

    void train_on_conditions() const {
        write_table(path("d.h5"), "train/x", 200);
        write_table(path("d.h5"), "test/x", kRows);
        write_energies(path("d.h5"), "train/energy", 200);
        write_energies(path("d.h5"), "test/energy", kRows);
        write_energies(path("d.h5"), "test/short", kRows - 1);
        write_text("run.yaml",
                   "data:\n"
                   "  train: {files: [d.h5], dataset: train/x, conditions: {energy: train/energy}}\n"
                   "  transform: standardize\n"
                   "model: {latent_dim: 2, encoder: {hidden: [12]}, decoder: {hidden: [12]},\n"
                   "        likelihood: gaussian, condition: {on: [energy]}}\n"
                   "train: {epochs: 4, batch_size: 40, virtual_ranks: 2}\n"
                   "output: {directory: run}\n");
        run_well(2, {"run.yaml"});
    }

    // Runs the command without mpirun and on 1 to 4 ranks, its outputs below a folder each, and expects equal
    // files.
    void expect_same_on_every_number_of_ranks(const std::vector<std::string>& command,
                                              const std::vector<std::string>& outputs) const {
        for (int ranks = 0; ranks <= 4; ++ranks) {
            const std::string folder = fmt::format("p{}", ranks);
            fs::create_directory(path(folder));
            std::vector<std::string> arguments = command;
            for (const std::string& output : outputs) {
                const bool picture = output.ends_with(".png");
                arguments.insert(arguments.end(), {picture ? "--png" : "--out", folder + "/" + output});
            }
            const Outcome outcome = run_well(ranks, arguments);
            EXPECT_EQ(outcome.err, "");
            for (const std::string& output : outputs) {
                SCOPED_TRACE(output + " on " + std::to_string(ranks) + " ranks");
                const fs::path here = path(folder) / output;
                ASSERT_TRUE(fs::exists(here));
                if (output.ends_with(".h5")) {
                    expect_equal_hdf5(path("p0") / output, here);
                } else {
                    EXPECT_TRUE(contents_of(path("p0") / output) == contents_of(here));
                }
            }
        }
        for (int ranks = 0; ranks <= 4; ++ranks)
            fs::remove_all(path(fmt::format("p{}", ranks)));
    }

    void expect_all_commands_the_same() const {
        const auto on_data = [](const char* command) {
            return std::vector<std::string>{command, "run", "--data", "d.h5:test/x"};
        };
        expect_same_on_every_number_of_ranks(on_data("encode"), {"e.h5"});
        expect_same_on_every_number_of_ranks(on_data("reconstruct"), {"r.h5", "r.png"});
        auto evaluate = on_data("evaluate");
        evaluate.insert(evaluate.end(), {"--importance-samples", "30"});
        expect_same_on_every_number_of_ranks(evaluate, {"e.json"});
        expect_same_on_every_number_of_ranks({"generate", "run", "--count", "50", "--draw"},
                                             {"g.h5", "g.png"});
        expect_same_on_every_number_of_ranks({"generate", "run", "--traverse"}, {"t.h5"});
    }

    // Every file below a folder, with its size and time of writing.
    static std::string listing(const fs::path& folder) {
        std::vector<std::string> lines;
        for (const auto& entry : fs::recursive_directory_iterator(folder)) {
            lines.push_back(fmt::format("{} {} {}\n", entry.path().string(),
                                        entry.is_regular_file() ? entry.file_size() : 0,
                                        entry.last_write_time().time_since_epoch().count()));
        }
        std::sort(lines.begin(), lines.end());
        return fmt::format("{}", fmt::join(lines, ""));
    }

    void expect_nothing_beside(const std::vector<std::string>& known) const {
        for (const auto& entry : fs::directory_iterator(folder_.path())) {
            const std::string name = entry.path().filename().string();
            EXPECT_NE(std::find(known.begin(), known.end(), name), known.end()) << name << " was left behind";
        }
    }
};

TEST_F(Inference, OutputsAreTheSameOnEveryNumberOfRanks) {
    train_on_images();
    const std::vector<std::string> data = {"run", "--data", "d.h5:test/x"};
    const auto with = [&](const char* command, std::vector<std::string> more) {
        more.insert(more.begin(), command);
        more.insert(more.begin() + 1, data.begin(), data.end());
        return more;
    };
    expect_same_on_every_number_of_ranks(with("encode", {}), {"e.h5"});
    expect_same_on_every_number_of_ranks(with("reconstruct", {"--compress", "4"}), {"r.h5", "r.png"});
    expect_same_on_every_number_of_ranks(with("evaluate", {"--importance-samples", "30"}), {"e.json"});
    expect_same_on_every_number_of_ranks(with("evaluate", {"--importance-samples", "3000", "--limit", "9"}),
                                         {"e.json"});
    expect_same_on_every_number_of_ranks({"generate", "run", "--count", "700", "--draw"}, {"g.h5", "g.png"});
    expect_same_on_every_number_of_ranks({"generate", "run", "--traverse"}, {"t.h5", "t.png"});
}

TEST_F(Inference, OutputsOfAGaussianModelAreTheSameOnEveryNumberOfRanks) {
    train_on_a_table();
    const auto on_data = [](const char* command) {
        return std::vector<std::string>{command, "run", "--data", "d.h5:test/x"};
    };
    expect_same_on_every_number_of_ranks(on_data("encode"), {"e.h5"});
    auto reconstruct = on_data("reconstruct");
    reconstruct.insert(reconstruct.end(), {"--units", "data"});
    expect_same_on_every_number_of_ranks(reconstruct, {"r.h5", "r.png"});
    auto evaluate = on_data("evaluate");
    evaluate.insert(evaluate.end(), {"--importance-samples", "30"});
    expect_same_on_every_number_of_ranks(evaluate, {"e.json"});
    expect_same_on_every_number_of_ranks({"generate", "run", "--count", "50", "--draw", "--units", "data"},
                                         {"g.h5"});
}

// Draws depend on more of the decoder's output than the mean.
TEST_F(Inference, OutputsWithTheVarianceOfTheDecoderAreTheSameOnEveryNumberOfRanks) {
    train_on_a_table("{kind: gaussian, variance: decoder}");
    expect_all_commands_the_same();
}

// The divergence is that of the draws, and latents come from the mixture.
TEST_F(Inference, OutputsWithAMixtureAsPriorAreTheSameOnEveryNumberOfRanks) {
    train_on_a_table("gaussian", "{mixture: 5}");
    expect_all_commands_the_same();
}

TEST_F(Inference, OutputsOfAConditionedModelAreTheSameOnEveryNumberOfRanks) {
    train_on_conditions();
    const auto on_data = [](const char* command) {
        return std::vector<std::string>{command,       "run",          "--data",
                                        "d.h5:test/x", "--conditions", "energy=test/energy"};
    };
    expect_same_on_every_number_of_ranks(on_data("encode"), {"e.h5"});
    expect_same_on_every_number_of_ranks(on_data("reconstruct"), {"r.h5", "r.png"});
    auto evaluate = on_data("evaluate");
    evaluate.insert(evaluate.end(), {"--importance-samples", "30"});
    expect_same_on_every_number_of_ranks(evaluate, {"e.json"});
    expect_same_on_every_number_of_ranks(
        {"generate", "run", "--count", "50", "--draw", "--condition", "energy=1010"}, {"g.h5", "g.png"});
    auto interpolate = on_data("generate");
    interpolate.insert(interpolate.end(), {"--interpolate", "3,5", "--condition", "energy=990"});
    expect_same_on_every_number_of_ranks(interpolate, {"i.h5"});
    // The training data's conditions are those of the configuration.
    run_well(0, {"encode", "run", "--data", "d.h5:train/x", "--out", "t.h5"});
}

TEST_F(Inference, AConditionThatIsMissingOrWrongIsNamed) {
    train_on_conditions();
    const std::vector<std::string> encode = {"encode", "run", "--data", "d.h5:test/x", "--out", "e.h5"};
    const auto refused = [&](std::vector<std::string> arguments, const std::vector<std::string>& more,
                             const std::string& says, int ranks = 0) {
        arguments.insert(arguments.end(), more.begin(), more.end());
        const Outcome outcome = run(ranks, arguments);
        EXPECT_EQ(outcome.status, 2) << outcome.err;
        EXPECT_NE(outcome.err.find(says), std::string::npos) << outcome.err;
        EXPECT_FALSE(fs::exists(path("e.h5")));
    };
    refused(encode, {}, "was trained with the condition energy: say which dataset of the file it is", 2);
    refused(encode, {"--conditions", "energy=test/none"}, "test/none");
    refused(encode, {"--conditions", "energy=test/short"}, "energy has 300 rows", 2);
    refused(encode, {"--conditions", "energy=test/x"}, "the condition energy has 6 numbers a row");
    refused(encode, {"--conditions", "mass=test/energy"}, "has the conditions energy");
    refused(encode, {"--conditions", "energy"}, "expected a name and what it is");
    const std::vector<std::string> generate = {"generate", "run", "--count", "3", "--out", "e.h5"};
    refused(generate, {}, "say on which value, with --condition energy=NUMBER", 2);
    refused(generate, {"--condition", "energy=much"}, "'much' is not a number");
    refused(generate, {"--condition", "energy=1:2"}, "it has 1 number, and 2 given");
    refused(generate, {"--condition", "mass=1"}, "has the conditions energy");
    refused(generate, {"--condition", "energy=1,energy=2"}, "energy is given twice");
}

// The checkpoint, read by HDF5 alone, through plain loops in double, on the same noise.
TEST_F(Inference, FiguresAreThoseOfTheFormulas) {
    train_on_images();
    constexpr std::int64_t kDraws = 7;
    run_well(2, {"evaluate", "run", "--data", "d.h5:test/x", "--importance-samples", std::to_string(kDraws),
                 "--out", "e.json"});
    run_well(2, {"encode", "run", "--data", "d.h5:test/x", "--out", "e.h5"});
    run_well(2, {"reconstruct", "run", "--data", "d.h5:test/x", "--out", "r.h5"});

    const hdf5::File checkpoint = hdf5::File::open(checkpoints_in(path("run")).back());
    ReferenceVae::Parameters parameters;
    for (const std::string& name : checkpoint.datasets("/model")) {
        const auto values = checkpoint.read_floats(name);
        parameters[name.substr(std::string("/model/").size())].assign(values.begin(), values.end());
    }
    ModelConfig config;
    config.latent_dim = 3;
    config.encoder.hidden = {16, 12};
    config.decoder.hidden = {12};
    config.activation = Activation::tanh;
    const ReferenceVae reference(config);

    const auto seed = static_cast<std::uint32_t>(checkpoint.read_int_attribute("/", "seed"));
    const CounterRandom noise(seed, Purpose::validation_noise);
    const CounterRandom pixels(seed, Purpose::binarize);
    const std::vector<float> grey = hdf5::File::open(path("d.h5")).read_floats("test/x");
    const hdf5::File rows = hdf5::File::open(path("r.h5"));
    const auto row_elbo = rows.read_floats("elbo");
    const auto row_kl = rows.read_floats("kl");
    const auto row_term = rows.read_floats("reconstruction_term");
    const auto mean = hdf5::File::open(path("e.h5")).read_floats("mean");
    ASSERT_EQ(row_elbo.size(), static_cast<std::size_t>(kRows));
    ASSERT_EQ(mean.size(), static_cast<std::size_t>(3 * kRows));

    ReferenceVae::Terms sum;
    for (std::int64_t r = 0; r < kRows; ++r) {
        const auto row = static_cast<std::size_t>(r);
        ReferenceVae::Sample sample;
        for (std::size_t d = 0; d < 64; ++d) {
            const float probability = grey[row * 64 + d] / 255;
            const float uniform = pixels.uniform(0, row, static_cast<std::uint32_t>(d));
            sample.x.push_back(uniform < probability ? 1 : 0);
        }
        for (std::int64_t k = 0; k < kDraws; ++k) {
            std::vector<float> epsilon(3);
            noise.normals(0, static_cast<std::uint64_t>(r + (k << 40)), epsilon);
            sample.epsilon.emplace_back(epsilon.begin(), epsilon.end());
        }
        const ReferenceVae::Terms all = reference.terms(parameters, {sample}, 1, 1, 0);
        sum.reconstruction += all.reconstruction / kRows;
        sum.kl += all.kl / kRows;
        sum.iwae_bound += all.iwae_bound / kRows;
        sample.epsilon.resize(1);
        const ReferenceVae::Terms one = reference.terms(parameters, {sample}, 1, 1, 0);
        EXPECT_NEAR(row_term[row], one.reconstruction, 1e-4 * std::abs(one.reconstruction));
        EXPECT_NEAR(row_kl[row], one.kl, 1e-4 * (1 + one.kl));
        EXPECT_NEAR(row_elbo[row], one.reconstruction - one.kl, 1e-4 * (1 + std::abs(one.reconstruction)));
        const auto [posterior_mean, log_variance] = reference.posterior(parameters, sample.x);
        for (std::size_t z = 0; z < 3; ++z)
            EXPECT_NEAR(mean[row * 3 + z], posterior_mean[z], 1e-5 * (1 + std::abs(posterior_mean[z])));
    }
    const Json json = Json::parse(contents_of(path("e.json")));
    EXPECT_EQ(json["rows"], kRows);
    EXPECT_NEAR(json["reconstruction"]["mean"], sum.reconstruction, 1e-4 * std::abs(sum.reconstruction));
    EXPECT_NEAR(json["kl"]["mean"], sum.kl, 1e-4 * sum.kl);
    EXPECT_NEAR(json["log_likelihood"]["mean"], sum.iwae_bound, 1e-4 * std::abs(sum.iwae_bound));
}

TEST_F(Inference, OneDrawOnTheValidationDataGivesTheElboThatTrainingLogged) {
    train_on_images();
    run_well(3, {"evaluate", "run", "--data", "d.h5:test/x", "--importance-samples", "1", "--out", "e.json"});
    const double logged = metric(path("run"), "validation", "elbo").back();
    const Json json = Json::parse(contents_of(path("e.json")));
    EXPECT_NEAR(json["elbo"]["mean"], logged, 1e-5 * std::abs(logged));
}

TEST_F(Inference, ARunDirectoryStandsForItsNewestWholeCheckpoint) {
    train_on_images();
    const auto newest = checkpoints_in(path("run")).back();
    const std::string before = listing(path("run"));
    run_well(0, {"encode", newest.string(), "--data", "d.h5:test/x", "--out", "file.h5"});
    run_well(0, {"encode", "run", "--data", "d.h5:test/x", "--out", "folder.h5"});
    EXPECT_EQ(listing(path("run")), before) << "a run's directory is only read";
    const auto mean = hdf5::File::open(path("file.h5")).read_floats("mean");
    EXPECT_EQ(hdf5::File::open(path("folder.h5")).read_floats("mean"), mean);

    fs::resize_file(newest, 1000);
    const Outcome outcome = run_well(2, {"encode", "run", "--data", "d.h5:test/x", "--out", "older.h5"});
    expect_parts(outcome.err, {"vae_dist: warning:", newest.filename().string()});
    EXPECT_NE(hdf5::File::open(path("older.h5")).read_floats("mean"), mean);
}

TEST_F(Inference, OutputsSayWhatMadeThem) {
    train_on_images();
    run_well(2, {"reconstruct", "run/best.h5", "--data", "d.h5:test/x", "--seed", "9", "--out", "e.h5"});
    const hdf5::File file = hdf5::File::open(path("e.h5"));
    const hdf5::File best = hdf5::File::open(path("run/best.h5"));
    EXPECT_EQ(file.read_text_attribute("/", "checkpoint"), "run/best.h5");
    EXPECT_EQ(file.read_int_attribute("/", "checkpoint_step"), best.read_int_attribute("/", "step"));
    EXPECT_EQ(file.read_text_attribute("/", "checkpoint_config"), best.read_text_attribute("/", "config"));
    EXPECT_EQ(file.read_text_attribute("/", "data"), "d.h5:test/x");
    EXPECT_EQ(file.read_int_attribute("/", "data_rows"), kRows);
    EXPECT_EQ(file.read_int_attribute("/", "seed"), 9);
}

TEST_F(Inference, GeneratedRowsArePrintedAsTheyAreWritten) {
    train_on_a_table();
    const Outcome outcome =
        run_well(2, {"generate", "run", "--count", "2", "--draw", "--print", "--out", "g.h5"});
    const auto sample = hdf5::File::open(path("g.h5")).read_floats("sample");
    ASSERT_EQ(sample.size(), 12U);
    std::istringstream printed(outcome.out);
    for (const float expected : sample) {
        float value = 0;
        ASSERT_TRUE(printed >> value) << outcome.out;
        EXPECT_EQ(value, expected);
    }
    std::string rest;
    EXPECT_FALSE(printed >> rest) << rest;
}

TEST_F(Inference, WhatCannotBePrintedIsAFailureThatCostsNoFile) {
    train_on_a_table();
    const auto in_shell = [&](const std::string& arguments) {
        const std::string line = std::string("{ sleep 0.5; '") + VAE_DIST_PROGRAM + "' " + arguments;
        return Process({"sh", "-c", line}, {.folder = folder_.path()}).wait(limit_);
    };
    const Outcome full = in_shell("generate run --count 2 --print > /dev/full; }");
    EXPECT_EQ(full.status, 1) << full.text();
    expect_parts(full.err, {"vae_dist: error:", "stdout"});
    // A pipe whose reader is gone.
    const Outcome left = in_shell("generate run --count 1000 --print --out g.h5; } | true");
    EXPECT_EQ(hdf5::File::open(path("g.h5")).info("sample").shape[0], 1000) << left.text();
}

TEST_F(Inference, BadInputIsRefusedAndLeavesNothing) {
    train_on_images();
    write_table(path("table.h5"), "x", 20);
    write_text("text.txt", "no HDF5");
    fs::create_directory(path("empty"));
    const std::vector<std::string> before = {"d.h5", "run", "run.yaml", "table.h5", "text.txt", "empty"};
    const auto refused = [&](const std::vector<std::string>& arguments,
                             std::initializer_list<std::string> parts) {
        SCOPED_TRACE(fmt::format("{}", fmt::join(arguments, " ")));
        expect_refused(run(3, arguments), 2, parts);
    };
    const auto refused_alone = [&](const std::vector<std::string>& arguments,
                                   std::initializer_list<std::string> parts) {
        SCOPED_TRACE(fmt::format("{}", fmt::join(arguments, " ")));
        expect_refused(run(0, arguments), 2, parts);
    };
    const auto encode = [&](const std::string& checkpoint, const std::string& data) {
        return std::vector<std::string>{"encode", checkpoint, "--data", data, "--out", "e.h5"};
    };
    refused(encode("none.h5", "d.h5:test/x"), {"none.h5"});
    refused(encode("text.txt", "d.h5:test/x"), {"text.txt", "HDF5"});
    refused(encode("d.h5", "d.h5:test/x"), {"d.h5", "checkpoint"});
    refused(encode("empty", "d.h5:test/x"), {"empty", "checkpoint"});
    refused(encode("run", "table.h5:x"), {"shape 6", "8 x 8"});
    refused(encode("run", "d.h5:none"), {"none", "train/x", "test/x"});
    refused(encode("run", "d.h5"), {"d.h5", "FILE.h5:DATASET"});
    for (const char* count : {"0", "-3", "99999999999999999999"}) {
        refused_alone({"generate", "run", "--count", count, "--out", "g.h5"}, {"--count"});
        refused_alone({"evaluate", "run", "--data", "d.h5:test/x", "--importance-samples", count},
                      {"--importance-samples"});
        refused_alone({"evaluate", "run", "--data", "d.h5:test/x", "--limit", count}, {"--limit"});
    }
    refused_alone({"evaluate", "run", "--data", "d.h5:test/x", "--limit", "302"}, {"--limit", "302", "301"});
    refused_alone({"generate", "run", "--out", "g.h5"}, {"--count", "--latents"});
    refused_alone({"generate", "run", "--count", "3"}, {"--out", "--png"});
    refused_alone({"generate", "run", "--latents", "table.h5:x", "--out", "g.h5"}, {"6", "3 latent"});
    refused({"generate", "run", "--interpolate", "3,900", "--data", "d.h5:test/x", "--out", "g.h5"},
            {"900", "300"});
    refused({"encode", "run", "--data", "d.h5:test/x", "--out", "nowhere/e.h5"}, {"nowhere/e.h5"});
    expect_nothing_beside(before);
}

TEST_F(Inference, WhatExistsIsReplacedOnlyWithForceAndInputsNever) {
    train_on_images();
    run_well(0, {"encode", "run", "--data", "d.h5:test/x", "--out", "latents.h5"});
    const std::vector<std::string> on_data = {"run/best.h5", "--data", "d.h5:test/x"};
    const std::vector<std::string> on_latents = {"run/best.h5", "--latents", "latents.h5:mean"};
    fs::create_symlink("d.h5", path("link.h5"));
    const struct {
        const char* command;
        const char* option;
        const std::vector<std::string>& arguments;
        std::vector<std::string> inputs;
    } cases[] = {{"encode", "--out", on_data, {"d.h5", "link.h5", "run/best.h5"}},
                 {"reconstruct", "--out", on_data, {"d.h5"}},
                 {"reconstruct", "--png", on_data, {"d.h5"}},
                 {"evaluate", "--out", on_data, {"d.h5", "run/best.h5"}},
                 {"generate", "--out", on_latents, {"latents.h5", "run/best.h5"}},
                 {"generate", "--png", on_latents, {"latents.h5"}}};
    for (const auto& tested : cases) {
        const auto run_to = [&](const std::string& to, bool force) {
            std::vector<std::string> all = {tested.command};
            all.insert(all.end(), tested.arguments.begin(), tested.arguments.end());
            all.insert(all.end(), {tested.option, to});
            if (force) all.emplace_back("--force");
            if (std::string_view(tested.command) == "evaluate") {
                all.insert(all.end(), {"--importance-samples", "2"});
            }
            return run(0, all);
        };
        SCOPED_TRACE(std::string(tested.command) + " " + tested.option);
        write_text("precious.png", "precious");
        expect_refused(run_to("precious.png", false), 2, {"precious.png", "--force"});
        EXPECT_EQ(contents_of(path("precious.png")), "precious");
        for (const std::string& input : tested.inputs) {
            const std::string before = contents_of(path(input));
            expect_refused(run_to(input, true), 2, {input});
            EXPECT_EQ(contents_of(path(input)), before);
        }
        EXPECT_EQ(run_to("precious.png", true).status, 0);
        EXPECT_NE(contents_of(path("precious.png")), "precious");
    }
}

TEST_F(Inference, SamplesThatAreNoImagesAreDrawnAsPanelsAndWritten) {
    train_on_a_table();
    run_well(2, {"generate", "run", "--count", "3", "--png", "g.png", "--out", "g.h5"});
    EXPECT_EQ(hdf5::File::open(path("g.h5").string()).info("sample").shape,
              (std::vector<std::int64_t>{3, 6}));
    EXPECT_EQ(contents_of(path("g.png")).substr(1, 3), "PNG");
    run_well(2, {"generate", "run", "--traverse", "--png", "t.png"});
    EXPECT_EQ(contents_of(path("t.png")).substr(1, 3), "PNG");
}

TEST_F(Inference, ADiskThatFillsUpLeavesNothingUnderTheName) {
    train_on_images();
    const Outcome outcome = run(0, {"generate", "run", "--count", "40000", "--out", "g.h5"},
                                {.most_file_bytes = std::int64_t{4} << 20});
    expect_refused(outcome, 1, {"g.h5"});
    expect_nothing_beside({"d.h5", "run", "run.yaml"});
}

TEST_F(Inference, AKilledCommandLeavesNothingUnderTheNameAndCanBeRunAgain) {
    train_on_images();
    // More samples than are made before the kill, few enough that none of them matters.
    const std::vector<std::string> command = {"generate", "run", "--count", "5000000", "--out", "g.h5"};
    const fs::path pending = path(".g.h5.pending");
    {
        const auto process = start(2, command);
        while (process->running() && !fs::exists(pending))
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        EXPECT_TRUE(fs::exists(pending));
        process->kill();
    }
    EXPECT_FALSE(fs::exists(path("g.h5")));
    write_text(pending.filename(), "what a kill left");
    run_well(2, {"generate", "run", "--count", "10", "--out", "g.h5"});
    EXPECT_EQ(hdf5::File::open(path("g.h5")).info("sample").shape[0], 10);
    expect_nothing_beside({"d.h5", "run", "run.yaml", "g.h5"});
}

}  // namespace
}  // namespace vae_dist
