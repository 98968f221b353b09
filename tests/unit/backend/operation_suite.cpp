#include "operation_suite.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <variant>

namespace vae_dist {

namespace {

using CasesOf = std::function<std::vector<OperationCase>()>;

std::map<std::string, CasesOf>& families() {
    static std::map<std::string, CasesOf> all;
    return all;
}

// --- Running a case

/// A tensor of one precision or the other.
class AnyTensor {
 public:
    AnyTensor(Backend& backend, bool half, std::int64_t rows, std::int64_t columns,
              const std::optional<std::vector<float>>& values, MemoryPlace place)
        : tensor_(
              make(backend, half, rows, columns,
                   values.value_or(std::vector<float>(static_cast<std::size_t>(rows * columns), kUntouched)),
                   place)) {}

    Operand view() const {
        return std::visit([](const auto& tensor) { return Operand(tensor.view()); }, tensor_);
    }
    std::vector<float> get() const {
        return std::visit([](const auto& tensor) { return tensor.get(); }, tensor_);
    }

 private:
    using Either = std::variant<Tensor, HalfTensor>;
    static Either make(Backend& backend, bool half, std::int64_t rows, std::int64_t columns,
                       const std::vector<float>& values, MemoryPlace place) {
        // Values of one column lie without gaps.
        if (columns == 1) place.padding = 0;
        if (half) return HalfTensor(backend, rows, columns, values, place);
        return Tensor(backend, rows, columns, values, place);
    }

    Either tensor_;
};

/// Which values are bfloat16, of those that may be.
struct Precisions {
    bool inputs = false;
    bool outputs = false;
};

/// A case at one size: its pass and the numbers of its inputs.
class SizedCase {
 public:
    SizedCase(const OperationCase& tested, const Sizes& sizes)
        : tested_(tested), row_numbers_(row_numbers(sizes.rows)), pass_(tested.pass) {
        pass_.rows = sizes.rows;
        pass_.row_numbers = row_numbers_;
        std::uint32_t seed = 1;
        for (const CaseInput& input : tested.inputs(sizes)) {
            shapes_.push_back(input.shape);
            std::vector<float> numbers = input.numbers(rows_of(input.shape) * input.shape.columns, seed++);
            // What may be bfloat16 has the same numbers in both precisions, and in TF32, too.
            if (tested.operation.reads_either(numbers_.size())) numbers = rounded(std::move(numbers));
            numbers_.push_back(std::move(numbers));
        }
        output_shapes_ = tested.operation.shapes(shapes_);
    }
    SizedCase(const SizedCase&) = delete;
    SizedCase& operator=(const SizedCase&) = delete;
    ~SizedCase() = default;

    const OperationCase& tested() const { return tested_; }
    const Operation& operation() const { return tested_.operation; }
    const Pass& pass() const { return pass_; }
    const Shapes& shapes() const { return shapes_; }
    const Shapes& output_shapes() const { return output_shapes_; }
    std::vector<std::vector<float>>& numbers() { return numbers_; }
    const std::vector<std::vector<float>>& numbers() const { return numbers_; }

    std::int64_t rows_of(const ValueShape& shape) const {
        switch (shape.rows) {
            case RowClass::sample:
                return pass_.rows;
            case RowClass::draw:
                return pass_.rows * pass_.draws;
            case RowClass::fixed:
                break;
        }
        return shape.fixed_rows;
    }

    bool has_products() const {
        for (std::size_t i = 0; i < shapes_.size(); ++i)
            if (operation().reads_as_product(i)) return true;
        return false;
    }
    bool any_output(bool (Operation::*has)(std::size_t) const) const {
        for (std::size_t i = 0; i < output_shapes_.size(); ++i)
            if ((operation().*has)(i)) return true;
        return false;
    }

    std::vector<Numbers> inputs() const {
        std::vector<Numbers> all;
        for (std::size_t i = 0; i < numbers_.size(); ++i)
            all.emplace_back(rows_of(shapes_[i]), shapes_[i].columns, numbers_[i]);
        return all;
    }
    std::vector<Numbers> reference() const { return tested_.outputs(inputs(), pass_); }

