#pragma once

#include <functional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "backend_suite.hpp"

namespace vae_dist {

// One suite for all operations. A file of tests states what its operations compute, in double; the suite runs
// them on every backend, in every precision that their rules allow, and checks what holds of all operations.

/// A matrix of numbers in double, row after row.
struct Numbers {
    std::int64_t rows = 0;
    std::int64_t columns = 0;
    std::vector<double> values;

    /// Zeros.
    Numbers(std::int64_t rows_, std::int64_t columns_)
        : rows(rows_), columns(columns_), values(static_cast<std::size_t>(rows_ * columns_)) {}
    Numbers(std::int64_t rows_, std::int64_t columns_, const std::vector<float>& from)
        : rows(rows_), columns(columns_), values(from.begin(), from.end()) {}

    double& operator()(std::int64_t row, std::int64_t column) { return values[at(row, column)]; }
    double operator()(std::int64_t row, std::int64_t column) const { return values[at(row, column)]; }

 private:
    std::size_t at(std::int64_t row, std::int64_t column) const {
        return static_cast<std::size_t>(row * columns + column);
    }
};
using NumbersView = std::span<const Numbers>;

/// What the shapes of a case's inputs are made of.
struct Sizes {
    std::int64_t rows = 0;     ///< B
    std::int64_t columns = 0;  ///< of what is swept over the ends of blocks
    std::int64_t inner = 0;    ///< of products: the length of their sums
};

/// An input of a case.
struct CaseInput {
    ValueShape shape;
    std::function<std::vector<float>(std::int64_t count, std::uint32_t seed)> numbers =
        [](std::int64_t count, std::uint32_t seed) { return normal_values(count, seed); };
};
inline CaseInput normal_input(const ValueShape& shape, float deviation = 1) {
    return {shape,
            [=](std::int64_t count, std::uint32_t seed) { return normal_values(count, seed, deviation); }};
}
inline CaseInput unit_input(const ValueShape& shape) {
    return {shape, unit_values};
}

/// A gradient rule's case: the gradients that it begins with, and what is minimised.
struct RuleCase {
    std::vector<std::size_t> outputs = {0};  ///< those with a gradient
    /// What is minimised, of the inputs and, in the order of `outputs`, the gradients; where null, the sum of
    /// each output times its gradient.
    std::function<double(NumbersView inputs, NumbersView gradients, const Pass& pass)> minimised = nullptr;
    double tolerance = 1e-5;
};

/// What a file of tests states of an operation.
struct OperationCase {
    Operation operation = Round{};
    std::string variant = {};  ///< tells the cases of an operation apart
    std::function<std::vector<CaseInput>(const Sizes& sizes)> inputs = nullptr;
    /// The outputs, by formulas of their own; of SumTerm the term.
    std::function<std::vector<Numbers>(NumbersView inputs, const Pass& pass)> outputs = nullptr;
    Pass pass = {};  ///< but for the rows
    double tolerance = 2e-6;
    std::vector<RuleCase> rules = {};
};

/// The cases of a file of tests, which the suite finds by a constant of this type.
class OperationFamily {
 public:
    OperationFamily(std::string name, std::function<std::vector<OperationCase>()> cases);
};

}  // namespace vae_dist
