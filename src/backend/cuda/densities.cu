#include "backend/cuda/cuda_backend.hpp"
#include "backend/cuda/sums.hpp"
#include "backend/rows_a_sample.hpp"
#include "vae_dist/core/require.hpp"

namespace vae_dist {

namespace {

/// The type of the elements of a gradient that is not asked for.
struct NoGradient {};

/// Where a density finds its parameters for four features of a row: kBlocks column blocks of the decoder's
/// output and, if the last parameter is shared, one row of what depends on it alone.
template <class D, bool kShared>
struct ParameterRows {
    static constexpr int kBlocks = D::kParameters - (kShared ? 1 : 0);
    static constexpr int kLast = D::kParameters - 1;
    static constexpr bool kPrepares = !kShared && D::kParameters > 1;

    ConstFloats blocks[kBlocks];
    ConstFloats prepared;
    ConstFloats x;
    std::int64_t draws;

    struct Loaded {
        Four parameters[D::kParameters];
        Four x;
        /// The terms of feature i; `last` becomes the last parameter as the decoder gives it.
        __device__ auto at(int i, float& last) const {
            float numbers[D::kParameters];
            for (int p = 0; p < D::kParameters; ++p)
                numbers[p] = parameters[p].v[i];
            last = numbers[kLast];
            if constexpr (kPrepares) numbers[kLast] = D::prepared(D::bounded(last));
            return D::at(x.v[i], numbers);
        }
    };
    __device__ Loaded load(std::int64_t row, std::int64_t column) const {
        Loaded loaded;
        for (int block = 0; block < kBlocks; ++block)
            loaded.parameters[block] = blocks[block].load(row, column);
        if constexpr (kShared) loaded.parameters[kLast] = prepared.load(0, column);
        loaded.x = x.load(row / draws, column);
        return loaded;
    }
};

/// The sum over a row's features, and the gradient with respect to the decoder's output.
template <class D, bool kShared, class T>
struct RowTerms {
    using Of = ParameterRows<D, kShared>;
    static constexpr bool kWithGradient = !std::is_same_v<T, NoGradient>;
    using Gradient =
        std::conditional_t<kWithGradient, Rows<std::conditional_t<kWithGradient, T, float>>, NoGradient>;

    Of rows;
    const float* weights;
    Gradient gradient[Of::kBlocks];

