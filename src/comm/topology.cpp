#include "vae_dist/comm/topology.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

std::string host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0) throw_failure("cannot ask for this machine's name");
    return name.data();
}

int ranks_on_this_machine(Communicator& communicator) {
    const std::string mine = host_name();
    std::string all;
    for (const auto& bytes : communicator.gather(std::as_bytes(std::span(mine)), 0)) {
        all.append(reinterpret_cast<const char*>(bytes.data()), bytes.size()).push_back('\n');
    }
    std::istringstream names(broadcast_text(communicator, all, 0));
    int count = 0;
    for (std::string other; std::getline(names, other);)
        count += other == mine ? 1 : 0;
    return count;
}

}  // namespace vae_dist
