#include "vae_dist/model/parameters.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

constexpr std::int64_t kFloatsPerCacheLine = 16;

}  // namespace

std::int64_t Parameter::size() const {
    return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

std::int64_t ParameterLayout::add(std::vector<Parameter> stacked) {
    const std::int64_t first = size_;
    for (Parameter& parameter : stacked) {
        parameter.offset = size_;
        size_ += parameter.size();
        parameters_.push_back(std::move(parameter));
    }
    size_ = (size_ + kFloatsPerCacheLine - 1) / kFloatsPerCacheLine * kFloatsPerCacheLine;
    return first;
}

std::int64_t ParameterLayout::parameter_count() const {
    return std::accumulate(parameters_.begin(), parameters_.end(), std::int64_t{0},
                           [](std::int64_t sum, const Parameter& p) { return sum + p.size(); });
}

const Parameter& ParameterLayout::find(const std::string& name) const {
    const auto at = std::find_if(parameters_.begin(), parameters_.end(),
                                 [&](const Parameter& p) { return p.name == name; });
    require(at != parameters_.end(), "a parameter is looked up by a name that the model has");
    return *at;
}

ParameterStore::ParameterStore(const ParameterLayout& layout, Backend& backend)
    : values_buffer(backend.allocate(static_cast<std::size_t>(layout.size()) * sizeof(float))),
      gradients_buffer(backend.allocate(static_cast<std::size_t>(layout.size()) * sizeof(float))),
      values(values_buffer.span<float>()),
      gradients(gradients_buffer.span<float>()) {}

}  // namespace vae_dist
