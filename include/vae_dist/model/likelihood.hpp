#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "vae_dist/graph/graph.hpp"

namespace vae_dist {

/// What a parameter starts at, where it is not drawn.
struct StartValues {
    std::string parameter;  ///< its name
    std::vector<float> values;
};

/// Some columns of a layer's output, which have a name of their own.
struct Head {
    std::string name;             ///< "decoder/output"
    bool starts_at_zero = false;  ///< its weights, whatever starts well in other layers
};

/// p(x|z) of D features. All that the program needs to know of a likelihood, it asks here. The decoder's
/// output (rows, H D) has H numbers a feature, in column blocks (rows, D).
class Likelihood {
 public:
    virtual ~Likelihood() = default;

    /// Which data it is for.
    virtual Support support() const = 0;
    /// Whether the mean of p(x|z) is a probability, so that grey values may stand for it.
    virtual bool mean_is_probability() const = 0;
    /// Whether `start` needs the mean of the data.
    virtual bool starts_from_mean() const = 0;

    /// The column blocks of the decoder's output. (H)
    virtual std::vector<Head> heads() const = 0;
    /// The parameters that the data decide at the start, from their mean (D) as the model takes them.
    virtual std::vector<StartValues> start(std::span<const double> mean) const = 0;

    /// Adds log p(x|z) (B K, 1) of each row of the decoder's output (B K, H D), of which K adjacent rows
    /// belong to one row of x (B, D); with the likelihood's own parameters, as "decoder/log_variance" (D).
    virtual ValueId add_density(Graph& graph, ValueId output, ValueId x) const = 0;

    /// Replaces the decoder's output (B, H D) by the parameters of p(x|z).
    virtual void to_parameters(Backend& backend, FloatMatrix output) const = 0;
    /// The mean (B, D) of p(x|z), of and in these parameters.
    virtual FloatMatrix mean(FloatMatrix parameters) const = 0;
    /// A draw (B, D) from p(x|z), of these parameters; both in host memory. The numbers of row r have the
    /// counters (0, rows[r], feature) and do not depend on the other rows.
    virtual void draw(Backend& backend, const ParameterLayout& layout, const ParameterStore& store,
                      const CounterRandom& random, std::span<const std::int64_t> rows,
                      ConstFloatMatrix parameters_host, FloatMatrix to_host) const = 0;
};

std::unique_ptr<Likelihood> make_likelihood(const LikelihoodConfig& config);

}  // namespace vae_dist
