#pragma once

#include <array>
#include <cstddef>

#include "vae_dist/config/config.hpp"

namespace vae_dist {

/// The words for an enumeration's values in YAML, in the order of its enumerators.
template <class Enum>
inline constexpr std::array<const char*, 0> kEnumNames = {};

template <>
inline constexpr std::array kEnumNames<SyntheticDistribution> = {"normal", "uniform", "bernoulli"};
template <>
inline constexpr std::array kEnumNames<Conventions> = {"auto", "netcdf", "matlab", "none"};
template <>
inline constexpr std::array kEnumNames<Transform> = {"none", "binarize", "threshold", "standardize", "log1p"};
template <>
inline constexpr std::array kEnumNames<CacheMode> = {"auto", "memory", "stream"};
template <>
inline constexpr std::array kEnumNames<Activation> = kActivationNames;
template <>
inline constexpr std::array kEnumNames<LikelihoodKind> = kDensityNames;
template <>
inline constexpr std::array kEnumNames<VarianceKind> = {"feature", "decoder"};
template <>
inline constexpr std::array kEnumNames<PriorKind> = kPriorNames;
template <>
inline constexpr std::array kEnumNames<ConditionedPart> = {"encoder", "decoder"};
template <>
inline constexpr std::array kEnumNames<OptimizerKind> = kUpdateNames;
template <>
inline constexpr std::array kEnumNames<ScheduleKind> = {"constant", "cosine", "step", "exponential"};
template <>
inline constexpr std::array kEnumNames<Precision> = {"float32", "bfloat16"};
template <>
inline constexpr std::array kEnumNames<Switch> = {"auto", "on", "off"};
template <>
inline constexpr std::array kEnumNames<Reduction> = {"exact", "float32", "bfloat16"};
template <>
inline constexpr std::array kEnumNames<NonFinitePolicy> = {"stop", "skip"};
template <>
inline constexpr std::array kEnumNames<BackendKind> = {"auto", "cpu", "cuda"};
template <>
inline constexpr std::array kEnumNames<CommunicatorKind> = {"auto", "mpi", "nccl"};

/// An enumerator's word: name_of(Activation::tanh) is "tanh".
template <class Enum>
constexpr const char* name_of(Enum value) {
    return kEnumNames<Enum>[static_cast<std::size_t>(value)];
}

}  // namespace vae_dist
