#include "comm/file_descriptor.hpp"

#include <unistd.h>

namespace vae_dist {

void FileDescriptor::close() noexcept {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
}

}  // namespace vae_dist
