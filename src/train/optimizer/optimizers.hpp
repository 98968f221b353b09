#pragma once

#include "vae_dist/train/optimizer/optimizer.hpp"

namespace vae_dist {

std::unique_ptr<Optimizer> make_adam(const OptimizerConfig& config, Backend& backend, std::int64_t size);
std::unique_ptr<Optimizer> make_sgd(const OptimizerConfig& config, Backend& backend, std::int64_t size);
std::unique_ptr<Optimizer> make_adagrad(const OptimizerConfig& config, Backend& backend, std::int64_t size);

}  // namespace vae_dist
