#pragma once

#include "train/step/team.hpp"
#include "vae_dist/graph/parameters.hpp"

namespace vae_dist {

/// A store's arrays, moved as they are to memory that the ranks of a host read in place.
struct SharedParameters {
    /// Collective.
    SharedParameters(Team& team, Backend& backend, ParameterStore& store_)
        : store(store_),
          values(team, backend, store.values.size()),
          gradients(team, backend, store.gradients.size()),
          operands(team, backend, store.operands.size()) {
        store.adopt(backend, values.buffer(), gradients.buffer(),
                    store.operands.empty() ? Buffer() : operands.buffer());
    }

    ParameterStore& store;
    HostArray<float> values;
    HostArray<float> gradients;
    HostArray<BFloat16> operands;  ///< empty in a float32 run
};

}  // namespace vae_dist
