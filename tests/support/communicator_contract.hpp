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

/// Every promise that all communicators keep, and those of the functions written above them (agreement.hpp).
std::span<const ContractCase> communicator_contract();

}  // namespace vae_dist
