#include "vae_dist/infer/reconstruct.hpp"

#include <numbers>

#include "support/expect_error.hpp"
#include "unit/infer/pixels.hpp"
#include "unit/infer/trained_files.hpp"
#include "vae_dist/infer/picture.hpp"

namespace vae_dist {
namespace {

class Reconstruct : public Trained {
 protected:
    ReconstructOptions options() const {
        return {.data = {.dataset = dataset(), .limit = {}, .scale = {}},
                .output = {.path = out()},
                .png = "",
                .seed = 6};
    }
    void reconstruct_on(int ranks, const ReconstructOptions& chosen) const {
        run(ranks, [&](const TrainedModel& model, Communicator& communicator, const Log& log) {
            reconstruct(model, chosen, communicator, log);
        });
    }
    std::vector<float> read(const std::string& name) const {
        return hdf5::File::open(out()).read_floats(name);
    }
};

double log_density(const MadeUpModel& model, const std::vector<double>& x,
                   const std::vector<double>& latent) {
    const std::vector<double> output = model.output(latent);
    double sum = 0;
    for (std::size_t d = 0; d < x.size(); ++d) {
        if (model.checkpoint().config.model.likelihood.kind == LikelihoodKind::bernoulli) {
            sum += x[d] * output[d] - std::log1p(std::exp(output[d]));
        } else {
            const double s = model.array("decoder/log_variance")[d];
            const double error = x[d] - output[d];
            sum -= (std::log(2 * std::numbers::pi) + s + error * error / std::exp(s)) / 2;
        }
    }
    return sum;
}

TEST_F(Reconstruct, MeansAndTermsAreThoseOfPlainLoops) {
    const std::vector<float> values = made_up_values(300, kFeatures);
    save_data(values);
    for (const char* likelihood : {"gaussian", "bernoulli"}) {
        const MadeUpModel saved = save_model(likelihood);
        ReconstructOptions chosen = options();
        chosen.output.force = true;
        reconstruct_on(2, chosen);
        EXPECT_EQ(hdf5::File::open(out()).info("reconstruction").shape,
                  (std::vector<std::int64_t>{300, 4, 5}));
        EXPECT_EQ(hdf5::File::open(out()).info("kl").shape, std::vector<std::int64_t>{300});
        const std::vector<float> mean = read("reconstruction");
        const std::vector<float> term = read("reconstruction_term");
        const std::vector<float> kl = read("kl");
        const std::vector<float> elbo = read("elbo");
        for (std::size_t r = 0; r < 300; ++r) {
            const std::vector<double> x = row_of(values, r, kFeatures);
            const MadeUpModel::Posterior q = saved.encode(x);
            std::vector<float> noise(3);
            CounterRandom(6, Purpose::validation_noise).normals(0, r, noise);
            std::vector<double> latent;
            double divergence = 0;
            for (std::size_t i = 0; i < 3; ++i) {
                latent.push_back(q.mean[i] + std::exp(q.log_variance[i] / 2) * noise[i]);
                divergence +=
                    (q.mean[i] * q.mean[i] + std::exp(q.log_variance[i]) - 1 - q.log_variance[i]) / 2;
            }
            ASSERT_NEAR(term[r], log_density(saved, x, latent), 1e-3) << r;
            ASSERT_NEAR(kl[r], divergence, 1e-4) << r;
            ASSERT_EQ(elbo[r], term[r] - kl[r]) << r;
            const std::vector<double> expected = saved.mean(q.mean);
            for (std::size_t d = 0; d < kFeatures; ++d)
                ASSERT_NEAR(mean[r * kFeatures + d], expected[d], 1e-5) << r;
        }
    }
}

TEST_F(Reconstruct, EveryNumberOfRanksGivesTheSameFiles) {
    save_model("bernoulli", "binarize");
    save_data(made_up_values(kRows, kFeatures));
    ReconstructOptions chosen = options();
    chosen.png = png();
    chosen.output.force = true;
    expect_same_files_on_every_number_of_ranks([&](int ranks) { reconstruct_on(ranks, chosen); });
}

TEST_F(Reconstruct, InTheDatasOwnUnitsTransformAndScaleAreUndone) {
    save_data(made_up_values(40, kFeatures));
    for (const char* transform : {"none", "standardize", "log1p"}) {
        const MadeUpModel saved = save_model("gaussian", transform);
        ReconstructOptions chosen = options();
        chosen.output.force = true;
        chosen.data.scale = 4;
        reconstruct_on(1, chosen);
        const std::vector<float> model_units = read("reconstruction");
        chosen.units = Units::data;
        reconstruct_on(2, chosen);
        EXPECT_EQ(hdf5::File::open(out()).read_text_attribute("/", "units"), "data");
        const std::vector<float> data_units = read("reconstruction");
        for (std::size_t i = 0; i < model_units.size(); ++i) {
            double expected = model_units[i];
            if (saved.checkpoint().statistics) {
                const FeatureStatistics& statistics = *saved.checkpoint().statistics;
                expected = expected * statistics.deviation[i % kFeatures] + statistics.mean[i % kFeatures];
            }
            if (std::string(transform) == "log1p") expected = std::exp(expected) - 1;
            ASSERT_NEAR(data_units[i], expected / 4, 1e-5) << transform;
        }
    }
}

TEST_F(Reconstruct, ThePictureHasBandsOfTenOriginalsAboveTheirReconstructions) {
    const std::vector<float> originals = made_up_values(23, kFeatures);
    save_data(originals);
    save_model();
    ReconstructOptions chosen = options();
    chosen.png = folder_.file("out.png");
    reconstruct_on(2, chosen);
    const std::vector<float> reconstructions = read("reconstruction");
    std::vector<float> cells;
    const ValueSpan shown = span_of(originals);
    for (const std::size_t band : {0, 1, 2}) {
        for (const std::vector<float>* from : {&originals, &reconstructions}) {
            const std::size_t samples = band < 2 ? 10 : 3;
            const std::span<const float> these =
                std::span(*from).subspan(band * 10 * kFeatures, samples * kFeatures);
            cells.insert(cells.end(), these.begin(), these.end());
            // The last band is filled up with the grey of the background.
            cells.insert(cells.end(), (10 - samples) * kFeatures, (shown.lowest + shown.highest) / 2);
        }
    }
    EXPECT_EQ(read_text_file(chosen.png), png_text(grid_of(cells, {4, 5, 1}, 10, span_of(originals))));
}

TEST_F(Reconstruct, APictureAloneNeedsNoFileAndPanelsNoImages) {
    save_data(made_up_values(40, kFeatures), {20});
    save_model("gaussian", "none", {20});
    ReconstructOptions chosen = options();
    chosen.output.path = "";
    chosen.png = folder_.file("out.png");
    testing::internal::CaptureStdout();
    reconstruct_on(2, chosen);
    const std::string report = testing::internal::GetCapturedStdout();
    EXPECT_NE(report.find("reconstructed 40 samples of " + dataset() + ": picture in"), std::string::npos)
        << report;
    EXPECT_TRUE(std::filesystem::exists(chosen.png));
    EXPECT_FALSE(std::filesystem::exists(out()));
}

TEST_F(Reconstruct, WhatCannotBeDoneIsRefusedBeforeAnythingIsWritten) {
    save_data(made_up_values(4, kFeatures));
    save_model("bernoulli", "threshold");
    const std::vector<std::string> before = files();
    ReconstructOptions chosen = options();
    chosen.units = Units::data;
    expect_error(ErrorKind::input, {"threshold", "cannot be undone"}, [&] { reconstruct_on(2, chosen); });
    chosen = options();
    chosen.png = out();
    expect_error(ErrorKind::input, {"--out and --png"}, [&] { reconstruct_on(2, chosen); });
    chosen.png = folder_.file("none/out.png");
    expect_error(ErrorKind::input, {"none/out.png"}, [&] { reconstruct_on(2, chosen); });
    chosen.png = folder_.file("out.jpg");
    expect_error(ErrorKind::input, {"out.jpg: the picture is a PNG file"},
                 [&] { reconstruct_on(2, chosen); });
    chosen.png = "";
    chosen.output.path = "";
    expect_error(ErrorKind::input, {"--out or --png; see vae_dist reconstruct --help"},
                 [&] { reconstruct_on(2, chosen); });
    EXPECT_EQ(files(), before);
}

}  // namespace
}  // namespace vae_dist
