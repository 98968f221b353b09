#include <algorithm>

#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/train/record/checkpoint.hpp"

namespace vae_dist {

namespace {

// Into the memory of `arrays` where it fits.
void copy_arrays(const ParameterLayout& layout, Backend& backend, const float* flat,
                 std::vector<NamedArray>& arrays) {
    arrays.resize(layout.parameters().size());
    for (std::size_t i = 0; i < arrays.size(); ++i) {
        const Parameter& parameter = layout.parameters()[i];
        NamedArray& array = arrays[i];
        array.name = parameter.name;
        array.shape = parameter.shape;
        array.values.resize(static_cast<std::size_t>(parameter.size()));
        backend.copy_out(array.values.data(), flat + parameter.offset, array.values.size() * sizeof(float));
    }
}

void restore_arrays(const std::vector<NamedArray>& arrays, const ParameterLayout& layout, Backend& backend,
                    float* flat, const std::string& what) {
    for (const Parameter& parameter : layout.parameters()) {
        const auto array = std::find_if(arrays.begin(), arrays.end(),
                                        [&](const NamedArray& a) { return a.name == parameter.name; });
        if (array == arrays.end()) {
            throw_input_error("the checkpoint has no {}/{}, which the configured model needs", what,
                              parameter.name);
        }
        if (array->shape != parameter.shape) {
            throw_input_error("{}/{} has the shape {} in the checkpoint, but {} in the configured model",
                              what, parameter.name, format_shape(array->shape),
                              format_shape(parameter.shape));
        }
        backend.copy_in(flat + parameter.offset, array->values.data(), array->values.size() * sizeof(float));
    }
    if (arrays.size() != layout.parameters().size()) {
        throw_input_error("the checkpoint has {} below {}, but the configured model has {}",
                          counted(arrays.size(), "array"), what, layout.parameters().size());
    }
}

}  // namespace

void capture_replica(const Replica& replica, Checkpoint& checkpoint) {
    const ParameterLayout& layout = replica.vae.layout();
    copy_arrays(layout, replica.backend, replica.vae.parameters().values.data(), checkpoint.model);
    const std::vector<Optimizer::State>& states = replica.optimizer.states();
    checkpoint.optimizer.resize(states.size());
    for (std::size_t i = 0; i < states.size(); ++i) {
        auto& [name, arrays] = checkpoint.optimizer[i];
        name = states[i].name;
        copy_arrays(layout, replica.backend, states[i].buffer.as<float>(), arrays);
    }
}

void restore_model(const Checkpoint& checkpoint, Vae& vae, Backend& backend) {
    restore_arrays(checkpoint.model, vae.layout(), backend, vae.parameters().values.data(), "/model");
    vae.refresh_operands();
}

void restore_replica(const Checkpoint& checkpoint, Replica& replica) {
    const ParameterLayout& layout = replica.vae.layout();
    restore_model(checkpoint, replica.vae, replica.backend);
    for (const Optimizer::State& state : replica.optimizer.states()) {
        const auto saved = std::find_if(checkpoint.optimizer.begin(), checkpoint.optimizer.end(),
                                        [&](const auto& s) { return s.first == state.name; });
        if (saved == checkpoint.optimizer.end()) {
            throw_input_error("the checkpoint has no /optimizer/{}, which the configured optimizer needs",
                              state.name);
        }
        restore_arrays(saved->second, layout, replica.backend, state.buffer.as<float>(),
                       "/optimizer/" + state.name);
    }
}

}  // namespace vae_dist
