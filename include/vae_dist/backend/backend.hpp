#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "vae_dist/config/config.hpp"
#include "vae_dist/core/bfloat16.hpp"
#include "vae_dist/core/element_type.hpp"
#include "vae_dist/core/matrix_view.hpp"
#include "vae_dist/core/operand.hpp"
#include "vae_dist/core/random.hpp"
#include "vae_dist/ops/activation.hpp"
#include "vae_dist/ops/density.hpp"

namespace vae_dist {

/// Memory of a backend: owned, move-only, 64-byte aligned.
class Buffer {
 public:
    using Release = std::function<void(std::byte*)>;

    Buffer() = default;
    Buffer(std::byte* data, std::size_t bytes, Release release)
        : data_(data, std::move(release)), bytes_(bytes) {}

    std::size_t bytes() const { return bytes_; }

    template <class T>
    T* as() const {
        return reinterpret_cast<T*>(data_.get());
    }
    template <class T>
    std::span<T> span() const {
        return {as<T>(), bytes_ / sizeof(T)};
    }

 private:
    std::unique_ptr<std::byte, Release> data_{nullptr, [](std::byte*) {}};
    std::size_t bytes_ = 0;
};

/// From a file's numbers to the model's input: value * scale, then the transform. Until standardize has
/// subtracted the mean, all is in double: numbers such as times lie far from 0 and close together.
struct InputTransform {
    double scale = 1;
    Transform kind = Transform::none;
    const double* mean = nullptr;               ///< standardize: (features), backend memory
    const double* inverse_deviation = nullptr;  ///< standardize: (features), backend memory
    CounterRandom random{0, Purpose::binarize};
};

/// Rows as a file has them, in host memory.
struct HostRows {
    const std::byte* raw = nullptr;         ///< row after row
    std::size_t row_bytes = 0;              ///< from one row to the next
    std::span<const std::int64_t> numbers;  ///< (B) which rows of the data they are
};

/// What of each row becomes a matrix of the model's input.
struct InputField {
    InputTransform transform;
    ElementType type = ElementType::float32;
    std::size_t offset = 0;  ///< bytes from the beginning of a row
    FloatMatrix output = {};  ///< (B, D)
};

/// Rows of data, and draws from the posterior of one, are numbered below these: together they make the
/// counter of a random number.
inline constexpr std::int64_t kMostRows = std::int64_t{1} << 40;
inline constexpr std::int64_t kMostDraws = std::int64_t{1} << 23;

/// Several draws from the posterior of each of B samples: draw k of the sample in row r of the data has the
/// counter (visit, r + k * kMostRows, latent dimension). Draw 0 is therefore what a single draw is, and more
/// draws leave the earlier ones as they are.
struct PosteriorDraws {
    CounterRandom random;
    std::uint32_t visit = 0;
    std::span<const std::int64_t> rows;  ///< (B), row number of each sample in the data, below 2^40; host
    std::int64_t first = 0;              ///< draws first ... first + count - 1, below 2^23
    std::int64_t count = 1;              ///< K
};

/// Coefficients of one Adam step (Kingma and Ba, 2015) with decoupled weight decay (Loshchilov and Hutter,
/// 2019).
struct AdamStep {
    float learning_rate, beta1, beta2, epsilon;
    float correction1;  ///< 1 / (1 - beta1^t)
    float correction2;  ///< 1 / (1 - beta2^t)
    float decay;        ///< factor of the weights before the step, 1 - learning_rate * weight_decay
};

/// What a density works on, of K adjacent draws for each of B samples with D features.
struct DensityOperands {
    ConstFloatMatrix output;           ///< (B K, H D), the decoder's
    ConstFloatMatrix x;                ///< (B, D)
    const float* shared = nullptr;     ///< (D), the last parameter, where it is one row
    const float* weights = nullptr;    ///< (B K); not read without a gradient
    float* log_likelihood = nullptr;   ///< (B K)
    Operand gradient = {};             ///< (B K, H D), may be `output` itself; empty: no gradients
    float* shared_gradient = nullptr;  ///< (D)
};

class DeviceBackend;

/// Where the computing happens: memory, and the operations on matrices that a VAE needs. Matrices are
/// row-major; B is the number of rows (samples) of a slice, D features, Z latent dimensions. Pointers and
/// views are the backend's own memory unless marked "host". Views may have no rows: sums over samples are
/// then 0. Every result is a pure function of its arguments' values, shapes and strides: it does not depend
/// on where a buffer lies, on what was computed before or on the number of threads. What is not a number
/// stays visible: an operation on NaN gives NaN where its result depends on it.
class Backend {
 public:
    virtual ~Backend() = default;

    /// What computes, in words: "CPU, oneDNN 2.6.3 (avx512_core_bf16), 1 thread".
    virtual std::string description() const = 0;

