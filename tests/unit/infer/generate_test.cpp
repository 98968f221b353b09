#include "vae_dist/infer/generate.hpp"

#include "support/expect_error.hpp"
#include "unit/infer/pixels.hpp"
#include "unit/infer/trained_files.hpp"
#include "vae_dist/infer/picture.hpp"

namespace vae_dist {
namespace {

class Generate : public Trained {
 protected:
    GenerateOptions options() const {
        GenerateOptions chosen;
        chosen.output.path = out();
        chosen.seed = 11;
        return chosen;
    }
    GenerateOptions with_count(std::int64_t count) const {
        GenerateOptions chosen = options();
        chosen.count = count;
        return chosen;
    }
    void generate_on(int ranks, const GenerateOptions& chosen) const {
        run(ranks, [&](const TrainedModel& model, Communicator& communicator, const Log& log) {
            generate(model, chosen, communicator, log);
        });
    }
    std::vector<float> read(const std::string& name) const {
        return hdf5::File::open(out()).read_floats(name);
    }
    std::string kind() const { return hdf5::File::open(out()).read_text_attribute("/", "kind"); }

    // Samples are the decoder's means for the latents beside them.
    void expect_means(const MadeUpModel& saved, const std::string& dataset) const {
        const std::vector<float> latents = read("latent");
        const std::vector<float> samples = read(dataset);
        ASSERT_EQ(samples.size() / kFeatures, latents.size() / 3);
        for (std::size_t r = 0; r < latents.size() / 3; ++r) {
            const std::vector<double> expected = saved.mean(row_of(latents, r, 3));
            for (std::size_t d = 0; d < kFeatures; ++d)
                ASSERT_NEAR(samples[r * kFeatures + d], expected[d], 1e-5) << r;
        }
    }
    void expect_refused(const GenerateOptions& chosen, std::initializer_list<std::string> parts) const {
        const std::vector<std::string> before = files();
        run(2, [&](const TrainedModel& model, Communicator& communicator, const Log& log) {
            expect_error(ErrorKind::input, parts, [&] { generate(model, chosen, communicator, log); });
        });
        EXPECT_EQ(files(), before);
    }
};

TEST_F(Generate, LatentsComeFromThePriorBySeedAndRow) {
    const MadeUpModel saved = save_model("bernoulli");
    generate_on(2, with_count(300));
    EXPECT_EQ(kind(), "prior");
    EXPECT_EQ(hdf5::File::open(out()).info("sample").shape, (std::vector<std::int64_t>{300, 4, 5}));
    const std::vector<float> latents = read("latent");
    for (std::size_t r = 0; r < 300; ++r) {
        std::vector<float> expected(3);
        CounterRandom(11, Purpose::prior).normals(0, r, expected);
        for (std::size_t i = 0; i < 3; ++i)
            ASSERT_EQ(latents[3 * r + i], expected[i]) << r;
    }
    expect_means(saved, "sample");
}

TEST_F(Generate, DrawsStandBesideTheirMeans) {
    const MadeUpModel saved = save_model("bernoulli");
    GenerateOptions chosen = with_count(300);
    chosen.draw = true;
    generate_on(2, chosen);
    expect_means(saved, "mean");
    const std::vector<float> samples = read("sample");
    const std::vector<float> means = read("mean");
    const CounterRandom random(11, Purpose::likelihood);
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const float uniform = random.uniform(0, i / kFeatures, static_cast<std::uint32_t>(i % kFeatures));
        ASSERT_EQ(samples[i], uniform < means[i] ? 1 : 0) << i;
    }
}

// Each transform undone, then the scale, of samples and of means beside draws.
TEST_F(Generate, UnitsOfTheDataUndoTransformAndScale) {
    for (const std::string transform : {"none", "standardize", "log1p"}) {
        const MadeUpModel saved = save_model("gaussian", transform);
        GenerateOptions chosen = with_count(30);
        chosen.draw = true;
        chosen.output.force = true;
        generate_on(1, chosen);
        const std::map<std::string, std::vector<float>> model = {{"sample", read("sample")},
                                                                 {"mean", read("mean")}};
        chosen.units = Units::data;
        chosen.data.scale = 4;
        generate_on(2, chosen);
        EXPECT_EQ(hdf5::File::open(out()).read_double_attribute("/", "data_scale"), 4);
        for (const auto& [name, in_model] : model) {
            const std::vector<float> in_data = read(name);
            ASSERT_EQ(in_data.size(), in_model.size());
            for (std::size_t i = 0; i < in_data.size(); ++i) {
                const std::size_t d = i % kFeatures;
                double expected = in_model[i];
                if (transform == "log1p") expected = std::expm1(expected);
                if (transform == "standardize") {
                    expected = expected * saved.checkpoint().statistics->deviation[d] +
                               saved.checkpoint().statistics->mean[d];
                }
                ASSERT_NEAR(in_data[i], expected / 4, 1e-5 * (1 + std::abs(expected)))
                    << transform << " " << name;
            }
        }
    }
}

TEST_F(Generate, EveryNumberOfRanksGivesTheSameFiles) {
    save_model("gaussian");
    GenerateOptions chosen = with_count(kRows);
    chosen.draw = true;
    chosen.png = png();
    chosen.output.force = true;
    expect_same_files_on_every_number_of_ranks([&](int ranks) { generate_on(ranks, chosen); });
}

TEST_F(Generate, GivenLatentsAreDecoded) {
    const MadeUpModel saved = save_model();
    const std::vector<float> latents = made_up_values(20, 3);
    write_float_rows(folder_.file("z.h5"), "z", 3, latents);
    GenerateOptions chosen = options();
    chosen.latents = folder_.file("z.h5") + ":z";
    generate_on(2, chosen);
    EXPECT_EQ(kind(), "latents");
    EXPECT_EQ(read("latent"), latents);
    expect_means(saved, "sample");
}

TEST_F(Generate, LatentsOfAnotherWidthOrNotFiniteAreRefused) {
    save_model();
    write_float_rows(folder_.file("z.h5"), "z", 4, made_up_values(20, 4));
    GenerateOptions chosen = options();
    chosen.latents = folder_.file("z.h5") + ":z";
    expect_refused(chosen, {"z.h5:z", "shape 4", "3 latent dimensions"});
    std::vector<float> latents = made_up_values(20, 3);
    latents[31] = std::numeric_limits<float>::infinity();
    write_float_rows(folder_.file("z.h5"), "z", 3, latents);
    expect_refused(chosen, {"z.h5:z row 10", "inf"});
}

TEST_F(Generate, ATraversalWalksEachDimensionAndKeepsTheOthers) {
    const MadeUpModel saved = save_model();
    const std::vector<float> values = made_up_values(20, kFeatures);
    save_data(values);
    for (const bool of_a_row : {false, true}) {
        GenerateOptions chosen = options();
        chosen.output.force = true;
        chosen.traverse = true;
        chosen.steps = 5;
        std::vector<double> kept(3, 0);
        if (of_a_row) {
            chosen.row = 7;
            chosen.data.dataset = dataset();
            kept = saved.encode(row_of(values, 7, kFeatures)).mean;
        }
        generate_on(2, chosen);
        EXPECT_EQ(kind(), "traversal");
        const std::vector<float> latents = read("latent");
        ASSERT_EQ(latents.size(), 3U * 5 * 3);
        for (std::size_t r = 0; r < 15; ++r) {
            for (std::size_t i = 0; i < 3; ++i) {
                const double expected = i == r / 5 ? -3 + 1.5 * static_cast<double>(r % 5) : kept[i];
                EXPECT_NEAR(latents[3 * r + i], expected, 1e-5) << r;
            }
        }
        expect_means(saved, "sample");
    }
}

TEST_F(Generate, AnInterpolationGoesFromOnePosteriorMeanToTheOther) {
    const MadeUpModel saved = save_model();
    const std::vector<float> values = made_up_values(20, kFeatures);
    save_data(values);
    GenerateOptions chosen = options();
    chosen.interpolate = {{3, 19}};
    chosen.steps = 4;
    chosen.data.dataset = dataset();
    generate_on(3, chosen);
    EXPECT_EQ(kind(), "interpolation");
    const std::vector<double> first = saved.encode(row_of(values, 3, kFeatures)).mean;
    const std::vector<double> last = saved.encode(row_of(values, 19, kFeatures)).mean;
    const std::vector<float> latents = read("latent");
    ASSERT_EQ(latents.size(), 4U * 3);
    for (std::size_t r = 0; r < 4; ++r) {
        for (std::size_t i = 0; i < 3; ++i) {
            const double part = static_cast<double>(r) / 3;
            EXPECT_NEAR(latents[3 * r + i], first[i] + part * (last[i] - first[i]), 1e-5) << r;
        }
    }
    expect_means(saved, "sample");
}

TEST_F(Generate, ThePictureShowsTheFirstSamplesOrOneRowADimension) {
    save_model("bernoulli");
    GenerateOptions chosen = with_count(100);
    chosen.png = folder_.file("out.png");
    const auto expect_grid = [&](std::int64_t columns) {
        EXPECT_EQ(read_text_file(chosen.png), png_text(grid_of(read("sample"), {4, 5, 1}, columns, {0, 1})));
    };
    generate_on(2, chosen);
    expect_grid(10);
    const std::string of_hundred = read_text_file(chosen.png);
    chosen.output.force = true;
    chosen.count = 130;
    generate_on(2, chosen);
    EXPECT_EQ(read_text_file(chosen.png), of_hundred);
    chosen.count.reset();
    chosen.traverse = true;
    chosen.steps = 7;
    generate_on(2, chosen);
    expect_grid(7);
}

TEST_F(Generate, TheReportSaysHowManySamplesThePictureShows) {
    save_model("bernoulli");
    GenerateOptions chosen = with_count(1300);
    chosen.output.force = true;
    chosen.png = folder_.file("out.png");
    const auto expect_report = [&](const std::string& part) {
        testing::internal::CaptureStdout();
        generate_on(1, chosen);
        const std::string report = testing::internal::GetCapturedStdout();
        EXPECT_NE(report.find(part), std::string::npos) << "no '" << part << "' in: " << report;
    };
    expect_report("generated 1,300 samples (prior): ");
    expect_report(", picture of the first 100 in " + chosen.png);
    chosen.count = 100;
    expect_report(", picture in " + chosen.png);
    chosen.output.path = "";
    expect_report("generated 100 samples (prior): picture in " + chosen.png);
    chosen.count = 1300;
    expect_report("generated the first 100 of 1,300 samples (prior): picture in " + chosen.png);
}

TEST_F(Generate, APictureIsNamedAsThePngThatItIs) {
    save_model("bernoulli");
    GenerateOptions chosen = with_count(3);
    for (const std::string name : {"g.jpg", "g", "png", "g.png.jpg", "g.pngx"}) {
        chosen.png = folder_.file(name);
        expect_refused(chosen, {"--png " + chosen.png + ": the picture is a PNG file", "ends in .png"});
    }
    chosen.png = folder_.file("g.PNG");
    generate_on(1, chosen);
    EXPECT_TRUE(std::filesystem::exists(chosen.png));
}

// Of features in any number, from the prior and along a walk.
TEST_F(Generate, SamplesThatAreNoImagesArePanelsBesideTheFile) {
    for (const std::int64_t features : {std::int64_t{20}, std::int64_t{70}}) {
        save_model("gaussian", "none", {features});
        GenerateOptions chosen = with_count(30);
        chosen.output.force = true;
        chosen.png = folder_.file("out.png");
        generate_on(2, chosen);
        EXPECT_EQ(read_text_file(chosen.png), png_text(panels_of(read("sample"), features, 1)));
        chosen.count.reset();
        chosen.traverse = true;
        chosen.steps = 7;
        generate_on(2, chosen);
        EXPECT_EQ(read_text_file(chosen.png), png_text(panels_of(read("sample"), features, 7)));
    }
}

TEST_F(Generate, PrintsOneSampleALine) {
    save_model("gaussian", "none", {20});
    GenerateOptions chosen = with_count(3);
    chosen.print = true;
    testing::internal::CaptureStdout();
    generate_on(2, chosen);
    std::istringstream printed(testing::internal::GetCapturedStdout());
    for (const float expected : read("sample")) {
        float value = 0;
        printed >> value;
        EXPECT_EQ(value, expected) << "the shortest text that is read back as the same number";
    }
    std::string rest;
    EXPECT_FALSE(printed >> rest) << rest;
    chosen.output.path = "";
    testing::internal::CaptureStdout();
    generate_on(1, chosen);
    const std::string alone = testing::internal::GetCapturedStdout();
    EXPECT_EQ(std::count(alone.begin(), alone.end(), '\n'), 3) << alone;
    EXPECT_EQ(std::count(alone.begin(), alone.end(), ' '), 3 * 19) << alone;
}

TEST_F(Generate, WhatCannotBeDoneIsRefusedBeforeAnythingIsWritten) {
    save_model("gaussian", "none", {20});
    save_data(made_up_values(20, kFeatures), {20});
    expect_refused(options(), {"--count", "given none; see vae_dist generate --help"});
    for (const std::int64_t count : {std::int64_t{0}, std::int64_t{-3}, (std::int64_t{1} << 40) + 1})
        expect_refused(with_count(count), {"--count " + std::to_string(count)});
    GenerateOptions chosen = with_count(3);
    chosen.traverse = true;
    expect_refused(chosen, {"given 2; see vae_dist generate --help"});
    chosen = options();
    chosen.traverse = true;
    chosen.steps = 1;
    expect_refused(chosen, {"--steps 1"});
    chosen.steps = 3;
    chosen.row = 2;
    expect_refused(chosen, {"--row", "--data"});
    chosen.data.dataset = dataset();
    chosen.row = 20;
    expect_refused(chosen, {"row 20", "0 to 19"});
    chosen = with_count(1001);
    chosen.print = true;
    expect_refused(chosen, {"--print", "1000"});
    chosen = with_count(3);
    chosen.output.path = "";
    expect_refused(chosen, {"--out, --png or --print; see vae_dist generate --help"});
    for (const double scale : {0.0, -2.0, std::nan("")}) {
        chosen = with_count(3);
        chosen.units = Units::data;
        chosen.data.scale = scale;
        expect_refused(chosen, {"--scale"});
    }
}

TEST_F(Generate, WhatWouldHaveNoEffectIsRefused) {
    save_model("gaussian", "none", {4, 5});
    GenerateOptions chosen = with_count(3);
    chosen.steps = 5;
    expect_refused(chosen, {"--steps", "--traverse"});
    chosen = with_count(3);
    chosen.data.scale = 2;
    expect_refused(chosen, {"--scale", "--units"});
    chosen = with_count(3);
    chosen.output = {.path = "", .deflate = 4};
    chosen.png = folder_.file("out.png");
    expect_refused(chosen, {"--compress", "--out"});
    chosen.output.deflate = 0;
    chosen.units = Units::data;
    expect_refused(chosen, {"--units", "--out"});
}

}  // namespace
}  // namespace vae_dist
