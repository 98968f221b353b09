#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <numeric>
#include <string>
#include <vector>

#include "support/temporary_folder.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/data/hdf5/hdf5.hpp"
#include "vae_dist/data/loader/batch_loader.hpp"

// How often each chunk of a file is decoded, counted by a filter that changes nothing.

namespace vae_dist {
namespace {

constexpr H5Z_filter_t kCountingFilter = 300;  // HDF5 leaves 256 to 511 to tests
constexpr ValueRange kAny{-1e30, 1e30, "values must be finite"};

std::mutex counts_mutex;
std::map<float, int> decoded;  // by the chunk's first number, of which each chunk has its own

std::size_t count_decoding(unsigned flags, std::size_t, const unsigned*, std::size_t bytes, std::size_t*,
                           void** buffer) {
    if ((flags & H5Z_FLAG_REVERSE) != 0) {
        const std::scoped_lock lock(counts_mutex);
        ++decoded[*static_cast<const float*>(*buffer)];
    }
    return bytes;
}

std::map<float, int> take_counts() {
    const std::scoped_lock lock(counts_mutex);
    return std::exchange(decoded, {});
}

class ChunkReads : public testing::Test {
 protected:
    ChunkReads() {
        const H5Z_class2_t filter{H5Z_CLASS_T_VERS, kCountingFilter, 1,       1,
                                  "counting",       nullptr,         nullptr, count_decoding};
        require(H5Zregister(&filter) >= 0, "HDF5 takes the filter");
    }

    /// Numbers its elements from 0 on: (rows, features) in chunks of (chunk_rows, chunk_features).
    DatasetConfig write(hsize_t rows, hsize_t features, hsize_t chunk_rows, hsize_t chunk_features) {
        const hdf5::File file = hdf5::File::create(folder_.file("a.h5"));
        const hsize_t shape[] = {rows, features};
        const hsize_t chunk[] = {chunk_rows, chunk_features};
        const hdf5::Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
        H5Pset_chunk(creation.get(), 2, chunk);
        H5Pset_filter(creation.get(), kCountingFilter, H5Z_FLAG_MANDATORY, 0, nullptr);
        const hdf5::Handle space(H5Screate_simple(2, shape, nullptr), H5Sclose);
        const hdf5::Handle dataset(H5Dcreate2(file.id(), "x", H5T_NATIVE_FLOAT, space.get(), H5P_DEFAULT,
                                              creation.get(), H5P_DEFAULT),
                                   H5Dclose);
        std::vector<float> values(rows * features);
        std::iota(values.begin(), values.end(), 0.0F);
        require(H5Dwrite(dataset.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0,
                "the test's file is written");
        take_counts();
        return {{folder_.file("a.h5")}, "x"};
    }

    /// Decodings of each chunk in `epochs` epochs, and what the thread read ahead after them.
    static std::map<float, int> count(const DatasetConfig& data, std::int64_t virtual_ranks,
                                      VirtualRankRange mine, CacheMode cache, std::int64_t epochs,
                                      std::int64_t window) {
        take_counts();
        auto source = open_hdf5_rows(data);
        const EpochPlan plan(source->blocks(), {.virtual_ranks = virtual_ranks, .shuffle_window = window});
        BatchLoader loader(std::move(source), plan,
                           {.mine = mine, .batch_size = 64, .cache = cache, .allowed = kAny}, 0, 0);
        for (std::int64_t i = 0; i < epochs * steps_per_epoch(plan.samples(), 64); ++i)
            loader.next();
        return take_counts();
    }

    /// Every chunk once an epoch; the next epoch may have begun.
    static void expect_once_an_epoch(const std::map<float, int>& counts, std::size_t chunks) {
        EXPECT_EQ(counts.size(), chunks);
        for (const auto& [chunk, times] : counts)
            EXPECT_LE(times, kEpochs + 1) << "chunk from " << chunk;
    }

    static constexpr std::int64_t kEpochs = 4;
    const TemporaryFolder folder_;
};

TEST_F(ChunkReads, AreOneAnEpochWhereBlocksAreCutBetweenVirtualRanks) {
    const DatasetConfig data = write(3000, 256, 10, 256);  // 13 chunks a block
    expect_once_an_epoch(count(data, 7, {0, 7}, CacheMode::stream, kEpochs, 1000), 300);
}

TEST_F(ChunkReads, AreOneAnEpochForEachRankAlone) {
    const DatasetConfig data = write(3000, 256, 50, 256);
    for (const std::int64_t v : {0, 1, 2}) {
        for (const auto& [chunk, times] : count(data, 3, {v, 1}, CacheMode::stream, kEpochs, 600)) {
            EXPECT_LE(times, kEpochs + 1) << "chunk from " << chunk;
        }
    }
}

TEST_F(ChunkReads, AreOneAnEpochForChunksLargerThanHdf5sCache) {
    const DatasetConfig data = write(6000, 256, 2000, 256);  // 2 MB each
    expect_once_an_epoch(count(data, 1, {0, 1}, CacheMode::stream, kEpochs, 100), 3);
}

TEST_F(ChunkReads, AreOneInAllForChunksThatVirtualRanksShare) {
    const DatasetConfig data = write(12000, 256, 2000, 256);  // each chunk is cut
    const auto counts = count(data, 7, {0, 7}, CacheMode::stream, kEpochs, 100);
    EXPECT_EQ(counts.size(), 6U);
    for (const auto& [chunk, times] : counts)
        EXPECT_EQ(times, 1) << "chunk from " << chunk;
}

TEST_F(ChunkReads, AreOneInAllForAChunkThatAllVirtualRanksShare) {
    const DatasetConfig data = write(2000, 256, 2000, 256);
    EXPECT_EQ(count(data, 4, {0, 4}, CacheMode::stream, kEpochs, 100), (std::map<float, int>{{0.0F, 1}}));
}

TEST_F(ChunkReads, AreOneAnEpochWhereChunksCutRows) {
    const DatasetConfig data = write(1000, 256, 30, 100);
    expect_once_an_epoch(count(data, 3, {0, 3}, CacheMode::stream, kEpochs, 400), 34 * 3);
}

TEST_F(ChunkReads, AreForgottenWhereOnlyAPartWasWanted) {
    const DatasetConfig data = write(3000, 256, 10, 256);  // 3 MB, of which the library may keep one
    const auto source = open_hdf5_rows(data);
    std::vector<std::byte> row(source->row_bytes());
    for (int pass = 0; pass < 2; ++pass) {
        for (std::int64_t first = 0; first < 3000; first += 10)
            source->read(first, 1, row.data());
    }
    std::int64_t again = 0;
    for (const auto& [chunk, times] : take_counts())
        again += times - 1;
    EXPECT_GT(again, 150);
}

TEST_F(ChunkReads, AreOneInAllInMemoryMode) {
    const DatasetConfig data = write(3000, 256, 10, 256);
    const auto counts = count(data, 7, {0, 7}, CacheMode::memory, 2, 1000);
    EXPECT_EQ(counts.size(), 300U);
    for (const auto& [chunk, times] : counts)
        EXPECT_EQ(times, 1) << "chunk from " << chunk;
}

}  // namespace
}  // namespace vae_dist
