#include "backend/cpu/threads.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "backend_suite.hpp"
#include "support/expect_error.hpp"
#include "support/little_address_space.hpp"

namespace vae_dist {
namespace {

// What functions of the backend give, one after the other, for one backend and one shape. Operations: see
// operation_suite.cpp.
class Results {
 public:
    Results(Backend& backend, std::int64_t rows, std::int64_t columns)
        : backend_(backend), rows_(rows), columns_(columns) {
        likelihoods();
        arrays();
    }
    const std::vector<float>& values() const { return values_; }

 private:
    void likelihoods() {
        const Tensor output(backend_, rows_, columns_, normal_values(rows_ * columns_, 5));
        const Tensor x(backend_, rows_, columns_, unit_values(rows_ * columns_, 6));
        const Tensor s(backend_, 1, columns_, normal_values(columns_, 7));
        const Tensor weights(backend_, 1, rows_, unit_values(rows_, 8));
        const Tensor likelihood(backend_, 1, rows_);
        const Tensor gradient(backend_, rows_, columns_);
        const HalfTensor half(backend_, rows_, columns_);
        const Tensor ds(backend_, 1, columns_);
        const DensityOfFeatures bernoulli = {LikelihoodKind::bernoulli, false};
        DensityOperands operands = {.output = output.view(),
                                    .x = x.view(),
                                    .shared = s.data(),
                                    .weights = weights.data(),
                                    .log_likelihood = likelihood.data(),
                                    .gradient = gradient.view(),
                                    .shared_gradient = ds.data()};
        run_density(backend_, bernoulli, operands);
        run_operation(backend_, Round{}, {gradient.view()}, {half.view()});
        append(values_, half.get());
        append(values_, likelihood.get());
        run_density(backend_, {LikelihoodKind::gaussian, true}, operands);
        append(values_, gradient.get());
        append(values_, ds.get());
        run_operation(backend_, DensityParameters{bernoulli}, {output.view()}, {output.view()});
        for (const Tensor* tensor : {&likelihood, &output})
            append(values_, tensor->get());
    }

    void arrays() {
        constexpr std::int64_t kSize = 100003;
        const Tensor a(backend_, 1, kSize, normal_values(kSize, 12));
        const Tensor b(backend_, 1, kSize, unit_values(kSize, 13));
        const Tensor c(backend_, 1, kSize, normal_values(kSize, 14));
        const Buffer sums = backend_.allocate(kSize * sizeof(std::int64_t));
        values_.push_back(static_cast<float>(sum_of(backend_, a.span())));
        values_.push_back(static_cast<float>(backend_.sum_of_squares(a.span())));
        EXPECT_TRUE(backend_.add_exact(a.span(), 40, 2, true, sums.span<std::int64_t>()));
        EXPECT_TRUE(backend_.add_exact(b.span(), 40, 2, false, sums.span<std::int64_t>()));
        backend_.from_exact(sums.span<std::int64_t>(), 40, c.span());
        append(values_, c.get());
        backend_.add_penalty(a.span(), 0.1F, 0.2F, c.span());
        for_update_rules([&](OptimizerKind kind) {
            const UpdateArrays arrays(backend_, rule_of(kind), kSize);
            arrays.update(backend_, rule_at(kind, 3, 0.01));
            append(values_, arrays.all());
        });
        backend_.scale(a.span(), 3);
        backend_.add(a.span(), c.span());
        for (const Tensor* tensor : {&a, &b, &c})
            append(values_, tensor->get());
    }

