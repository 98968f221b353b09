#include "config/checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "config/keys.hpp"
#include "vae_dist/config/names.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {
namespace {

std::map<std::string, std::string> texts_of(const Config& config) {
    std::map<std::string, std::string> texts;
    for (const Setting& setting : settings_of(config)) {
        texts[setting.key.name] = setting.text.substr(0, setting.text.size() - 1);  // without the line's end
    }
    return texts;
}

class Checker {
 public:
    Checker(const Config& config, const Node& root) : c_(config), root_(root), texts_(texts_of(config)) {}

    void run() const {
        check_data();
        check_values_fit_likelihood();
        check_conditions();
        check_train();
        check_stalls();
        check_effects();
        check_compute();
    }

 private:
    void check_data() const {
        if (c_.data.train && c_.data.synthetic) {
            contradict("data.train", "data.synthetic",
                       "training data come from one of them; remove the other");
        }
        if (!c_.data.train && !c_.data.synthetic) {
            throw_input_error("{}: there are no training data; give data.train or data.synthetic",
                              root_.place.source);
        }
        check_dataset("data.train", c_.data.train);
        check_dataset("data.validation", c_.data.validation);
        if (c_.data.synthetic) {
            double features = 1;
            for (const std::int64_t size : c_.data.synthetic->shape)
                features *= static_cast<double>(size);
            if (features > 1e9) {
                throw_input_error(
                    "{}: data.synthetic.shape: {} numbers in one sample are too many; at most 1e9",
                    place("data.synthetic.shape"), features);
            }
        }
    }

    void check_dataset(const std::string& section, const std::optional<DatasetConfig>& dataset) const {
        if (!dataset) return;
        if (dataset->files.empty()) throw_input_error("{}: {}.files is missing", place(section), section);
        if (dataset->dataset.empty()) {
            throw_input_error("{}: {}.dataset is missing: the path of the dataset inside the files",
                              place(section), section);
        }
    }

    void check_conditions() const {
        const std::vector<std::string>& on = c_.model.condition.on;
        if (!on.empty() && c_.data.synthetic)
            contradict("model.condition.on", "data.synthetic", "made-up data have no conditions");
        for (const auto& [section, dataset] :
             {std::pair("data.train", &c_.data.train), std::pair("data.validation", &c_.data.validation)}) {
            if (!*dataset) continue;
            const std::map<std::string, std::string>& given = (*dataset)->conditions;
            for (const std::string& name : on) {
                if (given.contains(name)) continue;
                throw_input_error(
                    "{}: model.condition.on: {} has no '{}'; say which dataset it is: "
                    "{}.conditions: {{{}: DATASET}}",
                    place("model.condition.on"), section, name, section, name);
            }
            for (const auto& [name, of] : given) {
                if (std::find(on.begin(), on.end(), name) != on.end()) continue;
                const std::string key = std::string(section) + ".conditions";
                throw_input_error(
                    "{}: {}: '{}' has no effect, for model.condition.on does not name it; "
                    "remove it",
                    place(key), key, name);
            }
        }
    }

    // Only what is known without the data; their values are checked as they are read.
    void check_values_fit_likelihood() const {
        const Transform transform = c_.data.transform;
        const bool normal =
            c_.data.synthetic && c_.data.synthetic->distribution == SyntheticDistribution::normal;
        if (normal && transform == Transform::binarize) {
            contradict("data.transform", "data.synthetic.distribution",
                       "binarize needs probabilities in [0, 1]; normal numbers are not");
        }
        if (normal && transform == Transform::log1p) {
            contradict("data.transform", "data.synthetic.distribution",
                       "log1p needs numbers above -1; normal numbers are not");
        }
        const Support support = support_of(c_.model.likelihood.kind);
        if (!support.is_bounded()) return;
        const std::string needs =
            fmt::format("the {} likelihood needs data in [{}, {}]; use {}", name_of(c_.model.likelihood.kind),
                        support.lowest, support.highest, likelihoods_of_all_numbers());
        if (transform == Transform::standardize || transform == Transform::log1p) {
            contradict("data.transform", "model.likelihood", needs);
        }
        if (normal && transform != Transform::threshold) {
            contradict("data.synthetic.distribution", "model.likelihood", needs);
        }
    }

    static std::string likelihoods_of_all_numbers() {
        std::vector<std::string> names;
        for (std::size_t i = 0; i < kDensities; ++i) {
            const auto kind = static_cast<LikelihoodKind>(i);
            if (!support_of(kind).is_bounded()) names.emplace_back(name_of(kind));
        }
        return fmt::format("{}", fmt::join(names, " or "));
    }

