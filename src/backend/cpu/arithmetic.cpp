#include "backend/cpu/blocks.hpp"
#include "backend/cpu/cpu_backend.hpp"
#include "backend/values.hpp"

namespace vae_dist {

void CpuBackend::compute(const SampleWeights&, const Arguments& with) {
    fill(column(with.outputs[0]), static_cast<float>(with.pass.sample_weight));
}

void CpuBackend::compute(const Concatenate&, const Arguments& with) {
    std::int64_t column = 0;
    for (const ConstOperand& input : with.inputs) {
        round(input.floats(), with.outputs[0].column_block(column, input.columns()));
        column += input.columns();
    }
}

void CpuBackend::compute(const TakeColumns& take, const Arguments& with) {
    round(with.inputs[0].floats().column_block(take.first, take.count), with.outputs[0]);
}

void CpuBackend::compute(const Add&, const Arguments& with) {
    const ConstFloatMatrix a = with.inputs[0].floats();
    const ConstFloatMatrix b = with.inputs[1].floats();
    const FloatMatrix sum = with.outputs[0].floats();
    threads_.split(sum.rows, row_grain(sum.columns), [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t r = first; r < last; ++r)
            map_array(sum.columns, sum.row(r), plus, a.row(r), b.row(r));
    });
}

void CpuBackend::compute(const Negate&, const Arguments& with) {
    const ConstFloatMatrix from = with.inputs[0].floats();
    const FloatMatrix to = with.outputs[0].floats();
    for (std::int64_t r = 0; r < to.rows; ++r)
        map_array(
            to.columns, to.row(r), [](const Block& block) -> Block { return -block; }, from.row(r));
}

void CpuBackend::compute(const Round&, const Arguments& with) {
    round(with.inputs[0].floats(), with.outputs[0]);
}

void CpuBackend::compute(const SumTerm& term, const Arguments& with) {
    sum(column(with.inputs[0]), term_divisor(with), with.terms + term.term);
}

}  // namespace vae_dist
