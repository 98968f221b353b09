#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/comm/topology.hpp"

namespace vae_dist {

/// Which ranks can read each other's memory: those of one host.
struct Hosts {
    std::vector<std::vector<int>> ranks;  ///< of each host, ascending; hosts in the order of their first rank
    std::vector<int> host_of;             ///< (ranks) index into `ranks`
    std::string why_not;  ///< why ranks of one machine do not share memory; empty where all of them do

    int count() const { return static_cast<int>(ranks.size()); }
    /// All ranks of the host of `rank`, itself among them.
    const std::vector<int>& of(int rank) const;
    bool together(int rank, int other) const;
};

/// Collective; the same on every rank. Ranks whose `host` is equal are tried: where they cannot map each
/// other's memory (in containers of their own, below a strict /proc or system call filter) each of them is a
/// host of one rank, and `why_not` says why. With `share` false, equal on all ranks, every rank is a host of
/// its own.
Hosts find_hosts(Communicator& communicator, bool share, const std::string& host = host_name());

/// Pages of memory that are mapped; unmapped when destroyed. Move-only.
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

/// An array of each rank that the other ranks of its host read in place. Writing is its owner's alone: the
/// others map it read-only. All is zero at first and really there, so that no access fails later for want of
/// memory. Arrays begin on a page, those of 2 MiB and more on a multiple of 2 MiB, in huge pages where the
/// system gives them. A rank that is alone on its host has ordinary memory.
///
/// Who reads must know that the owner has written, and the owner that all have read: see HostMeeting.
class SharedArrays {
 public:
    /// Collective. `bytes` of this rank's array: ranks may differ. `hosts` as find_hosts gave them. Where
    /// memory is short, every rank throws.
    SharedArrays(Communicator& communicator, const Hosts& hosts, std::size_t bytes);

    std::span<std::byte> mine() const { return mine_.bytes().first(lengths_[rank_]); }
    /// The array of a rank of this host, this one among them; valid as long as this object, whatever becomes
    /// of the owner's.
    std::span<const std::byte> of(int rank) const;

 private:
    std::size_t rank_;
    MappedMemory mine_;
    std::vector<std::size_t> lengths_;  ///< (ranks) of the arrays
    std::vector<MappedMemory> others_;  ///< (ranks) empty for ranks of other hosts and this one
};

/// Where the ranks of a host wait for each other without messages: each has two numbers in shared memory that
/// it alone writes. What a rank wrote to its shared array before it came to a meeting or published a number,
/// the others can read once they have met it or seen the number.
class HostMeeting {
 public:
    /// Collective. `communicator` and `hosts` must outlive it.
    HostMeeting(Communicator& communicator, const Hosts& hosts);

    /// Returns when all ranks of this host have made as many calls of it as this one.
    void meet();

    /// Tells the ranks of this host `value`, no smaller than the one before. It is 0 at first.
    void publish(std::int64_t value);
    std::int64_t published_by(int rank) const;

 private:
    Communicator& communicator_;
    std::vector<int> ranks_;  ///< of this host
    SharedArrays numbers_;
    std::int64_t meetings_ = 0;  ///< that this rank came to
};

}  // namespace vae_dist
