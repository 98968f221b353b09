#include "infer/host_copy.hpp"

#include "vae_dist/core/error.hpp"

namespace vae_dist {

void copy_to_host(Backend& backend, ConstFloatMatrix from, std::span<float> to) {
    require(static_cast<std::int64_t>(to.size()) == from.size(), "host memory has the matrix's size");
    if (from.stride == from.columns) {
        backend.copy_out(to.data(), from.data, to.size_bytes());
        return;
    }
    const std::size_t row_bytes = static_cast<std::size_t>(from.columns) * sizeof(float);
    for (std::int64_t r = 0; r < from.rows; ++r)
        backend.copy_out(to.data() + r * from.columns, from.row(r), row_bytes);
}

std::vector<float> to_host(Backend& backend, ConstFloatMatrix matrix) {
    std::vector<float> values(static_cast<std::size_t>(matrix.size()));
    copy_to_host(backend, matrix, values);
    return values;
}

std::vector<float> to_host(Backend& backend, std::span<const float> values) {
    return to_host(backend, ConstFloatMatrix(values.data(), 1, std::ssize(values)));
}

}  // namespace vae_dist
