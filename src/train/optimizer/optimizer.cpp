#include "vae_dist/train/optimizer/optimizer.hpp"

#include "train/optimizer/optimizers.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

std::unique_ptr<Optimizer> make_optimizer(const OptimizerConfig& config, Backend& backend,
                                          std::int64_t size) {
    switch (config.name) {
        case OptimizerKind::adam:
        case OptimizerKind::adamw:
            return make_adam(config, backend, size);
        case OptimizerKind::sgd:
            return make_sgd(config, backend, size);
        case OptimizerKind::adagrad:
            return make_adagrad(config, backend, size);
    }
    require(false, "every optimizer has a class");
    return nullptr;
}

}  // namespace vae_dist
