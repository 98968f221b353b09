#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vae_dist/infer/inference_data.hpp"

namespace vae_dist {

struct EvaluateOptions {
    InferenceDataOptions data;
    std::int64_t importance_samples = 5000;  ///< K, draws from the posterior of each row
    std::uint32_t seed = 1;  ///< of all draws from the model, and of which rows stand for the data in mmd
};

/// A mean over rows and the standard error that comes from having that many rows and no more.
struct MeanOverRows {
    double mean = 0;
    double standard_error = 0;  ///< standard deviation over the rows / sqrt(rows); NaN for one row
};

/// A term of the model, by its name, as a mean over rows.
struct TermMean {
    std::string name;
    MeanOverRows value;
};

/// Two sets of samples compared by the unbiased estimate of the squared maximum mean discrepancy (Gretton et
/// al., 2012, eq. 3), RBF kernel exp(-d^2 / (2 s^2)), s the median distance between the data's rows. Of equal
/// distributions it scatters around 0. The sets are random subsets of at most 1000 rows.
struct SampleQuality {
    double generated = 0;     ///< between generated samples and data
    double data = 0;          ///< between two subsets of the data: what the data's own distribution gives
    double bandwidth = 0;     ///< s
    std::int64_t rows = 0;    ///< in each set
    bool from_means = false;  ///< the generated samples are means of p(x|z), not draws from it
};

/// What a trained model is worth on a dataset. In nats per row unless said otherwise, means over rows.
struct Evaluation {
    std::int64_t rows = 0;
    std::int64_t features = 0;            ///< D
    std::int64_t importance_samples = 0;  ///< K
    std::uint32_t seed = 0;
    double scale = 1;  ///< what the data's numbers were multiplied by

    MeanOverRows elbo;  ///< the reconstruction terms less the KL terms
    /// The model's terms, in its order: "reconstruction", E[log p(x|z)], the mean of K draws from q(z|x);
    /// "kl", KL(q(z|x) || p(z)), in closed form before a standard normal prior, else the mean of the K draws.
    std::vector<TermMean> terms;

    MeanOverRows
        log_likelihood;  ///< log p(x): log(1/K sum_k p(x, z_k) / q(z_k|x)) (Burda et al., 2016, eq. 8)
    double monte_carlo_error =
        0;  ///< of its mean, from having K draws and no more (delta method); NaN for K = 1
    double effective_draws = 0;     ///< (sum w)^2 / sum w^2 of the K weights, mean over rows
    double bits_per_dimension = 0;  ///< -log p(x) / (D log 2), of the model's input

    /// Latent dimensions whose posterior mean varies by more than kActiveVariance; absent for one row.
    std::optional<std::int64_t> active_units;
    std::vector<double> mean_variance;  ///< (Z) variance over the rows of the posterior mean; NaN for one row
    std::vector<double> kl_per_dimension;  ///< (Z); empty where the divergence has no closed form

    MeanOverRows mse;  ///< (x - mean of p(x|z))^2, z the posterior's mean; per feature, of the model's input
    std::optional<MeanOverRows> cross_entropy;  ///< -log p(x|z) for that z; bernoulli only

    /// Absent where it says nothing: of fewer than 4 rows, or where half of them are alike; and of rows of so
    /// many numbers that two don't fit into 64 MiB.
    std::optional<SampleQuality> mmd;
};

/// The variance above which a latent dimension counts as active (Burda et al., 2016, section 5.1).
inline constexpr double kActiveVariance = 0.01;

/// Collective. Every row once; the same bits on rank 0 for every number of ranks (elsewhere nothing but the
/// counts is set). Memory is bounded whatever K is, and grows with the rows by at most 16 bytes a row.
Evaluation evaluate(const TrainedModel& model, const EvaluateOptions& options, Communicator& communicator,
                    const Log& log);

/// A table for people, of whole lines.
std::string table_of(const Evaluation& evaluation);

/// One JSON object, with the checkpoint's file and step, the dataset and the seed beside the figures; numbers
/// that are not finite are null.
std::string json_of(const Evaluation& evaluation, const EvaluateOptions& options, const TrainedModel& model);

}  // namespace vae_dist
