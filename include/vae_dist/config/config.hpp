#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "vae_dist/pointwise/activations.hpp"
#include "vae_dist/pointwise/densities.hpp"
#include "vae_dist/pointwise/updates.hpp"

namespace vae_dist {

// A run's configuration as plain structs with their defaults. The keys, their ranges and their help texts
// stand once, in src/config/schema.hpp, the words of the enumerations in config/names.hpp. Users read them in
// configs/README.md and from `vae_dist keys`.

enum class SyntheticDistribution { normal, uniform, bernoulli };
enum class Conventions { automatic, netcdf, matlab, none };
enum class Transform { none, binarize, threshold, standardize, log1p };
enum class CacheMode { automatic, memory, stream };
enum class VarianceKind { feature, decoder };
enum class ConditionedPart { encoder, decoder };
enum class ScheduleKind { constant, cosine, step, exponential };
enum class Precision { float32, bfloat16 };
enum class Switch { automatic, on, off };
enum class Reduction { exact, float32, bfloat16 };
enum class NonFinitePolicy { stop, skip };
enum class BackendKind { automatic, cpu, cuda };
enum class CommunicatorKind { automatic, mpi, nccl };

/// A length of time; in YAML "3h50m", "90s", and "none" for `kForever`, which no arithmetic bears.
using Duration = std::chrono::seconds;
inline constexpr Duration kForever = Duration::max();

/// One HDF5 dataset, or the datasets of that name in several files taken in order as one.
struct DatasetConfig {
    std::vector<std::string> files;                      ///< names or globs
    std::string dataset;                                 ///< path inside each file
    std::map<std::string, std::string> conditions = {};  ///< by name, the path of a dataset with as many rows
    bool operator==(const DatasetConfig&) const = default;
};

/// Made-up data instead of a file.
struct SyntheticConfig {
    SyntheticDistribution distribution = SyntheticDistribution::normal;
    std::int64_t samples = 10000;
    std::vector<std::int64_t> shape = {8};  ///< of one sample
    std::uint32_t seed = 1;
    bool operator==(const SyntheticConfig&) const = default;
};

struct DataConfig {
    std::optional<DatasetConfig> train;  ///< exactly one of train and synthetic
    std::optional<DatasetConfig> validation;
    std::optional<SyntheticConfig> synthetic;
    Conventions conventions = Conventions::automatic;  ///< what a file's attributes say of its numbers
    std::optional<double> scale;  ///< absent: auto (unsigned 8-bit / 255, all else unchanged)
    Transform transform = Transform::none;
    bool shuffle = true;
    std::int64_t shuffle_window = 65536;  ///< samples, over all virtual ranks
    CacheMode cache = CacheMode::automatic;
    bool operator==(const DataConfig&) const = default;
};

/// Fully connected hidden layers, from the input on.
struct LayersConfig {
    std::vector<std::int64_t> hidden;
    bool operator==(const LayersConfig&) const = default;
};

/// p(x|z).
struct LikelihoodConfig {
    LikelihoodKind kind = LikelihoodKind::bernoulli;
    VarianceKind variance = VarianceKind::feature;  ///< gaussian: one a feature, or of each sample
    bool operator==(const LikelihoodConfig&) const = default;
};

/// A word or, for some words, the word with a whole number: "standard_normal", {mixture: 50}. kSized<Enum>
/// says which words have a number.
template <class Enum>
struct SizedWord {
    Enum word{};
    std::int64_t size = 0;  ///< 0 for words without one
    bool operator==(const SizedWord&) const = default;
};
template <class Enum>
inline constexpr std::array<bool, 0> kSized = {};

/// p(z).
enum class PriorKind { standard_normal, mixture };
inline constexpr std::array kPriorNames = {"standard_normal", "mixture"};
template <>
inline constexpr std::array kSized<PriorKind> = {false, true};

/// What the model is conditioned on.
struct ConditionConfig {
    std::vector<std::string> on = {};  ///< names of conditions of the data
    std::vector<ConditionedPart> into = {ConditionedPart::encoder, ConditionedPart::decoder};
    bool operator==(const ConditionConfig&) const = default;

