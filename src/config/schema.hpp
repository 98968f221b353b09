#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>

#include "vae_dist/config/config.hpp"

namespace vae_dist {

/// What a key changes in a run that is resumed.
enum class Effect {
    result,   ///< the numbers that come out: it must stay as it was
    nothing,  ///< speed, places, messages: it may change
    data,     ///< where data lie: it may change, but what lies there may not, nor that there is something
    length,   ///< how long the run is: it may change unless the schedule depends on it
};

struct Key {
    std::string name;  ///< in dots
    Effect effect = Effect::result;
    const char* unset =
        nullptr;           ///< the word for an optional value that is absent; none: the key is left out
    bool is_kind = false;  ///< a word, or a section with the word as `kind` and keys that go with it
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

template <class SomeDataset, class Visitor>
void visit_dataset(const std::string& section, SomeDataset& dataset, Visitor& visit) {
    visit(Key{section + ".files", Effect::data}, dataset.files, TextRule{});
    visit(Key{section + ".dataset"}, dataset.dataset, TextRule{});
    visit(Key{.name = section + ".conditions", .silent = "{}"}, dataset.conditions, NameRule{});
}

}  // namespace schema

/// Every key of the configuration, once, in the order of configs/README.md. Reading, writing, comparing and
/// listing are visitors: `visit(key, value, rule)` for a key, and `visit.optional_section(name, section,
/// visit_inside)` for a section that a configuration may lack. SomeConfig is Config or const Config.
template <class SomeConfig, class Visitor>
void visit_keys(SomeConfig& c, Visitor& visit) {
    using namespace schema;
    visit.optional_section("data.train", c.data.train,
                           [&](auto& train) { visit_dataset("data.train", train, visit); });
    visit.optional_section("data.validation", c.data.validation,
                           [&](auto& validation) { visit_dataset("data.validation", validation, visit); });
    visit.optional_section("data.synthetic", c.data.synthetic, [&](auto& synthetic) {
        visit(Key{"data.synthetic.distribution"}, synthetic.distribution, NoRule{});
        visit(Key{"data.synthetic.samples"}, synthetic.samples, IntegerRange{1});
        visit(Key{"data.synthetic.shape"}, synthetic.shape, kWidths);
        visit(Key{"data.synthetic.seed"}, synthetic.seed, kSeeds);
    });
    visit(Key{"data.conventions"}, c.data.conventions, NoRule{});
    visit(Key{"data.scale", Effect::result, "auto"}, c.data.scale, kScale);
    visit(Key{"data.transform"}, c.data.transform, NoRule{});
    visit(Key{"data.shuffle"}, c.data.shuffle, NoRule{});
    visit(Key{"data.shuffle_window"}, c.data.shuffle_window, IntegerRange{1});
    visit(Key{"data.cache", Effect::nothing}, c.data.cache, NoRule{});

    visit(Key{"model.latent_dim"}, c.model.latent_dim, IntegerRange{1, 1'000'000});
    visit(Key{"model.encoder.hidden"}, c.model.encoder.hidden, kWidths);
    visit(Key{"model.decoder.hidden"}, c.model.decoder.hidden, kWidths);
    visit(Key{"model.activation"}, c.model.activation, NoRule{});
    visit(Key{.name = "model.likelihood", .is_kind = true}, c.model.likelihood.kind, NoRule{});
    visit(Key{.name = "model.likelihood.variance", .silent = "feature"}, c.model.likelihood.variance,
          NoRule{});

    visit(Key{.name = "model.condition.on", .silent = "[]"}, c.model.condition.on, NameRule{});
    visit(Key{.name = "model.condition.into", .silent = "[encoder, decoder]"}, c.model.condition.into,
          NoRule{});

    visit(Key{"objective.beta"}, c.objective.beta, kNonNegative);
    visit(Key{"objective.kl_warmup_steps"}, c.objective.kl_warmup_steps, IntegerRange{});
    visit(Key{"objective.free_bits"}, c.objective.free_bits, kNonNegative);
    visit(Key{"objective.importance_samples"}, c.objective.importance_samples, IntegerRange{1, 16'384});

    visit(Key{"optimizer.name"}, c.optimizer.name, NoRule{});
    visit(Key{"optimizer.learning_rate"}, c.optimizer.learning_rate, kPositive);
    visit(Key{"optimizer.beta1"}, c.optimizer.beta1, kDecayRate);
    visit(Key{"optimizer.beta2"}, c.optimizer.beta2, kDecayRate);
    visit(Key{"optimizer.epsilon"}, c.optimizer.epsilon, RealRange{1e-30, 1});
    visit(Key{"optimizer.momentum"}, c.optimizer.momentum, kDecayRate);
    visit(Key{"optimizer.weight_decay"}, c.optimizer.weight_decay, kNonNegative);
    visit(Key{"optimizer.l1"}, c.optimizer.l1, kNonNegative);
    visit(Key{"optimizer.l2"}, c.optimizer.l2, kNonNegative);
    visit(Key{"optimizer.clip_norm"}, c.optimizer.clip_norm, kNonNegative);
    visit(Key{"optimizer.schedule.name"}, c.optimizer.schedule.name, NoRule{});
    visit(Key{"optimizer.schedule.warmup_steps"}, c.optimizer.schedule.warmup_steps, IntegerRange{});
    visit(Key{"optimizer.schedule.decay_steps"}, c.optimizer.schedule.decay_steps, IntegerRange{});
    visit(Key{"optimizer.schedule.final_fraction"}, c.optimizer.schedule.final_fraction, kFraction);
    visit(Key{"optimizer.schedule.every_steps"}, c.optimizer.schedule.every_steps, kEvery);
    visit(Key{"optimizer.schedule.factor"}, c.optimizer.schedule.factor, kFactor);

    visit(Key{"train.epochs", Effect::length}, c.train.epochs, kSteps);
    visit(Key{"train.steps", Effect::length}, c.train.steps, kSteps);
    visit(Key{"train.batch_size"}, c.train.batch_size, IntegerRange{1, 1'000'000'000});
    visit(Key{"train.virtual_ranks", Effect::result, "auto"}, c.train.virtual_ranks,
          IntegerRange{1, 1'000'000});
    visit(Key{"train.seed"}, c.train.seed, kSeeds);
    visit(Key{"train.precision"}, c.train.precision, NoRule{});
    visit(Key{"train.reduction"}, c.train.reduction, NoRule{});
    visit(Key{"train.on_nonfinite"}, c.train.on_nonfinite, NoRule{});
    visit(Key{"train.time_limit", Effect::nothing, "auto"}, c.train.time_limit, DurationRange{});
    visit(Key{"train.stall_warning", Effect::nothing}, c.train.stall_warning, DurationRange{});
    visit(Key{"train.stall_limit", Effect::nothing}, c.train.stall_limit, DurationRange{});
    visit(Key{"train.consistency_every", Effect::nothing}, c.train.consistency_every, kEveryOrNever);

    visit(Key{"compute.backend"}, c.compute.backend, NoRule{});
    visit(Key{"compute.communicator", Effect::nothing}, c.compute.communicator, NoRule{});
    visit(Key{"compute.threads", Effect::nothing}, c.compute.threads, IntegerRange{1, 1024});
    visit(Key{"compute.shared_memory", Effect::nothing}, c.compute.shared_memory, NoRule{});
    visit(Key{"compute.overlap", Effect::nothing}, c.compute.overlap, NoRule{});

    visit(Key{"output.directory", Effect::nothing}, c.output.directory, TextRule{true});
    visit(Key{"output.log_every", Effect::nothing}, c.output.log_every, kEvery);
    visit(Key{"output.validate_every", Effect::nothing}, c.output.validate_every, kEvery);
    visit(Key{"output.checkpoint_every", Effect::nothing}, c.output.checkpoint_every, kEvery);
    visit(Key{"output.checkpoint_every_minutes", Effect::nothing}, c.output.checkpoint_every_minutes,
          kMinutes);
    visit(Key{"output.keep", Effect::nothing}, c.output.keep, kEvery);
    visit(Key{"output.keep_every", Effect::nothing}, c.output.keep_every, kEveryOrNever);
}

}  // namespace vae_dist
