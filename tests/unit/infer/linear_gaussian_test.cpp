#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numbers>
#include <numeric>
#include <string>
#include <vector>

#include "infer/evaluation/range_evaluator.hpp"

namespace vae_dist {
namespace {

// A model without hidden layers and with a gaussian likelihood is linear: z ~ N(0, I), x|z ~ N(W z + b, S)
// with diagonal S. Then log p(x) = log N(x; b, W W^T + S) is known in closed form. The encoder is off the
// true posterior on purpose, so that the ELBO is too low and a few draws are not enough.
class LinearGaussian : public testing::Test {
 protected:
    static constexpr std::size_t kRows = 200;
    static constexpr std::size_t kFeatures = 5;
    static constexpr std::size_t kLatents = 2;

    LinearGaussian() : backend_(make_backend({})), vae_(model_config(), kFeatures, *backend_) {
        rows_.resize(kRows);
        std::iota(rows_.begin(), rows_.end(), 0);
        find_posterior();
        set_parameters();
        draw_data();
    }

    static ModelConfig model_config() {
        ModelConfig config;
        config.latent_dim = kLatents;
        config.encoder.hidden = {};
        config.decoder.hidden = {};
        config.likelihood.kind = LikelihoodKind::gaussian;
        return config;
    }

    // covariance_ = M^-1, M = I + W^T S^-1 W; mean = projection_ (x - b), projection_ = M^-1 W^T S^-1.
    void find_posterior() {
        std::array<double, 3> m = {1, 0, 1};  // (0, 0), (0, 1), (1, 1)
        for (std::size_t d = 0; d < kFeatures; ++d) {
            const double precision = std::exp(-log_variance_[d]);
            m[0] += precision * weight_[2 * d] * weight_[2 * d];
            m[1] += precision * weight_[2 * d] * weight_[2 * d + 1];
            m[2] += precision * weight_[2 * d + 1] * weight_[2 * d + 1];
        }
        determinant_ = m[0] * m[2] - m[1] * m[1];
        covariance_ = {m[2] / determinant_, -m[1] / determinant_, m[0] / determinant_};
        for (std::size_t d = 0; d < kFeatures; ++d) {
            const double precision = std::exp(-log_variance_[d]);
            const double first = precision * weight_[2 * d];
            const double second = precision * weight_[2 * d + 1];
            projection_[d] = covariance_[0] * first + covariance_[1] * second;
            projection_[kFeatures + d] = covariance_[1] * first + covariance_[2] * second;
        }
    }

    void set(const std::string& parameter, const std::vector<double>& values) {
        const Parameter& found = vae_.layout().find(parameter);
        ASSERT_EQ(static_cast<std::size_t>(found.size()), values.size());
        std::ranges::copy(values, vae_.parameters().values.begin() + found.offset);
    }

    void set_parameters() {
        set("decoder/output/weight", {weight_.begin(), weight_.end()});
        set("decoder/output/bias", {bias_.begin(), bias_.end()});
        set("decoder/log_variance", {log_variance_.begin(), log_variance_.end()});
        std::vector<double> off(projection_.begin(), projection_.end());
        std::vector<double> shift(kLatents);
        for (std::size_t i = 0; i < off.size(); ++i) {
            off[i] *= 0.9;
            shift[i / kFeatures] -= off[i] * bias_[i % kFeatures];
        }
        set("encoder/mean/weight", off);
        set("encoder/mean/bias", shift);
        set("encoder/log_variance/weight", std::vector<double>(kLatents * kFeatures));
        // Wider than the true posterior: narrower, and the weights would have no variance.
        set("encoder/log_variance/bias", {std::log(covariance_[0]) + 0.7, std::log(covariance_[2]) + 0.7});
    }

    void draw_data() {
        for (std::size_t r = 0; r < kRows; ++r) {
            std::array<float, kLatents + kFeatures> normal{};
            CounterRandom(21, Purpose::synthetic).normals(0, r, normal);
            for (std::size_t d = 0; d < kFeatures; ++d) {
                const double mean = bias_[d] + weight_[2 * d] * normal[0] + weight_[2 * d + 1] * normal[1];
                x_.push_back(
                    static_cast<float>(mean + std::exp(log_variance_[d] / 2) * normal[kLatents + d]));
            }
        }
    }

