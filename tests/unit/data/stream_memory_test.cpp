#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "support/temporary_folder.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/data/hdf5/hdf5.hpp"
#include "vae_dist/data/loader/batch_loader.hpp"

// Streaming needs memory for its windows, not for its file. Each case runs in a process of its own whose
// address space is limited.

namespace vae_dist {
namespace {

constexpr std::int64_t kRowBytes = 4096;
constexpr std::int64_t kFileBytes = std::int64_t{768} << 20;
constexpr std::int64_t kRows = kFileBytes / kRowBytes;
constexpr std::int64_t kWindow = 8192;  // twice 32 MiB
constexpr std::int64_t kBatch = 1024;
constexpr ValueRange kUnit{0, 1, "values must lie in [0, 1]"};

/// Zeros that take no room on the disk.
DatasetConfig write_sparse_file(const TemporaryFolder& folder) {
    const hdf5::File file = hdf5::File::create(folder.file("big.h5"));
    const hsize_t shape[] = {kRows, kRowBytes};
    const hdf5::Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_alloc_time(creation.get(), H5D_ALLOC_TIME_EARLY);
    H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER);
    const hdf5::Handle space(H5Screate_simple(2, shape, nullptr), H5Sclose);
    const hdf5::Handle dataset(
        H5Dcreate2(file.id(), "x", H5T_STD_U8LE, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
        H5Dclose);
    require(static_cast<bool>(dataset), "the test's file is written");
    return {{folder.file("big.h5")}, "x"};
}

std::int64_t address_space_in_use() {
    std::int64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    return pages * sysconf(_SC_PAGESIZE);
}

void limit_address_space(std::int64_t bytes) {
    const rlimit limit{static_cast<rlim_t>(bytes), static_cast<rlim_t>(bytes)};
    require(setrlimit(RLIMIT_AS, &limit) == 0, "the limit is set");
}

/// Reads one epoch with at most `limit` bytes of address space, and ends the process: with 0, or with the
/// exit status of the error, its message on stderr.
[[noreturn]] void read_an_epoch(const DatasetConfig& data, CacheMode cache, std::int64_t limit) {
    try {
        limit_address_space(limit);
        auto source = open_hdf5_rows(data);
        const EpochPlan plan(source->blocks(), {.shuffle_window = kWindow});
        BatchLoader loader(std::move(source), plan,
                           {.mine = {0, 1}, .batch_size = kBatch, .cache = cache, .allowed = kUnit}, 0, 0);
        std::int64_t samples = 0;
        while (samples < kRows)
            samples += static_cast<std::int64_t>(loader.next().slices[0].rows.size());
        std::fputs("read it all", stderr);
        std::_Exit(samples == kRows ? 0 : 3);
    } catch (const Error& error) {
        std::fputs(error.what(), stderr);
        std::_Exit(error.exit_status());
    }
}

class UnderAMemoryLimit : public testing::Test {
 protected:
    void SetUp() override {
#ifdef VAE_DIST_ADDRESS_SANITIZER
        GTEST_SKIP() << "AddressSanitizer needs more address space than any limit leaves";
#endif
        data_ = write_sparse_file(folder_);
    }

    const TemporaryFolder folder_;
    DatasetConfig data_;
};

TEST_F(UnderAMemoryLimit, AStreamReadsAFileThreeTimesAsLarge) {
    EXPECT_EXIT(read_an_epoch(data_, CacheMode::stream, address_space_in_use() + kFileBytes / 3),
                testing::ExitedWithCode(0), "read it all");
}

TEST_F(UnderAMemoryLimit, MemoryModeSaysThatTheFileDoesNotFit) {
    EXPECT_EXIT(read_an_epoch(data_, CacheMode::memory, address_space_in_use() + kFileBytes / 3),
                testing::ExitedWithCode(1), "out of memory.*big.h5:x.*data.cache: stream");
}

TEST_F(UnderAMemoryLimit, MemoryModeSaysSoWhenTheSystemRefuses) {
    const std::int64_t batches = 3 * kBatch * kRowBytes;
    EXPECT_EXIT(read_an_epoch(data_, CacheMode::memory, kFileBytes + batches + address_space_in_use() / 2),
                testing::ExitedWithCode(1), "out of memory.*big.h5:x");
}

}  // namespace
}  // namespace vae_dist
