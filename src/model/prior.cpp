#include "vae_dist/model/prior.hpp"

#include "model/priors/mixture.hpp"
#include "model/priors/standard_normal.hpp"

namespace vae_dist {

std::unique_ptr<Prior> make_prior(const ModelConfig& config) {
    switch (config.prior.word) {
        case PriorKind::standard_normal:
            return std::make_unique<StandardNormalPrior>();
        case PriorKind::mixture:
            return std::make_unique<MixturePrior>(config.prior.size);
    }
    return nullptr;
}

}  // namespace vae_dist
