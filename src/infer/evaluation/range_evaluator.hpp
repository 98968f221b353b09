#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "infer/evaluation/importance_estimate.hpp"
#include "infer/evaluation/range_figures.hpp"
#include "vae_dist/config/config.hpp"
#include "vae_dist/infer/inference_data.hpp"
#include "vae_dist/model/vae.hpp"

namespace vae_dist {

struct RangeEvaluatorOptions {
    std::int64_t draws = 1;      ///< K
    std::uint32_t seed = 1;      ///< of the draws
    std::int64_t most_rows = 1;  ///< in a range
    /// Rows that the decoder takes at once: few enough that what a pass makes stays in a processor's caches,
    /// enough that matrix products run at full speed.
    std::int64_t decoder_rows = 256;
};

/// Evaluates a model on ranges of rows. Memory depends on the sizes of model and range, not on K: draws are
/// made, decoded and summed block by block.
class RangeEvaluator {
 public:
    /// Reserves the model's memory.
    RangeEvaluator(Vae& vae, Backend& backend, const ModelConfig& config,
                   const RangeEvaluatorOptions& options);

    /// The figures of B <= most_rows samples.
    /// Throws ErrorKind::failure naming the first row with a weight that is NaN or +inf.
    RangeFigures evaluate(const InferenceData::Samples& samples);

    /// Rows that are reserved for the decoder.
    std::int64_t decoder_rows() const { return options_.most_rows * draws_reserved_; }

 private:
    /// Before a standard normal prior the divergence of each dimension, too, in double: their sum becomes the
    /// term "kl".
    void add_posterior(const Posterior& posterior, RangeFigures& figures);
    void add_reconstruction(const InferenceData::Samples& samples, const Posterior& posterior,
                            RangeFigures& figures);
    void add_draws(const InferenceData::Samples& samples, const Posterior& posterior, RangeFigures& figures);
    /// Adds the terms of `count` more draws of each row.
    void add_terms(const DrawTerms& draws, std::int64_t count, RangeFigures& figures);

    Vae& vae_;
    Backend& backend_;
    ModelConfig config_;
    RangeEvaluatorOptions options_;
    TermValues terms_;  ///< which there are
    std::int64_t draws_reserved_;
};

}  // namespace vae_dist
