#include "backend/cpu/blocks.hpp"
#include "backend/cpu/cpu_backend.hpp"
#include "backend/rows_a_sample.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

// Sum of log(1 + small) over many numbers in [0, 1]: factors of at most 2 are multiplied up until a float
// might overflow, and the logarithm is taken of their product.
class LogOfProduct {
 public:
    void multiply(const Block& factor) {
        product_ *= factor;
        if (++factors_ == kMostFactors) flush();
    }
    const Block& sum() {
        flush();
        return sum_;
    }

 private:
    static constexpr int kMostFactors = 120;  // 2^120 is a float

    void flush() {
        sum_ += product_.log();
        product_ = Block::Ones();
        factors_ = 0;
    }

    Block product_ = Block::Ones();
    Block sum_ = Block::Zero();
    int factors_ = 0;
};

// What the rows of a pass have in common. kBlocks parameters are column blocks of the output.
template <class D, bool kShared>
struct DensityRows {
    static constexpr int kBlocks = D::kParameters - (kShared ? 1 : 0);
    static constexpr int kLast = D::kParameters - 1;
    static constexpr bool kPrepares = !kShared && D::kParameters > 1;

    ConstFloatMatrix output;          // (B K, kBlocks D)
    ConstFloatMatrix x;               // (B, D)
    const float* prepared = nullptr;  // (D), of the shared parameter
    std::int64_t draws = 1;

    using Parameters = Block[D::kParameters];

    // The parameters of some features of a row, the last one as the decoder gives it.
    template <class Count>
    [[gnu::always_inline]] void load_parameters(std::int64_t r, std::int64_t first, Count count,
                                                Parameters& parameters) const {
        for (int block = 0; block < kBlocks; ++block)
            parameters[block] = load(output.row(r) + block * x.columns + first, count);
        if constexpr (kShared) parameters[kLast] = load(prepared + first, count);
    }
    template <class Count>
    [[gnu::always_inline]] Block target(std::int64_t r, std::int64_t first, Count count) const {
        return load(x.row(r / draws) + first, count);
    }
};

// The log-density of a row, and the gradient in one precision or the other, or none where T is void.
template <class D, bool kShared, class T>
[[gnu::flatten]] float density_row(const DensityRows<D, kShared>& rows, std::int64_t r, double constant,
                                   const float* weights, T* gradient) {
    using Of = DensityRows<D, kShared>;
    Block total = Block::Zero();
    LogOfProduct logs;
    for_blocks(rows.x.columns, [&](std::int64_t first, auto count) {
        typename Of::Parameters parameters;
        rows.load_parameters(r, first, count, parameters);
        Block last;
        if constexpr (Of::kPrepares) {
            last = parameters[Of::kLast];
            const Block bounded = D::bounded(last);
            total += only(D::normaliser(bounded), count);
            parameters[Of::kLast] = D::prepared(bounded);
        }
        const auto terms = D::at(rows.target(r, first, count), parameters);
        total += only(terms.term, count);
        if constexpr (D::kHasSmall) logs.multiply(1 + only(terms.small, count));
        if constexpr (!std::is_void_v<T>) {
            for (int block = 0; block < Of::kBlocks; ++block) {
                Block with_weight = weights[r] * terms.gradient[block];
                if constexpr (Of::kPrepares) {
                    if (block == Of::kLast) with_weight = D::limited(last, with_weight);
                }
                store(with_weight, gradient + block * rows.x.columns + first, count);
            }
        }
    });
    double log_density = constant + D::kScale * lane_sum(total);
    if constexpr (D::kHasSmall) log_density -= lane_sum(logs.sum());
    return static_cast<float>(log_density);
}

// The gradient with respect to the shared parameter of some features, from the first row to the last.
template <class D>
void shared_gradient(const DensityRows<D, true>& rows, const float* weights, std::int64_t begin,
                     std::int64_t end, const float* shared, float* gradient) {
    std::fill(gradient + begin, gradient + end, 0.0F);
    for (std::int64_t r = 0; r < rows.output.rows; ++r) {
        for_blocks(end - begin, [&](std::int64_t offset, auto count) {
            const std::int64_t first = begin + offset;
            typename DensityRows<D, true>::Parameters parameters;
            rows.load_parameters(r, first, count, parameters);
            const auto terms = D::at(rows.target(r, first, count), parameters);
            store(load(gradient + first, count) + weights[r] * terms.gradient[D::kParameters - 1],
                  gradient + first, count);
        });
    }
    for (std::int64_t i = begin; i < end; ++i)
        gradient[i] = D::limited(shared[i], gradient[i]);
}

