#include <gtest/gtest.h>

#include "support/communicator_contract.hpp"
#include "support/thread_communicator.hpp"
#include "vae_dist/comm/self_communicator.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {
namespace {

class SelfContract : public testing::TestWithParam<ContractCase> {};

TEST_P(SelfContract, Holds) {
    SelfCommunicator self;
    GetParam().check(self);
}

constexpr auto kNameOfCase = [](const auto& instance) { return instance.param.name; };
INSTANTIATE_TEST_SUITE_P(Comm, SelfContract, testing::ValuesIn(communicator_contract()), kNameOfCase);
INSTANTIATE_TEST_SUITE_P(Messages, SelfContract, testing::ValuesIn(messages_contract()), kNameOfCase);
INSTANTIATE_TEST_SUITE_P(Memory, SelfContract, testing::ValuesIn(shared_memory_contract()), kNameOfCase);

class ThreadContract : public testing::TestWithParam<std::tuple<int, ContractCase>> {};

TEST_P(ThreadContract, Holds) {
    const auto& [ranks, contract] = GetParam();
    run_ranks(ranks, contract.check);
}

std::string name_of_thread_case(const testing::TestParamInfo<ThreadContract::ParamType>& instance) {
    const auto& [ranks, contract] = instance.param;
    return fmt::format("{}On{}", contract.name, ranks);
}

auto on_1_to_4_threads(std::span<const ContractCase> contract) {
    return testing::Combine(testing::Range(1, 5), testing::ValuesIn(contract));
}

INSTANTIATE_TEST_SUITE_P(Comm, ThreadContract, on_1_to_4_threads(communicator_contract()),
                         name_of_thread_case);
INSTANTIATE_TEST_SUITE_P(Messages, ThreadContract, on_1_to_4_threads(messages_contract()),
                         name_of_thread_case);
INSTANTIATE_TEST_SUITE_P(Memory, ThreadContract, on_1_to_4_threads(shared_memory_contract()),
                         name_of_thread_case);

}  // namespace
}  // namespace vae_dist
