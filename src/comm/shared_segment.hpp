#pragma once

#include <cstdint>
#include <span>

#include "comm/file_descriptor.hpp"
#include "comm/token.hpp"
#include "vae_dist/comm/shared_memory.hpp"

namespace vae_dist {

/// Where a process finds the memory of another one of its machine.
struct SegmentAddress {
    std::int64_t process = 0;
    std::int64_t descriptor = -1;  ///< of that process
    std::uint64_t bytes = 0;
    Token token{};  ///< stands in the memory
};

/// Memory of this process that others can map as long as this object lives. It has no name in any file
/// system: when the last of them unmaps it or dies, it is gone.
class SharedSegment {
 public:
    /// Of zeros, and really there. Throws ErrorKind::failure where memory is short or the system has no such.
    explicit SharedSegment(std::size_t bytes);

    SegmentAddress address() const;
    /// The memory, once; it outlives this object.
    MappedMemory take() { return std::move(memory_); }

 private:
    std::size_t bytes_;
    Token token_;
    FileDescriptor file_;
    MappedMemory memory_;
};

/// The first `address.bytes` of another process' segment and what its last page holds, to be read only.
/// Throws ErrorKind::failure with the reason where it cannot be had.
MappedMemory map_segment(const SegmentAddress& address);

/// Zeros for this process alone, aligned like a segment. Throws ErrorKind::failure where memory is short.
MappedMemory private_memory(std::size_t bytes);

}  // namespace vae_dist
