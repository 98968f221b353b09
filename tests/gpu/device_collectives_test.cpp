// The contract of DeviceCollectives, on every rank of a group of any size: inputs whose sums are known.

#include "vae_dist/comm/device_collectives.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "gpu/device_world.hpp"
#include "mpi/mpi_world.hpp"
#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {
namespace {

class DeviceCollectivesTest : public testing::TestWithParam<CollectivesCase> {
 protected:
    void SetUp() override {
        // Agreed, for a rank that skips alone would leave the others waiting.
        const std::int64_t missing = device_of_rank() < 0 || !GetParam().is_there() ? 1 : 0;
        std::vector<std::int64_t> any = {missing};
        mpi_world().all_reduce_max(std::span(any));
        if (any[0] != 0) GTEST_SKIP() << "not every rank has a GPU of its own, or no " << GetParam().name;
        backend_ = make_cuda_backend(device_of_rank());
        collectives_ = GetParam().make(mpi_world(), *backend_->device());
    }

    Backend& backend() { return *backend_; }
    DeviceBackend& device() { return *backend_->device(); }
    DeviceCollectives& collectives() { return *collectives_; }

    template <class T>
    Buffer make(const std::vector<T>& values) {
        Buffer buffer = backend_->allocate(values.size() * sizeof(T));
        backend_->copy_in(buffer.as<T>(), values.data(), values.size() * sizeof(T));
        return buffer;
    }
    template <class T>
    std::vector<T> get(std::span<const T> span) {
        std::vector<T> values(span.size());
        backend_->copy_out(values.data(), span.data(), span.size_bytes());
        return values;
    }
    template <class T>
    std::vector<T> get(std::span<T> span) {
        return get(std::span<const T>(span));
    }

 private:
    std::unique_ptr<Backend> backend_;
    std::unique_ptr<DeviceCollectives> collectives_;
};

constexpr std::size_t kLengths[] = {1, 7, 1000, 100003};

std::size_t ranks() {
    return static_cast<std::size_t>(mpi_world().size());
}
std::size_t rank() {
    return static_cast<std::size_t>(mpi_world().rank());
}
std::int64_t sum_of_ranks() {
    return std::int64_t{mpi_world().size()} * (mpi_world().size() - 1) / 2;
}

TEST_P(DeviceCollectivesTest, ReduceScatterGivesEachRankItsPartOfTheSum) {
    for (const std::size_t part : kLengths) {
        std::vector<std::int64_t> values(part * ranks());
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] = (mpi_world().rank() - 2) * static_cast<std::int64_t>(i) - mpi_world().rank();
        const Buffer all = make(values);
        const std::span<std::int64_t> mine = all.span<std::int64_t>().subspan(rank() * part, part);
        collectives().reduce_scatter_sum(all.span<std::int64_t>(), mine);
        device().join_communication();
        const auto sums = get(mine);
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < part; ++i) {
            const auto at = static_cast<std::int64_t>(rank() * part + i);
            wrong += sums[i] != (sum_of_ranks() - 2 * mpi_world().size()) * at - sum_of_ranks();
        }
        EXPECT_EQ(wrong, 0U) << "of " << part;
    }
}

TEST_P(DeviceCollectivesTest, IntegersKeepAll64BitsAndWrapAround) {
    constexpr std::int64_t kWide = (std::int64_t{1} << 53) + 1;
    constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
    const auto p = static_cast<std::uint64_t>(ranks());
    const auto times = [&](std::int64_t value) {
        return static_cast<std::int64_t>(p * static_cast<std::uint64_t>(value));
    };
    const Buffer all = make(std::vector<std::int64_t>{kWide, kMost, -kWide, 0});
    collectives().all_reduce_sum(all.span<std::int64_t>());
    device().join_communication();
    EXPECT_EQ(get(all.span<std::int64_t>()),
              (std::vector<std::int64_t>{times(kWide), times(kMost), times(-kWide), 0}));
}

// Small whole numbers: every order of additions, and bfloat16, is exact.
template <class T>
std::vector<float> sums_of_floats(DeviceCollectives& collectives, Backend& backend, std::size_t part) {
    std::vector<T> values(part * ranks());
    for (std::size_t i = 0; i < values.size(); ++i) {
        const float value = static_cast<float>(rank()) - static_cast<float>(i % 30);
        if constexpr (sizeof(T) == sizeof(float)) {
            values[i] = value;
        } else {
            values[i] = to_bfloat16(value);
        }
    }
    const Buffer all = backend.allocate(values.size() * sizeof(T));
    backend.copy_in(all.as<T>(), values.data(), values.size() * sizeof(T));
    const std::span<T> mine = all.template span<T>().subspan(rank() * part, part);
    collectives.reduce_scatter_sum(all.template span<T>(), mine);
    backend.device()->join_communication();
    std::vector<T> sums(part);
    backend.copy_out(sums.data(), mine.data(), part * sizeof(T));
    std::vector<float> floats(part);
    for (std::size_t i = 0; i < part; ++i) {
        if constexpr (sizeof(T) == sizeof(float)) {
            floats[i] = sums[i];
        } else {
            floats[i] = to_float(sums[i]);
        }
    }
    return floats;
}

