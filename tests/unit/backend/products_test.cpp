#include "backend/cpu/products.hpp"

#include <cmath>

#include "backend_suite.hpp"
#include "support/expect_error.hpp"
#include "support/little_address_space.hpp"

namespace vae_dist {
namespace {

TEST(Products, DescriptionsNameTheLibrary) {
    const CpuBackend own(make_blocked_products(Threads(2)), Threads(2));
    EXPECT_NE(own.description().find("own matrix products"), std::string::npos);
    EXPECT_EQ(own.threads(), 2);
    const auto onednn = make_onednn_products(Threads(2));
    if (!onednn) GTEST_SKIP() << "this build has no oneDNN";
    EXPECT_NE(onednn->description().find("oneDNN"), std::string::npos);
}

// The library would end the process.
TEST(Products, SayWhereThereIsNoRoomForTheirCode) {
    const auto products = make_onednn_products(Threads(1));
    if (!products) GTEST_SKIP() << "this build has no oneDNN";
    CpuBackend backend(make_blocked_products(Threads(1)));
    const Tensor a(backend, 20, 30);
    const Tensor b(backend, 30, 40);
    const Tensor product(backend, 20, 40);
    const LittleAddressSpace little(rlim_t{32} << 20);
    if (!little.works()) GTEST_SKIP() << "a sanitizer has taken most addresses";
    expect_error(ErrorKind::failure, {"out of memory", "matrix products"},
                 [&] { products->multiply({a.view()}, {b.view()}, nullptr, product.view()); });
}

// Every pair of transpositions, checked against loops in double.
void check_product(MatrixProducts& products, Backend& memory, std::int64_t m, std::int64_t n, std::int64_t k,
                   bool a_transposed, bool b_transposed, MemoryPlace place) {
    SCOPED_TRACE(testing::Message() << m << " x " << n << " x " << k << (a_transposed ? ", a^T" : "")
                                    << (b_transposed ? ", b^T" : ""));
    const auto a = normal_values(m * k, 1);
    const auto b = normal_values(k * n, 2);
    const Tensor a_tensor(memory, a_transposed ? k : m, a_transposed ? m : k, a, place);
    const Tensor b_tensor(memory, b_transposed ? n : k, b_transposed ? k : n, b, place);
    const Tensor product(memory, m, n, place);
    products.multiply({a_tensor.view(), a_transposed}, {b_tensor.view(), b_transposed}, nullptr,
                      product.view());
    std::vector<double> expected;
    for (std::int64_t i = 0; i < m; ++i) {
        for (std::int64_t j = 0; j < n; ++j) {
            double sum = 0;
            for (std::int64_t p = 0; p < k; ++p) {
                const auto ai = static_cast<std::size_t>(a_transposed ? p * m + i : i * k + p);
                const auto bi = static_cast<std::size_t>(b_transposed ? j * k + p : p * n + j);
                sum += static_cast<double>(a[ai]) * static_cast<double>(b[bi]);
            }
            expected.push_back(sum);
        }
    }
    expect_near(product.get(), expected, 3e-6 * std::sqrt(static_cast<double>(k) + 1));
}

void check_products(MatrixProducts& products) {
    CpuBackend memory(make_blocked_products(Threads(1)));
    const std::int64_t shapes[][3] = {
        {1, 1, 1},      {1, 17, 33},     {5, 1, 64}, {3, 2, 1}, {15, 16, 17}, {33, 65, 3}, {64, 50, 40},
        {100, 64, 784}, {200, 530, 300}, {0, 4, 3},  {4, 0, 3}, {4, 3, 0},    {0, 0, 0},   {2, 784, 16}};
    for (const auto& [m, n, k] : shapes) {
        for (const bool a : {false, true}) {
            for (const bool b : {false, true}) {
                for (const MemoryPlace place : {MemoryPlace{0, 0}, MemoryPlace{5, 3}})
                    check_product(products, memory, m, n, k, a, b, place);
            }
        }
    }
}

TEST(Products, OfOneDnnAgreeWithLoopsInDouble) {
    const auto products = make_onednn_products(Threads(1));
    if (!products) GTEST_SKIP() << "this build has no oneDNN";
    check_products(*products);
}

TEST(Products, OfOneDnnOnTwoThreadsAgreeWithLoopsInDouble) {
    const auto products = make_onednn_products(Threads(2));
    if (!products) GTEST_SKIP() << "this build has no oneDNN";
    check_products(*products);
}

TEST(Products, OfOursAgreeWithLoopsInDouble) {
    check_products(*make_blocked_products(Threads(1)));
}

// A row of a pass has the same bits in passes of any size, on any number of threads.
TEST(Products, OfOursDoNotDependOnWhatIsComputedBeside) {
    CpuBackend memory(make_blocked_products(Threads(1)));
    const auto alone = make_blocked_products(Threads(1));
    const auto shared = make_blocked_products(Threads(3));
    const std::int64_t shapes[][3] = {{1, 1, 1}, {31, 5, 300}, {200, 130, 600}, {7, 1100, 40}};
    for (const auto& shape : shapes) {
        const std::int64_t m = shape[0];
        const std::int64_t n = shape[1];
        const std::int64_t k = shape[2];
        const Tensor a(memory, m, k, normal_values(m * k, 1));
        const Tensor b(memory, n, k, normal_values(n * k, 2));
        const Tensor bias(memory, 1, n, normal_values(n, 3));
        const Tensor whole(memory, m, n);
        alone->multiply({a.view()}, {b.view(), true}, bias.data(), whole.view());
        const auto expect_equal_parts = [&](MatrixProducts& products, std::int64_t rows,
                                            std::int64_t columns) {
            SCOPED_TRACE(testing::Message() << rows << " x " << columns << " of " << m << " x " << n);
            const Tensor part(memory, rows, columns, MemoryPlace{3, 1});
            products.multiply({ConstOperand(a.view()).row_block(m - rows, rows)},
                              {ConstOperand(b.view()).row_block(n - columns, columns), true},
                              bias.data() + n - columns, part.view());
            const std::vector<float> expected = whole.get();
            const std::vector<float> found = part.get();
            for (std::int64_t i = 0; i < rows * columns; ++i) {
                const std::int64_t row = m - rows + i / columns;
                const std::int64_t column = n - columns + i % columns;
                ASSERT_EQ(found[static_cast<std::size_t>(i)],
                          expected[static_cast<std::size_t>(row * n + column)]);
            }
        };
        for (const std::int64_t rows : {std::int64_t{1}, std::min<std::int64_t>(m, 5), m}) {
            for (const std::int64_t columns : {std::int64_t{1}, n / 2 + 1, n}) {
                expect_equal_parts(*alone, rows, columns);
                expect_equal_parts(*shared, rows, columns);
            }
        }
    }
}

}  // namespace
}  // namespace vae_dist
