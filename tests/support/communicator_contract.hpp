#pragma once

#include <ostream>
#include <span>

#include "vae_dist/comm/communicator.hpp"

namespace vae_dist {

/// One promise of `Communicator`, checked with GoogleTest's EXPECT on every rank of a group of any size.
struct ContractCase {
    const char* name;
    void (*check)(Communicator&);
};

/// What GoogleTest shows of a case.
inline void PrintTo(const ContractCase& contract, std::ostream* out) {
    *out << contract.name;
}

/// Every promise that all communicators keep, and those of what is written above them: of the calls
/// themselves and agreement.hpp, of messages.hpp, of shared_memory.hpp.
std::span<const ContractCase> communicator_contract();
std::span<const ContractCase> messages_contract();
std::span<const ContractCase> shared_memory_contract();

}  // namespace vae_dist