    Backend& backend_;
    std::int64_t rows_, columns_;
    std::vector<float> values_;
};

TEST_P(BackendTest, NoBitOfAnyFunctionDependsOnTheNumberOfThreads) {
    const std::int64_t shapes[][2] = {{1, 1},     {2, 5},     {17, 65},   {100, 200},
                                      {100, 100}, {130, 150}, {256, 300}, {300, 784}};
    for (const auto& [rows, columns] : shapes) {
        SCOPED_TRACE(testing::Message() << rows << " rows, " << columns << " columns");
        const auto one = GetParam().make(Threads(1));
        const Results expected(*one, rows, columns);
        for (const std::int64_t threads : {2, 3, 5}) {
            const auto several = GetParam().make(Threads(threads));
            const Results actual(*several, rows, columns);
            ASSERT_EQ(actual.values().size(), expected.values().size());
            EXPECT_EQ(std::memcmp(actual.values().data(), expected.values().data(),
                                  expected.values().size() * sizeof(float)),
                      0)
                << threads << " threads";
        }
    }
}

TEST_P(BackendTest, ForEachCallsEveryIndexOnce) {
    for (const std::int64_t count : {0, 1, 2, 100}) {
        std::vector<std::atomic<int>> calls(static_cast<std::size_t>(count));
        backend().for_each(count, [&](std::int64_t i) { ++calls[static_cast<std::size_t>(i)]; });
        for (const auto& called : calls)
            EXPECT_EQ(called, 1);
    }
}

TEST_P(BackendTest, WithinForEachArraysMayBeWorkedOnInParts) {
    constexpr std::int64_t kParts = 7;
    constexpr std::size_t kPart = 20000;
    const Tensor gradient(backend(), 1, kParts * kPart, normal_values(kParts * kPart, 1));
    const Buffer sums = backend().allocate(kParts * kPart * sizeof(std::int64_t));
    const Tensor back(backend(), 1, kParts * kPart);
    backend().for_each(kParts, [&](std::int64_t part) {
        const std::size_t first = static_cast<std::size_t>(part) * kPart;
        const auto exact = sums.span<std::int64_t>().subspan(first, kPart);
        EXPECT_TRUE(backend().add_exact(gradient.span().subspan(first, kPart), 40, 1, true, exact));
        backend().from_exact(exact, 40, back.span().subspan(first, kPart));
    });
    std::vector<float> expected = gradient.get();
    for (float& value : expected)
        value = static_cast<float>(std::rint(value * 0x1p40)) * 0x1p-40F;
    EXPECT_EQ(back.get(), expected);
}

TEST_P(BackendTest, ForEachThrowsWhatACallThrew) {
    try {
        backend().for_each(10, [](std::int64_t i) {
            if (i == 4) throw std::runtime_error("the fifth");
        });
        FAIL() << "no exception";
    } catch (const std::runtime_error& error) {
        EXPECT_STREQ(error.what(), "the fifth");
    }
}

TEST_P(BackendTest, WithinForEachEveryOperationRunsOnItsOwnThread) {
    backend().for_each(4, [&](std::int64_t) {
        const auto thread = std::this_thread::get_id();
        backend().for_each(4, [&](std::int64_t) { EXPECT_EQ(std::this_thread::get_id(), thread); });
    });
}

// The library would take all cores of the processor for each rank of a node.
TEST_P(BackendTest, OnlyTheThreadsThatWereAskedForCompute) {
    const auto threads_of_process = [] {
        return std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                             std::filesystem::directory_iterator());
    };
    const auto before = threads_of_process();
    const Tensor x(backend(), 300, 200);
    const Tensor weight(backend(), 100, 200);
    const Tensor bias(backend(), 1, 100);
    const Tensor y(backend(), 300, 100);
    run_operation(backend(), Linear{}, {x.view(), weight.view(), bias.view()}, {y.view()});
    run_operation(backend(), WeightGradient{}, {y.view(), x.view()}, {weight.view()});
    EXPECT_EQ(threads_of_process(), before);
}

TEST(Threads, WorkOnOneThreadNumberIsNeverAtTheSameTime) {
    const Threads threads(4);
    for (int round = 0; round < 200; ++round) {
        // Now and then they have fallen asleep.
        if (round % 50 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
        std::array<std::atomic<int>, 4> at_work{};
        std::atomic<int> done = 0;
        threads.each_with_thread(23, [&](std::int64_t, int thread) {
            std::atomic<int>& mine = at_work[static_cast<std::size_t>(thread)];
            EXPECT_EQ(mine++, 0);
            ++done;
            mine--;
        });
        ASSERT_EQ(done, 23);
    }
}

// Their stacks find no room.
TEST(Threads, AreNoneWhereNotAllCanBeStarted) {
    const LittleAddressSpace little(rlim_t{100} << 20);
    if (!little.works()) GTEST_SKIP() << "a sanitizer has taken most addresses";
    expect_error(ErrorKind::failure, {"1000 threads", "compute.threads"}, [] { Threads(1000); });
}

TEST(Threads, PiecesCoverTheWholeAndBeginAtMultiplesOfTheGrain) {
    for (const std::int64_t count : {1, 2, 3, 7}) {
        const Threads threads(count);
        for (const std::int64_t size : {0, 1, 9, 10, 11, 95, 1000}) {
            std::vector<std::atomic<int>> covered(static_cast<std::size_t>(size));
            std::atomic<int> pieces = 0;
            threads.split(size, 10, [&](std::int64_t first, std::int64_t last) {
                EXPECT_EQ(first % 10, 0);
                ++pieces;
                for (std::int64_t i = first; i < last; ++i)
                    ++covered[static_cast<std::size_t>(i)];
            });
            for (const auto& times : covered)
                EXPECT_EQ(times, 1);
            EXPECT_LE(pieces, count);
        }
    }
}

}  // namespace
}  // namespace vae_dist
