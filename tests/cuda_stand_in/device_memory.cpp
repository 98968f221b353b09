#include "device_memory.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

#include "environment.hpp"
#include "stand_in.hpp"

#if defined(VAE_DIST_ADDRESS_SANITIZER)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(data, bytes) static_cast<void>(0)
#define ASAN_UNPOISON_MEMORY_REGION(data, bytes) static_cast<void>(0)
#endif

namespace cuda_stand_in {

namespace {

constexpr std::size_t kArenaBytes = std::size_t{16} << 30;
constexpr std::size_t kZone = 256;
constexpr int kPoison = 0xFF;  // NaN in every float format
constexpr int kZoneByte = 0xA5;
/// Of larger arrays only the beginning: each page that was touched makes access slower.
constexpr std::size_t kMostPoisoned = std::size_t{1} << 20;

/// An array, with a zone before it and one after.
struct Array {
    std::size_t bytes;
    std::size_t end;  ///< offset of the end of the zone after it
};

struct Arena {
    std::byte* base = nullptr;
    std::size_t used = 0;                 ///< to here the memory was handed out once
    std::map<std::size_t, Array> arrays;  ///< by offset
    int accesses = 0;
};

Arena& arena() {
    static Arena the = [] {
        Arena made;
        void* const memory =
            ::mmap(nullptr, kArenaBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) {
            std::perror("stand-in: mmap");
            std::abort();
        }
        made.base = static_cast<std::byte*>(memory);
        return made;
    }();
    return the;
}

std::map<const std::byte*, std::size_t>& pinned() {
    static std::map<const std::byte*, std::size_t> the;
    return the;
}

void protect(int protection) {
    const Arena& a = arena();
    if (a.used > 0 && ::mprotect(a.base, a.used, protection) != 0) {
        std::perror("stand-in: mprotect");
        std::abort();
    }
}

std::size_t rounded(std::size_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

// The first gap that is large enough, or the end.
std::size_t find_room(std::size_t whole) {
    std::size_t end = 0;
    for (const auto& [offset, array] : arena().arrays) {
        if (offset - kZone >= end + whole) return end;
        end = array.end;
    }
    return end;
}

void poison(std::size_t first, std::size_t bytes) {
    std::memset(arena().base + first, kPoison, std::min(bytes, kMostPoisoned));
}

void set_zone(std::size_t begin, std::size_t end) {
    std::memset(arena().base + begin, kZoneByte, end - begin);
    ASAN_POISON_MEMORY_REGION(arena().base + begin, end - begin);
}

void check_zone(std::size_t begin, std::size_t end) {
    ASAN_UNPOISON_MEMORY_REGION(arena().base + begin, end - begin);
    for (std::size_t i = begin; i < end; ++i) {
        if (arena().base[i] == std::byte{kZoneByte}) continue;
        std::fprintf(stderr, "stand-in: something wrote beyond an array of the device's memory\n");
        std::abort();
    }
}

template <class Map, class Key>
bool lies_within(const Map& map, Key first, std::size_t bytes, auto size_of) {
    auto after = map.upper_bound(first);
    if (after == map.begin()) return false;
    const auto& [begin, array] = *std::prev(after);
    return static_cast<std::size_t>(first - begin) + bytes <= size_of(array);
}

}  // namespace

DeviceAccess::DeviceAccess() {
    if (arena().accesses++ == 0) protect(PROT_READ | PROT_WRITE);
}

DeviceAccess::~DeviceAccess() {
    if (--arena().accesses == 0) protect(PROT_NONE);
}

void* allocate_on_device(std::size_t bytes) {
    Arena& a = arena();
    const std::size_t most = std::min(kArenaBytes, device_memory());
    if (bytes > most) return nullptr;
    const std::size_t whole = kZone + rounded(bytes) + kZone;
    const std::size_t begin = find_room(whole);
    if (begin + whole > most) return nullptr;
    a.used = std::max(a.used, begin + whole);
    const std::size_t first = begin + kZone;
    a.arrays.emplace(first, Array{bytes, begin + whole});
    const DeviceAccess access;
    protect(PROT_READ | PROT_WRITE);  // the new part too, where another access goes on
    ASAN_UNPOISON_MEMORY_REGION(a.base + begin, whole);
    poison(first, bytes);
    set_zone(begin, first);
    set_zone(first + bytes, begin + whole);
    ++live().arrays;
    return a.base + first;
}

bool free_on_device(void* memory) {
    Arena& a = arena();
    const auto found = a.arrays.find(static_cast<std::size_t>(static_cast<std::byte*>(memory) - a.base));
    if (found == a.arrays.end()) return false;
    const auto [first, array] = *found;
    const DeviceAccess access;
    check_zone(first - kZone, first);
    check_zone(first + array.bytes, array.end);
    poison(first, array.bytes);
    ASAN_POISON_MEMORY_REGION(a.base + first - kZone, array.end - first + kZone);
    a.arrays.erase(found);
    --live().arrays;
    return true;
}

bool on_device(const void* memory, std::size_t bytes) {
    const Arena& a = arena();
    const auto* const first = static_cast<const std::byte*>(memory);
    if (first < a.base || first >= a.base + a.used) return false;
    return lies_within(a.arrays, static_cast<std::size_t>(first - a.base), bytes,
                       [](const Array& array) { return array.bytes; });
}

bool is_pinned(const void* memory, std::size_t bytes) {
    return lies_within(pinned(), static_cast<const std::byte*>(memory), bytes,
                       [](std::size_t size) { return size; });
}

void* allocate_pinned(std::size_t bytes) {
    void* const memory = std::aligned_alloc(kAlignment, std::max(rounded(bytes), kAlignment));
    if (memory == nullptr) return nullptr;
    std::memset(memory, kPoison, bytes);
    pinned().emplace(static_cast<const std::byte*>(memory), bytes);
    ++live().pinned;
    return memory;
}

bool free_pinned(void* memory) {
    if (pinned().erase(static_cast<const std::byte*>(memory)) == 0) return false;
    std::free(memory);
    --live().pinned;
    return true;
}

}  // namespace cuda_stand_in
