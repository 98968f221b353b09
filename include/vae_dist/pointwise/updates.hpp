#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>
#include <variant>

#include "vae_dist/pointwise/updates/adagrad.hpp"
#include "vae_dist/pointwise/updates/adam.hpp"
#include "vae_dist/pointwise/updates/sgd.hpp"

namespace vae_dist {

/// All update rules, in the order of their kinds. A value is one rule with the numbers of one update.
using UpdateRule = std::variant<Adam, AdamW, Sgd, Adagrad>;
enum class OptimizerKind { adam, adamw, sgd, adagrad };

/// Each rule, before its first update.
inline constexpr auto kUpdateRules = []<std::size_t... i>(std::index_sequence<i...>) {
    return std::array{UpdateRule(std::in_place_index<i>)...};
}
(std::make_index_sequence<std::variant_size_v<UpdateRule>>());

/// The rules' words.
inline constexpr auto kUpdateNames = []<std::size_t... i>(std::index_sequence<i...>) {
    return std::array{std::variant_alternative_t<i, UpdateRule>::kName...};
}
(std::make_index_sequence<kUpdateRules.size()>());

constexpr const UpdateRule& rule_of(OptimizerKind kind) {
    return kUpdateRules[static_cast<std::size_t>(kind)];
}

/// The names of the rule's state arrays.
constexpr std::span<const char* const> state_names(const UpdateRule& rule) {
    return std::visit([](const auto& one) { return std::span<const char* const>(one.kStates); }, rule);
}

/// The keys of the section `optimizer` that not every rule has, and this one does.
constexpr std::span<const char* const> setting_names(const UpdateRule& rule) {
    return std::visit([](const auto& one) { return std::span<const char* const>(one.kSettings); }, rule);
}

constexpr bool has_setting(const UpdateRule& rule, std::string_view setting) {
    const auto names = setting_names(rule);
    return std::find(names.begin(), names.end(), setting) != names.end();
}

/// The largest number of state arrays of a rule.
inline constexpr std::size_t kMostStates = [] {
    std::size_t most = 0;
    for (const UpdateRule& rule : kUpdateRules)
        most = std::max(most, state_names(rule).size());
    return most;
}();

}  // namespace vae_dist
