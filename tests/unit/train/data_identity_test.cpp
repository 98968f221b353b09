#include "vae_dist/train/record/data_identity.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>

#include "support/temporary_folder.hpp"
#include "unit/data/data_files.hpp"

namespace vae_dist {
namespace {

class DataIdentityTest : public testing::Test {
 protected:
    // A file of rows of 2 floats that count from 0, with `change` added to one row.
    std::string write(const std::string& name, std::int64_t rows = 9, std::int64_t changed_row = 0,
                      float change = 0) const {
        std::filesystem::create_directories(std::filesystem::path(folder_.file(name)).parent_path());
        std::vector<float> values(static_cast<std::size_t>(2 * rows));
        std::iota(values.begin(), values.end(), 0.0F);
        values.at(static_cast<std::size_t>(2 * changed_row)) += change;
        write_float_rows(folder_.file(name), "x", 2, values);
        return folder_.file(name);
    }
    static DatasetIdentity identity(const std::vector<std::string>& files) {
        return identity_of(*open_hdf5_rows({files, "x"}));
    }

    TemporaryFolder folder_;
};

TEST_F(DataIdentityTest, IsTheSameInWhateverFolder) {
    const DatasetIdentity here = identity({write("a/d.h5")});
    EXPECT_EQ(here, identity({write("b/c/d.h5")}));
    EXPECT_EQ(here.files, "d.h5");
    EXPECT_EQ(here.form, "9 samples of 2 float32");
    EXPECT_EQ(here.sample.substr(0, 18), "9 samples, CRC-32 ");
}

TEST_F(DataIdentityTest, TellsNamesShapesAndNumbers) {
    const DatasetIdentity one = identity({write("a/d.h5")});
    EXPECT_NE(identity({write("a/e.h5")}).files, one.files);
    EXPECT_NE(identity({write("b/d.h5", 10)}).form, one.form);
    for (std::int64_t row = 0; row < 9; ++row) {
        const DatasetIdentity other = identity({write("b/d.h5", 9, row, 1)});
        EXPECT_EQ(other.files, one.files);
        EXPECT_EQ(other.form, one.form);
        EXPECT_NE(other.sample, one.sample) << row;
    }
    write_rows<std::int32_t>(folder_.file("b/d.h5"), "x", ElementType::int32, 2,
                             std::vector<std::int32_t>(18));
    EXPECT_EQ(identity({folder_.file("b/d.h5")}).form, "9 samples of 2 int32");
}

TEST_F(DataIdentityTest, TheOrderOfFilesCounts) {
    const std::string a = write("a.h5"), b = write("b.h5");
    EXPECT_EQ(identity({a, b}).files, "a.h5 and b.h5");
    EXPECT_NE(identity({a, b}).files, identity({b, a}).files);
}

TEST_F(DataIdentityTest, OfManyFilesAllNamesCountInAShortText) {
    std::vector<std::string> files;
    for (int i = 0; i < 40; ++i)
        files.push_back(write("part" + std::to_string(i) + ".h5", 1));
    const DatasetIdentity all = identity(files);
    EXPECT_LT(all.files.size(), 200U);
    EXPECT_NE(all.files.find("part0.h5, part1.h5"), std::string::npos) << all.files;
    std::swap(files[30], files[31]);
    EXPECT_NE(identity(files).files, all.files);
}

TEST_F(DataIdentityTest, RowsAreSampledFromTheFirstToTheLast) {
    const auto of_rows = [&](std::int64_t rows) {
        return sampled_rows(*open_hdf5_rows({{write("d.h5", rows)}, "x"}));
    };
    EXPECT_EQ(of_rows(1), std::vector<std::int64_t>{0});
    EXPECT_EQ(of_rows(3), (std::vector<std::int64_t>{0, 1, 2}));
    const std::vector<std::int64_t> many = of_rows(6301);
    ASSERT_EQ(many.size(), 64U);
    for (std::size_t i = 0; i < many.size(); ++i)
        EXPECT_EQ(many[i], static_cast<std::int64_t>(100 * i));
}

/// Rows of 1 MiB in blocks of 8; nothing is read.
class LongRows final : public RowSource {
 public:
    std::int64_t rows() const override { return 1000; }
    const std::vector<std::int64_t>& row_shape() const override { return shape_; }
    ElementType element_type() const override { return ElementType::uint8; }
    const std::vector<RowRange>& blocks() const override { return blocks_; }
    void read(std::int64_t, std::int64_t, std::byte*) override {}
    std::string locate(std::int64_t) const override { return ""; }
    std::string description() const override { return ""; }

 private:
    std::vector<std::int64_t> shape_ = {1 << 20};
    std::vector<RowRange> blocks_ = std::vector<RowRange>(125, RowRange{0, 8});
};

TEST_F(DataIdentityTest, OfLongRowsFewAreSampled) {
    const std::vector<std::int64_t> rows = sampled_rows(LongRows());
    EXPECT_EQ(rows.size(), 8U);
    EXPECT_EQ(rows.front(), 0);
    EXPECT_EQ(rows.back(), 999);
}

}  // namespace
}  // namespace vae_dist
