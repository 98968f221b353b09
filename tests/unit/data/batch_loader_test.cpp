#include "vae_dist/data/loader/batch_loader.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "unit/data/data_files.hpp"

namespace vae_dist {
namespace {

constexpr ValueRange kAny{-1e30, 1e30, "values must be finite"};
constexpr std::int64_t kFeatures = 256;  // so that a block of 128 KiB is 128 rows

std::unique_ptr<RowSource> synthetic(std::int64_t samples) {
    return make_synthetic_rows({.samples = samples, .shape = {kFeatures}, .seed = 4});
}

EpochPlan plan_for(const RowSource& source, std::int64_t virtual_ranks, std::int64_t window,
                   bool shuffle = true) {
    return EpochPlan(
        source.blocks(),
        {.seed = 3, .virtual_ranks = virtual_ranks, .shuffle_window = window, .shuffle = shuffle});
}

BatchLoaderOptions options_for(VirtualRankRange mine, std::int64_t batch_size, CacheMode cache) {
    return {.mine = mine, .batch_size = batch_size, .cache = cache, .allowed = kAny};
}

/// Zeros, each a block of its own, whose reading is counted, and takes a while if asked to.
class CountedRows final : public RowSource {
 public:
    CountedRows(std::atomic<int>& reads, std::chrono::milliseconds delay) : reads_(reads), delay_(delay) {
        for (std::int64_t row = 0; row < kRows; ++row)
            blocks_.push_back({row, 1});
    }
    std::int64_t rows() const override { return kRows; }
    const std::vector<std::int64_t>& row_shape() const override { return shape_; }
    ElementType element_type() const override { return ElementType::uint8; }
    const std::vector<RowRange>& blocks() const override { return blocks_; }
    void read(std::int64_t, std::int64_t, std::byte* to) override {
        std::this_thread::sleep_for(delay_);
        *to = std::byte{0};
        ++reads_;
    }
    std::string locate(std::int64_t) const override { return ""; }
    std::string description() const override { return "counted data"; }

    static constexpr std::int64_t kRows = 10'000;

 private:
    std::atomic<int>& reads_;
    std::chrono::milliseconds delay_;
    std::vector<std::int64_t> shape_;
    std::vector<RowRange> blocks_;
};

/// More data than any machine holds; nobody can read them.
class HugeRows final : public RowSource {
 public:
    std::int64_t rows() const override { return 1'000'000; }
    const std::vector<std::int64_t>& row_shape() const override { return shape_; }
    ElementType element_type() const override { return ElementType::float32; }
    const std::vector<RowRange>& blocks() const override { return blocks_; }
    void read(std::int64_t, std::int64_t, std::byte*) override { FAIL(); }
    std::string locate(std::int64_t) const override { return ""; }
    std::string description() const override { return "huge data"; }

