#include "vae_dist/core/instruction_set.hpp"

#include "instruction_set_features.hpp"

namespace vae_dist {

std::string instruction_set() {
    return VAE_DIST_INSTRUCTION_SET;
}

}  // namespace vae_dist