    __device__ void operator()(std::int64_t row, std::int64_t column, Four& sums) const {
        const auto loaded = rows.load(row, column);
        const int count = rows.x.count(column);
        const float weight = kWithGradient ? weights[row] : 0.0F;
        Four of_blocks[Of::kBlocks];
        for (int i = 0; i < kGroup; ++i) {
            float last;
            const auto terms = loaded.at(i, last);
            float sum = static_cast<float>(D::kScale) * terms.term;
            if constexpr (Of::kPrepares)
                sum += static_cast<float>(D::kScale) * D::normaliser(D::bounded(last));
            if constexpr (D::kHasSmall) sum -= log1pf(terms.small);
            sums.v[i] += i < count ? sum : 0.0F;
            for (int block = 0; block < Of::kBlocks; ++block) {
                float with_weight = weight * terms.gradient[block];
                if constexpr (Of::kPrepares) {
                    if (block == Of::kLast) with_weight = D::limited(last, with_weight);
                }
                of_blocks[block].v[i] = with_weight;
            }
        }
        if constexpr (kWithGradient) {
            for (int block = 0; block < Of::kBlocks; ++block)
                gradient[block].store(row, column, of_blocks[block]);
        }
    }
};

struct StoreLogDensity {
    double constant;
    double scale;
    const double* normalisers;  ///< (1), or none
    float* to;
    __device__ void operator()(std::int64_t i, double total) const {
        const double more = normalisers == nullptr ? 0 : scale * *normalisers;
        to[i] = static_cast<float>(constant + more + total);
    }
};

/// Of a shared parameter.
template <class D>
struct PrepareShared {
    const float* shared;
    float* prepared;
    float* normaliser;
    __device__ void operator()(std::int64_t i) const {
        prepared[i] = D::prepared(shared[i]);
        normaliser[i] = D::normaliser(shared[i]);
    }
};

/// The gradient with respect to the shared parameter: a term of each row.
template <class D>
struct SharedTerms {
    ParameterRows<D, true> rows;
    const float* weights;
    __device__ Four operator()(std::int64_t row, std::int64_t column) const {
        const auto loaded = rows.load(row, column);
        const float weight = weights[row];
        Four terms;
        for (int i = 0; i < kGroup; ++i) {
            float last;
            terms.v[i] = weight * loaded.at(i, last).gradient[D::kParameters - 1];
        }
        return terms;
    }
};
template <class D>
struct StoreShared {
    const float* shared;
    float* to;
    __device__ void operator()(std::int64_t i, double total) const {
        to[i] = D::limited(shared[i], static_cast<float>(total));
    }
};

template <class D>
struct ToParameters {
    ConstFloats from[D::kParameters];
    Floats to[D::kParameters];
    int blocks;
    __device__ void operator()(std::int64_t row, std::int64_t column) const {
        Four numbers[D::kParameters] = {};
        for (int block = 0; block < D::kParameters; ++block)
            if (block < blocks) numbers[block] = from[block].load(row, column);
        for (int i = 0; i < kGroup; ++i) {
            float of_feature[D::kParameters];
            for (int p = 0; p < D::kParameters; ++p)
                of_feature[p] = numbers[p].v[i];
            D::to_parameters(of_feature);
            for (int p = 0; p < D::kParameters; ++p)
                numbers[p].v[i] = of_feature[p];
        }
        for (int block = 0; block < D::kParameters; ++block)
            if (block < blocks) to[block].store(row, column, numbers[block]);
    }
};

}  // namespace

template <class D, bool kShared>
void CudaBackend::density_of(const DensityOperands& of) {
    const std::int64_t features = of.x.columns;
    ParameterRows<D, kShared> rows;
    for (int block = 0; block < rows.kBlocks; ++block)
        rows.blocks[block] = of.output.column_block(block * features, features);
    rows.x = of.x;
    rows.draws = rows_a_sample(of.output.column_block(0, features), of.x);
    double* normalisers = nullptr;
    if constexpr (kShared) {
        float* const columns = scratch_.columns.get<float>(2 * features);
        run_each(queue_, features, PrepareShared<D>{of.shared, columns, columns + features});
        normalisers = scratch_.total.get<double>(1);
        this->sum({columns + features, static_cast<std::size_t>(features)}, 1, normalisers);
        rows.prepared = ConstFloats(columns, features);
        if (!of.gradient.empty()) {
            // First, for the gradient may take the output's own memory.
            sum_columns(queue_, scratch_.partial_sums, of.output.rows, features,
                        SharedTerms<D>{rows, of.weights}, StoreShared<D>{of.shared, of.shared_gradient});
        }
    }
    const auto sum_terms = [&](const auto& terms) {
        sum_rows(queue_, scratch_.partial_sums, of.output.rows, features, terms,
                 StoreLogDensity{D::kScale * static_cast<double>(features) * D::kConstant, D::kScale,
                                 normalisers, of.log_likelihood});
    };
    if (of.gradient.empty()) return sum_terms(RowTerms<D, kShared, NoGradient>{rows, nullptr, {}});
    of.gradient.visit([&]<class T>(const MatrixView<T>& gradient) {
        RowTerms<D, kShared, T> terms{rows, of.weights, {}};
        for (int block = 0; block < rows.kBlocks; ++block)
            terms.gradient[block] = gradient.column_block(block * features, features);
        sum_terms(terms);
    });
}

void CudaBackend::density(const DensityOfFeatures& density, const DensityOperands& of) {
    with_density(density.kind, [&]<class D>(D) {
        if constexpr (D::kParameters > 1) {
            if (density.shared) return density_of<D, true>(of);
        }
        density_of<D, false>(of);
    });
}

void CudaBackend::compute(const Density& density, const Arguments& with) {
    this->density(density.density, operands_of(density, with));
}

void CudaBackend::compute(const DensityGradient& gradient, const Arguments& with) {
    density(gradient.density, operands_of(gradient, with));
}

void CudaBackend::compute(const DensityParameters& of, const Arguments& with) {
    const DensityOfFeatures& density = of.density;
    const ConstFloatMatrix output = with.inputs[0].floats();
    const FloatMatrix parameters = with.outputs[0].floats();
    with_density(density.kind, [&]<class D>(D) {
        ToParameters<D> body;
        body.blocks = density.blocks();
        const std::int64_t features = output.columns / body.blocks;
        for (int block = 0; block < body.blocks; ++block) {
            body.from[block] = output.column_block(block * features, features);
            body.to[block] = parameters.column_block(block * features, features);
        }
        run_groups(queue_, output.rows, features, body);
    });
}

}  // namespace vae_dist
