#include "backend/cuda/cuda_backend.hpp"
#include "backend/cuda/elements.hpp"
#include "backend/values.hpp"

namespace vae_dist {

namespace {

struct AddValues {
    ConstFloats a, b;
    Floats sum;
    __device__ void operator()(std::int64_t row, std::int64_t column) const {
        Four four = a.load(row, column);
        const Four more = b.load(row, column);
        for (int i = 0; i < kGroup; ++i)
            four.v[i] += more.v[i];
        sum.store(row, column, four);
    }
};

struct NegateValues {
    ConstFloats from;
    Floats to;
    __device__ void operator()(std::int64_t row, std::int64_t column) const {
        Four four = from.load(row, column);
        for (int i = 0; i < kGroup; ++i)
            four.v[i] = -four.v[i];
        to.store(row, column, four);
    }
};

}  // namespace

void CudaBackend::compute(const SampleWeights&, const Arguments& with) {
    fill(column(with.outputs[0]), static_cast<float>(with.pass.sample_weight));
}

void CudaBackend::compute(const Concatenate&, const Arguments& with) {
    std::int64_t column = 0;
    for (const ConstOperand& input : with.inputs) {
        round(input.floats(), with.outputs[0].column_block(column, input.columns()));
        column += input.columns();
    }
}

void CudaBackend::compute(const TakeColumns& take, const Arguments& with) {
    round(with.inputs[0].floats().column_block(take.first, take.count), with.outputs[0]);
}

void CudaBackend::compute(const Add&, const Arguments& with) {
    const FloatMatrix sum = with.outputs[0].floats();
    run_groups(queue_, sum.rows, sum.columns,
               AddValues{with.inputs[0].floats(), with.inputs[1].floats(), sum});
}

void CudaBackend::compute(const Negate&, const Arguments& with) {
    const FloatMatrix to = with.outputs[0].floats();
    run_groups(queue_, to.rows, to.columns, NegateValues{with.inputs[0].floats(), to});
}

void CudaBackend::compute(const Round&, const Arguments& with) {
    round(with.inputs[0].floats(), with.outputs[0]);
}

void CudaBackend::compute(const SumTerm& term, const Arguments& with) {
    sum(column(with.inputs[0]), term_divisor(with), with.terms + term.term);
}

}  // namespace vae_dist
