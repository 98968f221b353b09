#include "vae_dist/data/rows/row_sample.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "unit/data/data_files.hpp"
#include "unit/data/memory_rows.hpp"

namespace vae_dist {
namespace {

constexpr ValueRange kFinite = {-1e30F, 1e30F, "finite"};

class LookAtRows : public testing::Test {
 protected:
    // Rows of 4096 numbers, 16 KiB: 8 of them are a block.
    void write(const std::string& name, std::int64_t rows, std::int64_t bad_row = -1) const {
        std::vector<float> values(static_cast<std::size_t>(rows) * 4096, 1);
        if (bad_row >= 0) values[static_cast<std::size_t>(bad_row) * 4096] = std::nanf("");
        write_float_rows(folder_.file(name), "x", 4096, values, 8);
    }

    std::unique_ptr<RowSource> open() const { return open_hdf5_rows({{folder_.file("*.h5")}, "x"}); }

    TemporaryFolder folder_;
};

TEST_F(LookAtRows, LooksAtAllOfSmallData) {
    write("a.h5", 20);
    write("b.h5", 5);
    const RowSample sample = look_at_rows(*open(), 1, kFinite);
    EXPECT_EQ(sample.text(), "25 of 25 rows, in 4 of 4 blocks and in 2 of 2 files");
    write("b.h5", 5, 4);
    expect_error(ErrorKind::input, {"b.h5:x row 4", "NaN"}, [&] { look_at_rows(*open(), 1, kFinite); });
}

TEST_F(LookAtRows, LooksAtEachFileAndAtBlocksSpreadOverLargeData) {
    for (const char* name : {"a.h5", "b.h5", "c.h5"})
        write(name, 80);
    const RowSampleLimits limits = {.bytes = 10 * 128 * 1024};
    const RowSample sample = look_at_rows(*open(), 1, kFinite, limits);
    EXPECT_EQ(sample.of_rows, 240);
    EXPECT_EQ(sample.files, 3);
    EXPECT_GE(sample.blocks, 10);
    EXPECT_LT(sample.blocks, 14);
    const RowSample least = look_at_rows(*open(), 1, kFinite, {.bytes = 0});
    EXPECT_EQ(least.text(), "24 of 240 rows, in 3 of 30 blocks and in 3 of 3 files");
    write("c.h5", 80, 7);
    expect_error(ErrorKind::input, {"c.h5:x row 7"},
                 [&] { look_at_rows(*open(), 1, kFinite, {.bytes = 0}); });
}

TEST_F(LookAtRows, EndsWhereItsTimeIsOver) {
    write("a.h5", 80);
    const RowSample sample = look_at_rows(*open(), 1, kFinite, {.time = std::chrono::seconds(-1)});
    EXPECT_EQ(sample.blocks, 0);
}

TEST_F(LookAtRows, ChecksScaledValuesAgainstWhatIsAllowed) {
    write("a.h5", 8);
    expect_error(ErrorKind::input, {"a.h5:x row 0", "in [0, 1]"}, [&] {
        look_at_rows(*open(), 2, ValueRange{0, 1, "values in [0, 1]"});
    });
}

TEST(LargeValues, AreThoseOfTheFirstRowThatHasThem) {
    const std::vector<float> values = {1, -2, 3, -9, 9, 0, std::nanf(""), 4};
    const std::vector<std::int64_t> rows = {7, 5, 6, 8};
    const MemoryRows source("made up", ElementType::float32, {2}, values);
    LargeValues large;
    large.look_at({.raw = std::as_bytes(std::span(values)), .rows = rows}, source, 0.5);
    EXPECT_EQ(large.largest, 4.5);
    EXPECT_EQ(large.row, 5);
    EXPECT_EQ(large.values, 8);
    EXPECT_FALSE(large.has_marks());
}

TEST(LargeValues, AreMarksOfMissingOnesWhereFewAreSoLarge) {
    const std::vector<double> values = {1, 9.97e36, 3, -1e20};
    const std::vector<std::int64_t> rows = {0, 1};
    const Slice slice = {.raw = std::as_bytes(std::span(values)), .rows = rows};
    const MemoryRows source("made up", ElementType::float64, {2}, values);
    LargeValues large;
    large.look_at(slice.part(0, 1), source, 1);
    EXPECT_FALSE(large.has_marks());  // half of them: in some small unit
    large = {};
    large.look_at(slice, source, 1);
    EXPECT_FALSE(large.has_marks());
    large.look_at(slice, source, 1e-10);
    EXPECT_EQ(large.above_likely, 3);
    EXPECT_TRUE(large.has_marks());
}

}  // namespace
}  // namespace vae_dist
