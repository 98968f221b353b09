#include <gtest/gtest.h>
#include <sys/mman.h>

#include <chrono>
#include <string>

#include "mpi_world.hpp"
#include "support/communicator_contract.hpp"
#include "support/expect_error.hpp"
#include "vae_dist/comm/mpi_communicator.hpp"
#include "vae_dist/comm/shared_memory.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {
namespace {

class MpiContract : public testing::TestWithParam<ContractCase> {};

TEST_P(MpiContract, Holds) {
    GetParam().check(mpi_world());
}

// The same with calls cut into pieces, as above 2^31 elements.
TEST_P(MpiContract, HoldsInPieces) {
    const auto in_pieces = make_mpi_communicator(4099);
    GetParam().check(*in_pieces);
}

constexpr auto kNameOfCase = [](const auto& instance) { return instance.param.name; };
INSTANTIATE_TEST_SUITE_P(Comm, MpiContract, testing::ValuesIn(communicator_contract()), kNameOfCase);
INSTANTIATE_TEST_SUITE_P(Messages, MpiContract, testing::ValuesIn(messages_contract()), kNameOfCase);
INSTANTIATE_TEST_SUITE_P(Memory, MpiContract, testing::ValuesIn(shared_memory_contract()), kNameOfCase);

TEST(MpiCommunicator, IsRecognisedAsStartedByMpi) {
    EXPECT_TRUE(started_by_mpi());
}

TEST(MpiCommunicator, CallsOfTwoCommunicatorsDoNotMix) {
    const auto other = make_mpi_communicator();
    const int last = mpi_world().size() - 1;
    const std::string text = std::to_string(mpi_world().rank());
    const auto bytes = std::as_bytes(std::span(text));
    const auto here = mpi_world().gather(bytes, last);
    const auto there = other->gather(bytes.first(0), 0);
    EXPECT_EQ(here.empty(), mpi_world().rank() != last);
    for (const auto& from : there)
        EXPECT_TRUE(from.empty());
}

// Rank 0 comes only after the others have given up and destroyed their communicator. Its own call may still
// be answered, by what they left behind: memory that MPI writes to must outlive them.
TEST(MpiCommunicator, GivesUpOnARankThatDoesNotComeInTime) {
    if (mpi_world().size() == 1) GTEST_SKIP() << "one rank alone waits for nobody";
    auto other = make_mpi_communicator();
    if (mpi_world().rank() > 0) {
        EXPECT_EQ(other->all_reduce_max_within(1, std::chrono::milliseconds(10)), std::nullopt);
        EXPECT_THROW(other->all_reduce_max_within(1, std::chrono::milliseconds(10)), Error);
        other.reset();
    }
    mpi_world().barrier();
    if (mpi_world().rank() == 0) {
        EXPECT_EQ(other->all_reduce_max_within(0, std::chrono::milliseconds::max()), 1);
    }
    mpi_world().barrier();
}

// Addresses alone: a length that MPI cannot count must be refused before anything is read.
TEST(MpiMessages, RefusesWhatMpiCannotCount) {
    if (mpi_world().size() == 1) GTEST_SKIP() << "one rank alone sends nothing";
    constexpr std::size_t kBytes = std::size_t{1} << 31;
    void* addresses = mmap(nullptr, kBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ASSERT_NE(addresses, MAP_FAILED);
    const MappedMemory memory(std::span(static_cast<std::byte*>(addresses), kBytes));
    const auto messages = mpi_world().make_messages();
    const int other = (mpi_world().rank() + 1) % mpi_world().size();
    expect_error(ErrorKind::failure, {"2.0 GiB", "MPI"}, [&] { messages->send(memory.bytes(), other); });
    expect_error(ErrorKind::failure, {"2.0 GiB", "MPI"}, [&] { messages->receive(memory.bytes(), other); });
    messages->wait_all();
}

TEST(MpiCommunicator, AFailedCallNamesItselfAndTheRank) {
    std::byte byte{};
    try {
        mpi_world().broadcast(std::span(&byte, 1), mpi_world().size());
        ADD_FAILURE() << "a root beyond the last rank was accepted";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::failure);
        const std::string expected = "MPI_Bcast failed on rank " + std::to_string(mpi_world().rank());
        EXPECT_NE(std::string(error.what()).find(expected), std::string::npos) << error.what();
    }
}

}  // namespace
}  // namespace vae_dist