    bool goes_into(ConditionedPart part) const {
        return !on.empty() && std::find(into.begin(), into.end(), part) != into.end();
    }
};

struct ModelConfig {
    std::int64_t latent_dim = 32;
    LayersConfig encoder = {{512, 512}};
    LayersConfig decoder = {{512, 512}};
    Activation activation = Activation::relu;
    LikelihoodConfig likelihood;
    SizedWord<PriorKind> prior = {PriorKind::standard_normal};  ///< mixture: of so many components
    ConditionConfig condition;
    bool operator==(const ModelConfig&) const = default;
};

struct ObjectiveConfig {
    double beta = 1;
    std::int64_t kl_warmup_steps = 0;
    double free_bits = 0;                 ///< nats per latent dimension and sample
    std::int64_t importance_samples = 1;  ///< K draws a sample; above 1 the IWAE bound is maximised
    bool operator==(const ObjectiveConfig&) const = default;
};

struct ScheduleConfig {
    ScheduleKind name = ScheduleKind::constant;
    std::int64_t warmup_steps = 0;  ///< linear growth, before every schedule
    std::int64_t decay_steps = 0;   ///< cosine: steps until final_fraction, 0: the whole run
    double final_fraction = 0;      ///< cosine: of learning_rate, at the end
    std::int64_t every_steps =
        1000;  ///< step: multiply by factor every so many steps; exponential: in the course of them
    double factor = 0.5;
    bool operator==(const ScheduleConfig&) const = default;
};

struct OptimizerConfig {
    OptimizerKind name = OptimizerKind::adam;
    double learning_rate = 1e-3;
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-8;
    double momentum = 0.9;
    double weight_decay = 0;  ///< decoupled (Loshchilov and Hutter, 2019)
    double l1 = 0;            ///< added to the gradient: l1 * sign(weight)
    double l2 = 0;            ///< added to the gradient: l2 * weight
    double clip_norm = 0;     ///< 0: off
    ScheduleConfig schedule;
    bool operator==(const OptimizerConfig&) const = default;
};

struct TrainConfig {
    std::optional<std::int64_t> epochs;  ///< at most one of epochs and steps; neither: 10 epochs
    std::optional<std::int64_t> steps;
    std::int64_t batch_size = 512;              ///< samples in one step, over all ranks
    std::optional<std::int64_t> virtual_ranks;  ///< absent: auto, the number of ranks of the first start
    std::uint32_t seed = 1;
    Precision precision = Precision::float32;
    Reduction reduction = Reduction::exact;
    NonFinitePolicy on_nonfinite = NonFinitePolicy::stop;
    /// Since the start of the program, and no longer than a Slurm job's own end; absent: auto, that alone.
    /// kForever: neither.
    std::optional<Duration> time_limit;
    Duration stall_warning{60};  ///< a collective call that waits longer is spoken of
    Duration stall_limit{1800};  ///< ... ends the run
    /// Steps between two comparisons of all ranks' parameters; 0: never.
    std::int64_t consistency_every = 1000;
    bool operator==(const TrainConfig&) const = default;
};

struct ComputeConfig {
    BackendKind backend = BackendKind::automatic;
    CommunicatorKind communicator = CommunicatorKind::automatic;
    std::int64_t threads = 1;
    Switch shared_memory = Switch::automatic;  ///< between the ranks of a host
    Switch overlap = Switch::automatic;        ///< of messages between hosts with the backward pass
    bool operator==(const ComputeConfig&) const = default;
};

struct OutputConfig {
    std::string directory;            ///< required by training
    std::int64_t log_every = 50;      ///< steps
    std::int64_t validate_every = 1;  ///< epochs
    /// Epochs; absent: 1, which load_config fills in, or never where there are minutes.
    std::optional<std::int64_t> checkpoint_every;
    std::optional<double> checkpoint_every_minutes;  ///< by the clock, in the middle of epochs too
    std::int64_t keep = 3;                           ///< newest checkpoints kept
    std::int64_t keep_every = 0;  ///< epochs whose checkpoints are written and kept for good; 0: none
    bool operator==(const OutputConfig&) const = default;
};

struct Config {
    DataConfig data;
    ModelConfig model;
    ObjectiveConfig objective;
    OptimizerConfig optimizer;
    TrainConfig train;
    ComputeConfig compute;
    OutputConfig output;
    bool operator==(const Config&) const = default;
};

}  // namespace vae_dist
