#pragma once

#include <cstdint>
#include <span>

#include "comm/file_descriptor.hpp"
#include "comm/token.hpp"
#include "vae_dist/comm/shared_memory.hpp"

namespace vae_dist {

/// The place of a process's shared memory, as other processes of its host need it.
struct SegmentAddress {
    std::int64_t process = 0;
    std::int64_t descriptor = -1;  ///< of that process
    std::uint64_t bytes = 0;
    Token token{};  ///< is in the memory, too
};

/// Memory of this process that others can map as long as this object exists. It has no name in any file
/// system: the system frees it when the last process unmaps it or ends.
class SharedSegment {
 public:
    /// All bytes are zero and allocated. Throws ErrorKind::failure where memory is short or the system has no
    /// such memory.
    explicit SharedSegment(std::size_t bytes);

    SegmentAddress address() const;
    /// Gives the memory away, once; it outlives this object.
    MappedMemory take() { return std::move(memory_); }

 private:
    std::size_t bytes_;
    Token token_;
    FileDescriptor file_;
    MappedMemory memory_;
};

/// The first `address.bytes` bytes of another process's segment, up to the end of their last page, read-only.
/// Throws ErrorKind::failure with the reason where they cannot be mapped.
MappedMemory map_segment(const SegmentAddress& address);

/// Zeros for this process alone, aligned like a segment. Throws ErrorKind::failure where memory is short.
MappedMemory private_memory(std::size_t bytes);

}  // namespace vae_dist
