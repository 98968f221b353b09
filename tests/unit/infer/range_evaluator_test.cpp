#include "infer/evaluation/range_evaluator.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "infer/host_copy.hpp"
#include "support/expect_error.hpp"
#include "unit/model/reference_vae.hpp"
#include "vae_dist/config/names.hpp"

namespace vae_dist {
namespace {

constexpr std::int64_t kRows = 5;
constexpr std::int64_t kFeatures = 6;
constexpr std::int64_t kLatents = 3;
constexpr std::uint32_t kSeed = 11;

struct Evaluated {
    LikelihoodConfig likelihood;
    SizedWord<PriorKind> prior = {PriorKind::standard_normal};
};

double reconstruction_of(const RangeFigures& figures, std::int64_t row) {
    return figures.terms[static_cast<std::size_t>(2 * row)];
}
double kl_of(const RangeFigures& figures, std::int64_t row) {
    return figures.terms[static_cast<std::size_t>(2 * row + 1)];
}

class RangeEvaluatorOf : public testing::TestWithParam<Evaluated> {
 protected:
    RangeEvaluatorOf() : backend_(make_backend({})), vae_(model_config(), kFeatures, *backend_) {
        vae_.reserve(kRows);
        vae_.initialise(3);
        std::vector<float> noise(vae_.parameters().values.size());
        CounterRandom(4, Purpose::synthetic).normals(0, 0, noise);
        backend_->scale(noise, 0.2F);
        backend_->add(noise, vae_.parameters().values);
        const CounterRandom random(5, Purpose::synthetic);
        for (std::int64_t r = 0; r < kRows; ++r) {
            rows_.push_back(100 + r);
            for (std::uint32_t d = 0; d < kFeatures; ++d)
                x_.push_back(random.uniform(0, static_cast<std::uint64_t>(r), d));
        }
    }

    static ModelConfig model_config() {
        ModelConfig config;
        config.latent_dim = kLatents;
        config.encoder.hidden = {7};
        config.decoder.hidden = {5, 4};
        config.activation = Activation::tanh;
        config.likelihood = GetParam().likelihood;
        config.prior = GetParam().prior;
        return config;
    }

    RangeFigures figures(std::int64_t draws, std::int64_t decoder_rows = 256) {
        RangeEvaluator evaluator(
            vae_, *backend_, model_config(),
            {.draws = draws, .seed = kSeed, .most_rows = kRows, .decoder_rows = decoder_rows});
        return evaluator.evaluate({.x = {x_.data(), kRows, kFeatures}, .rows = rows_, .conditions = {}});
    }

    ReferenceVae::Parameters reference_parameters() const {
        ReferenceVae::Parameters parameters;
        for (const Parameter& parameter : vae_.layout().parameters()) {
            const float* first = vae_.parameters().values.data() + parameter.offset;
            parameters[parameter.name].assign(first, first + parameter.size());
        }
        return parameters;
    }

    // Row r with the noise of `draws` draws, or with none at all: the posterior's mean.
    ReferenceVae::Sample reference_sample(std::int64_t r, std::int64_t draws) const {
        ReferenceVae::Sample sample;
        sample.x.assign(x_.begin() + r * kFeatures, x_.begin() + (r + 1) * kFeatures);
        const CounterRandom random(kSeed, Purpose::validation_noise);
        for (std::int64_t k = 0; k < draws; ++k) {
            std::vector<float> epsilon(kLatents);
            random.normals(0, static_cast<std::uint64_t>(100 + r + (k << 40)), epsilon);
            sample.epsilon.emplace_back(epsilon.begin(), epsilon.end());
        }
        if (draws == 0) sample.epsilon.emplace_back(kLatents, 0.0);
        return sample;
    }

    ReferenceVae::Terms reference_terms(std::int64_t r, std::int64_t draws) const {
        return ReferenceVae(model_config())
            .terms(reference_parameters(), {reference_sample(r, draws)}, 1, 1, 0);
    }

    void set_first(const std::string& parameter, float value) {
        const Parameter& found = vae_.layout().find(parameter);
        vae_.parameters().values[static_cast<std::size_t>(found.offset)] = value;
    }