    /// All that the operation's rules allow.
    std::vector<Precisions> precisions() const {
        bool either_in = false;
        for (std::size_t i = 0; i < shapes_.size(); ++i)
            either_in = either_in || operation().reads_either(i);
        const bool either_out = any_output(&Operation::writes_either);
        const bool alike = operation().alike_input().has_value();
        std::vector<Precisions> all = {{}};
        if (either_in && !alike) all.push_back({.inputs = true});
        // Where a pass writes bfloat16 at all, its products read it.
        if (either_out && !alike && !has_products()) all.push_back({.outputs = true});
        if (either_in && either_out) all.push_back({.inputs = true, .outputs = true});
        return all;
    }

    enum class Optional { computed, left_out };
    enum class Place { apart, in_place };

    /// What the backend makes of the inputs: the numbers of each output, of SumTerm the term; none of an
    /// output that is left out.
    std::vector<std::vector<double>> run(Backend& backend, const Precisions& half = {},
                                         MemoryPlace place = {}, Optional optional = Optional::computed,
                                         Place output_place = Place::apart) const {
        std::deque<AnyTensor> tensors;
        std::vector<ConstOperand> inputs;
        for (std::size_t i = 0; i < shapes_.size(); ++i) {
            tensors.emplace_back(backend, half.inputs && operation().reads_either(i), rows_of(shapes_[i]),
                                 shapes_[i].columns, numbers_[i], place);
            inputs.emplace_back(tensors.back().view());
        }
        std::vector<Operand> outputs;
        std::vector<const AnyTensor*> written;
        for (std::size_t i = 0; i < output_shapes_.size(); ++i) {
            const bool left_out = optional == Optional::left_out && operation().is_optional(i);
            if (output_place == Place::in_place && operation().may_overwrite_input(i)) {
                written.push_back(&tensors.front());
            } else {
                tensors.emplace_back(backend, half.outputs && operation().writes_either(i),
                                     rows_of(output_shapes_[i]), output_shapes_[i].columns, std::nullopt,
                                     place);
                written.push_back(left_out ? nullptr : &tensors.back());
            }
            outputs.push_back(left_out ? Operand() : written.back()->view());
        }
        const Buffer terms = backend.allocate(kTerms * sizeof(double));
        const std::vector<double> untouched(kTerms, kUntouched);
        backend.copy_in(terms.as<double>(), untouched.data(), terms.bytes());
        backend.run(operation(),
                    {.inputs = inputs, .outputs = outputs, .pass = pass_, .terms = terms.as<double>()});
        std::vector<std::vector<double>> results;
        for (const AnyTensor* output : written) {
            const std::vector<float> numbers = output ? output->get() : std::vector<float>();
            results.emplace_back(numbers.begin(), numbers.end());
        }
        for (std::size_t i = 0; i < shapes_.size(); ++i) {
            const bool overwritten = std::ranges::count(written, &tensors[i]) > 0;
            const std::vector<float> after = tensors[i].get();
            EXPECT_TRUE(overwritten || same_bits(after, numbers_[i])) << "input " << i << " was written to";
        }
        std::vector<double> after(kTerms);
        backend.copy_out(after.data(), terms.as<double>(), terms.bytes());
        const auto* const sum = operation().as<SumTerm>();
        for (std::size_t i = 0; i < kTerms; ++i) {
            if (sum != nullptr && sum->term == i) {
                results.push_back({after[i]});
            } else {
                EXPECT_EQ(after[i], kUntouched) << "term " << i << " was written to";
            }
        }
        return results;
    }

 private:
    static constexpr std::size_t kTerms = 3;

    static bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
        return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
    }

