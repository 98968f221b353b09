#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "vae_dist/backend/backend.hpp"

namespace vae_dist {

/// One named array among the flat ones.
struct Parameter {
    std::string name;                 ///< "encoder/0/weight": its path below /model in a checkpoint
    std::vector<std::int64_t> shape;  ///< weight (out, in), bias (out)
    std::int64_t offset = 0;          ///< of its first element, in elements
    std::int64_t size() const;
};

/// Where each parameter lies in the flat arrays of parameters, gradients and optimizer state. Parameters lie
/// in the order in which the backward pass finishes their gradients, so that what is finished is always a
/// prefix.
class ParameterLayout {
 public:
    /// Places arrays one after the other without gaps (so that stacked weights are one matrix); the first
    /// begins on a cache line. Returns the offset of the first.
    std::int64_t add(std::vector<Parameter> stacked);

    /// Elements of a flat array, padding included.
    std::int64_t size() const { return size_; }
    /// Elements that are parameters, without padding.
    std::int64_t parameter_count() const;
    const std::vector<Parameter>& parameters() const { return parameters_; }
    /// Throws ErrorKind::bug if there is none of that name.
    const Parameter& find(const std::string& name) const;

 private:
    std::vector<Parameter> parameters_;
    std::int64_t size_ = 0;
};

/// The flat arrays of parameters and of gradients, in the backend's memory.
struct ParameterStore {
    ParameterStore(const ParameterLayout& layout, Backend& backend);

    Buffer values_buffer;
    Buffer gradients_buffer;
    std::span<float> values;     ///< (layout.size())
    std::span<float> gradients;  ///< (layout.size())
};

}  // namespace vae_dist
