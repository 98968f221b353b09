#include "backend_suite.hpp"

#include "backend/cuda/cuda.hpp"
#include "vae_dist/backend/devices.hpp"

namespace vae_dist {
namespace {

template <class MakeProducts>
auto cpu_with(MakeProducts make_products) {
    return [=](Threads threads) -> std::unique_ptr<Backend> {
        auto products = make_products(threads);
        return products ? std::make_unique<CpuBackend>(std::move(products), threads) : nullptr;
    };
}

std::unique_ptr<Backend> first_gpu(Threads) {
    return find_devices().all.empty() ? nullptr : make_cuda_backend(0);
}

}  // namespace

std::vector<BackendCase> all_backends() {
    std::vector<BackendCase> backends = {{"oneDNN", cpu_with(make_onednn_products)},
                                         {"oneDNN_3_threads", cpu_with(make_onednn_products), Threads(3)},
                                         {"own", cpu_with(make_blocked_products)},
                                         {"own_3_threads", cpu_with(make_blocked_products), Threads(3)}};
    if (cuda_built_in()) backends.push_back({"CUDA", first_gpu});
    return backends;
}

namespace {

INSTANTIATE_TEST_SUITE_P(All, BackendTest, testing::ValuesIn(all_backends()),
                         [](const auto& suite) { return suite.param.name; });

}  // namespace
}  // namespace vae_dist
