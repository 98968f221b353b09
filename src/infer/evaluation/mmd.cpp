#include "infer/evaluation/mmd.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

/// Distances and kernel values are (n, n), row by row.
using Matrix = std::vector<double>;

/// A set of n samples in the backend's memory, moved so that the data's mean is at 0: products of numbers far
/// from 0 would leave no digits for their distances.
class SampleSet {
 public:
    SampleSet(Backend& backend, std::span<const float> samples, std::span<const double> centre)
        : backend_(backend),
          samples_(samples.size() / centre.size()),
          features_(centre.size()),
          buffer_(backend.allocate(samples.size_bytes())) {
        std::vector<float> moved(samples.begin(), samples.end());
        for (std::size_t i = 0; i < samples_; ++i) {
            double sum = 0;
            for (std::size_t d = 0; d < features_; ++d) {
                float& value = moved[i * features_ + d];
                value = static_cast<float>(static_cast<double>(value) - centre[d]);
                sum += static_cast<double>(value) * static_cast<double>(value);
            }
            norms_.push_back(sum);
        }
        backend.copy_in(buffer_.as<float>(), moved.data(), samples.size_bytes());
    }

    /// |a_i - b_j|^2. What float products cannot tell from 0 is 0.
    Matrix squared_distances(const SampleSet& to) const {
        const auto n = static_cast<std::int64_t>(samples_);
        const Buffer zeros = backend_.allocate(samples_ * sizeof(float));
        const Buffer product = backend_.allocate(samples_ * samples_ * sizeof(float));
        const std::array<ConstOperand, 3> factors = {view(), to.view(),
                                                     ConstFloatMatrix(zeros.as<const float>(), 1, n)};
        const std::array<Operand, 1> result = {FloatMatrix(product.as<float>(), n, n)};
        backend_.run(Linear{}, {.inputs = factors, .outputs = result, .pass = {}});
        std::vector<float> products(samples_ * samples_);
        backend_.copy_out(products.data(), product.as<float>(), products.size() * sizeof(float));

        constexpr double kResolution = 1e-5;
        Matrix distances(products.begin(), products.end());
        for (std::size_t i = 0; i < samples_; ++i) {
            for (std::size_t j = 0; j < samples_; ++j) {
                const double norms = norms_[i] + to.norms_[j];
                double& distance = distances[i * samples_ + j];
                distance = norms - 2 * distance;
                if (distance < kResolution * norms) distance = 0;
            }
        }
        return distances;
    }

 private:
    ConstFloatMatrix view() const {
        return {buffer_.as<const float>(), static_cast<std::int64_t>(samples_),
                static_cast<std::int64_t>(features_)};
    }

    Backend& backend_;
    std::size_t samples_;
    std::size_t features_;
    Buffer buffer_;              ///< (n, D)
    std::vector<double> norms_;  ///< (n), squared
};

std::vector<double> mean_of(std::span<const float> a, std::span<const float> b, std::size_t features) {
    std::vector<double> mean(features);
    for (std::size_t i = 0; i < a.size(); ++i)
        mean[i % features] += static_cast<double>(a[i]) + static_cast<double>(b[i]);
    for (double& value : mean)
        value *= static_cast<double>(features) / static_cast<double>(a.size() + b.size());
    return mean;
}

// Of all pairs of different samples of two sets.
double median_distance(const Matrix& aa, const Matrix& bb, const Matrix& ab, std::size_t n) {
    std::vector<double> squares = ab;
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            squares.push_back(aa[i * n + j]);
            squares.push_back(bb[i * n + j]);
        }
    }
    const auto middle = squares.begin() + std::ssize(squares) / 2;
    std::nth_element(squares.begin(), middle, squares.end());
    return std::sqrt(*middle);
}

/// Means of the kernel over pairs.
struct KernelMean {
    std::size_t n;
    double bandwidth;

    double between_sets(const Matrix& squared_distances) const {
        const auto pairs = static_cast<double>(n * n);
        return sum(squared_distances) / pairs;
    }
    /// Without a sample's kernel with itself, which would bias the mean.
    double within_set(const Matrix& squared_distances) const {
        double diagonal = 0;
        for (std::size_t i = 0; i < n; ++i)
            diagonal += kernel(squared_distances[i * n + i]);
        return (sum(squared_distances) - diagonal) / static_cast<double>(n * (n - 1));
    }

 private:
    double kernel(double square) const { return std::exp(-square / (2 * bandwidth * bandwidth)); }
    double sum(const Matrix& squares) const {
        double total = 0;
        for (const double square : squares)
            total += kernel(square);
        return total;
    }
};

}  // namespace

std::optional<SampleQuality> sample_quality(Backend& backend, std::int64_t features,
                                            std::span<const float> data, std::span<const float> other_data,
                                            std::span<const float> generated) {
    const auto columns = static_cast<std::size_t>(features);
    const std::size_t n = data.size() / columns;
    require(other_data.size() == data.size() && generated.size() == data.size(),
            "sets of samples that are compared are of one size");
    if (n < 2) return std::nullopt;

    const std::vector<double> centre = mean_of(data, other_data, columns);
    const SampleSet a(backend, data, centre);
    const SampleSet b(backend, other_data, centre);
    const SampleSet g(backend, generated, centre);
    const Matrix aa = a.squared_distances(a);
    const Matrix bb = b.squared_distances(b);
    const Matrix ab = a.squared_distances(b);
    const double bandwidth = median_distance(aa, bb, ab, n);
    if (bandwidth == 0) return std::nullopt;

    const KernelMean mean{n, bandwidth};
    const double within_data = mean.within_set(aa);
    return SampleQuality{.generated = within_data + mean.within_set(g.squared_distances(g)) -
                                      2 * mean.between_sets(a.squared_distances(g)),
                         .data = within_data + mean.within_set(bb) - 2 * mean.between_sets(ab),
                         .bandwidth = bandwidth,
                         .rows = static_cast<std::int64_t>(n)};
}

}  // namespace vae_dist
