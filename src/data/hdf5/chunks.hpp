#pragma once

#include <hdf5.h>
#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "vae_dist/data/hdf5/hdf5.hpp"

namespace vae_dist::hdf5::detail {

/// Deflated chunks of whole rows, taken from the file as they are stored and decoded here: other threads can
/// use the library meanwhile, which has one lock for all. Nearly all of the time is zlib's; against H5Dread 5
/// to 15 % less is taken, as no memory is allocated for a chunk.
class StoredChunks {
 public:
    /// Null where chunks cut rows, are not deflated, have other filters than shuffle before and Fletcher32
    /// after that, or hold numbers that are converted when read.
    static std::unique_ptr<StoredChunks> of(hid_t dataset, const DatasetInfo& info);

    StoredChunks(const StoredChunks&) = delete;
    StoredChunks& operator=(const StoredChunks&) = delete;
    ~StoredChunks();

    std::int64_t rows_in_chunk() const { return rows_; }

    /// All rows of the chunk that begins with row `first`, also those beyond the dataset's end; valid until
    /// the next call. The last one is kept. Empty where only the library can read it, or say why it cannot be
    /// read: a chunk that was never written, is damaged, or was stored without some of the filters.
    std::span<const std::byte> decode(std::int64_t first);

 private:
    struct Filters {
        bool shuffle = false;
        bool deflate = false;
        bool checksum = false;
        bool others = false;
    };

    StoredChunks(hid_t dataset, const DatasetInfo& info, const Filters& filters);
    static Filters filters_of(hid_t dataset);
    bool load(std::int64_t first);
    bool checksum_holds();
    bool inflate_to(std::span<std::byte> to);

    hid_t dataset_;
    std::size_t dimensions_;
    std::int64_t rows_;
    std::size_t element_bytes_;
    std::size_t chunk_bytes_ = 0;
    Filters filters_;
    z_stream zlib_{};
    std::vector<std::byte> stored_;    // of the chunk that is being decoded
    std::vector<std::byte> shuffled_;  // empty without that filter
    std::vector<std::byte> decoded_;
    std::int64_t in_decoded_ = -1;       // its first row
    std::int64_t left_to_library_ = -1;  // first row of the chunk that was tried last, in vain
};

/// The checksum of HDF5's filter of that name: J. Fletcher, "An arithmetic checksum for serial transmissions"
/// (IEEE Transactions on Communications, 1982), of big-endian 16-bit words, the last filled up with a zero.
std::uint32_t fletcher32(std::span<const std::byte> bytes);

}  // namespace vae_dist::hdf5::detail