    /// This as a backend whose memory is a device's; null where it is the host's, which any code may read and
    /// write.
    virtual DeviceBackend* device() { return nullptr; }

    // --- Memory
    virtual Buffer allocate(
        std::size_t bytes) = 0;  ///< zeroed; throws ErrorKind::failure where memory is out
    virtual void copy_in(void* to, const void* from_host, std::size_t bytes) = 0;
    virtual void copy_out(void* to_host, const void* from, std::size_t bytes) = 0;
    virtual void fill(std::span<float> values, float value) = 0;

    // --- Input
    /// Each field's output (B, D) = transform(its numbers * scale). Rounds to float once: standardize its
    /// result, the others what was scaled, of which they make theirs. Binarize draws with the counter (visit,
    /// rows[b], feature): 1 if its uniform number is below the value.
    virtual void load_input(const HostRows& rows, std::uint32_t visit,
                            std::span<const InputField> fields) = 0;

    // --- Fully connected layers. An operand is a float or a bfloat16 matrix; products are summed in float,
    // and what goes into a bfloat16 matrix is rounded once.
    /// y (B, O) = f(x (B, I) weight (O, I)^T + bias (O)), with f the activation, or the identity where
    /// `activation` is null. `before` (B, O) receives f's argument where `keeps_preactivation(*activation)`;
    /// else it is not touched. x and weight are of one precision, y and `before` of either.
    virtual void linear(ConstOperand x, ConstOperand weight, const float* bias, const Activation* activation,
                        Operand before, Operand y) = 0;
    /// dx (B, I) = dy (B, O) weight (O, I); dy and weight of one precision.
    virtual void linear_backward_input(ConstOperand dy, ConstOperand weight, FloatMatrix dx) = 0;
    /// dweight (O, I) = dy (B, O)^T x (B, I); dy and x of one precision.
    virtual void linear_backward_weight(ConstOperand dy, ConstOperand x, FloatMatrix dweight) = 0;
    /// dy (B, O) = dvalue (B, O) * f'(...), from y = f(before), rounded to dy's precision; dbias (O) = its
    /// column sums before rounding. `before` is read only where `keeps_preactivation(activation)`; dy may be
    /// dvalue itself. The three operands are of one precision.
    virtual void activation_backward(Activation activation, ConstOperand before, ConstOperand y,
                                     ConstFloatMatrix dvalue, Operand dy, float* dbias) = 0;
    /// sums (D) of the columns of `values` (B, D).
    virtual void column_sums(ConstOperand values, float* sums) = 0;

    // --- Precision
    /// Whether this processor, and the library for products, have instructions for products of bfloat16
    /// matrices. Without, they are right but slower than those of float matrices.
    virtual bool has_fast_bfloat16() const = 0;
    /// to (B K, D) = from (B, D), each row K times, rounded to nearest, ties to even; `to` may be `from`
    /// itself.
    virtual void convert(ConstFloatMatrix from, Operand to) = 0;
    virtual void to_bfloat16(std::span<const float> from, std::span<BFloat16> to) = 0;

    // --- Posterior and prior. Where a sample has K draws, they are K adjacent rows of a matrix (B K, ...).
    /// epsilon (B K, Z) standard normal, as CounterRandom::normals to float accuracy; latent (B K, Z) = mean
    /// + exp(log_variance / 2) * epsilon, with mean and log_variance (B, Z).
    virtual void sample_posterior(ConstFloatMatrix mean, ConstFloatMatrix log_variance,
                                  const PosteriorDraws& draws, FloatMatrix epsilon, FloatMatrix latent) = 0;
    /// kl (B): sum over z of (mean^2 + exp(log_variance) - 1 - log_variance) / 2, KL(q(z|x) || N(0, I)) of
    /// each sample.
    virtual void posterior_kl(ConstFloatMatrix mean, ConstFloatMatrix log_variance, float* kl) = 0;
    /// Gradients of  -reconstruction + kl_weight * sum_z max(free_bits, KL_z)  by the posterior's parameters,
    /// from dlatent (B, Z), the first term's gradient by the latent. kl_weight is that of one sample (beta /
    /// batch size). The KL term has no gradient where KL_z < free_bits, in each sample and dimension; with
    /// free_bits 0 it has everywhere.
    virtual void posterior_backward(ConstFloatMatrix mean, ConstFloatMatrix log_variance,
                                    ConstFloatMatrix epsilon, ConstFloatMatrix dlatent, float kl_weight,
                                    float free_bits, FloatMatrix dmean, FloatMatrix dlog_variance) = 0;