    const OperationCase& tested_;
    std::vector<std::int64_t> row_numbers_;
    Pass pass_;
    Shapes shapes_;
    Shapes output_shapes_;
    std::vector<std::vector<float>> numbers_;
};

void expect_same_bits(const std::vector<std::vector<double>>& actual,
                      const std::vector<std::vector<double>>& expected) {
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t i = 0; i < actual.size(); ++i) {
        ASSERT_EQ(actual[i].size(), expected[i].size()) << "output " << i;
        if (std::memcmp(actual[i].data(), expected[i].data(), actual[i].size() * sizeof(double)) == 0)
            continue;
        for (std::size_t k = 0; k < actual[i].size(); ++k) {
            ASSERT_EQ(std::bit_cast<std::uint64_t>(actual[i][k]),
                      std::bit_cast<std::uint64_t>(expected[i][k]))
                << "output " << i << " at " << k << ": " << actual[i][k] << " for " << expected[i][k];
        }
    }
}

// Not a number where the reference is none, else near it.
void expect_reference(const SizedCase& at, const std::vector<std::vector<double>>& actual,
                      const Precisions& half) {
    const std::vector<Numbers> expected = at.reference();
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t i = 0; i < actual.size(); ++i) {
        const bool rounds = half.outputs && at.operation().writes_either(i);
        const double tolerance = rounds ? kHalfRounding : at.tested().tolerance;
        ASSERT_EQ(actual[i].size(), expected[i].values.size()) << "output " << i;
        for (std::size_t k = 0; k < actual[i].size(); ++k) {
            const double value = expected[i].values[k];
            if (std::isnan(value)) {
                ASSERT_TRUE(std::isnan(actual[i][k])) << "output " << i << " at " << k;
            } else {
                ASSERT_NEAR(actual[i][k], value, tolerance * (1 + std::abs(value)))
                    << "output " << i << " at " << k;
            }
        }
    }
}

// --- Gradient rules

/// A rule that is run as it is made: operations that it adds are computed at once.
class RuleRunner final : public Differentiation {
 public:
    RuleRunner(Backend& backend, const SizedCase& at, const RuleCase& rule, std::vector<Numbers>& gradients)
        : backend_(backend), at_(at), contributions_(at.shapes().size()) {
        for (std::size_t i = 0; i < at.shapes().size(); ++i)
            inputs_.push_back(value(at.shapes()[i], at.numbers()[i]));
        outputs_ = add(at.operation(), inputs_);
        gradients_.resize(outputs_.size());
        std::uint32_t seed = 100;
        for (const std::size_t output : rule.outputs) {
            const ValueShape& shape = at.output_shapes()[output];
            const std::int64_t rows = at.rows_of(shape);
            const std::vector<float> numbers = normal_values(rows * shape.columns, seed++);
            gradients.emplace_back(rows, shape.columns, numbers);
            gradients_[output] = value(shape, numbers);
        }
        at.operation().differentiate(*this);
    }

    /// The gradient with respect to an input; empty where the rule has none.
    std::vector<double> gradient_of(std::size_t input) const { return contributions_[input]; }

    ValueId input(std::size_t i) const override { return inputs_.at(i); }
    ValueId output(std::size_t i) const override { return outputs_.at(i); }
    ValueShape shape(ValueId value) const override { return shapes_.at(static_cast<std::size_t>(value)); }
    std::optional<ValueId> gradient(std::size_t output) const override { return gradients_.at(output); }
    bool wants(std::size_t) const override { return true; }

    std::vector<ValueId> add(Operation operation, std::vector<ValueId> inputs) override {
        Shapes shapes;
        std::vector<ConstOperand> read;
        for (const ValueId input : inputs) {
            shapes.push_back(shape(input));
            read.emplace_back(values_.at(static_cast<std::size_t>(input)).view());
        }
        std::vector<ValueId> outputs;
        std::vector<Operand> written;
        for (const ValueShape& output : operation.shapes(shapes)) {
            outputs.push_back(value(output, std::nullopt));
            written.emplace_back(values_.back().view());
        }
        run_operation(backend_, operation, read, written, at_.pass());
        return outputs;
    }
    void contribute(std::size_t input, ValueId gradient) override {
        EXPECT_EQ(shape(gradient), at_.shapes().at(input));
        const std::vector<float> numbers = values_.at(static_cast<std::size_t>(gradient)).get();
        std::vector<double>& sum = contributions_.at(input);
        sum.resize(numbers.size());
        for (std::size_t i = 0; i < numbers.size(); ++i)
            sum[i] += static_cast<double>(numbers[i]);
    }
    void supersede(std::size_t output, ValueId value) override {
        EXPECT_EQ(values_.at(static_cast<std::size_t>(outputs_.at(output))).get(),
                  values_.at(static_cast<std::size_t>(value)).get());
    }

