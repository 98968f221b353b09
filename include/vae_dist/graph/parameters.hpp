#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "vae_dist/backend/backend.hpp"

namespace vae_dist {

/// How a parameter's values start.
enum class Initial {
    zero,
    glorot,  ///< normal, of variance 2 / (in + out) (Glorot and Bengio, 2010)
    he,      ///< normal, of variance 2 / in (He et al., 2015)
    normal,  ///< standard normal
};

/// One named array among the flat ones.
struct Parameter {
    std::string name;                 ///< "encoder/0/weight": its path below /model in a checkpoint
    std::vector<std::int64_t> shape;  ///< weight (out, in), bias (out)
    Initial initial = Initial::zero;
    std::int64_t offset = 0;     ///< of its first element, in elements
    bool read_as_float = false;  ///< by operations other than products, whatever its shape
    std::int64_t size() const;
    bool is_vector() const { return shape.size() < 2; }
    /// In a bfloat16 run: whether its values, and not only its operands, are on every rank.
    bool is_float_everywhere() const { return is_vector() || read_as_float; }
};

/// Where each parameter lies in the flat arrays of parameters, gradients and optimizer state. Parameters lie
/// in the order in which the backward pass finishes their gradients, so that what is finished is always a
/// prefix.
class ParameterLayout {
 public:
    /// Places arrays one after the other without gaps (so that stacked weights are one matrix); the first
    /// begins on a cache line. Returns the offset of the first. Throws ErrorKind::bug for a name that is
    /// there already.
    std::int64_t add(std::vector<Parameter> stacked);

    /// Where what `add` places after an array that ends there begins.
    static std::int64_t end_of_block(std::int64_t end);

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
    ParameterStore(const ParameterLayout& layout, Precision precision, Backend& backend);

    /// Rounds values [begin, end) into the operands, where there are any.
    void refresh_operands(Backend& backend, std::int64_t begin, std::int64_t end);

    /// Moves arrays, as they are, into memory of another's making, such as that which processes share, and
    /// keeps it from then on. Each buffer holds layout.size() elements at least; an array stays where it is
    /// if its buffer is empty.
    void adopt(Backend& backend, Buffer values, Buffer gradients, Buffer operands);

    Buffer values_buffer;
    Buffer gradients_buffer;
    Buffer operands_buffer;
    std::span<float> values;     ///< (layout.size())
    std::span<float> gradients;  ///< (layout.size())
    /// (layout.size()), the values rounded, of which products take the weights; empty in a float32 run.
    /// A change of values has to be followed by refresh_operands.
    std::span<BFloat16> operands;
};

}  // namespace vae_dist
