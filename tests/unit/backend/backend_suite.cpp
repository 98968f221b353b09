#include "backend_suite.hpp"

namespace vae_dist {
namespace {

std::unique_ptr<Backend> make_cpu(std::unique_ptr<MatrixProducts> products) {
    return products ? std::make_unique<CpuBackend>(std::move(products)) : nullptr;
}

std::vector<BackendCase> all_backends() {
    return {{"oneDNN", [] { return make_cpu(make_onednn_products(1)); }},
            {"Eigen", [] { return make_cpu(make_eigen_products()); }}};
}

INSTANTIATE_TEST_SUITE_P(All, BackendTest, testing::ValuesIn(all_backends()),
                         [](const auto& suite) { return suite.param.name; });

}  // namespace
}  // namespace vae_dist
