#pragma once

#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "vae_dist/comm/communicator.hpp"

namespace vae_dist {

/// Collective. The values of all ranks, in the order of ranks, on every rank.
template <class T>
requires std::is_trivially_copyable_v<T> std::vector<T> all_gather(Communicator& communicator,
                                                                   const T& mine) {
    std::vector<T> all(static_cast<std::size_t>(communicator.size()));
    const auto gathered = communicator.gather(std::as_bytes(std::span(&mine, 1)), 0);
    for (std::size_t rank = 0; rank < gathered.size(); ++rank)
        std::memcpy(&all[rank], gathered[rank].data(), sizeof(T));
    communicator.broadcast(std::as_writable_bytes(std::span(all)), 0);
    return all;
}

/// Collective. The same for texts of any length.
std::vector<std::string> all_gather_text(Communicator& communicator, const std::string& mine);

}  // namespace vae_dist
