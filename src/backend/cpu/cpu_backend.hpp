#pragma once

#include <memory>
#include <vector>

#include "backend/cpu/products.hpp"
#include "backend/cpu/scratch.hpp"
#include "backend/cpu/threads.hpp"
#include "backend/density_operands.hpp"
#include "vae_dist/backend/backend.hpp"

namespace vae_dist {

/// The processor: matrix products by a library, all else in blocks of vector instructions (see blocks.hpp),
/// on the threads of `threads`. Not for use by two threads at once.
class CpuBackend final : public Backend {
 public:
    explicit CpuBackend(std::unique_ptr<MatrixProducts> products, Threads threads = Threads(1));

    std::string description() const override;

    Buffer allocate(std::size_t bytes) override;
    void copy_in(void* to, const void* from_host, std::size_t bytes) override;
    void copy_out(void* to_host, const void* from, std::size_t bytes) override;

    void load_input(const HostRows& rows, std::uint32_t visit, std::span<const InputField> fields) override;

    void run(const Operation& operation, const Arguments& with) override {
        operation.visit([&](const auto& one) { compute(one, with); });
    }
    bool has_fast_bfloat16() const override { return products_->has_fast_bfloat16(); }

    std::int64_t threads() const override { return threads_.count(); }
    void for_each(std::int64_t count, const std::function<void(std::int64_t)>& body) override;

    void fill(std::span<float> values, float value) override;
    void scale(std::span<float> values, float factor) override;
    void add(std::span<const float> values, std::span<float> to) override;
    void add_bfloat16(std::span<const BFloat16> values, std::span<float> to) override;
    void to_bfloat16(std::span<const float> from, std::span<BFloat16> to) override;
    void sum(std::span<const float> values, double divisor, double* to) override;
    double sum_of_squares(std::span<const float> values) override;
    bool add_exact(std::span<const float> values, int fraction_bits, std::int64_t addends, bool overwrite,
                   std::span<std::int64_t> to) override;
    bool sum_exact(std::span<const float* const> arrays, int fraction_bits, std::int64_t addends,
                   std::span<float> to) override;
    void from_exact(std::span<const std::int64_t> values, int fraction_bits, std::span<float> to) override;

    void add_penalty(std::span<const float> weights, float l1, float l2, std::span<float> gradient) override;
    void update(const UpdateRule& rule, std::span<const float> gradient,
                std::span<const std::span<float>> state, std::span<float> weights) override;

 private:
    // One a kind of operation.
    void compute(const Linear& linear, const Arguments& with);
    void compute(const ActivationGradient& gradient, const Arguments& with);
    void compute(const ColumnSums& sums, const Arguments& with);
    void compute(const WeightGradient& gradient, const Arguments& with);
    void compute(const InputGradient& gradient, const Arguments& with);
    void compute(const PosteriorDraw& draw, const Arguments& with);
    void compute(const PosteriorGradient& gradient, const Arguments& with);
    void compute(const ImportanceGradient& gradient, const Arguments& with);
    void compute(const ImportanceWeights& weights, const Arguments& with);
    void compute(const Density& density, const Arguments& with);
    void compute(const DensityGradient& gradient, const Arguments& with);
    void compute(const DensityParameters& parameters, const Arguments& with);
    void compute(const MixtureDensity& mixture, const Arguments& with);
    void compute(const MixtureGradient& gradient, const Arguments& with);
    void compute(const SampleWeights& weights, const Arguments& with);
    void compute(const Concatenate& concatenate, const Arguments& with);
    void compute(const TakeColumns& take, const Arguments& with);
    void compute(const Add& add, const Arguments& with);
    void compute(const Negate& negate, const Arguments& with);
    void compute(const Round& round, const Arguments& with);
    void compute(const SumTerm& term, const Arguments& with);

    template <class D, bool kShared>
    void density_of(const DensityOperands& of);
    void density(const DensityOfFeatures& density, const DensityOperands& of);

    /// The components of a mixture, and what depends on them alone; in the backend's scratch memory.
    struct Components {
        ConstFloatMatrix mean;              ///< (C, Z)
        ConstFloatMatrix inverse_variance;  ///< (C, Z)
        std::span<const double> constant;   ///< (C), log weight_c p(z|c) without the squares
    };
    Components prepare_components(const Arguments& with);

    /// to (B K, D) = from (B, D), each row K times, rounded where `to` is bfloat16.
    void round(ConstFloatMatrix from, Operand to);

    std::unique_ptr<MatrixProducts> products_;
    Threads threads_;
    Scratch preactivation_;      // (B, O) floats of a layer whose output is in bfloat16
    std::vector<double> terms_;  // of one sample's draws, or of a mixture's components
    Scratch columns_;            // what a density needs once a feature, or once a component
};

std::unique_ptr<Backend> make_cpu_backend(const ComputeConfig& compute);

}  // namespace vae_dist
