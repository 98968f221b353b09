#include <algorithm>
#include <atomic>

#include "vae_dist/comm/shared_memory.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

// Each number in its own cache line, or in two where processors fetch lines in pairs.
constexpr std::size_t kLine = 128;
constexpr std::size_t kWaits = 0;
constexpr std::size_t kPublished = kLine;
constexpr std::size_t kBytes = 2 * kLine;

using Number = std::atomic_ref<std::int64_t>;
static_assert(Number::is_always_lock_free, "a lock would lie in one process's own memory");

void store(std::span<std::byte> mine, std::size_t place, std::int64_t value) {
    Number(*reinterpret_cast<std::int64_t*>(mine.data() + place)).store(value, std::memory_order_release);
}

// The cast only satisfies atomic_ref, which takes no constant numbers before C++26: nothing is written.
std::int64_t load(std::span<const std::byte> array, std::size_t place) {
    auto* const number = reinterpret_cast<std::int64_t*>(const_cast<std::byte*>(array.data() + place));
    return Number(*number).load(std::memory_order_acquire);
}

}  // namespace

HostBarrier::HostBarrier(Communicator& communicator, const Hosts& hosts)
    : communicator_(communicator),
      ranks_(hosts.of(communicator.rank())),
      numbers_(communicator, hosts, kBytes) {}

void HostBarrier::wait() {
    ++waits_;
    store(numbers_.mine(), kWaits, waits_);
    for (const int rank : ranks_)
        communicator_.wait_until([&] { return load(numbers_.of(rank), kWaits) >= waits_; });
}

void HostBarrier::publish(std::int64_t value) {
    require(value >= published_by(communicator_.rank()), "what a rank publishes never becomes smaller");
    store(numbers_.mine(), kPublished, value);
}

std::int64_t HostBarrier::published_by(int rank) const {
    return load(numbers_.of(rank), kPublished);
}

}  // namespace vae_dist
