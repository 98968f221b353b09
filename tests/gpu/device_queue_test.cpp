// Order in time: what is asked of a device is done later, but in the order in which it was asked for.

#include <cuda_runtime.h>

#include <stdexcept>

#include "gpu/device_test.hpp"
#include "support/expect_error.hpp"

namespace vae_dist {
namespace {

class DeviceQueueTest : public DeviceTest {
 protected:
    /// What the posterior's draws of one step are, from rows that the host holds.
    struct Draws {
        Tensor posterior, epsilon, latent;
        explicit Draws(Backend& backend, std::int64_t rows = 6)
            : posterior(backend, rows, 10, normal_values(rows * 10, 1)),
              epsilon(backend, rows, 5),
              latent(backend, rows, 5) {}
        void draw(Backend& backend, std::span<const std::int64_t> rows, std::uint32_t visit) const {
            run_operation(backend, PosteriorDraw{}, {posterior.view()},
                          {epsilon.view(), latent.view(), Operand(), Operand()},
                          {.rows = std::ssize(rows),
                           .row_numbers = rows,
                           .noise = CounterRandom(3, Purpose::posterior_noise),
                           .visit = visit});
        }
    };

    static std::vector<std::int64_t> rows_of(std::uint32_t visit) {
        std::vector<std::int64_t> rows = row_numbers(6);
        for (std::int64_t& row : rows)
            row += visit;
        return rows;
    }
};

TEST_F(DeviceQueueTest, HostArraysMayChangeOnceTheyWereGiven) {
    const Draws draws(backend());
    std::vector<std::vector<float>> expected;
    for (std::uint32_t visit = 0; visit < 30; ++visit) {
        draws.draw(backend(), rows_of(visit), visit);
        expected.push_back(draws.latent.get());  // waits
    }
    // As many again without a wait, of other sizes in between, into one sum.
    const Tensor sum(backend(), 6, 5, std::vector<float>(30, 0));
    const Draws others(backend(), 100);
    for (std::uint32_t visit = 0; visit < 30; ++visit) {
        std::vector<std::int64_t> rows = rows_of(visit);
        draws.draw(backend(), rows, visit);
        std::ranges::fill(rows, -1);
        backend().add(draws.latent.span(), sum.span());
        if (visit % 7 == 3) others.draw(backend(), row_numbers(100), visit);
    }
    std::vector<float> sums(30, 0);
    for (const auto& latent : expected)
        for (std::size_t i = 0; i < sums.size(); ++i)
            sums[i] += latent[i];
    EXPECT_EQ(sum.get(), sums);
}

TEST_F(DeviceQueueTest, LargeCopiesArriveWhole) {
    const std::vector<float> values =
        normal_values(3 * (1 << 20) + 5, 1);  // several pieces of the pinned memory
    const Buffer there = make(values);
    EXPECT_EQ(get<float>(there), values);
}

TEST_F(DeviceQueueTest, CopiesOutAreThereOnceTheirMarkHasPassed) {
    const Tensor values(backend(), 1, 9, normal_values(9, 1));
    const Buffer pinned = device().allocate_pinned(9 * sizeof(float));
    for (const float zero : pinned.span<float>())
        EXPECT_EQ(zero, 0);
    backend().scale(values.span(), 2);
    device().start_copy_out(pinned.as<float>(), values.data(), 9 * sizeof(float));
    const auto mark = device().mark();
    backend().scale(values.span(), 3);
    device().wait(mark);
    EXPECT_TRUE(device().has_passed(mark));
    const auto expected = normal_values(9, 1);
    for (std::size_t i = 0; i < 9; ++i)
        EXPECT_EQ(pinned.span<float>()[i], 2 * expected[i]);
}

TEST_F(DeviceQueueTest, WaitsAsItIsToldAndPassesOnWhatThatThrows) {
    const Tensor values(backend(), 1, 9, normal_values(9, 1));
    int looks = 0;
    device().wait_by([&](const std::function<bool()>& is_so) {
        while (!is_so())
            ++looks;
    });
    EXPECT_EQ(values.get(), normal_values(9, 1));
    device().wait_by([](const std::function<bool()>&) { throw std::runtime_error("a rank has failed"); });
    EXPECT_THROW(static_cast<void>(values.get()), std::runtime_error);
    device().wait_by({});
    EXPECT_EQ(values.get(), normal_values(9, 1));
}

// The copy stands for a collective: it is queued in the stream for communication.
TEST_F(DeviceQueueTest, CommunicationComesAfterWhatWasAskedForAndBeforeWhatJoinsIt) {
    const auto values = normal_values(100, 1);
    const auto run = [&](Backend& on, bool repeat) {
        DeviceBackend& d = *on.device();
        const Tensor from(on, 1, 100, values);
        const Tensor to(on, 1, 100);
        const Tensor sum(on, 1, 100, std::vector<float>(100, 0));
        const auto step = [&] {
            on.scale(from.span(), 2);
            d.communicate([&](void* stream) {
                ASSERT_EQ(cudaMemcpyAsync(to.data(), from.data(), 100 * sizeof(float),
                                          cudaMemcpyDeviceToDevice, static_cast<cudaStream_t>(stream)),
                          cudaSuccess);
            });
            d.join_communication();
            on.add(to.span(), sum.span());
        };
        for (int i = 0; i < 4; ++i) {
            if (repeat) {
                d.repeatable(1, step);
            } else {
                step();
            }
        }
        return sum.get();
    };
    std::vector<float> expected(100);
    for (std::size_t i = 0; i < 100; ++i)
        for (const float factor : {2.0F, 4.0F, 8.0F, 16.0F})
            expected[i] += factor * values[i];
    EXPECT_EQ(run(backend(), false), expected);
    EXPECT_EQ(run(backend(), true), expected);
}

TEST_F(DeviceQueueTest, WhatIsRepeatedDoesWhatIsNot) {
    const auto run = [&](bool repeat) {
        const Draws draws(backend());
        const Tensor weights(backend(), 1, 30, normal_values(30, 4));
        const Tensor first(backend(), 1, 30, std::vector<float>(30, 0));
        const Tensor second(backend(), 1, 30, std::vector<float>(30, 0));
        const Tensor product(backend(), 5, 5);
        for (std::uint32_t visit = 0; visit < 6; ++visit) {
            const std::vector<std::int64_t> rows = rows_of(visit);
            const auto body = [&] {
                draws.draw(backend(), rows, visit);
                run_operation(backend(), WeightGradient{}, {draws.latent.view(), draws.epsilon.view()},
                              {product.view()});
                const Adam adam = {.learning_rate = 0.1F / static_cast<float>(visit + 1),
                                   .beta1 = 0.9F,
                                   .beta2 = 0.99F,
                                   .epsilon = 1e-8F};
                backend().update(adam, draws.latent.span(), std::array{first.span(), second.span()},
                                 weights.span());
            };
            const auto other = [&] {
                draws.draw(backend(), rows, visit);
                const Sgd sgd = {.learning_rate = 0.1F / static_cast<float>(visit + 1), .momentum = 0.5F};
                backend().update(sgd, draws.latent.span(), std::array{first.span()}, weights.span());
            };
            if (!repeat) {
                body();
                other();
            } else {
                device().repeatable(1, body);
                device().repeatable(2, other);
            }
        }
        std::vector<float> all = weights.get();
        append(all, second.get());
        append(all, draws.latent.get());
        append(all, product.get());
        return all;
    };
    EXPECT_EQ(run(true), run(false));
}

TEST_F(DeviceQueueTest, ABodyThatAsksForSomethingElseIsABug) {
    const Tensor a(backend(), 1, 9, normal_values(9, 1));
    const Tensor b(backend(), 1, 900, normal_values(900, 1));
    const auto scale = [&](const Tensor& tensor) { return [&] { backend().scale(tensor.span(), 2); }; };
    for (int i = 0; i < 3; ++i)
        device().repeatable(1, scale(a));
    const auto expect_bug = [&](const std::function<void()>& body) {
        try {
            device().repeatable(1, body);
            FAIL() << "no error";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::bug);
        }
    };
    expect_bug(scale(b));
    expect_bug([] {});
    expect_bug([&] {
        scale(a)();
        scale(a)();
    });
    expect_bug([&] { backend().fill(a.span(), 1); });
    expect_bug([&] { device().copy(a.data(), b.data(), 36); });
    device().repeatable(1, scale(a));  // as before
    std::vector<float> expected = normal_values(9, 1);
    for (float& value : expected)
        value *= 16;
    EXPECT_EQ(a.get(), expected);
}

TEST_F(DeviceQueueTest, ABodyThatThrowsLeavesTheDeviceUsable) {
    const Tensor a(backend(), 1, 9, normal_values(9, 1));
    const auto body = [&](bool fails) {
        return [&, fails] {
            backend().scale(a.span(), 2);
            if (fails) throw std::runtime_error("a wish");
            backend().scale(a.span(), 3);
        };
    };
    std::vector<float> expected = normal_values(9, 1);
    for (const bool fails : {false, true, true, false, true, false, false}) {
        if (fails) {
            EXPECT_THROW(device().repeatable(1, body(true)), std::runtime_error);
        } else {
            device().repeatable(1, body(false));
            for (float& value : expected)
                value = value * 2 * 3;
        }
    }
    EXPECT_EQ(a.get(), expected);
}

// What an operation needs for itself may have grown in between, as for a validation of larger batches.
TEST_F(DeviceQueueTest, WhatIsRepeatedGoesOnAfterLargerOperationsAndWithOtherMemory) {
    const auto run = [&](bool repeat) {
        auto weight = std::make_unique<Tensor>(backend(), 7, 5, rounded(normal_values(35, 1)));
        const Tensor x(backend(), 3, 5, rounded(normal_values(15, 2)));
        const Tensor bias(backend(), 1, 7, normal_values(7, 3));
        const Tensor y(backend(), 3, 7);
        const Tensor large(backend(), 600, 5, normal_values(3000, 4));
        const Tensor large_y(backend(), 600, 7);
        const Activation activation = Activation::tanh;
        Buffer behind;  // what the first operation needed, so that more does not find room in the same place
        std::vector<float> all;
        for (int i = 0; i < 9; ++i) {
            if (i == 2) behind = backend().allocate(64);
            const auto body = [&] {
                run_operation(backend(), Linear{activation}, {x.view(), weight->view(), bias.view()},
                              {y.view()});
                backend().add(y.span().first(5), weight->span().first(5));
            };
            if (repeat) {
                device().repeatable(1, body);
            } else {
                body();
            }
            if (i == 3)
                run_operation(backend(), Linear{activation}, {large.view(), weight->view(), bias.view()},
                              {large_y.view()});
            if (i == 6) weight = std::make_unique<Tensor>(backend(), 7, 5, weight->get());
            append(all, y.get());
        }
        return all;
    };
    const std::vector<float> repeated = run(true);  // first, while all is as small as can be
    EXPECT_EQ(repeated, run(false));
}

TEST_F(DeviceQueueTest, MemoryNeitherComesNorGoesWithinWhatIsRepeated) {
    const Tensor a(backend(), 1, 9, normal_values(9, 1));
    Buffer other = backend().allocate(10);
    const auto expect_bug = [&](std::uint64_t key, const std::function<void()>& body) {
        expect_error(ErrorKind::bug, {"memory"}, [&] { device().repeatable(key, body); });
    };
    const auto plain = [&] { backend().scale(a.span(), 1); };
    device().repeatable(1, plain);
    expect_bug(1, [&] { static_cast<void>(backend().allocate(10)); });
    device().repeatable(2, plain);
    expect_bug(2, [&] {
        plain();
        other = {};
    });
    EXPECT_EQ(a.get(), normal_values(9, 1));
}

TEST_F(DeviceQueueTest, NothingThatWaitsIsRepeated) {
    const Tensor a(backend(), 1, 9, normal_values(9, 1));
    const auto body = [&] { static_cast<void>(backend().sum_of_squares(a.span())); };
    body();
    device().repeatable(1, body);
    EXPECT_THROW(device().repeatable(1, body), Error);
    const auto nested = [&] { device().repeatable(3, [&] { backend().scale(a.span(), 1); }); };
    device().repeatable(2, nested);
    EXPECT_THROW(device().repeatable(2, nested), Error);
    EXPECT_EQ(a.get(), normal_values(9, 1));
}

}  // namespace
}  // namespace vae_dist
