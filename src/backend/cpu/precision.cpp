#include "backend/cpu/blocks.hpp"
#include "backend/cpu/cpu_backend.hpp"
#include "backend/rows_a_sample.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

void CpuBackend::round(ConstFloatMatrix from, Operand to) {
    const std::int64_t times = rows_a_sample(to.rows(), from.rows);
    require(from.columns == to.columns(), "matrices to convert have one width");
    if (!to.is_bfloat16() && to.floats().data == from.data) return;
    to.visit([&](const auto& output) {
        threads_.split(output.rows, row_grain(from.columns), [&](std::int64_t first, std::int64_t last) {
            for (std::int64_t r = first; r < last; ++r)
                map_array(from.columns, output.row(r), same, from.row(r / times));
        });
    });
}

void CpuBackend::to_bfloat16(std::span<const float> from, std::span<BFloat16> to) {
    require(from.size() == to.size(), "arrays to convert have one length");
    threads_.split(std::ssize(to), kGrain, [&](std::int64_t first, std::int64_t last) {
        map_array(last - first, to.data() + first, same, from.data() + first);
    });
}

void CpuBackend::add_bfloat16(std::span<const BFloat16> values, std::span<float> to) {
    require(values.size() == to.size(), "arrays to add have one length");
    threads_.split(std::ssize(to), kGrain, [&](std::int64_t first, std::int64_t last) {
        map_array(last - first, to.data() + first, plus, to.data() + first, values.data() + first);
    });
}

}  // namespace vae_dist