// Calls body(row_of) where row_of(r) is row r of the gradient, in its precision; a null void* where there is
// none.
template <class Body>
void with_gradient(const Operand& gradient, const Body& body) {
    if (gradient.empty()) return body([](std::int64_t) -> void* { return nullptr; });
    gradient.visit([&](const auto& view) { body([&view](std::int64_t r) { return view.row(r); }); });
}

}  // namespace

template <class D, bool kShared>
void CpuBackend::density_of(const DensityOperands& of) {
    const std::int64_t features = of.x.columns;
    DensityRows<D, kShared> rows = {
        .output = of.output, .x = of.x, .draws = rows_a_sample(of.output.column_block(0, features), of.x)};
    double constant = D::kScale * static_cast<double>(features) * D::kConstant;
    if constexpr (kShared) {
        float* const columns = columns_.get<float>(features);
        map_array(
            features, columns, [](const Block& a) -> Block { return D::normaliser(a); }, of.shared);
        double normalisers = 0;
        sum({columns, static_cast<std::size_t>(features)}, 1, &normalisers);
        constant = D::kScale * (static_cast<double>(features) * D::kConstant + normalisers);
        map_array(
            features, columns, [](const Block& a) -> Block { return D::prepared(a); }, of.shared);
        rows.prepared = columns;
        if (!of.gradient.empty()) {
            // First, for the gradient may take the output's own memory.
            threads_.split(features, 64, [&](std::int64_t begin, std::int64_t end) {
                shared_gradient<D>(rows, of.weights, begin, end, of.shared, of.shared_gradient);
            });
        }
    }
    constexpr std::int64_t kWork = D::kHasSmall || DensityRows<D, kShared>::kPrepares ? 4 : 1;
    with_gradient(of.gradient, [&](auto gradient_row) {
        threads_.split(
            of.output.rows, row_grain(kWork * features), [&](std::int64_t first, std::int64_t last) {
                for (std::int64_t r = first; r < last; ++r) {
                    of.log_likelihood[r] = density_row(rows, r, constant, of.weights, gradient_row(r));
                }
            });
    });
}

void CpuBackend::density(const DensityOfFeatures& density, const DensityOperands& of) {
    with_density(density.kind, [&]<class D>(D) {
        if constexpr (D::kParameters > 1) {
            if (density.shared) return density_of<D, true>(of);
        }
        density_of<D, false>(of);
    });
}

void CpuBackend::compute(const Density& density, const Arguments& with) {
    this->density(density.density, operands_of(density, with));
}

void CpuBackend::compute(const DensityGradient& gradient, const Arguments& with) {
    density(gradient.density, operands_of(gradient, with));
}

void CpuBackend::compute(const DensityParameters& of, const Arguments& with) {
    const DensityOfFeatures& density = of.density;
    const ConstFloatMatrix output = with.inputs[0].floats();
    const FloatMatrix parameters = with.outputs[0].floats();
    with_density(density.kind, [&]<class D>(D) {
        const int blocks = density.blocks();
        const std::int64_t features = output.columns / blocks;
        const auto row_parameters = [&](std::int64_t r, std::int64_t first, auto count) {
            Block numbers[D::kParameters];
            std::fill(std::begin(numbers), std::end(numbers), Block::Zero());
            for (int block = 0; block < blocks; ++block)
                numbers[block] = load(output.row(r) + block * features + first, count);
            D::to_parameters(numbers);
            for (int block = 0; block < blocks; ++block)
                store(numbers[block], parameters.row(r) + block * features + first, count);
        };
        threads_.split(output.rows, row_grain(output.columns), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t r = begin; r < end; ++r)
                for_blocks(features,
                           [&](std::int64_t first, auto count) { row_parameters(r, first, count); });
        });
    });
}

}  // namespace vae_dist
