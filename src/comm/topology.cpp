#include "vae_dist/comm/topology.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "comm/all_gather.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

std::string host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0) throw_failure("cannot ask for this machine's name");
    return name.data();
}

int ranks_on_this_machine(Communicator& communicator) {
    const std::string mine = host_name();
    const std::vector<std::string> all = all_gather_text(communicator, mine);
    return static_cast<int>(std::count(all.begin(), all.end(), mine));
}

}  // namespace vae_dist
