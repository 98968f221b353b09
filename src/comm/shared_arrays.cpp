#include <sys/mman.h>

#include <optional>
#include <utility>

#include "comm/all_gather.hpp"
#include "comm/shared_segment.hpp"
#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/comm/shared_memory.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

MappedMemory::MappedMemory(MappedMemory&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedMemory& MappedMemory::operator=(MappedMemory&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
}

MappedMemory::~MappedMemory() {
    if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
}

// The second run_together returns after all ranks have opened the segments of the others, so that the files
// of the segments may be closed then.
SharedArrays::SharedArrays(Communicator& communicator, const Hosts& hosts, std::size_t bytes)
    : rank_(static_cast<std::size_t>(communicator.rank())),
      others_(static_cast<std::size_t>(communicator.size())) {
    std::optional<SharedSegment> segment;
    run_together(communicator, [&] {
        if (hosts.of(communicator.rank()).size() == 1) {
            mine_ = private_memory(bytes);
        } else {
            segment.emplace(bytes);
        }
    });
    const auto addresses =
        all_gather(communicator, segment ? segment->address() : SegmentAddress{.bytes = bytes});
    run_together(communicator, [&] {
        for (const int rank : hosts.of(communicator.rank())) {
            const auto other = static_cast<std::size_t>(rank);
            if (other != rank_) others_[other] = map_segment(addresses[other]);
        }
    });
    if (segment) mine_ = segment->take();
    for (const SegmentAddress& address : addresses)
        lengths_.push_back(address.bytes);
}

std::span<const std::byte> SharedArrays::of(int rank) const {
    const auto place = static_cast<std::size_t>(rank);
    if (place == rank_) return mine();
    require(!others_.at(place).bytes().empty(), "only ranks of one host read each other's arrays");
    return others_[place].bytes().first(lengths_[place]);
}

}  // namespace vae_dist
