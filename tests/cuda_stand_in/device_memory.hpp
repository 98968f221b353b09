#pragma once

#include <cstddef>

namespace cuda_stand_in {

/// The device's memory: one range of addresses that the host may not touch but while work runs. Fresh memory
/// is poisoned; between arrays there are zones that nobody may write to.

inline constexpr std::size_t kAlignment = 256;

/// nullptr where the device has no more.
void* allocate_on_device(std::size_t bytes);
/// False where nothing begins there. Ends the program where a zone beside it was written to.
bool free_on_device(void* memory);

/// Whether the bytes lie in one array of the device, or of the host's pinned memory.
bool on_device(const void* memory, std::size_t bytes);
bool is_pinned(const void* memory, std::size_t bytes);

void* allocate_pinned(std::size_t bytes);
bool free_pinned(void* memory);

/// While one lives, the device's memory can be touched.
class DeviceAccess {
 public:
    DeviceAccess();
    ~DeviceAccess();
    DeviceAccess(const DeviceAccess&) = delete;
    DeviceAccess& operator=(const DeviceAccess&) = delete;
};

}  // namespace cuda_stand_in
