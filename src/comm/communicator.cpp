#include "vae_dist/comm/communicator.hpp"

namespace vae_dist {

std::string broadcast_text(Communicator& communicator, const std::string& text, int root) {
    std::uint64_t length = text.size();
    communicator.broadcast(std::as_writable_bytes(std::span(&length, 1)), root);
    std::string received = communicator.rank() == root ? text : std::string(length, '\0');
    communicator.broadcast(std::as_writable_bytes(std::span(received)), root);
    return received;
}

}  // namespace vae_dist