 private:
    ValueId value(const ValueShape& shape, const std::optional<std::vector<float>>& numbers) {
        shapes_.push_back(shape);
        values_.emplace_back(backend_, false, at_.rows_of(shape), shape.columns, numbers, MemoryPlace());
        return static_cast<ValueId>(shapes_.size() - 1);
    }

    Backend& backend_;
    const SizedCase& at_;
    std::vector<ValueId> inputs_, outputs_;
    std::vector<std::optional<ValueId>> gradients_;
    std::vector<std::vector<double>> contributions_;
    Shapes shapes_;
    std::deque<AnyTensor> values_;
};

void expect_gradients(Backend& backend, const SizedCase& at, const RuleCase& rule) {
    // A GPU's products round their factors to TF32.
    const bool rounds = backend.device() != nullptr && at.operation().reads_as_product(0);
    const double tolerance = rounds ? std::max(rule.tolerance, 3 * 0x1p-10) : rule.tolerance;
    std::vector<Numbers> gradients;
    const RuleRunner runner(backend, at, rule, gradients);
    const auto minimised = [&](NumbersView inputs) {
        if (rule.minimised) return rule.minimised(inputs, gradients, at.pass());
        const std::vector<Numbers> outputs = at.tested().outputs(inputs, at.pass());
        double sum = 0;
        for (std::size_t i = 0; i < gradients.size(); ++i)
            for (std::size_t k = 0; k < gradients[i].values.size(); ++k)
                sum += gradients[i].values[k] * outputs[rule.outputs[i]].values[k];
        return sum;
    };
    std::vector<Numbers> inputs = at.inputs();
    bool any = false;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const std::vector<double> actual = runner.gradient_of(i);
        if (actual.empty()) continue;
        any = true;
        for (std::size_t k = 0; k < actual.size(); ++k) {
            constexpr double kStep = 1e-5;
            double& number = inputs[i].values[k];
            const double before = number;
            number = before + kStep;
            const double above = minimised(inputs);
            number = before - kStep;
            const double below = minimised(inputs);
            number = before;
            const double expected = (above - below) / (2 * kStep);
            ASSERT_NEAR(actual[k], expected, tolerance * (1 + std::abs(expected)))
                << "input " << i << " at " << k;
        }
    }
    EXPECT_TRUE(any) << "the rule has no gradient";
}

// --- The suite

class OperationTest : public testing::TestWithParam<std::tuple<std::string, BackendCase>> {
 protected:
    void SetUp() override {
        backend_ = make(tested().threads);
        if (!backend_) GTEST_SKIP() << "this build or machine has no " << tested().name;
    }
    static const BackendCase& tested() { return std::get<1>(GetParam()); }
    static std::unique_ptr<Backend> make(const Threads& threads) { return tested().make(threads); }
    Backend& backend() { return *backend_; }

    /// check(case at these sizes) for each case of the family.
    template <class Check>
    static void for_cases(const Sizes& sizes, const Check& check) {
        for (const OperationCase& one : families().at(std::get<0>(GetParam()))()) {
            SCOPED_TRACE(testing::Message()
                         << one.operation.name() << ' ' << one.variant << ", " << sizes.rows << " rows, "
                         << sizes.columns << " columns, products of " << sizes.inner);
            check(SizedCase(one, sizes));
            if (testing::Test::HasFatalFailure()) return;
        }
    }

 private:
    std::unique_ptr<Backend> backend_;
};

