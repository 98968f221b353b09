#pragma once

#include <cstdint>

namespace cuda_stand_in {

/// What tests may ask the stand-in for CUDA.

/// How many there are now.
struct Live {
    std::int64_t arrays = 0;  ///< in the device's memory
    std::int64_t pinned = 0;
    std::int64_t streams = 0;
    std::int64_t events = 0;
    std::int64_t graphs = 0;    ///< those that can be launched, too
    std::int64_t products = 0;  ///< handles, descriptions, layouts and preferences of cuBLASLt
    std::int64_t communicators = 0;
    bool operator==(const Live&) const = default;
};
Live& live();

/// What was done since the start.
struct Done {
    std::int64_t kernels = 0;
    std::int64_t products = 0;
    std::int64_t product_flops = 0;
    std::int64_t product_bytes = 0;  ///< of the factors and the product, each once
    std::int64_t copies = 0;
    std::int64_t copied_bytes = 0;
    std::int64_t collectives = 0;
    std::int64_t graph_launches = 0;
};
Done& done();

}  // namespace cuda_stand_in
