#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "backend/cpu/cpu_backend.hpp"
#include "backend/density_operands.hpp"
#include "support/update_references.hpp"
#include "vae_dist/backend/backend.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/random.hpp"

namespace vae_dist {

/// A backend to test, made anew for each test; `make` gives nullptr where this build or machine lacks it.
struct BackendCase {
    std::string name;
    std::function<std::unique_ptr<Backend>(Threads)> make;
    Threads threads = Threads(1);

    friend void PrintTo(const BackendCase& suite, std::ostream* to) { *to << suite.name; }
};

/// All that this build knows.
std::vector<BackendCase> all_backends();

/// The suite that every backend must pass; its tests are in files by subject, its backends in
/// backend_suite.cpp.
class BackendTest : public testing::TestWithParam<BackendCase> {
 protected:
    void SetUp() override {
        backend_ = GetParam().make(GetParam().threads);
        if (!backend_) GTEST_SKIP() << "this build or machine has no " << GetParam().name;
    }
    Backend& backend() { return *backend_; }

 private:
    std::unique_ptr<Backend> backend_;
};

/// Numbers of elements at both sides of a block's end.
inline const std::vector<std::int64_t> kSizes = {1, 3, 15, 16, 17, 33, 784};

/// Where a matrix lies: its rows `padding` elements apart, its first element `offset` elements after an
/// aligned address.
struct MemoryPlace {
    std::int64_t padding = 0;
    std::int64_t offset = 0;
};

/// What is around a matrix, which no operation may touch; a bfloat16 number.
inline constexpr float kUntouched = -12352;

inline float from_float(float value, float) {
    return value;
}
inline BFloat16 from_float(float value, BFloat16) {
    return to_bfloat16(value);
}
inline float to_float(float value) {
    return value;
}

/// A matrix in backend memory, whose values are copied to and from compact host vectors of floats.
template <class T>
class BasicTensor {
 public:
    BasicTensor(Backend& backend, std::int64_t rows, std::int64_t columns, MemoryPlace place = {})
        : BasicTensor(backend, rows, columns,
                      std::vector<float>(static_cast<std::size_t>(rows * columns), kUntouched), place) {}
    BasicTensor(Backend& backend, std::int64_t rows, std::int64_t columns, const std::vector<float>& values,
                MemoryPlace place = {})
        : backend_(&backend),
          place_(place),
          rows_(rows),
          columns_(columns),
          length_(static_cast<std::size_t>(place.offset + rows * (columns + place.padding))),
          buffer_(backend.allocate(length_ * sizeof(T))) {
        std::vector<T> all(length_, from_float(kUntouched, T()));
        for (std::size_t i = 0; i < values.size(); ++i)
            all.at(at(i)) = from_float(values[i], T());
        backend.copy_in(buffer_.template as<T>(), all.data(), length_ * sizeof(T));
    }

    MatrixView<T> view() const {
        return {buffer_.template as<T>() + place_.offset, rows_, columns_, columns_ + place_.padding};
    }
    T* data() const { return view().data; }
    std::span<T> span() const { return {data(), static_cast<std::size_t>(rows_ * columns_)}; }

    /// The values, row after row; checks that what lies between the rows was left alone.
    std::vector<float> get() const {
        std::vector<T> all(length_);
        backend_->copy_out(all.data(), buffer_.template as<T>(), length_ * sizeof(T));
        std::vector<float> values(static_cast<std::size_t>(rows_ * columns_));
        for (std::size_t i = 0; i < values.size(); ++i) {
            values[i] = to_float(all[at(i)]);
            all[at(i)] = from_float(kUntouched, T());
        }
        for (const T value : all)
            EXPECT_EQ(to_float(value), kUntouched) << "written outside of the matrix";
        return values;
    }

 private:
    std::size_t at(std::size_t i) const {
        const auto element = static_cast<std::int64_t>(i);
        return static_cast<std::size_t>(place_.offset + element / columns_ * (columns_ + place_.padding) +
                                        element % columns_);
    }

    Backend* backend_;
    MemoryPlace place_;
    std::int64_t rows_;
    std::int64_t columns_;
    std::size_t length_;
    Buffer buffer_;
};

using Tensor = BasicTensor<float>;
using HalfTensor = BasicTensor<BFloat16>;

/// Rounding to bfloat16 changes a number by at most this part of it.
inline constexpr double kHalfRounding = 0x1p-8;

inline std::vector<float> rounded(std::vector<float> values) {
    for (float& value : values)
        value = to_float(to_bfloat16(value));
    return values;
}

/// `count` normal numbers with the given deviation; another `seed`, other numbers.
inline std::vector<float> normal_values(std::int64_t count, std::uint32_t seed, float deviation = 1) {
    std::vector<float> values(static_cast<std::size_t>(count));
    CounterRandom(seed, Purpose::synthetic).normals(0, 0, values);
    for (float& value : values)
        value *= deviation;
    return values;
}

/// `count` numbers in (0, 1).
inline std::vector<float> unit_values(std::int64_t count, std::uint32_t seed) {
    std::vector<float> values(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = CounterRandom(seed, Purpose::synthetic).uniform(0, 0, static_cast<std::uint32_t>(i));
    }
    return values;
}

inline std::vector<std::int64_t> row_numbers(std::int64_t rows) {
    std::vector<std::int64_t> numbers;
    for (std::int64_t r = 0; r < rows; ++r)
        numbers.push_back((std::int64_t{1} << 33) + 5 * r);
    return numbers;
}

/// Each |actual - expected| <= tolerance * (1 + |expected|).
inline void expect_near(const std::vector<float>& actual, const std::vector<double>& expected,
                        double tolerance) {
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t i = 0; i < actual.size(); ++i) {
        ASSERT_NEAR(actual[i], expected[i], tolerance * (1 + std::abs(expected[i]))) << "at " << i;
    }
}