    double log_density(std::size_t row) const {
        double sum = static_cast<double>(kFeatures) * std::log(2 * std::numbers::pi) + std::log(determinant_);
        double explained = 0;
        std::array<double, kLatents> mean{};
        std::array<double, kLatents> projected{};
        for (std::size_t d = 0; d < kFeatures; ++d) {
            const double difference = x_[row * kFeatures + d] - bias_[d];
            const double scaled = difference * std::exp(-log_variance_[d]);
            sum += log_variance_[d] + difference * scaled;
            for (std::size_t z = 0; z < kLatents; ++z) {
                mean[z] += projection_[z * kFeatures + d] * difference;
                projected[z] += weight_[2 * d + z] * scaled;
            }
        }
        for (std::size_t z = 0; z < kLatents; ++z)
            explained += mean[z] * projected[z];
        return -0.5 * (sum - explained);
    }

    double mean_log_density() const {
        double sum = 0;
        for (std::size_t row = 0; row < kRows; ++row)
            sum += log_density(row);
        return sum / kRows;
    }

    struct Estimate {
        double log_likelihood = 0;
        double error = 0;
        double elbo = 0;
    };
    Estimate estimate(std::int64_t draws, std::uint32_t seed = 1) {
        RangeEvaluator evaluator(vae_, *backend_, model_config(),
                                 {.draws = draws, .seed = seed, .most_rows = kRows, .decoder_rows = 4096});
        const RangeFigures figures =
            evaluator.evaluate({.x = {x_.data(), kRows, kFeatures}, .rows = rows_, .conditions = {}});
        Estimate mean;
        for (std::size_t r = 0; r < figures.rows.size(); ++r) {
            const RowFigures& row = figures.rows[r];
            mean.log_likelihood += row.log_likelihood / kRows;
            mean.elbo += (figures.terms[2 * r] - figures.terms[2 * r + 1]) / kRows;
            mean.error += row.monte_carlo_variance;
        }
        mean.error = std::sqrt(mean.error) / kRows;
        return mean;
    }

    std::array<double, kFeatures* kLatents> weight_ = {1, 0.5, -0.5, 1.5, 0.25, -1, 2, 0, -0.75, 0.5};
    std::array<double, kFeatures> bias_ = {0.5, -1, 2, 0, 1.5};
    std::array<double, kFeatures> log_variance_ = {0, -1, 0.5, -0.5, 0.25};
    std::array<double, 3> covariance_{};                     // (0, 0), (0, 1), (1, 1)
    std::array<double, kLatents * kFeatures> projection_{};  // (Z, D)
    double determinant_ = 0;

    std::unique_ptr<Backend> backend_;
    Vae vae_;
    std::vector<float> x_;            // (B, D)
    std::vector<std::int64_t> rows_;  // (B)
};

TEST_F(LinearGaussian, TheEstimateRisesToTheTrueLogLikelihood) {
    const double truth = mean_log_density();
    const Estimate one = estimate(1);
    const Estimate ten = estimate(10);
    const Estimate hundred = estimate(100);
    const Estimate many = estimate(5000);
    EXPECT_LT(one.log_likelihood, ten.log_likelihood - 0.1);
    EXPECT_LT(ten.log_likelihood, hundred.log_likelihood);
    EXPECT_LT(hundred.log_likelihood, many.log_likelihood + 3 * hundred.error);
    EXPECT_NEAR(many.log_likelihood, truth, 4 * many.error);
    EXPECT_LT(many.error, 0.002);
    EXPECT_LT(many.elbo, truth - 0.1);
}

TEST_F(LinearGaussian, TheErrorOfTheEstimateIsWhatItSays) {
    const double truth = mean_log_density();
    constexpr int kSeeds = 40;
    double squares = 0;
    double expected = 0;
    for (std::uint32_t seed = 1; seed <= kSeeds; ++seed) {
        const Estimate found = estimate(500, seed);
        squares += std::pow(found.log_likelihood - truth, 2);
        expected += found.error * found.error;
    }
    // 40 draws give a variance to 22 % (one standard deviation).
    EXPECT_GT(squares / expected, 0.4);
    EXPECT_LT(squares / expected, 2);
}

TEST_F(LinearGaussian, TheTruePosteriorWouldGiveItAtOnce) {
    // The proposal with the true mean and, of one latent, the true variance: the second latent has weight 0.
    for (std::size_t d = 0; d < kFeatures; ++d)
        weight_[2 * d + 1] = 0;
    find_posterior();
    set_parameters();
    std::vector<double> shift(kLatents);
    for (std::size_t i = 0; i < projection_.size(); ++i)
        shift[i / kFeatures] -= projection_[i] * bias_[i % kFeatures];
    set("encoder/mean/weight", {projection_.begin(), projection_.end()});
    set("encoder/mean/bias", shift);
    set("encoder/log_variance/bias", {std::log(covariance_[0]), std::log(covariance_[2])});
    const Estimate few = estimate(3);
    EXPECT_NEAR(few.log_likelihood, mean_log_density(), 1e-5);
    EXPECT_LT(few.error, 1e-5);
}

}  // namespace
}  // namespace vae_dist
