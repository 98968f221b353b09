#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/comm/topology.hpp"

namespace vae_dist {

/// The ranks of each host, which can read each other's memory.
struct Hosts {
    std::vector<std::vector<int>> ranks;  ///< of each host, ascending; hosts in the order of their first rank
    std::vector<int> host_of;             ///< (ranks) index into `ranks`
    std::string why_not;  ///< why ranks of one machine do not share memory; empty if all of them do

    int count() const { return static_cast<int>(ranks.size()); }
    /// All ranks of the host of `rank`, including `rank`.
    const std::vector<int>& of(int rank) const;
    bool together(int rank, int other) const;
};

/// Collective. The hosts, the same on every rank. Ranks whose `host` is equal try to map each other's memory.
/// Where they cannot (each in its own container, a strict /proc or filter of system calls) each of them is a
/// host of one rank, and `why_not` says why. With `share` false, equal on all ranks, every rank is a host of
/// its own.
Hosts find_hosts(Communicator& communicator, bool share, const std::string& host = host_name());

/// Mapped pages of memory, unmapped when destroyed. Move-only.
class MappedMemory {
 public:
    MappedMemory() = default;
    explicit MappedMemory(std::span<std::byte> bytes) : bytes_(bytes) {}
    MappedMemory(MappedMemory&& other) noexcept;
    MappedMemory& operator=(MappedMemory&& other) noexcept;
    ~MappedMemory();

    std::span<std::byte> bytes() const { return bytes_; }

 private:
    std::span<std::byte> bytes_;
};

/// An array of each rank that the other ranks of its host read in place. Only its owner writes it: the others
/// map it read-only. All elements are zero at first, and all pages are allocated, so that no access fails
/// later for lack of memory. Arrays begin on a page, arrays of 2 MiB and more on a multiple of 2 MiB, in huge
/// pages where the system gives them. A rank that is alone on its host has ordinary memory.
///
/// A read must follow the owner's write, and the owner's next write must follow all reads: see HostBarrier.
class SharedArrays {
 public:
    /// Collective. `bytes` of this rank's array, which may differ between ranks. `hosts` from find_hosts.
    /// Every rank throws where memory is short.
    SharedArrays(Communicator& communicator, const Hosts& hosts, std::size_t bytes);

    std::span<std::byte> mine() const { return mine_.bytes().first(lengths_[rank_]); }
    /// The array of a rank of this host, including this rank. It is valid as long as this object, even if the
    /// owner's object is destroyed.
    std::span<const std::byte> of(int rank) const;

 private:
    std::size_t rank_;
    MappedMemory mine_;
    std::vector<std::size_t> lengths_;  ///< (ranks) of the arrays
    std::vector<MappedMemory> others_;  ///< (ranks) empty for ranks of other hosts and this one
};

/// A barrier among the ranks of a host, without messages: each rank has two numbers in shared memory that it
/// alone writes. What a rank wrote to its shared array before `wait` or `publish` is visible to another rank
/// once its `wait` has returned, or once it has read the published number.
class HostBarrier {
 public:
    /// Collective. `communicator` and `hosts` must outlive it.
    HostBarrier(Communicator& communicator, const Hosts& hosts);

    /// Returns when all ranks of this host have called it as often as this rank.
    void wait();

    /// Publishes `value` to the ranks of this host, no smaller than the value before; 0 at first.
    void publish(std::int64_t value);
    std::int64_t published_by(int rank) const;

 private:
    Communicator& communicator_;
    std::vector<int> ranks_;  ///< of this host
    SharedArrays numbers_;
    std::int64_t waits_ = 0;  ///< calls of `wait` on this rank
};

}  // namespace vae_dist