/// Calls check(rows, columns, place) for many shapes: with no rows, with few, at the ends of blocks, and
/// strided.
template <class Check>
void for_shapes(Check check) {
    for (const std::int64_t rows : {0, 1, 5}) {
        for (const std::int64_t columns : kSizes) {
            for (const MemoryPlace place : {MemoryPlace{0, 0}, MemoryPlace{3, 1}}) {
                SCOPED_TRACE(testing::Message() << rows << " x " << columns << ", padding " << place.padding);
                check(rows, columns, place);
                if (testing::Test::HasFatalFailure()) return;
            }
        }
    }
}

/// `run(offset)` must give the same bits for arrays that begin at different addresses.
template <class Run>
void expect_same_bits_everywhere(Run run) {
    const std::vector<float> expected = run(std::int64_t{0});
    for (const std::int64_t offset : {1, 2, 3, 4, 7, 8, 9, 15}) {
        const std::vector<float> moved = run(offset);
        ASSERT_EQ(moved.size(), expected.size());
        EXPECT_EQ(std::memcmp(moved.data(), expected.data(), moved.size() * sizeof(float)), 0)
            << "differs " << offset << " elements after an aligned address";
    }
}

/// Runs an operation.
inline void run_operation(Backend& backend, const Operation& operation,
                          const std::vector<ConstOperand>& inputs, const std::vector<Operand>& outputs,
                          const Pass& pass = {}) {
    backend.run(operation, {.inputs = inputs, .outputs = outputs, .pass = pass});
}

/// Runs Density, or DensityGradient where there is a gradient among the operands.
inline void run_density(Backend& backend, const DensityOfFeatures& density, const DensityOperands& of) {
    const std::int64_t drawn = of.output.rows;
    std::vector<ConstOperand> inputs = {of.output, of.x};
    if (density.shared) inputs.emplace_back(ConstFloatMatrix(of.shared, 1, of.x.columns));
    std::vector<Operand> outputs = {FloatMatrix(of.log_likelihood, drawn, 1)};
    if (of.gradient.empty() && drawn > 0) return run_operation(backend, Density{density}, inputs, outputs);
    inputs.emplace_back(ConstFloatMatrix(of.weights, drawn, 1));
    outputs.push_back(of.gradient);
    if (density.shared) outputs.emplace_back(FloatMatrix(of.shared_gradient, 1, of.x.columns));
    run_operation(backend, DensityGradient{density}, inputs, outputs);
}

inline void append(std::vector<float>& to, const std::vector<float>& values) {
    to.insert(to.end(), values.begin(), values.end());
}

/// What an update of `size` elements works on. Each array of state has numbers in (0, 1).
struct UpdateArrays {
    UpdateArrays(Backend& backend, const UpdateRule& rule, std::int64_t size, MemoryPlace place = {})
        : gradient(backend, 1, size, normal_values(size, 1), place),
          weights(backend, 1, size, normal_values(size, 2), place) {
        for (std::uint32_t s = 0; s < state_names(rule).size(); ++s)
            state.emplace_back(backend, 1, size, unit_values(size, 3 + s), place);
    }

    /// Updates elements first ... first + count - 1, without a count all from the first on.
    void update(Backend& backend, const UpdateRule& rule, std::size_t first = 0,
                std::size_t count = std::dynamic_extent) const {
        std::vector<std::span<float>> parts;
        for (const Tensor& array : state)
            parts.push_back(array.span().subspan(first, count));
        backend.update(rule, gradient.span().subspan(first, count), parts,
                       weights.span().subspan(first, count));
    }

    /// The values of weights and state.
    std::vector<float> all() const {
        std::vector<float> values = weights.get();
        for (const Tensor& array : state)
            append(values, array.get());
        return values;
    }

    Tensor gradient, weights;
    std::vector<Tensor> state;
};

/// ArrayOperations::sum, for the host.
inline double sum_of(Backend& backend, std::span<const float> values, double divisor = 1) {
    const Buffer there = backend.allocate(sizeof(double));
    backend.sum(values, divisor, there.as<double>());
    double sum = 0;
    backend.copy_out(&sum, there.as<double>(), sizeof sum);
    return sum;
}

}  // namespace vae_dist
