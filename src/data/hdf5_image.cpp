// Files in memory.

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <bit>
#include <cstring>

#include "data/hdf5_detail.hpp"

namespace vae_dist::hdf5 {

using detail::check;

namespace {

Handle access_in_memory() {
    Handle access = detail::file_access();
    constexpr std::size_t kGrowth = std::size_t{1} << 20;
    check(H5Pset_fapl_core(access.get(), kGrowth, false), ErrorKind::failure, "cannot set HDF5 properties");
    return access;
}

// HDF5 takes two files in memory of one name for one file.
std::string unique_name() {
    static std::atomic<std::uint64_t> count{0};
    return fmt::format("file {} in memory", count++);
}

// The part of a superblock of version 3 that its checksum covers, as little-endian words; the checksum
// follows.
constexpr std::size_t kSuperblockWords = 11;
using SuperblockWords = std::array<std::uint32_t, kSuperblockWords>;
static_assert(std::endian::native == std::endian::little, "superblocks are little-endian");

// Jenkins's hash "lookup3" (2006), with which the HDF5 format protects metadata.
std::uint32_t lookup3(const SuperblockWords& words) {
    std::uint32_t a = 0xdeadbeef + sizeof words;
    std::uint32_t b = a;
    std::uint32_t c = a;
    const auto mix = [](std::uint32_t& x, std::uint32_t y, std::uint32_t& z, int turn) {
        x = (x - z) ^ std::rotl(z, turn);
        z += y;
    };
    const auto finish = [](std::uint32_t& x, std::uint32_t y, int turn) { x = (x ^ y) - std::rotl(y, turn); };
    for (std::size_t i = 0; i + 3 < words.size(); i += 3) {
        a += words[i], b += words[i + 1], c += words[i + 2];
        mix(a, b, c, 4), mix(b, c, a, 6), mix(c, a, b, 8), mix(a, b, c, 16), mix(b, c, a, 19),
            mix(c, a, b, 4);
    }
    static_assert(kSuperblockWords % 3 == 2, "two words are left for the end");
    a += words[kSuperblockWords - 2], b += words[kSuperblockWords - 1];
    finish(c, b, 14), finish(a, c, 11), finish(b, a, 25), finish(c, b, 16), finish(a, c, 4), finish(b, a, 14);
    finish(c, b, 24);
    return c;
}

// HDF5 1.10 takes "open for writing" out of an image's superblock, but leaves the checksum as it was.
void correct_superblock(std::vector<std::byte>& image) {
    constexpr std::size_t kVersionAt = 8;
    SuperblockWords words{};
    require(image.size() > sizeof words + sizeof(std::uint32_t) && image[kVersionAt] == std::byte{3},
            "a file in memory begins with a superblock of version 3");
    std::memcpy(words.data(), image.data(), sizeof words);
    const std::uint32_t checksum = lookup3(words);
    std::memcpy(image.data() + sizeof words, &checksum, sizeof checksum);
}

}  // namespace

File File::create_in_memory() {
    detail::start_library();
    const std::string name = unique_name();
    return {detail::create_file(name, access_in_memory()), name};
}

File File::open_bytes(std::span<const std::byte> bytes, const std::string& name) {
    detail::start_library();
    if (bytes.empty()) throw_input_error("'{}' is empty, not an HDF5 file", name);
    const Handle access = access_in_memory();
    // The library copies the image, and does not write to what it is given.
    check(H5Pset_file_image(access.get(), const_cast<std::byte*>(bytes.data()), bytes.size()),
          ErrorKind::failure, fmt::format("cannot hold '{}' in memory", name));
    Handle file(H5Fopen(unique_name().c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose);
    if (!file) detail::throw_not_opened(name);
    return {std::move(file), name};
}

std::vector<std::byte> File::image() {
    detail::start_library();
    const std::string doing = fmt::format("cannot take the image of {}", path_);
    check(H5Fflush(id(), H5F_SCOPE_LOCAL), ErrorKind::failure, doing);
    const ssize_t bytes = check(H5Fget_file_image(id(), nullptr, 0), ErrorKind::failure, doing);
    std::vector<std::byte> image(static_cast<std::size_t>(bytes));
    check(H5Fget_file_image(id(), image.data(), image.size()), ErrorKind::failure, doing);
    correct_superblock(image);
    return image;
}

}  // namespace vae_dist::hdf5
