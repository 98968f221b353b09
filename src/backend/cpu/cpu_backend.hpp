#pragma once

#include <memory>
#include <vector>

#include "backend/cpu/products.hpp"
#include "vae_dist/backend/backend.hpp"

namespace vae_dist {

/// The processor: matrix products by a library, all else in blocks of vector instructions (see blocks.hpp),
/// on the calling thread. Not for use by two threads at once.
class CpuBackend final : public Backend {
 public:
    explicit CpuBackend(std::unique_ptr<MatrixProducts> products);

    std::string description() const override;

    Buffer allocate(std::size_t bytes) override;
    void copy_in(void* to, const void* from_host, std::size_t bytes) override;
    void copy_out(void* to_host, const void* from, std::size_t bytes) override;
    void fill(std::span<float> values, float value) override;

    void load_input(const InputTransform& transform, ElementType type, const std::byte* raw,
                    std::span<const std::int64_t> rows_host, std::uint32_t visit,
                    FloatMatrix output) override;

    void linear(ConstFloatMatrix x, ConstFloatMatrix weight, const float* bias, const Activation* activation,
                FloatMatrix before, FloatMatrix y) override;
    void linear_backward_input(ConstFloatMatrix dy, ConstFloatMatrix weight, FloatMatrix dx) override;
    void linear_backward_weight(ConstFloatMatrix dy, ConstFloatMatrix x, FloatMatrix dweight,
                                float* dbias) override;
    void activation_backward(Activation activation, ConstFloatMatrix before, ConstFloatMatrix y,
                             FloatMatrix dy) override;

    void sample_posterior(ConstFloatMatrix mean, ConstFloatMatrix log_variance, const PosteriorDraws& draws,
                          FloatMatrix epsilon, FloatMatrix latent) override;
    void posterior_kl(ConstFloatMatrix mean, ConstFloatMatrix log_variance, float* kl) override;
    void posterior_backward(ConstFloatMatrix mean, ConstFloatMatrix log_variance, ConstFloatMatrix epsilon,
                            ConstFloatMatrix dlatent, float kl_weight, float free_bits, FloatMatrix dmean,
                            FloatMatrix dlog_variance) override;

    void log_prior_ratio(ConstFloatMatrix log_variance, ConstFloatMatrix epsilon, ConstFloatMatrix latent,
                         float* log_ratio) override;
    void importance_weights(std::span<const float> log_likelihood, std::span<const float> log_ratio,
                            std::int64_t draws, float beta, float sample_weight, float* weights,
                            float* bound) override;
    void importance_backward(ConstFloatMatrix log_variance, ConstFloatMatrix epsilon, ConstFloatMatrix latent,
                             ConstFloatMatrix dlatent, const float* weights, float beta, FloatMatrix dmean,
                             FloatMatrix dlog_variance) override;

    void bernoulli(ConstFloatMatrix logits, ConstFloatMatrix x, const float* weights, float* log_likelihood,
                   FloatMatrix dlogits) override;
    void gaussian(ConstFloatMatrix mean, const float* log_variance, ConstFloatMatrix x, const float* weights,
                  float* log_likelihood, FloatMatrix dmean, float* dlog_variance) override;
    void sigmoid(FloatMatrix values) override;

    double sum(std::span<const float> values) override;
    double sum_of_squares(std::span<const float> values) override;
    void scale(std::span<float> values, float factor) override;
    void add(std::span<const float> values, std::span<float> to) override;
    bool add_exact(std::span<const float> values, int fraction_bits, std::int64_t addends, bool overwrite,
                   std::span<std::int64_t> to) override;
    void from_exact(std::span<const std::int64_t> values, int fraction_bits, std::span<float> to) override;

    void add_penalty(std::span<const float> weights, float l1, float l2, std::span<float> gradient) override;
    void adam(const AdamStep& step, std::span<const float> gradient, std::span<float> first_moment,
              std::span<float> second_moment, std::span<float> weights) override;
    void sgd(float learning_rate, float momentum, float decay, std::span<const float> gradient,
             std::span<float> velocity, std::span<float> weights) override;
    void adagrad(float learning_rate, float epsilon, float decay, std::span<const float> gradient,
                 std::span<float> squares, std::span<float> weights) override;

 private:
    std::unique_ptr<MatrixProducts> products_;
    std::vector<std::uint32_t> words_;  // of one row's random numbers
    std::vector<float> precision_;      // exp(-log_variance) of the Gaussian likelihood's features
};

/// Chooses the library for matrix products: oneDNN where the build has it. Throws an input error for
/// compute.threads > 1 without it.
std::unique_ptr<Backend> make_cpu_backend(const ComputeConfig& compute);

}  // namespace vae_dist
