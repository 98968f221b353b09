#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "vae_dist/config/config.hpp"
#include "vae_dist/core/require.hpp"

namespace vae_dist {

/// What a key changes in a run that is resumed.
enum class Effect {
    result,   ///< the numbers that come out: it must stay as it was
    nothing,  ///< speed, places, messages: it may change
    data,     ///< where data lie: it may change, but what lies there may not, nor that there is something
    length,   ///< how long the run is: it may change unless the schedule depends on it
};

/// A key of the configuration, and what users read about it: in the tables of configs/README.md, which have
/// Markdown without line ends and '|', and at the terminal.
struct Key {
    std::string name;  ///< in dots
    std::string help;  ///< the meaning
    Effect effect = Effect::result;
    const char* unset =
        nullptr;  ///< the word for an optional value that is absent; none: the key is left out
    const char* default_text = nullptr;  ///< what users read in place of the value in Config
    const char* allowed = nullptr;       ///< what users read in place of the type and the rule
    const char* may_change = nullptr;    ///< what users read in place of the effect
    bool is_kind = false;          ///< a word, or a section with the word as `kind` and keys that go with it
    const char* silent = nullptr;  ///< the value that is not written
};

/// The whole numbers or, for a list, its items that are allowed: low ... high.
struct IntegerRange {
    std::int64_t low = 0;
    std::int64_t high = 1'000'000'000'000;
};

/// The numbers that are allowed: low ... high, without the low end or without 0 where it says so.
struct RealRange {
    double low = 0;
    double high = 1e30;
    bool with_low = true;
    bool with_zero = true;
};

/// The lengths of time that are allowed besides "none": low ... high.
struct DurationRange {
    Duration low{1};
    Duration high = std::chrono::days(3650);
};

/// A text or, for a list, its texts.
struct TextRule {
    bool may_be_empty = false;
};

/// Names of the user's own: letters, digits and underscores.
struct NameRule {};

/// For values that a type limits by itself.
struct NoRule {};

namespace schema {

inline constexpr IntegerRange kSeeds = {0, std::numeric_limits<std::uint32_t>::max()};
// Steps and epochs are counters of random numbers, which have 32 bits.
inline constexpr IntegerRange kSteps = {1, std::numeric_limits<std::uint32_t>::max()};
inline constexpr IntegerRange kEvery = {1};
inline constexpr IntegerRange kEveryOrNever = {0};
inline constexpr IntegerRange kWidths = {1, 10'000'000};
inline constexpr RealRange kPositive = {1e-30, 1e30};
inline constexpr RealRange kNonNegative = {0, 1e30};
inline constexpr RealRange kDecayRate = {0, 0.999999};  // float32 tells it from 1
inline constexpr RealRange kFraction = {0, 1};
inline constexpr RealRange kFactor = {0, 1, false};
inline constexpr RealRange kMinutes = {0, 1e6, false};
inline constexpr RealRange kScale = {-1e300, 1e300, true, false};

template <class SomeData, class Visitor>
void visit_data(SomeData& data, Visitor& visit) {
    constexpr const char* kFiles = "a name or glob, or a list of them";
    constexpr const char* kPath = "a path";
    visit.optional_section("data.train", data.train, [&](auto& train) {
        visit(Key{.name = "data.train.files",
                  .help =
                      "HDF5 files, taken in order as one long dataset; the files of a glob are in the order "
                      "of their names' bytes. `**` alone between slashes stands for any number of folders, "
                      "none included: `data/**/*.h5`. Braces mean nothing; write `[data/a*.h5, data/b*.h5]`",
                  .effect = Effect::data,
                  .default_text = "required, or `data.synthetic`",
                  .allowed = kFiles},
              train.files, TextRule{});
        visit(Key{.name = "data.train.dataset",
                  .help = "path of the dataset inside each file; its first dimension is the sample",
                  .default_text = "required with the files",
                  .allowed = kPath},
              train.dataset, TextRule{});
        visit(Key{.name = "data.train.conditions",
                  .help = "datasets of the same files that the model may be conditioned on: `{energy: "
                          "events/energy}`; numbers, one row for each sample",
                  .default_text = "none",
                  .silent = "{}"},
              train.conditions, NameRule{});
    });
    visit.optional_section("data.validation", data.validation, [&](auto& validation) {
        visit(Key{.name = "data.validation.files",
                  .help = "HDF5 files for the validation ELBO, written as in `data.train.files`",
                  .effect = Effect::data,
                  .default_text = "no validation",
                  .allowed = kFiles},
              validation.files, TextRule{});
        visit(Key{.name = "data.validation.dataset",
                  .help = "path of the dataset inside each file",
                  .default_text = "required with the files",
                  .allowed = kPath},
              validation.dataset, TextRule{});
        visit(Key{.name = "data.validation.conditions",
                  .help = "the same conditions, of the validation data",
                  .default_text = "none",
                  .silent = "{}"},
              validation.conditions, NameRule{});
    });
    visit.optional_section("data.synthetic", data.synthetic, [&](auto& synthetic) {
        visit(Key{"data.synthetic.distribution",
                  "made-up data in place of `data.train`: standard normal, uniform in (0, 1), or 0 and 1 "
                  "with equal probability"},
              synthetic.distribution, NoRule{});
        visit(Key{"data.synthetic.samples", "number of samples"}, synthetic.samples, IntegerRange{1});
        visit(Key{"data.synthetic.shape", "shape of one sample; [] for single numbers"}, synthetic.shape,
              kWidths);
        visit(Key{"data.synthetic.seed", "seed of the made-up numbers"}, synthetic.seed, kSeeds);
    });
    visit(Key{.name = "data.conventions",
              .help = "how numbers are read that a file declares packed or missing, and arrays of MATLAB: [a "
                      "table in configs/README.md](#what-a-file-says-of-its-numbers)",
              .may_change = "only between `auto` and `none`"},
          data.conventions, NoRule{});
    visit(
        Key{"data.scale",
            "factor that the data are multiplied by; `auto`: 1/255 for unsigned 8-bit data, 1 for all others",
            Effect::result, "auto"},
        data.scale, kScale);
    visit(Key{"data.transform",
              "change of the data after scaling. `binarize`: 1 with the value as probability, drawn anew at "
              "every visit; `threshold`: 1 from 0.5 on, else 0; `standardize`: every feature to mean 0 and "
              "variance 1, estimated on rows spread over the data, at most 256 MiB of them; `log1p`: log(1 + "
              "x)"},
          data.transform, NoRule{});
    visit(Key{"data.shuffle", "another order of the samples in every epoch"}, data.shuffle, NoRule{});
    visit(Key{"data.shuffle_window",
              "samples held in memory to shuffle, over all virtual ranks; at least one block each, which is "
              "a chunk of the file or, if chunks are small, 128 KiB of them"},
          data.shuffle_window, IntegerRange{1});
    visit(Key{"data.cache",
              "`memory`: keep each rank's samples; `stream`: read them in every epoch, in bounded memory; "
              "`auto`: `memory` if they fit easily",
              Effect::nothing},
          data.cache, NoRule{});
}

template <class SomeModel, class Visitor>
void visit_model(SomeModel& model, Visitor& visit) {
    visit(Key{"model.latent_dim", "dimensions of the latent space"}, model.latent_dim,
          IntegerRange{1, 1'000'000});
    visit(Key{"model.encoder.hidden", "widths of the encoder's hidden layers, from the data on"},
          model.encoder.hidden, kWidths);
    visit(Key{"model.decoder.hidden", "widths of the decoder's hidden layers, from the latent space on"},
          model.decoder.hidden, kWidths);
    visit(Key{"model.activation", "activation function of all hidden layers"}, model.activation, NoRule{});
    visit(Key{.name = "model.likelihood",
              .help = "distribution p(x given z). `bernoulli`: data in [0, 1]; `gaussian`: any numbers, with "
                      "a learned variance. A word, or a section with the word as `kind`: `{kind: gaussian, "
                      "variance: decoder}`",
              .is_kind = true},
          model.likelihood.kind, NoRule{});
    visit(Key{.name = "model.likelihood.variance",
              .help = "gaussian: `feature`: one variance for each feature, the same for all samples; "
                      "`decoder`: the decoder gives one for each feature of each sample",
              .silent = "feature"},
          model.likelihood.variance, NoRule{});
    visit(
        Key{.name = "model.prior",
            .help = "distribution p(z). `standard_normal`; `{mixture: K}`: a mixture of K diagonal Gaussians "
                    "with learned means, variances and weights, for which the KL divergence is estimated "
                    "from the drawn z",
            .default_text = "`standard_normal`",
            .silent = "standard_normal"},
        model.prior, IntegerRange{1, 100'000});
    visit(Key{.name = "model.condition.on",
              .help = "conditions of the data that the model is conditioned on; each number is standardized "
                      "by its mean and deviation in the training data",
              .default_text = "none",
              .silent = "[]"},
          model.condition.on, NameRule{});
    visit(Key{.name = "model.condition.into",
              .help = "parts of the model whose input the conditions join",
              .silent = "[encoder, decoder]"},
          model.condition.into, NoRule{});
}

template <class SomeObjective, class Visitor>
void visit_objective(SomeObjective& objective, Visitor& visit) {
    visit(Key{"objective.beta", "weight of the KL divergence"}, objective.beta, kNonNegative);
    visit(Key{"objective.kl_warmup_steps",
              "steps over which the weight of the KL divergence grows linearly to beta"},
          objective.kl_warmup_steps, IntegerRange{});
    visit(Key{"objective.free_bits",
              "nats per latent dimension and sample below which the KL divergence is not reduced further"},
          objective.free_bits, kNonNegative);
    visit(Key{"objective.importance_samples",
              "K, the number of draws from the posterior of each sample; above 1 the importance-weighted "
              "bound is maximised"},
          objective.importance_samples, IntegerRange{1, 16'384});
}

/// The update rules that read a setting of `optimizer`, in words: "adam, adamw and adagrad".
inline std::string rules_with(std::string_view setting) {
    std::vector<std::string_view> names;
    for (std::size_t i = 0; i < kUpdateRules.size(); ++i)
        if (has_setting(kUpdateRules[i], setting)) names.emplace_back(kUpdateNames[i]);
    require(!names.empty(), "a setting of update rules is read by one");
    const std::string_view last = names.back();
    names.pop_back();
    return names.empty() ? std::string(last) : fmt::format("{} and {}", fmt::join(names, ", "), last);
}

template <class SomeOptimizer, class Visitor>
void visit_optimizer(SomeOptimizer& optimizer, Visitor& visit) {
    visit(Key{"optimizer.name", "the update rule"}, optimizer.name, NoRule{});
    visit(Key{"optimizer.learning_rate", "learning rate before the schedule"}, optimizer.learning_rate,
          kPositive);
    visit(Key{"optimizer.beta1", "decay of the mean gradient; " + rules_with("beta1")}, optimizer.beta1,
          kDecayRate);
    visit(Key{"optimizer.beta2", "decay of the mean squared gradient; " + rules_with("beta2")},
          optimizer.beta2, kDecayRate);
    visit(Key{"optimizer.epsilon", "number added to the denominator; " + rules_with("epsilon")},
          optimizer.epsilon, RealRange{1e-30, 1});
    visit(Key{"optimizer.momentum", "decay of the summed gradients; " + rules_with("momentum")},
          optimizer.momentum, kDecayRate);
    visit(Key{"optimizer.weight_decay",
              "decay of the parameters, decoupled from the gradient: " + rules_with("weight_decay") +
                  "; for adam use `optimizer.l2`. This key, l1 and l2 act on every parameter, biases too"},
          optimizer.weight_decay, kNonNegative);
    visit(Key{"optimizer.l1", "adds l1 * sign(weight) to the gradient"}, optimizer.l1, kNonNegative);
    visit(Key{"optimizer.l2", "adds l2 * weight to the gradient"}, optimizer.l2, kNonNegative);
    visit(Key{"optimizer.clip_norm",
              "largest norm of the whole gradient; a longer gradient is shortened to it; 0: off"},
          optimizer.clip_norm, kNonNegative);
    auto& schedule = optimizer.schedule;
    visit(Key{"optimizer.schedule.name", "course of the learning rate"}, schedule.name, NoRule{});
    visit(Key{"optimizer.schedule.warmup_steps",
              "steps of linear growth to `optimizer.learning_rate`, before any schedule"},
          schedule.warmup_steps, IntegerRange{});
    visit(Key{"optimizer.schedule.decay_steps", "cosine: steps until the end value; 0: the whole run"},
          schedule.decay_steps, IntegerRange{});
    visit(
        Key{"optimizer.schedule.final_fraction", "cosine: the end value, as a fraction of the learning rate"},
        schedule.final_fraction, kFraction);
    visit(Key{"optimizer.schedule.every_steps",
              "step: multiply by the factor every so many steps; exponential: in the course of so many"},
          schedule.every_steps, kEvery);
    visit(Key{"optimizer.schedule.factor", "factor of step and exponential"}, schedule.factor, kFactor);
}

template <class SomeTrain, class Visitor>
void visit_train(SomeTrain& train, Visitor& visit) {
    visit(Key{.name = "train.epochs",
              .help = "passes over the data",
              .effect = Effect::length,
              .default_text = "10, unless `train.steps` is given"},
          train.epochs, kSteps);
    visit(Key{"train.steps", "length of the run in steps, in place of epochs", Effect::length}, train.steps,
          kSteps);
    visit(Key{"train.batch_size", "samples in a step, over all ranks"}, train.batch_size,
          IntegerRange{1, 1'000'000'000});
    visit(Key{"train.virtual_ranks",
              "ranks that the run is defined for; any number of ranks up to this one may run it. `auto`: the "
              "number of ranks at the first start, which its first checkpoint keeps",
              Effect::result, "auto"},
          train.virtual_ranks, IntegerRange{1, 1'000'000});
    visit(Key{"train.seed", "seed of everything random in training"}, train.seed, kSeeds);
    visit(Key{"train.precision",
              "precision of activations and of the operands of matrix products, which are summed in float32. "
              "Parameters, gradients of weights, optimizer and loss are float32 in both. `bfloat16` is fast "
              "on processors with instructions for it (AVX-512 BF16, AMX); elsewhere it runs too, slower "
              "than `float32`: `check` tells"},
          train.precision, NoRule{});
    visit(Key{"train.reduction",
              "how gradients are summed. `exact`: the same bits on any number of ranks, in multiples of "
              "2^-40, which between hosts travel in as few bytes as they fit in; `float32`: sums whose last "
              "bits depend on ranks and hosts, 4 bytes an element; `bfloat16`: the same, but rounded to 2 "
              "bytes between hosts"},
          train.reduction, NoRule{});
    visit(Key{"train.on_nonfinite",
              "what happens when a gradient is not finite. `stop`: the run ends; `skip`: the step is left "
              "out, a bounded number of times in a row"},
          train.on_nonfinite, NoRule{});
    visit(Key{"train.time_limit",
              "time before which the run is saved and ends, with exit status 75; the end of its Slurm job "
              "counts too, whichever comes first. `auto`: the job's end alone; `none`: neither. The time "
              "includes the save, and a validation if one comes before it",
              Effect::nothing, "auto"},
          train.time_limit, DurationRange{});
    visit(Key{"train.stall_warning",
              "how long ranks wait for others before a message names the others and what those did last",
              Effect::nothing},
          train.stall_warning, DurationRange{});
    visit(Key{"train.stall_limit", "how long ranks wait for others before the run ends with exit status 1",
              Effect::nothing},
          train.stall_limit, DurationRange{});
    visit(Key{"train.consistency_every",
              "steps between two comparisons of all ranks' parameters, just before they are updated; a "
              "difference ends the run; 0: never. An error between two comparisons in a rank's own part of "
              "the parameters spreads to all ranks and is not noticed",
              Effect::nothing},
          train.consistency_every, kEveryOrNever);
}

template <class SomeCompute, class Visitor>
void visit_compute(SomeCompute& compute, Visitor& visit) {
    visit(Key{"compute.backend",
              "what computes. `auto`: GPUs where the build has CUDA and every rank finds a suitable one, "
              "else processors; `cuda`: GPUs, or it is an error"},
          compute.backend, NoRule{});
    visit(Key{"compute.communicator",
              "what adds up over ranks. `nccl`: between GPUs, of which each rank needs its own; `mpi`: on "
              "processors, and between GPUs through the host's memory; `auto`: `nccl` where it can be",
              Effect::nothing},
          compute.communicator, NoRule{});
    visit(Key{"compute.threads",
              "threads of each rank, for few ranks on many cores; the bits do not depend on it",
              Effect::nothing},
          compute.threads, IntegerRange{1, 1024});
    visit(Key{"compute.shared_memory",
              "whether ranks of one host read each other's gradients and parameters in place rather than "
              "send messages; `auto`: where the system allows it; `on`: or it is an error",
              Effect::nothing},
          compute.shared_memory, NoRule{});
    visit(Key{"compute.overlap",
              "whether gradients start to travel to other hosts during the backward pass; `auto`: on",
              Effect::nothing},
          compute.overlap, NoRule{});
}

template <class SomeOutput, class Visitor>
void visit_output(SomeOutput& output, Visitor& visit) {
    visit(Key{.name = "output.directory",
              .help = "the run's directory",
              .effect = Effect::nothing,
              .default_text = "required to train",
              .allowed = "a path",
              .may_change = "yes, by moving it"},
          output.directory, TextRule{true});
    visit(Key{"output.log_every", "steps between two lines", Effect::nothing}, output.log_every, kEvery);
    visit(Key{"output.validate_every", "epochs between two validations", Effect::nothing},
          output.validate_every, kEvery);
    visit(Key{.name = "output.checkpoint_every",
              .help = "epochs between two checkpoints",
              .effect = Effect::nothing,
              .default_text = "1, unless `output.checkpoint_every_minutes` is given"},
          output.checkpoint_every, kEvery);
    visit(Key{"output.checkpoint_every_minutes",
              "minutes from one checkpoint to the next, in the middle of epochs too. They come besides those "
              "by epochs, if `output.checkpoint_every` is given, and leave no line in metrics.jsonl",
              Effect::nothing},
          output.checkpoint_every_minutes, kMinutes);
    visit(Key{"output.keep",
              "newest checkpoints kept; the best by validation ELBO (above 1 importance sample: by the IWAE "
              "bound) is kept besides",
              Effect::nothing},
          output.keep, kEvery);
    visit(Key{"output.keep_every", "a checkpoint every so many epochs is written and kept for good; 0: none",
              Effect::nothing},
          output.keep_every, kEveryOrNever);
}

}  // namespace schema

/// Every key of the configuration, once, in the order of configs/README.md. Reading, writing, comparing,
/// listing and explaining are visitors: `visit(key, value, rule)` for a key, and
/// `visit.optional_section(name, section, visit_inside)` for a section that a configuration may lack.
/// SomeConfig is Config or const Config.
template <class SomeConfig, class Visitor>
void visit_keys(SomeConfig& c, Visitor& visit) {
    schema::visit_data(c.data, visit);
    schema::visit_model(c.model, visit);
    schema::visit_objective(c.objective, visit);
    schema::visit_optimizer(c.optimizer, visit);
    schema::visit_train(c.train, visit);
    schema::visit_compute(c.compute, visit);
    schema::visit_output(c.output, visit);
}

}  // namespace vae_dist
