#include "vae_dist/train/replica.hpp"

namespace vae_dist {

Replica::Replica(const Config& config, const RowSource& data,
                 const std::optional<FeatureStatistics>& statistics, std::int64_t rows, Backend& backend_)
    : backend(backend_),
      vae(config.model, data.features(), backend_),
      optimizer(make_optimizer(config.optimizer, backend_, vae.layout().size())),
      input(config.data, config.train.seed, data.element_type(), data.features(), statistics, rows,
            backend_) {
    vae.reserve(rows);
}

}  // namespace vae_dist
