#include "data/hdf5/chunks.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>

#include "data/hdf5/detail.hpp"

namespace vae_dist::hdf5::detail {

namespace {

constexpr std::size_t kChecksumBytes = 4;

std::uint32_t word_at(std::span<const std::byte> bytes, std::size_t at) {
    const auto high = std::to_integer<std::uint32_t>(bytes[at]) << 8;
    return at + 1 < bytes.size() ? high | std::to_integer<std::uint32_t>(bytes[at + 1]) : high;
}

// The remainder by 65535 as ones' complement addition leaves it: 0 only of 0.
std::uint64_t folded(std::uint64_t sum) {
    return sum == 0 ? 0 : (sum - 1) % 65535 + 1;
}

// HDF5's filter of that name puts the first bytes of all numbers first, then the second bytes, ...
template <std::size_t kBytes>
void unshuffle(const std::byte* __restrict from, std::size_t count, std::byte* __restrict to) {
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t byte = 0; byte < kBytes; ++byte)
            to[i * kBytes + byte] = from[byte * count + i];
    }
}

void unshuffle(std::span<const std::byte> from, std::size_t element_bytes, std::byte* to) {
    const std::size_t count = from.size() / element_bytes;
    switch (element_bytes) {
        case 2:
            return unshuffle<2>(from.data(), count, to);
        case 4:
            return unshuffle<4>(from.data(), count, to);
        case 8:
            return unshuffle<8>(from.data(), count, to);
        default:
            std::copy(from.begin(), from.end(), to);
    }
}

bool stored_as_read(hid_t dataset, ElementType type) {
    const Handle file_type(H5Dget_type(dataset), H5Tclose);
    return H5Tequal(file_type.get(), memory_type(type)) > 0;
}

}  // namespace

std::uint32_t fletcher32(std::span<const std::byte> bytes) {
    constexpr std::size_t kBlock = std::size_t{1} << 16;  // so few words that 64 bits hold their sums
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    for (std::size_t begin = 0; begin < bytes.size(); begin += kBlock) {
        const std::size_t end = std::min(begin + kBlock, bytes.size());
        for (std::size_t at = begin; at < end; at += 2) {
            first += word_at(bytes, at);
            second += first;
        }
        first = folded(first);
        second = folded(second);
    }
    return static_cast<std::uint32_t>(second << 16 | first);
}

StoredChunks::Filters StoredChunks::filters_of(hid_t dataset) {
    const Handle creation(H5Dget_create_plist(dataset), H5Pclose);
    Filters filters;
    const int count = H5Pget_nfilters(creation.get());
    for (int i = 0; i < count; ++i) {
        unsigned flags = 0;
        std::size_t parameters = 0;
        unsigned about = 0;
        const H5Z_filter_t filter = H5Pget_filter2(creation.get(), static_cast<unsigned>(i), &flags,
                                                   &parameters, nullptr, 0, nullptr, &about);
        if (filter == H5Z_FILTER_SHUFFLE && !filters.deflate && !filters.checksum) {
            filters.shuffle = true;
        } else if (filter == H5Z_FILTER_DEFLATE && !filters.deflate && !filters.checksum) {
            filters.deflate = true;
        } else if (filter == H5Z_FILTER_FLETCHER32 && !filters.checksum) {
            filters.checksum = true;
        } else {
            filters.others = true;
        }
    }
    return filters;
}

std::unique_ptr<StoredChunks> StoredChunks::of(hid_t dataset, const DatasetInfo& info) {
    if (!info.type || info.chunk.empty() || info.is_virtual) return nullptr;
    if (!std::equal(info.shape.begin() + 1, info.shape.end(), info.chunk.begin() + 1)) return nullptr;
    const Filters filters = filters_of(dataset);
    if (!filters.deflate || filters.others || !stored_as_read(dataset, *info.type)) return nullptr;
    return std::unique_ptr<StoredChunks>(new StoredChunks(dataset, info, filters));
}

StoredChunks::StoredChunks(hid_t dataset, const DatasetInfo& info, const Filters& filters)
    : dataset_(dataset),
      dimensions_(info.chunk.size()),
      rows_(info.chunk.front()),
      element_bytes_(element_bytes(*info.type)),
      filters_(filters) {
    chunk_bytes_ = std::accumulate(
        info.chunk.begin(), info.chunk.end(), element_bytes_,
        [](std::size_t product, std::int64_t size) { return product * static_cast<std::size_t>(size); });
    if (inflateInit(&zlib_) != Z_OK) throw std::bad_alloc();
}

StoredChunks::~StoredChunks() {
    inflateEnd(&zlib_);
}

std::span<const std::byte> StoredChunks::decode(std::int64_t first) {
    if (in_decoded_ == first) return decoded_;
    if (left_to_library_ == first) return {};
    in_decoded_ = -1;
    left_to_library_ = first;
    decoded_.resize(chunk_bytes_);
    if (filters_.shuffle) shuffled_.resize(chunk_bytes_);
    const std::span<std::byte> inflated = filters_.shuffle ? shuffled_ : decoded_;
    if (!load(first) || !checksum_holds() || !inflate_to(inflated)) return {};
    if (filters_.shuffle) unshuffle(shuffled_, element_bytes_, decoded_.data());
    in_decoded_ = first;
    left_to_library_ = -1;
    return decoded_;
}

bool StoredChunks::load(std::int64_t first) {
    std::vector<hsize_t> offset(dimensions_);
    offset.front() = static_cast<hsize_t>(first);
    hsize_t bytes = 0;
    if (H5Dget_chunk_storage_size(dataset_, offset.data(), &bytes) < 0) return false;
    // Deflate makes nothing much longer: a size beyond that is damage.
    if (bytes == 0 || bytes > 2 * chunk_bytes_ + 1024) return false;
    stored_.resize(bytes);
    std::uint32_t filters_left_out = 0;
    return H5Dread_chunk(dataset_, H5P_DEFAULT, offset.data(), &filters_left_out, stored_.data()) >= 0 &&
           filters_left_out == 0;
}

bool StoredChunks::checksum_holds() {
    if (!filters_.checksum) return true;
    if (stored_.size() < kChecksumBytes) return false;
    const std::size_t length = stored_.size() - kChecksumBytes;
    std::uint32_t sum = 0;
    for (std::size_t byte = 0; byte < kChecksumBytes; ++byte)
        sum |= std::to_integer<std::uint32_t>(stored_[length + byte]) << (8 * byte);
    stored_.resize(length);
    return fletcher32(stored_) == sum;
}

bool StoredChunks::inflate_to(std::span<std::byte> to) {
    if (inflateReset(&zlib_) != Z_OK) return false;
    zlib_.next_in = reinterpret_cast<Bytef*>(stored_.data());
    zlib_.avail_in = static_cast<uInt>(stored_.size());
    zlib_.next_out = reinterpret_cast<Bytef*>(to.data());
    zlib_.avail_out = static_cast<uInt>(to.size());
    return inflate(&zlib_, Z_FINISH) == Z_STREAM_END && zlib_.avail_out == 0;
}

}  // namespace vae_dist::hdf5::detail
