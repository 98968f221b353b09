#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "backend/cuda/cuda.hpp"
#include "vae_dist/backend/device_backend.hpp"
#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/comm/device_collectives.hpp"

namespace vae_dist {

/// Collectives to test.
struct CollectivesCase {
    std::string name;
    std::string words;  ///< part of their description
    std::function<std::unique_ptr<DeviceCollectives>(Communicator&, DeviceBackend&)> make;
    std::function<bool()> is_there = [] { return true; };

    friend void PrintTo(const CollectivesCase& suite, std::ostream* to) { *to << suite.name; }
};

/// NCCL's, and those by way of the host.
std::vector<CollectivesCase> collectives_cases();
/// Those by MPI that reads a device's memory: of the real library, or of one that the stand-in lets in.
CollectivesCase direct_collectives();

/// The number of this rank's own device; -1 where there are fewer than ranks.
int device_of_rank();

}  // namespace vae_dist