TEST_P(OperationTest, AgreesWithItsReferenceInEveryShapeAndPrecision) {
    for_shapes([&](std::int64_t rows, std::int64_t columns, MemoryPlace place) {
        for_cases({.rows = rows, .columns = columns, .inner = 7}, [&](const SizedCase& at) {
            for (const Precisions& half : at.precisions())
                expect_reference(at, at.run(backend(), half, place), half);
        });
    });
    for_cases({.rows = 37, .columns = 19, .inner = 100}, [&](const SizedCase& at) {
        for (const Precisions& half : at.precisions())
            expect_reference(at, at.run(backend(), half), half);
    });
}

TEST_P(OperationTest, RoundsWhatItWritesOnce) {
    for_shapes([&](std::int64_t rows, std::int64_t columns, MemoryPlace place) {
        for_cases({.rows = rows, .columns = columns, .inner = 7}, [&](const SizedCase& at) {
            // A library may add up a product in another order for another precision.
            if (at.has_products()) return;
            std::vector<std::vector<double>> expected = at.run(backend(), {}, place);
            for (std::size_t i = 0; i < at.output_shapes().size(); ++i) {
                if (!at.operation().writes_either(i)) continue;
                for (double& number : expected[i])
                    number = static_cast<double>(to_float(to_bfloat16(static_cast<float>(number))));
            }
            for (const Precisions& half : at.precisions())
                if (half.outputs) expect_same_bits(at.run(backend(), half, place), expected);
        });
    });
}

TEST_P(OperationTest, WritesInPlaceWhatItWritesElsewhere) {
    for_shapes([&](std::int64_t rows, std::int64_t columns, MemoryPlace place) {
        for_cases({.rows = rows, .columns = columns, .inner = 7}, [&](const SizedCase& at) {
            if (!at.any_output(&Operation::may_overwrite_input)) return;
            const auto apart = at.run(backend(), {}, place);
            const auto in_place =
                at.run(backend(), {}, place, SizedCase::Optional::computed, SizedCase::Place::in_place);
            expect_same_bits(in_place, apart);
        });
    });
}

TEST_P(OperationTest, WritesTheSameWithoutItsOptionalOutputs) {
    for_shapes([&](std::int64_t rows, std::int64_t columns, MemoryPlace place) {
        for_cases({.rows = rows, .columns = columns, .inner = 7}, [&](const SizedCase& at) {
            if (!at.any_output(&Operation::is_optional)) return;
            auto all = at.run(backend(), {}, place);
            for (std::size_t i = 0; i < at.output_shapes().size(); ++i)
                if (at.operation().is_optional(i)) all[i].clear();
            expect_same_bits(at.run(backend(), {}, place, SizedCase::Optional::left_out), all);
        });
    });
}

void expect_same_bits_everywhere(Backend& backend, const SizedCase& at, const Precisions& half) {
    constexpr std::int64_t kPadding = 5;
    const auto close = at.run(backend, half);
    // Rows further apart are another shape to a library for products.
    const auto apart = at.has_products() ? at.run(backend, half, {.padding = kPadding}) : close;
    for (const std::int64_t offset : {1, 2, 3, 4, 7, 8, 9, 15}) {
        SCOPED_TRACE(testing::Message() << offset << " elements after an aligned address");
        const bool pads = offset % 3 == 0;
        expect_same_bits(at.run(backend, half, {.padding = pads ? kPadding : 0, .offset = offset}),
                         pads ? apart : close);
    }
}

TEST_P(OperationTest, NoBitDependsOnWhereAMatrixLies) {
    for_cases({.rows = 3, .columns = 37, .inner = 7}, [&](const SizedCase& at) {
        for (const Precisions& half : at.precisions())
            expect_same_bits_everywhere(backend(), at, half);
    });
    // Of which a library may choose among several ways.
    const Sizes products[] = {{1, 1, 100}, {1, 40, 33}, {40, 1, 100}, {2, 2, 2},   {2, 16, 1},
                              {2, 2, 15},  {3, 8, 8},   {8, 3, 8},    {7, 19, 65}, {64, 50, 784}};
    for (const Sizes& sizes : products) {
        for_cases(sizes, [&](const SizedCase& at) {
            if (at.has_products()) expect_same_bits_everywhere(backend(), at, {});
        });
    }
}