    void check_train() const {
        if (c_.train.epochs && c_.train.steps) {
            contradict("train.epochs", "train.steps",
                       "a run's length is one of them; remove the other (--set train.epochs=null does)");
        }
        if (c_.train.virtual_ranks && c_.train.batch_size < *c_.train.virtual_ranks) {
            contradict("train.batch_size", "train.virtual_ranks",
                       "every virtual rank needs a sample of each batch");
        }
        if (c_.optimizer.name == OptimizerKind::adam && c_.optimizer.weight_decay > 0) {
            contradict("optimizer.weight_decay", "optimizer.name",
                       "use adamw for decoupled weight decay, or optimizer.l2 for a penalty in the gradient");
        }
    }

    void check_stalls() const {
        const Duration warning = c_.train.stall_warning;
        const Duration limit = c_.train.stall_limit;
        if (warning != kForever && limit <= warning) {
            contradict("train.stall_limit", "train.stall_warning",
                       "the warning comes before the end; make the limit longer");
        }
    }

    void check_effects() const {
        const ScheduleKind schedule = c_.optimizer.schedule.name;
        const bool in_stairs = schedule == ScheduleKind::step || schedule == ScheduleKind::exponential;
        const char* const planned = "optimizer.schedule.name";

        for (const UpdateRule& rule : kUpdateRules) {
            for (const std::string setting : setting_names(rule)) {
                has_effect(has_setting(rule_of(c_.optimizer.name), setting), "optimizer." + setting,
                           "optimizer.name");
            }
        }
        has_effect(schedule == ScheduleKind::cosine, "optimizer.schedule.decay_steps", planned);
        has_effect(schedule == ScheduleKind::cosine, "optimizer.schedule.final_fraction", planned);
        has_effect(in_stairs, "optimizer.schedule.every_steps", planned);
        has_effect(in_stairs, "optimizer.schedule.factor", planned);
        has_effect(c_.data.train || c_.data.validation, "data.conventions", "data.synthetic");
        has_effect(c_.data.shuffle, "data.shuffle_window", "data.shuffle");
        // It acts on the KL divergence in closed form, which the importance-weighted bound does not have.
        has_effect(c_.objective.importance_samples == 1, "objective.free_bits",
                   "objective.importance_samples");
        has_effect(c_.model.prior.word == PriorKind::standard_normal, "objective.free_bits", "model.prior");
        has_effect(may_share_last_parameter(c_.model.likelihood.kind), "model.likelihood.variance",
                   "model.likelihood");
        has_effect(!c_.model.condition.on.empty(), "model.condition.into", "model.condition.on");
        const bool on_processors = c_.compute.backend != BackendKind::cuda;
        has_effect(on_processors, "compute.threads", "compute.backend");
        has_effect(on_processors, "compute.shared_memory", "compute.backend");
    }

    void check_compute() const {
        if (c_.compute.communicator == CommunicatorKind::nccl && c_.compute.backend == BackendKind::cpu)
            contradict("compute.communicator", "compute.backend", "NCCL adds up what is in GPUs' memory");
    }

    [[noreturn]] void contradict(const std::string& key, const std::string& other,
                                 const std::string& why) const {
        throw_input_error("{}: {} contradicts {}: {}", place(key), with_value(key), at(other), why);
    }

    // A value other than the default that does nothing is a mistake. The default may be there, as in every
    // resolved configuration.
    void has_effect(bool effective, const std::string& key, const std::string& other) const {
        static const std::map<std::string, std::string> kDefaults = texts_of(Config());
        const auto text_in = [&](const auto& texts) {
            const auto found = texts.find(key);
            return found == texts.end() ? std::string() : found->second;  // the default, unwritten
        };
        if (effective || text_in(texts_) == text_in(kDefaults)) return;
        throw_input_error("{}: {} has no effect with {}; remove it", place(key), with_value(key), at(other));
    }

    std::string place(const std::string& key) const {
        const Node* node = root_.find(key);
        return node == nullptr ? root_.place.source : node->place.text();
    }

    // "optimizer.name: adam"; a section has no value.
    std::string with_value(const std::string& key) const {
        const auto found = texts_.find(key);
        return found == texts_.end() ? key : fmt::format("{}: {}", key, found->second);
    }

    // "optimizer.name: adam (line 7)", "optimizer.name: adam (the default)".
    std::string at(const std::string& key) const {
        const Node* node = root_.find(key);
        if (node == nullptr) return with_value(key) + " (the default)";
        const Place& there = node->place;
        return fmt::format("{} ({})", with_value(key),
                           there.line > 0 ? fmt::format("line {}", there.line) : there.source);
    }

    const Config& c_;
    const Node& root_;
    std::map<std::string, std::string> texts_;
};

}  // namespace

void check_config(const Config& config, const Node& root) {
    Checker(config, root).run();
}

}  // namespace vae_dist
