#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <variant>

#include "vae_dist/ops/arithmetic.hpp"
#include "vae_dist/ops/density.hpp"
#include "vae_dist/ops/linear.hpp"
#include "vae_dist/ops/mixture.hpp"
#include "vae_dist/ops/posterior.hpp"

namespace vae_dist {

using AnyOperation =
    std::variant<Linear, ActivationGradient, ColumnSums, WeightGradient, InputGradient, PosteriorDraw,
                 PosteriorGradient, ImportanceGradient, ImportanceWeights, Density, DensityGradient,
                 DensityParameters, MixtureDensity, MixtureGradient, SampleWeights, Concatenate, TakeColumns,
                 Add, Negate, Round, SumTerm>;

/// Any operation: a struct of its attributes, with a shape rule `shapes`; where it is not itself part of a
/// backward pass, a gradient rule `differentiate`; and `kRules`, where not all are the defaults.
struct Operation {
    AnyOperation is;

    template <class One>
    Operation(One one) requires(std::is_constructible_v<AnyOperation, One>) : is(std::move(one)) {}

    template <class Visit>
    decltype(auto) visit(Visit&& visit) const {
        return std::visit(visit, is);
    }
    template <class One>
    const One* as() const {
        return std::get_if<One>(&is);
    }

    std::string name() const {
        return visit([](const auto& one) -> std::string {
            if constexpr (requires { one.name(); }) {
                return one.name();
            } else {
                return one.kName;
            }
        });
    }
    /// Of the outputs; throws ErrorKind::bug where the inputs do not fit.
    Shapes shapes(ShapesView inputs) const {
        return visit([&](const auto& one) { return one.shapes(inputs); });
    }
    void differentiate(Differentiation& d) const {
        visit([&](const auto& one) {
            if constexpr (requires { one.differentiate(d); }) one.differentiate(d);
        });
    }

    bool reads_as_product(std::size_t input) const { return has(rules().product_inputs, input); }
    bool reads_either(std::size_t input) const {
        return has(rules().product_inputs | rules().either_inputs, input);
    }
    bool writes_either(std::size_t output) const { return has(rules().either_outputs, output); }
    bool is_optional(std::size_t output) const { return has(rules().optional_outputs, output); }
    /// The input whose precision output 0 has; none where it has one of its own.
    std::optional<std::size_t> alike_input() const {
        if (rules().alike_input < 0) return std::nullopt;
        return static_cast<std::size_t>(rules().alike_input);
    }
    /// Whether an output may take the place of input 0.
    bool may_overwrite_input(std::size_t output) const {
        return rules().in_place_output == static_cast<int>(output);
    }

 private:
    static bool has(unsigned mask, std::size_t i) { return (mask >> i & 1U) != 0; }
    OperationRules rules() const {
        return visit([]<class One>(const One&) {
            if constexpr (requires { One::kRules; }) {
                return One::kRules;
            } else {
                return OperationRules();
            }
        });
    }
};

}  // namespace vae_dist
