#pragma once

#include "vae_dist/core/error.hpp"
#include "vae_dist/model/prior.hpp"

namespace vae_dist {

/// N(0, I).
class StandardNormalPrior final : public Prior {
 public:
    bool is_standard_normal() const override { return true; }

    ValueId add_log_density(Graph&, ValueId) const override {
        throw Error(ErrorKind::bug, "a posterior's draw has the standard normal prior within itself");
    }

    void draw(Backend&, const ParameterLayout&, const ParameterStore&, const CounterRandom& random,
              std::int64_t first, FloatMatrix to_host) const override {
        for (std::int64_t r = 0; r < to_host.rows; ++r) {
            random.normals(0, static_cast<std::uint64_t>(first + r),
                           {to_host.row(r), static_cast<std::size_t>(to_host.columns)});
        }
    }
};

}  // namespace vae_dist