TEST_P(DeviceCollectivesTest, SumsFloatsAndBfloat16) {
    for (const std::size_t part : kLengths) {
        std::vector<float> expected(part);
        for (std::size_t i = 0; i < part; ++i) {
            expected[i] =
                static_cast<float>(sum_of_ranks()) - static_cast<float>(ranks() * ((rank() * part + i) % 30));
        }
        EXPECT_TRUE(sums_of_floats<float>(collectives(), backend(), part) == expected) << part;
        EXPECT_TRUE(sums_of_floats<BFloat16>(collectives(), backend(), part) == expected) << part;
    }
}

TEST_P(DeviceCollectivesTest, GathersSeveralArraysAtOnce) {
    for (const std::size_t part : kLengths) {
        const auto array = [&](float base) {
            std::vector<float> values(part * ranks(), -1);
            for (std::size_t i = 0; i < part; ++i)
                values[rank() * part + i] = base + static_cast<float>(rank() * part + i);
            return make(values);
        };
        const Buffer first = array(0);
        const Buffer second = array(1e6F);
        collectives().all_gather({first.span<float>(), second.span<float>()});
        device().join_communication();
        std::vector<float> expected(part * ranks());
        for (const auto& [buffer, base] : {std::pair(&first, 0.0F), std::pair(&second, 1e6F)}) {
            for (std::size_t i = 0; i < expected.size(); ++i)
                expected[i] = base + static_cast<float>(i);
            EXPECT_TRUE(get(buffer->span<float>()) == expected) << part;
        }
    }
}

// What a call reads was asked for before it; what it writes is there for what is asked for after it.
TEST_P(DeviceCollectivesTest, StandsInTheOrderOfOperations) {
    const std::size_t part = 64;
    const Buffer values = make(std::vector<float>(part * ranks(), 1));
    const Buffer sums = backend().allocate(part * sizeof(float));
    const std::span<float> all = values.span<float>();
    const std::span<float> mine = all.subspan(rank() * part, part);
    const auto step = [&] {
        backend().fill(all, 1);
        backend().scale(all, 3);
        collectives().reduce_scatter_sum(all, mine);
        backend().scale(sums.span<float>(), 2);  // meanwhile
        device().join_communication();
        backend().add(mine, sums.span<float>());
        collectives().all_gather({all});
        device().join_communication();
    };
    float expected = 0;
    for (int i = 0; i < 5; ++i) {
        if (collectives().only_queues()) {
            device().repeatable(7, step);
        } else {
            step();
        }
        expected = 2 * expected + 3 * static_cast<float>(ranks());
    }
    EXPECT_EQ(get(sums.span<float>()), std::vector<float>(part, expected));
    EXPECT_EQ(get(all), std::vector<float>(part * ranks(), 3 * static_cast<float>(ranks())));
    collectives().check();
}

TEST_P(DeviceCollectivesTest, RefusesPartsOfUnequalLength) {
    const Buffer values = backend().allocate((2 * ranks() + 1) * sizeof(float));
    EXPECT_THROW(collectives().reduce_scatter_sum(values.span<float>(), values.span<float>().first(2)),
                 Error);
}

TEST_P(DeviceCollectivesTest, SaysWhatItIs) {
    EXPECT_NE(collectives().description().find(GetParam().words), std::string::npos)
        << collectives().description();
}

INSTANTIATE_TEST_SUITE_P(All, DeviceCollectivesTest, testing::ValuesIn(collectives_cases()),
                         [](const auto& suite) { return suite.param.name; });

// --- Which of them are made

class Choice : public testing::Test {
 protected:
    void SetUp() override {
        std::vector<std::int64_t> any = {device_of_rank() < 0 ? 1 : 0};
        mpi_world().all_reduce_max(std::span(any));
        if (any[0] != 0) GTEST_SKIP() << "not every rank has a GPU of its own";
    }
};

TEST_F(Choice, NcclWhereEveryRankHasADevice) {
    const auto backend = make_cuda_backend(device_of_rank());
    for (const CommunicatorKind kind : {CommunicatorKind::automatic, CommunicatorKind::nccl}) {
        const auto made = make_device_collectives(kind, mpi_world(), *backend->device());
        ASSERT_EQ(made == nullptr, mpi_world().size() == 1) << "one rank adds up nothing";
        if (made != nullptr && nccl_built_in()) {
            EXPECT_EQ(made->description().substr(0, 5), "NCCL ");
        }
    }
    const auto made = make_device_collectives(CommunicatorKind::mpi, mpi_world(), *backend->device());
    if (made != nullptr) {
        EXPECT_EQ(made->description().substr(0, 3), "mpi");
    }
}

TEST_F(Choice, MpiWhereRanksShareADevice) {
    if (mpi_world().size() == 1) GTEST_SKIP() << "one rank shares nothing";
    const auto backend = make_cuda_backend(0);
    if (mpi_world().size() > 1) {
        const auto made =
            make_device_collectives(CommunicatorKind::automatic, mpi_world(), *backend->device());
        EXPECT_EQ(made->description().substr(0, 3), "mpi");
        try {
            make_device_collectives(CommunicatorKind::nccl, mpi_world(), *backend->device());
            ADD_FAILURE() << "no error";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::input);
            EXPECT_TRUE(error.on_all_ranks());
            EXPECT_NE(std::string(error.what()).find("ranks 0 and 1 share GPU-"), std::string::npos)
                << error.what();
        }
    }
}

}  // namespace
}  // namespace vae_dist
