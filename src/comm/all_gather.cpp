#include "comm/all_gather.hpp"

#include <cstdint>

namespace vae_dist {

std::vector<std::string> all_gather_text(Communicator& communicator, const std::string& mine) {
    const auto lengths = all_gather(communicator, std::uint64_t{mine.size()});
    std::string joined;
    for (const auto& bytes : communicator.gather(std::as_bytes(std::span(mine)), 0))
        joined.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    joined = broadcast_text(communicator, joined, 0);

    std::vector<std::string> texts;
    std::size_t begin = 0;
    for (const std::uint64_t length : lengths) {
        texts.push_back(joined.substr(begin, length));
        begin += length;
    }
    return texts;
}

}  // namespace vae_dist