    std::unique_ptr<Backend> backend_;
    Vae vae_;
    std::vector<float> x_;            // (B, D)
    std::vector<std::int64_t> rows_;  // (B)
};

TEST_P(RangeEvaluatorOf, EachRowsFiguresAreTheFormulas) {
    const RangeFigures found = figures(7);
    ASSERT_EQ(found.rows.size(), 5U);
    for (std::int64_t r = 0; r < kRows; ++r) {
        const RowFigures& row = found.rows[static_cast<std::size_t>(r)];
        const ReferenceVae::Terms expected = reference_terms(r, 7);
        EXPECT_NEAR(reconstruction_of(found, r), expected.reconstruction,
                    1e-5 * std::abs(expected.reconstruction));
        EXPECT_NEAR(kl_of(found, r), expected.kl, 1e-5 * std::abs(expected.kl));
        EXPECT_NEAR(row.log_likelihood, expected.iwae_bound, 1e-5 * std::abs(expected.iwae_bound));
        EXPECT_GT(row.monte_carlo_variance, 0);
        EXPECT_GT(row.effective_draws, 1);
        EXPECT_LT(row.effective_draws, 7);
    }
}

TEST_P(RangeEvaluatorOf, BlocksThatDoNotDivideTheDrawsChangeNothing) {
    const RangeFigures whole = figures(23, 23 * kRows);
    for (const std::int64_t decoder_rows : {1, 10, 37, 64}) {
        const RangeFigures blocks = figures(23, decoder_rows);
        for (std::size_t r = 0; r < whole.rows.size(); ++r) {
            EXPECT_NEAR(blocks.rows[r].log_likelihood, whole.rows[r].log_likelihood, 1e-5);
            for (std::size_t t = 2 * r; t < 2 * r + 2; ++t)
                EXPECT_NEAR(blocks.terms[t], whole.terms[t], 1e-5);
            EXPECT_NEAR(blocks.rows[r].effective_draws, whole.rows[r].effective_draws, 1e-4);
        }
    }
}

TEST_P(RangeEvaluatorOf, OneDrawGivesTheElboOfValidation) {
    const RangeFigures found = figures(1);
    const TermValues& terms = vae_.evaluate({.x = {x_.data(), kRows, kFeatures},
                                             .rows = rows_,
                                             .noise = CounterRandom(kSeed, Purpose::validation_noise)});
    double reconstruction = 0;
    double kl = 0;
    for (std::int64_t r = 0; r < kRows; ++r) {
        reconstruction += reconstruction_of(found, r);
        kl += kl_of(found, r);
    }
    EXPECT_NEAR(reconstruction, terms["reconstruction"], 1e-6 * std::abs(terms["reconstruction"]));
    EXPECT_NEAR(kl, terms["kl"], 1e-6 * std::abs(terms["kl"]));
}

TEST_P(RangeEvaluatorOf, LatentDimensionsShareTheKlAndKeepTheMeansSpread) {
    const RangeFigures found = figures(1);
    double of_rows = 0;
    for (std::int64_t r = 0; r < kRows; ++r)
        of_rows += kl_of(found, r);
    double of_latents = 0;
    for (const LatentFigures& latent : found.latents)
        of_latents += latent.kl;
    ASSERT_EQ(found.latents.size(), 3U);
    const bool closed_form = GetParam().prior.word == PriorKind::standard_normal;
    EXPECT_NEAR(of_latents, closed_form ? of_rows : 0, 1e-12 * std::abs(of_rows));

    const std::vector<float> mean = to_host(*backend_, vae_.encode({x_.data(), kRows, kFeatures}).mean);
    for (std::size_t z = 0; z < 3; ++z) {
        double sum = 0;
        double squares = 0;
        for (std::size_t r = 0; r < 5; ++r) {
            sum += mean[r * 3 + z];
            squares += static_cast<double>(mean[r * 3 + z]) * mean[r * 3 + z];
        }
        EXPECT_NEAR(found.latents[z].mean.mean(), sum / 5, 1e-12);
        EXPECT_NEAR(found.latents[z].mean.variance(), squares / 5 - sum * sum / 25, 1e-12);
    }
}

TEST_P(RangeEvaluatorOf, ReconstructionErrorsAreThoseOfThePosteriorsMean) {
    const RangeFigures found = figures(1);
    const Posterior posterior = vae_.encode({x_.data(), kRows, kFeatures});
    std::vector<float> output = to_host(*backend_, vae_.decode(posterior.mean));
    const std::int64_t numbers_a_row = std::ssize(output) / kRows;
    for (std::int64_t r = 0; r < kRows; ++r) {
        double squares = 0;
        for (std::int64_t i = r * kFeatures; i < (r + 1) * kFeatures; ++i) {
            const std::int64_t place = r * numbers_a_row + i % kFeatures;  // the first block's
            double mean = output[static_cast<std::size_t>(place)];
            if (GetParam().likelihood.kind == LikelihoodKind::bernoulli) mean = 1 / (1 + std::exp(-mean));
            squares += std::pow(x_[static_cast<std::size_t>(i)] - mean, 2);
        }
        const RowFigures& row = found.rows[static_cast<std::size_t>(r)];
        EXPECT_NEAR(row.squared_error, squares / kFeatures, 1e-6);
        const double entropy = GetParam().likelihood.kind == LikelihoodKind::bernoulli
                                   ? -reference_terms(r, 0).reconstruction
                                   : 0;
        EXPECT_NEAR(row.cross_entropy, entropy, 1e-5 * std::abs(entropy));
    }
}

TEST_P(RangeEvaluatorOf, EqualInputGivesEqualBits) {
    EXPECT_EQ(figures(23).to_bytes(), figures(23).to_bytes());
}

TEST_P(RangeEvaluatorOf, MemoryDoesNotGrowWithTheDraws) {
    const auto reserved = [&](std::int64_t draws) {
        return RangeEvaluator(vae_, *backend_, model_config(), {.draws = draws, .most_rows = 4})
            .decoder_rows();
    };
    EXPECT_EQ(reserved(1), 4);
    EXPECT_EQ(reserved(10), 40);
    EXPECT_EQ(reserved(64), 256);
    EXPECT_EQ(reserved(5000), 256);
    EXPECT_EQ(reserved((std::int64_t{1} << 23) - 1), 256);
}

TEST_P(RangeEvaluatorOf, AModelThatIsNotFiniteIsAnErrorNamingTheRow) {
    set_first("decoder/output/bias", std::nanf(""));
    expect_error(ErrorKind::failure, {"not finite", "row 100"}, [&] { figures(3); });
}

TEST_P(RangeEvaluatorOf, FiguresSurviveTheWayToAnotherRank) {
    RangeFigures sent = figures(3);
    sent.picked = {1, 2.5F, -3};
    const RangeFigures received = RangeFigures::from_bytes(sent.to_bytes(), 5, 2, 3);
    EXPECT_EQ(received.rows.size(), 5U);
    EXPECT_EQ(received.latents.size(), 3U);
    EXPECT_EQ(received.picked, sent.picked);
    EXPECT_EQ(received.to_bytes(), sent.to_bytes());
    EXPECT_THROW(RangeFigures::from_bytes(sent.to_bytes(), 50, 2, 3), Error);
}

INSTANTIATE_TEST_SUITE_P(Likelihoods, RangeEvaluatorOf,
                         testing::Values(Evaluated{{LikelihoodKind::bernoulli}},
                                         Evaluated{{LikelihoodKind::gaussian}},
                                         Evaluated{{LikelihoodKind::gaussian, VarianceKind::decoder}},
                                         Evaluated{{LikelihoodKind::bernoulli}, {PriorKind::mixture, 4}}),
                         [](const auto& tested) {
                             const LikelihoodConfig& likelihood = tested.param.likelihood;
                             return fmt::format("{}_{}_{}", name_of(likelihood.kind),
                                                name_of(likelihood.variance),
                                                name_of(tested.param.prior.word));
                         });

}  // namespace
}  // namespace vae_dist