 private:
    std::vector<std::int64_t> shape_ = {1'000'000'000};
    std::vector<RowRange> blocks_ = {{0, 1'000'000}};
};

struct SliceCopy {
    std::vector<std::byte> raw;
    std::vector<std::int64_t> rows;
    bool operator==(const SliceCopy&) const = default;
};

struct BatchCopy {
    std::int64_t epoch, first_sample, samples;
    std::map<std::int64_t, SliceCopy> slices;
    bool operator==(const BatchCopy&) const = default;
};

// The passes, put together, are the slices.
void expect_passes_of_slices(const Batch& batch, std::int64_t rows_a_pass) {
    std::size_t at = 0;
    for (const Slice& slice : batch.slices) {
        for (std::size_t first = 0; first < slice.rows.size();) {
            ASSERT_LT(at, batch.passes.size());
            const Slice& pass = batch.passes[at++];
            const std::size_t left = slice.rows.size() - first;
            const std::size_t count = std::min(left, static_cast<std::size_t>(rows_a_pass));
            const std::size_t row_bytes = slice.raw.size() / slice.rows.size();
            EXPECT_EQ(pass.virtual_rank, slice.virtual_rank);
            EXPECT_EQ(pass.rows.data(), slice.rows.data() + first);
            EXPECT_EQ(pass.rows.size(), count);
            EXPECT_EQ(pass.raw.data(), slice.raw.data() + first * row_bytes);
            EXPECT_EQ(pass.raw.size(), count * row_bytes);
            first += count;
        }
    }
    EXPECT_EQ(at, batch.passes.size());
}

BatchCopy copy(const Batch& batch) {
    BatchCopy made{batch.epoch, batch.first_sample, batch.samples, {}};
    for (const Slice& slice : batch.slices) {
        made.slices[slice.virtual_rank] = {{slice.raw.begin(), slice.raw.end()},
                                           {slice.rows.begin(), slice.rows.end()}};
    }
    return made;
}

std::vector<BatchCopy> take(BatchLoader& loader, std::int64_t batches) {
    std::vector<BatchCopy> taken;
    for (std::int64_t i = 0; i < batches; ++i)
        taken.push_back(copy(loader.next()));
    return taken;
}

std::vector<std::int64_t> all_rows(const std::vector<BatchCopy>& batches) {
    std::vector<std::int64_t> rows;
    for (const BatchCopy& batch : batches) {
        for (const auto& [v, slice] : batch.slices)
            rows.insert(rows.end(), slice.rows.begin(), slice.rows.end());
    }
    return rows;
}

class Loaders : public testing::TestWithParam<CacheMode> {};
INSTANTIATE_TEST_SUITE_P(CacheModes, Loaders, testing::Values(CacheMode::memory, CacheMode::stream),
                         [](const auto& test) {
                             return test.param == CacheMode::memory ? "Memory" : "Stream";
                         });

TEST_P(Loaders, VisitEveryRowOnceAnEpochInTheOrderOfThePlan) {
    const auto source = synthetic(1000);
    const EpochPlan plan = plan_for(*source, 3, 600);
    BatchLoader loader(synthetic(1000), plan, options_for({0, 3}, 64, GetParam()), 0, 0);
    for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
        const auto batches = take(loader, steps_per_epoch(1000, 64));
        auto rows = all_rows(batches);
        std::sort(rows.begin(), rows.end());
        std::vector<std::int64_t> expected(1000);
        std::iota(expected.begin(), expected.end(), 0);
        EXPECT_EQ(rows, expected);
        EXPECT_EQ(batches.front().epoch, epoch);
        EXPECT_EQ(batches.back().first_sample, 960);
        EXPECT_EQ(batches.back().samples, 40);

        std::vector<std::int64_t> of_rank_1;
        for (const BatchCopy& batch : batches) {
            const auto& rows_of_slice = batch.slices.at(1).rows;
            of_rank_1.insert(of_rank_1.end(), rows_of_slice.begin(), rows_of_slice.end());
        }
        const auto windows = plan.windows(1, epoch);
        std::vector<std::int64_t> planned;
        for (std::size_t w = 0; w < windows.size(); ++w) {
            const auto order = plan.window_order(1, epoch, static_cast<std::int64_t>(w), windows[w]);
            planned.insert(planned.end(), order.begin(), order.end());
        }
        EXPECT_GT(windows.size(), 1U);
        EXPECT_EQ(of_rank_1, planned);
    }
}

TEST_P(Loaders, HandOverTheBytesOfTheRowsThatTheyName) {
    const auto source = synthetic(700);
    const EpochPlan plan = plan_for(*source, 2, 300);
    BatchLoader loader(synthetic(700), plan, options_for({0, 2}, 100, GetParam()), 0, 0);
    std::vector<std::byte> expected(source->row_bytes());
    for (int batch = 0; batch < 14; ++batch) {
        for (const Slice& slice : loader.next().slices) {
            ASSERT_EQ(slice.raw.size(), slice.rows.size() * expected.size());
            for (std::size_t i = 0; i < slice.rows.size(); ++i) {
                source->read(slice.rows[i], 1, expected.data());
                const auto raw = slice.raw.subspan(i * expected.size(), expected.size());
                ASSERT_TRUE(std::ranges::equal(raw, expected)) << "row " << slice.rows[i];
            }
        }
    }
}

TEST_P(Loaders, GiveTheSameSlicesHoweverVirtualRanksAreSpreadOverRanks) {
    const auto source = synthetic(1003);
    const EpochPlan plan = plan_for(*source, 5, 700);
    BatchLoader whole(synthetic(1003), plan, options_for({0, 5}, 90, GetParam()), 0, 0);
    const auto expected = take(whole, 25);
    for (const int ranks : {2, 3, 5}) {
        std::vector<BatchCopy> joined(25);
        for (int rank = 0; rank < ranks; ++rank) {
            const auto mine = virtual_ranks_of(rank, ranks, 5);
            BatchLoader loader(synthetic(1003), plan, options_for(mine, 90, GetParam()), 0, 0);
            auto batches = take(loader, 25);
            for (std::size_t i = 0; i < batches.size(); ++i) {
                batches[i].slices.merge(joined[i].slices);
                joined[i] = batches[i];
            }
        }
        EXPECT_EQ(joined, expected) << ranks << " ranks";
    }
}

TEST_P(Loaders, StartAtAnyBatchAsIfTheyHadComeThere) {
    const auto source = synthetic(1000);
    const EpochPlan plan = plan_for(*source, 3, 500);
    BatchLoader whole(synthetic(1000), plan, options_for({0, 3}, 70, GetParam()), 0, 0);
    const std::int64_t steps = steps_per_epoch(1000, 70);
    const auto expected = take(whole, 3 * steps);
    for (std::int64_t start = 0; start < 2 * steps; ++start) {
        BatchLoader loader(synthetic(1000), plan, options_for({0, 3}, 70, GetParam()), start / steps,
                           start % steps * 70);
        const auto tail = take(loader, steps);
        EXPECT_TRUE(std::equal(tail.begin(), tail.end(), expected.begin() + start)) << "from batch " << start;
    }
    BatchLoader at_the_end(synthetic(1000), plan, options_for({0, 3}, 70, GetParam()), 0, 1000);
    EXPECT_EQ(copy(at_the_end.next()), expected[static_cast<std::size_t>(steps)]);
}

TEST_P(Loaders, GiveEmptySlicesWhereABatchIsSmallerThanTheVirtualRanks) {
    const auto source = synthetic(10);
    const EpochPlan plan = plan_for(*source, 4, 10);
    BatchLoader loader(synthetic(10), plan, options_for({0, 4}, 8, GetParam()), 0, 0);
    loader.next();
    const auto last = copy(loader.next());
    EXPECT_EQ(last.samples, 2);
    EXPECT_EQ(last.slices.at(0).rows.size(), 1U);
    EXPECT_EQ(last.slices.at(1).rows.size(), 1U);
    EXPECT_TRUE(last.slices.at(2).rows.empty());
    EXPECT_TRUE(last.slices.at(3).raw.empty());
}

TEST_P(Loaders, CutEverySliceIntoPassesOfSoManyRowsAtTheMost) {
    const auto source = synthetic(100);
    const EpochPlan plan = plan_for(*source, 3, 50);
    BatchLoader whole(synthetic(100), plan, options_for({0, 3}, 22, GetParam()), 0, 0);
    BatchLoaderOptions options = options_for({0, 3}, 22, GetParam());
    options.rows_a_pass = 3;
    BatchLoader cut(synthetic(100), plan, options, 0, 0);
    for (int batch = 0; batch < 12; ++batch) {  // the fifth one has an epoch's last 12 samples
        expect_passes_of_slices(whole.next(), 22);
        expect_passes_of_slices(cut.next(), 3);
    }
}

TEST_P(Loaders, MakeNoPassOfAnEmptySlice) {
    const auto source = synthetic(10);
    const EpochPlan plan = plan_for(*source, 4, 10);
    BatchLoader loader(synthetic(10), plan, options_for({0, 4}, 8, GetParam()), 0, 0);
    loader.next();
    const Batch& last = loader.next();
    EXPECT_EQ(last.slices.size(), 4U);
    EXPECT_EQ(last.passes.size(), 2U);
    expect_passes_of_slices(last, 8);
}

TEST_P(Loaders, ServeAWholeEpochInOneBatch) {
    const auto source = synthetic(300);
    const EpochPlan plan = plan_for(*source, 2, 100);
    BatchLoader loader(synthetic(300), plan, options_for({0, 2}, 5000, GetParam()), 0, 0);
    EXPECT_EQ(all_rows(take(loader, 1)).size(), 300U);
    EXPECT_EQ(loader.next().epoch, 1);
}

TEST_P(Loaders, GiveARankWithoutVirtualRanksBatchesWithoutSlices) {
    const auto source = synthetic(100);
    const EpochPlan plan = plan_for(*source, 2, 100);
    BatchLoader loader(synthetic(100), plan, options_for({2, 0}, 60, GetParam()), 0, 0);
    loader.next();
    const Batch& batch = loader.next();
    EXPECT_TRUE(batch.slices.empty());
    EXPECT_EQ(batch.samples, 40);
}

TEST_P(Loaders, KeepABatchValidUntilTheNextCall) {
    const auto source = synthetic(2000);
    const EpochPlan plan = plan_for(*source, 1, 500);
    BatchLoader loader(synthetic(2000), plan, options_for({0, 1}, 10, GetParam()), 0, 0);
    BatchLoader twin(synthetic(2000), plan, options_for({0, 1}, 10, GetParam()), 0, 0);
    const Batch& held = loader.next();
    const BatchCopy before = copy(held);
    take(twin, 50);  // time for the first loader's thread to run as far ahead as it may
    EXPECT_EQ(copy(held), before);
}

TEST_P(Loaders, CanBeDestroyedAtAnyMoment) {
    const auto source = synthetic(5000);
    const EpochPlan plan = plan_for(*source, 2, 5000);
    for (int taken = 0; taken < 6; ++taken) {
        BatchLoader loader(synthetic(5000), plan, options_for({0, 2}, 50, GetParam()), 0, 0);
        take(loader, taken);
    }
}

TEST(BatchLoader, IsDestroyedWithoutFinishingTheWindowThatItReads) {
    std::atomic<int> reads = 0;
    auto source = std::make_unique<CountedRows>(reads, std::chrono::milliseconds(1));
    const EpochPlan plan = plan_for(*source, 1, CountedRows::kRows);  // one window, 10 s
    {
        const BatchLoader loader(std::move(source), plan, options_for({0, 1}, 10, CacheMode::stream), 0, 0);
        while (reads == 0)
            std::this_thread::yield();
    }
    EXPECT_LT(reads, CountedRows::kRows);
}

TEST(BatchLoader, PreparesSomeBatchesUnaskedAndNoMore) {
    std::atomic<int> reads = 0;
    auto source = std::make_unique<CountedRows>(reads, std::chrono::milliseconds(0));
    const EpochPlan plan = plan_for(*source, 1, 1);  // windows of one row
    {
        BatchLoader loader(std::move(source), plan, options_for({0, 1}, 10, CacheMode::stream), 0, 0);
        loader.next();
        while (reads < 30)  // that batch and two more; the test's time limit ends it otherwise
            std::this_thread::yield();
    }
    EXPECT_LE(reads, 31);  // and the window that comes after them
}

TEST(BatchLoader, GivesTheSameBatchesFromMemoryAndFromTheFile) {
    const TemporaryFolder folder;
    std::vector<float> values(kFeatures * 1500);
    std::iota(values.begin(), values.end(), 0.0F);
    write_float_rows(folder.file("a.h5"), "x", kFeatures, values, 40);
    write_float_rows(folder.file("b.h5"), "x", kFeatures, {values.begin(), values.begin() + kFeatures * 70},
                     7);
    const DatasetConfig files{{folder.file("a.h5"), folder.file("b.h5")}, "x"};
    for (const bool shuffle : {true, false}) {
        const auto source = open_hdf5_rows(files);
        const EpochPlan plan = plan_for(*source, 4, 800, shuffle);
        BatchLoader memory(open_hdf5_rows(files), plan, options_for({1, 3}, 128, CacheMode::memory), 0, 0);
        BatchLoader stream(open_hdf5_rows(files), plan, options_for({1, 3}, 128, CacheMode::stream), 0, 0);
        EXPECT_EQ(take(memory, 30), take(stream, 30));
    }
}

/// Two blocks of 128 rows, a bad value in row 200.
std::string file_with_nan(const TemporaryFolder& folder) {
    std::vector<float> values(kFeatures * 256);
    values[kFeatures * 200 + 17] = std::numeric_limits<float>::quiet_NaN();
    write_float_rows(folder.file("bad.h5"), "train/x", kFeatures, values, 128);
    return folder.file("bad.h5");
}

TEST(BatchLoader, NamesTheBadRowWhenItLoadsTheDataIntoMemory) {
    const TemporaryFolder folder;
    const DatasetConfig files{{file_with_nan(folder)}, "train/x"};
    const auto source = open_hdf5_rows(files);
    const EpochPlan plan = plan_for(*source, 1, 128);
    expect_error(ErrorKind::input, {"bad.h5:train/x row 200: not a number (NaN)"}, [&] {
        BatchLoader(open_hdf5_rows(files), plan, options_for({0, 1}, 32, CacheMode::memory), 0, 0);
    });
}

TEST(BatchLoader, NamesTheBadRowAtTheFirstBatchOfItsWindow) {
    const TemporaryFolder folder;
    const DatasetConfig files{{file_with_nan(folder)}, "train/x"};
    const auto source = open_hdf5_rows(files);
    const EpochPlan plan = plan_for(*source, 1, 128, false);
    BatchLoader loader(open_hdf5_rows(files), plan, options_for({0, 1}, 32, CacheMode::stream), 0, 0);
    take(loader, 4);
    for (int again = 0; again < 2; ++again) {
        expect_error(ErrorKind::input, {"bad.h5:train/x row 200: not a number (NaN)"},
                     [&] { loader.next(); });
    }
}

TEST(BatchLoader, DoesNotCheckRowsOfOtherRanks) {
    const TemporaryFolder folder;
    const DatasetConfig files{{file_with_nan(folder)}, "train/x"};
    const auto source = open_hdf5_rows(files);
    const EpochPlan plan = plan_for(*source, 2, 256, false);
    BatchLoader loader(open_hdf5_rows(files), plan, options_for({0, 1}, 32, CacheMode::memory), 0, 0);
    EXPECT_NO_THROW(take(loader, 20));
}

TEST(BatchLoader, ReportsAFileThatVanishedAtTheBatchThatNeedsIt) {
    const TemporaryFolder folder;
    for (int i = 10; i < 30; ++i) {  // more than stay open
        write_float_rows(folder.file("part" + std::to_string(i) + ".h5"), "x", kFeatures,
                         std::vector<float>(kFeatures * 128), 128);
    }
    auto source = open_hdf5_rows({{folder.file("part*.h5")}, "x"});
    std::filesystem::remove(folder.file("part11.h5"));
    const EpochPlan plan = plan_for(*source, 1, 128, false);
    BatchLoader loader(std::move(source), plan, options_for({0, 1}, 64, CacheMode::stream), 0, 0);
    take(loader, 2);
    expect_error(ErrorKind::input, {"part11.h5"}, [&] { loader.next(); });
}

TEST(LoaderBytes, CountShardsInMemoryAndWindowsInAStream) {
    const auto source = synthetic(10000);
    const EpochPlan plan = plan_for(*source, 4, 1024);
    const auto row_bytes = static_cast<std::int64_t>(source->row_bytes());
    const std::int64_t batches = 3 * 2 * 25 * row_bytes;
    EXPECT_EQ(loader_bytes(plan, *source, options_for({0, 2}, 100, CacheMode::memory)),
              5000 * row_bytes + batches);
    const std::int64_t more_batches = 2 * (128 / 25) * 25 * row_bytes;  // while a block of 128 rows is read
    const std::int64_t stream =
        loader_bytes(plan, *source, options_for({0, 2}, 100, CacheMode::stream)) - batches - more_batches;
    EXPECT_GE(stream, 2 * 2 * 256 * row_bytes);
    EXPECT_LE(stream, (2 * 2 * 256 + 128) * row_bytes);  // and the block that the two share
}

TEST(ChooseCache, KeepsWhatWasAskedForAndPicksMemoryForSmallData) {
    const auto source = synthetic(1000);
    const EpochPlan plan = plan_for(*source, 1, 100);
    const auto options = options_for({0, 1}, 10, CacheMode::memory);
    EXPECT_EQ(choose_cache(CacheMode::stream, plan, *source, options, 1), CacheMode::stream);
    EXPECT_EQ(choose_cache(CacheMode::memory, plan, *source, options, 1), CacheMode::memory);
    EXPECT_EQ(choose_cache(CacheMode::automatic, plan, *source, options, 1), CacheMode::memory);
    const HugeRows huge;
    const EpochPlan huge_plan = plan_for(huge, 1, 100);
    EXPECT_EQ(choose_cache(CacheMode::automatic, huge_plan, huge, options, 1), CacheMode::stream);
}

TEST(BatchLoader, RefusesToKeepInMemoryWhatNoMachineHolds) {
    const HugeRows huge;
    const EpochPlan plan = plan_for(huge, 1, 100);
    expect_error(ErrorKind::failure, {"out of memory", "huge data", "3.6 PiB", "data.cache: stream"}, [&] {
        BatchLoader(std::make_unique<HugeRows>(), plan, options_for({0, 1}, 10, CacheMode::memory), 0, 0);
    });
}

}  // namespace
}  // namespace vae_dist
