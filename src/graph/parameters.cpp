#include "vae_dist/graph/parameters.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

#include "vae_dist/backend/device_backend.hpp"
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
        require(
            std::ranges::none_of(parameters_, [&](const Parameter& p) { return p.name == parameter.name; }),
            "a parameter has a name of its own");
        parameter.offset = size_;
        size_ += parameter.size();
        parameters_.push_back(std::move(parameter));
    }
    size_ = end_of_block(size_);
    return first;
}

std::int64_t ParameterLayout::end_of_block(std::int64_t end) {
    return (end + kFloatsPerCacheLine - 1) / kFloatsPerCacheLine * kFloatsPerCacheLine;
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

ParameterStore::ParameterStore(const ParameterLayout& layout, Precision precision, Backend& backend)
    : values_buffer(backend.allocate(static_cast<std::size_t>(layout.size()) * sizeof(float))),
      gradients_buffer(backend.allocate(static_cast<std::size_t>(layout.size()) * sizeof(float))),
      values(values_buffer.span<float>()),
      gradients(gradients_buffer.span<float>()) {
    if (precision == Precision::float32) return;
    operands_buffer = backend.allocate(values.size() * sizeof(BFloat16));
    operands = operands_buffer.span<BFloat16>();
}

void ParameterStore::refresh_operands(Backend& backend, std::int64_t begin, std::int64_t end) {
    if (operands.empty()) return;
    const auto first = static_cast<std::size_t>(begin);
    const auto count = static_cast<std::size_t>(end - begin);
    backend.to_bfloat16(values.subspan(first, count), operands.subspan(first, count));
}

namespace {

template <class T>
void move_array(Backend& backend, Buffer from, Buffer& buffer, std::span<T>& array) {
    if (from.bytes() == 0) return;
    const std::span<T> to = from.span<T>();
    require(to.size() >= array.size(), "memory for an array of parameters holds it");
    if (DeviceBackend* const device = backend.device()) {
        device->copy(to.data(), array.data(), array.size_bytes());
    } else {
        std::ranges::copy(array, to.begin());
    }
    array = to.first(array.size());
    buffer = std::move(from);
}

}  // namespace

void ParameterStore::adopt(Backend& backend, Buffer new_values, Buffer new_gradients, Buffer new_operands) {
    move_array(backend, std::move(new_values), values_buffer, values);
    move_array(backend, std::move(new_gradients), gradients_buffer, gradients);
    move_array(backend, std::move(new_operands), operands_buffer, operands);
}

}  // namespace vae_dist
