// Files in memory.

#include <fmt/format.h>

#include <atomic>
#include <bit>
#include <cstring>
#include <exception>

#include "data/hdf5/detail.hpp"

namespace vae_dist::hdf5 {

using detail::check;

namespace {

constexpr std::size_t kGrowth = std::size_t{1} << 20;

Handle access_in_memory() {
    Handle access = detail::file_access();
    check(H5Pset_fapl_core(access.get(), kGrowth, false), ErrorKind::failure, "cannot set HDF5 properties");
    return access;
}

// HDF5 takes two files in memory of one name for one file.
std::string unique_name() {
    static std::atomic<std::uint64_t> count{0};
    return fmt::format("file {} in memory", count++);
}

// Has the library keep a file that it makes in `memory`, which has to outlive the file.
void keep_in(std::vector<std::byte>& memory, const Handle& access) {
    H5FD_file_image_callbacks_t callbacks{};
    callbacks.udata = &memory;
    callbacks.udata_copy = [](void* udata) { return udata; };
    callbacks.udata_free = [](void*) -> herr_t { return 0; };
    callbacks.image_realloc = [](void*, std::size_t size, H5FD_file_image_op_t, void* udata) -> void* {
        auto& bytes = *static_cast<std::vector<std::byte>*>(udata);
        try {
            bytes.resize(size);
        } catch (const std::exception&) {
            return nullptr;  // which the library reports
        }
        return bytes.data();
    };
    callbacks.image_free = [](void*, H5FD_file_image_op_t, void*) -> herr_t { return 0; };
    check(H5Pset_file_image_callbacks(access.get(), &callbacks), ErrorKind::failure,
          "cannot set HDF5 properties");
}

// Where a file ends, as its superblock of version 3 says.
std::size_t end_of_file(const std::vector<std::byte>& image) {
    constexpr std::size_t kVersionAt = 8;
    constexpr std::size_t kEndAt = 28;
    static_assert(std::endian::native == std::endian::little, "superblocks are little-endian");
    std::uint64_t end = 0;
    require(image.size() > kEndAt + sizeof end && image[kVersionAt] == std::byte{3},
            "a file in memory begins with a superblock of version 3");
    std::memcpy(&end, image.data() + kEndAt, sizeof end);
    require(end <= image.size(), "a file in memory is there to its end");
    return end;
}

}  // namespace

File File::create_in_memory(std::size_t expected_bytes) {
    detail::start_library();
    const std::string name = unique_name();
    auto memory = std::make_unique<std::vector<std::byte>>();
    memory->reserve(expected_bytes + kGrowth);
    const Handle access = access_in_memory();
    keep_in(*memory, access);
    File file(detail::create_file(name, access), name);
    file.memory_ = std::move(memory);
    return file;
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

std::vector<std::byte> File::take_image() {
    require(memory_ != nullptr && handle_, "the image is that of an open file in memory");
    close();
    memory_->resize(end_of_file(*memory_));
    return std::move(*memory_);
}

}  // namespace vae_dist::hdf5
