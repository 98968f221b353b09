#include "backend/cpu/products.hpp"

namespace vae_dist {

std::unique_ptr<MatrixProducts> make_onednn_products(Threads) {
    return nullptr;
}

}  // namespace vae_dist