    // --- Importance weights (Burda et al., 2016) of K draws z_k = mean + exp(log_variance / 2) * epsilon_k
    /// log_ratio (B K) = log p(z_k) - log q(z_k|x) = sum over z of (log_variance + epsilon^2 - latent^2) / 2.
    virtual void log_prior_ratio(ConstFloatMatrix log_variance, ConstFloatMatrix epsilon,
                                 ConstFloatMatrix latent, float* log_ratio) = 0;
    /// From log_likelihood (B K) = log p(x|z_k) and log_ratio (B K), of `draws` = K draws a sample:
    /// weights (B K) = sample_weight * softmax_k(log_likelihood + beta * log_ratio), in double, rounded once;
    /// bound (B) = log(1/K sum_k exp(log_likelihood + log_ratio)), the bound itself whatever beta is.
    virtual void importance_weights(std::span<const float> log_likelihood, std::span<const float> log_ratio,
                                    std::int64_t draws, float beta, float sample_weight, float* weights,
                                    float* bound) = 0;
    /// Gradients dmean, dlog_variance (B, Z) of  -sum_k weights_k (log p(x|z_k) + beta * log_ratio_k)  by the
    /// posterior's parameters, the weights (B K) held constant, from dlatent (B K, Z), the gradient by the
    /// latents of -sum_k weights_k log p(x|z_k).
    virtual void importance_backward(ConstFloatMatrix log_variance, ConstFloatMatrix epsilon,
                                     ConstFloatMatrix latent, ConstFloatMatrix dlatent, const float* weights,
                                     float beta, FloatMatrix dmean, FloatMatrix dlog_variance) = 0;

    // --- Densities
    /// log p(x|z) of each draw, and the gradients of -sum_r weights_r log p(x|z_r).
    virtual void density(const DensityOfFeatures& density, const DensityOperands& of) = 0;
    /// The density's parameters (B, H D) of a decoder's output (B, H D), which they may replace.
    virtual void density_parameters(const DensityOfFeatures& density, ConstFloatMatrix output,
                                    FloatMatrix parameters) = 0;

    // --- Threads
    /// How many calls of for_each's body run at a time, at the most.
    virtual std::int64_t threads() const = 0;
    /// Calls body(i) for each i below count, on the backend's threads. Within it the operations on whole
    /// arrays may be called, on arrays that do not overlap; none of the others. Throws what one of the calls
    /// threw.
    virtual void for_each(std::int64_t count, const std::function<void(std::int64_t)>& body) = 0;

    // --- Whole arrays
    /// *to, of the backend's memory, = the sum of `values`, in double, in one fixed order, / divisor.
    virtual void sum(std::span<const float> values, double divisor, double* to) = 0;
    virtual double sum_of_squares(std::span<const float> values) = 0;  ///< in double, in one fixed order
    virtual void scale(std::span<float> values, float factor) = 0;
    virtual void add(std::span<const float> values, std::span<float> to) = 0;
    virtual void add_bfloat16(std::span<const BFloat16> values, std::span<float> to) = 0;
    /// to[i] (+)= round(values[i] * 2^fraction_bits), to nearest, ties to even; overwrites where `overwrite`.
    /// Returns false if a value is not finite or the scaled value is not below 2^62 / `addends` in magnitude,
    /// where `addends` is how many numbers will be added in all; `to` is then unspecified.
    virtual bool add_exact(std::span<const float> values, int fraction_bits, std::int64_t addends,
                           bool overwrite, std::span<std::int64_t> to) = 0;
    /// to = the sum of the arrays at `arrays`, of to.size() elements each: what add_exact of one after the
    /// other and from_exact give, and false where add_exact does, but in one pass.
    virtual bool sum_exact(std::span<const float* const> arrays, int fraction_bits, std::int64_t addends,
                           std::span<float> to) = 0;
    /// to[i] = values[i] * 2^-fraction_bits, rounded to float once.
    virtual void from_exact(std::span<const std::int64_t> values, int fraction_bits, std::span<float> to) = 0;

    // --- Optimizers
    /// gradient += l1 * sign(weights) + l2 * weights.
    virtual void add_penalty(std::span<const float> weights, float l1, float l2,
                             std::span<float> gradient) = 0;
    virtual void adam(const AdamStep& step, std::span<const float> gradient, std::span<float> first_moment,
                      std::span<float> second_moment, std::span<float> weights) = 0;
    /// velocity = momentum * velocity + gradient; weights = decay * weights - learning_rate * velocity.
    virtual void sgd(float learning_rate, float momentum, float decay, std::span<const float> gradient,
                     std::span<float> velocity, std::span<float> weights) = 0;
    /// squares += gradient^2; weights = decay * weights - learning_rate * gradient / (sqrt(squares) +
    /// epsilon) (Duchi et al., 2011).
    virtual void adagrad(float learning_rate, float epsilon, float decay, std::span<const float> gradient,
                         std::span<float> squares, std::span<float> weights) = 0;
};

/// The backend that `compute` asks for, auto being cpu (see choose_compute); of cuda that on number `device`
/// of find_devices(). Throws an input error where this build or machine lacks it.
std::unique_ptr<Backend> make_backend(const ComputeConfig& compute, int device = 0);

}  // namespace vae_dist