TEST_P(OperationTest, NoBitDependsOnTheNumberOfThreads) {
    if (tested().threads.count() > 1) return;  // what the same backend with one thread is compared with
    const Sizes shapes[] = {{1, 1, 1},      {2, 5, 3},       {17, 65, 33},   {100, 200, 784},
                            {100, 100, 50}, {130, 150, 130}, {256, 300, 64}, {300, 784, 41}};
    const auto one = make(Threads(1));
    std::vector<std::unique_ptr<Backend>> several;
    for (const std::int64_t threads : {2, 3, 5})
        several.push_back(make(Threads(threads)));
    for (const Sizes& sizes : shapes) {
        for_cases(sizes, [&](const SizedCase& at) {
            for (const Precisions& half : at.precisions()) {
                const auto expected = at.run(*one, half);
                for (const auto& other : several) {
                    SCOPED_TRACE(testing::Message() << other->threads() << " threads");
                    expect_same_bits(at.run(*other, half), expected);
                }
            }
        });
    }
}

// In each input in turn, at its beginning and its end.
TEST_P(OperationTest, NotANumberStaysVisible) {
    for (const std::int64_t columns : {1, 17, 33}) {
        const Sizes sizes = {.rows = 3, .columns = columns, .inner = 7};
        for_cases(sizes, [&](const SizedCase& whole) {
            SizedCase at(whole.tested(), sizes);
            for (std::vector<float>& numbers : at.numbers()) {
                for (float* const number : {&numbers.front(), &numbers.back()}) {
                    const float before = *number;
                    *number = std::numeric_limits<float>::quiet_NaN();
                    for (const Precisions& half : at.precisions())
                        expect_reference(at, at.run(backend(), half), half);
                    *number = before;
                }
            }
        });
    }
}

TEST_P(OperationTest, ItsRulesGradientsAreThoseOfFiniteDifferences) {
    for (const Sizes& sizes : {Sizes{3, 5, 4}, Sizes{1, 1, 1}, Sizes{2, 18, 3}}) {
        for_cases(sizes, [&](const SizedCase& at) {
            for (const RuleCase& rule : at.tested().rules)
                expect_gradients(backend(), at, rule);
        });
    }
}

std::vector<std::string> family_names() {
    std::vector<std::string> names;
    for (const auto& [name, cases] : families())
        names.push_back(name);
    return names;
}

INSTANTIATE_TEST_SUITE_P(All, OperationTest,
                         testing::Combine(testing::ValuesIn(family_names()),
                                          testing::ValuesIn(all_backends())),
                         [](const auto& suite) {
                             return std::get<0>(suite.param) + '_' + std::get<1>(suite.param).name;
                         });

// --- Every operation

template <class... One>
std::vector<std::string> names_of(const std::variant<One...>*) {
    return {One::kName...};
}

template <class One>
constexpr bool kHasRule = requires(const One& one, Differentiation& d) {
    one.differentiate(d);
};

template <class... One>
std::set<std::string> with_rules(const std::variant<One...>*) {
    std::set<std::string> names;
    (static_cast<void>(kHasRule<One> && names.insert(One::kName).second), ...);
    return names;
}

TEST(Operations, AllHaveCasesAndThoseWithRulesCasesOfThem) {
    std::set<std::string> cases;
    std::set<std::string> rules;
    for (const auto& [name, cases_of] : families()) {
        for (const OperationCase& one : cases_of()) {
            const std::string kind = one.operation.visit([](const auto& any) { return any.kName; });
            cases.insert(kind);
            if (!one.rules.empty()) rules.insert(kind);
        }
    }
    const AnyOperation* const all = nullptr;
    for (const std::string& name : names_of(all))
        EXPECT_TRUE(cases.contains(name)) << name;
    for (const std::string& name : with_rules(all))
        EXPECT_TRUE(rules.contains(name)) << name;
}

}  // namespace

OperationFamily::OperationFamily(std::string name, std::function<std::vector<OperationCase>()> cases) {
    families().emplace(std::move(name), std::move(cases));
}

}  // namespace vae_dist
