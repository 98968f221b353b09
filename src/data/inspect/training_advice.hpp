#pragma once

#include <optional>
#include <string>

#include "data/inspect/value_summary.hpp"
#include "vae_dist/data/hdf5/hdf5.hpp"

namespace vae_dist {

/// What a dataset's numbers seem to be, and how to train on them.
struct TrainingAdvice {
    std::string kind;  ///< "8-bit grey values", "counts"; empty: real numbers, of which nothing is to be said
    std::string obstacle;  ///< why not to train on them; empty: nothing speaks against it
    std::string scale;     ///< what to set in data.scale and data.transform; empty: nothing
    std::string transform;
    std::string likelihood;
    std::string conventions = {};  ///< what to set in data.conventions; empty: nothing
};

/// By a dataset's name, type, shape and first values. `summary` is none where it could not be made.
TrainingAdvice advise(const std::string& name, const hdf5::DatasetInfo& info,
                      const std::optional<ValueSummary>& summary);

}  // namespace vae_dist
