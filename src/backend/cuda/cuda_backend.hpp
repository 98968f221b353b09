#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backend/cuda/products.hpp"
#include "backend/cuda/queue.hpp"
#include "backend/cuda/scratch.hpp"
#include "backend/density_operands.hpp"
#include "vae_dist/backend/device_backend.hpp"

namespace vae_dist {

/// A GPU of NVIDIA's: matrix products by cuBLASLt, all else by kernels of independent threads. Not for use by
/// two threads.
class CudaBackend final : public DeviceBackend {
 public:
    /// On device number `device`; `what` describes it.
    CudaBackend(int device, std::string id, std::string what);

    std::string description() const override;
    DeviceBackend* device() override { return this; }
    std::string device_id() const override { return id_; }

    Buffer allocate(std::size_t bytes) override;
    void copy_in(void* to, const void* from_host, std::size_t bytes) override;
    void copy_out(void* to_host, const void* from, std::size_t bytes) override;

    Buffer allocate_pinned(std::size_t bytes) override;
    void copy(void* to, const void* from, std::size_t bytes) override;
    void start_copy_out(void* to_pinned, const void* from, std::size_t bytes) override;

    Mark mark() override { return queue_.mark(); }
    bool has_passed(Mark mark) override { return queue_.has_passed(mark); }
    void wait(Mark mark) override { queue_.wait(mark); }
    void wait_by(Waiter waiter) override { queue_.wait_by(std::move(waiter)); }
    void repeatable(std::uint64_t key, const std::function<void()>& body) override;
    void forget_repeatable() override { queue_.forget_graphs(); }
    std::int64_t memory_losses() const override { return queue_.memory_losses(); }
    void communicate(const std::function<void(void* stream)>& queue) override { queue_.communicate(queue); }
    void join_communication() override { queue_.join_communication(); }

    void load_input(const HostRows& rows, std::uint32_t visit, std::span<const InputField> fields) override;

    void run(const Operation& operation, const Arguments& with) override {
        operation.visit([&](const auto& one) { compute(one, with); });
    }
    bool has_fast_bfloat16() const override { return true; }

    std::int64_t threads() const override { return 1; }
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

    void add_exact(std::span<const float> values, int fraction_bits, std::int64_t addends, bool overwrite,
                   std::span<std::int64_t> to, std::int64_t* misfits) override;
    void add_exact_terms(std::span<const double> values, double factor, int fraction_bits,
                         std::int64_t addends, std::int64_t* to, std::int64_t* misfits) override;
    void sums_of_squares(std::span<const float> values, std::int64_t chunk, double* to) override;
    void clip_factor(std::span<const double> squares, const std::int64_t* misfits, double clip_norm,
                     double* norm, float* factor) override;
    void scale_by(std::span<float> values, const float* factor) override;

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

    /// to (B K, D) = from (B, D), each row K times, rounded where `to` is bfloat16.
    void round(ConstFloatMatrix from, Operand to);

    /// What an operation needs for itself, from one of its kernels to the next.
    struct Scratches {
        explicit Scratches(Queue& queue)
            : partial_sums(queue),
              chunk_sums(queue),
              products(queue),
              columns(queue),
              total(queue),
              answers(queue),
              exact(queue) {}
        DeviceScratch partial_sums;
        DeviceScratch chunk_sums;
        DeviceScratch products;  ///< (B, O) floats of a layer with an activation
        DeviceScratch columns;   ///< (D) what a density needs once a feature
        DeviceScratch total;     ///< a sum that goes into others
        DeviceScratch answers;   ///< what the host is about to ask for
        DeviceScratch exact;     ///< sums of sum_exact
    };

    template <class T>
    T answer(const T* from);

    std::string id_;
    std::string what_;
    Queue queue_;
    CublasProducts products_;
    Scratches scratch_;
};

}  // namespace vae_dist
