#include "vae_dist/data/rows/row_source.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "unit/data/data_files.hpp"
#include "vae_dist/core/random.hpp"

namespace vae_dist {
namespace {

std::vector<float> counting(std::size_t size, float from = 0) {
    std::vector<float> values(size);
    std::iota(values.begin(), values.end(), from);
    return values;
}

std::vector<float> read_floats(RowSource& source, std::int64_t first, std::int64_t count) {
    std::vector<float> values(static_cast<std::size_t>(count * source.features()));
    source.read(first, count, reinterpret_cast<std::byte*>(values.data()));
    return values;
}

void expect_blocks_cover(const RowSource& source) {
    std::int64_t end = 0;
    for (const RowRange& block : source.blocks()) {
        EXPECT_EQ(block.first, end);
        EXPECT_GT(block.rows, 0);
        end = block.end();
    }
    EXPECT_EQ(end, source.rows());
}

void write_plain(const std::string& path, hid_t type, hid_t memory, std::vector<hsize_t> shape,
                 const void* values) {
    const hdf5::File file = hdf5::File::create(path);
    const hdf5::Handle space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr),
                             H5Sclose);
    const hdf5::Handle dataset(
        H5Dcreate2(file.id(), "x", type, space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Dclose);
    ASSERT_TRUE(dataset);
    ASSERT_GE(H5Dwrite(dataset.get(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
}

TEST(Hdf5Rows, TakesFilesInTheGivenOrderAndAGlobInTheOrderOfNames) {
    const TemporaryFolder folder;
    write_float_rows(folder.file("part_b.h5"), "x", 2, counting(6, 100));
    write_float_rows(folder.file("part_a.h5"), "x", 2, counting(10, 200));
    write_float_rows(folder.file("zero.h5"), "x", 2, counting(2, 300));
    const auto source = open_hdf5_rows({{folder.file("zero.h5"), folder.file("part_*.h5")}, "x"});
    ASSERT_EQ(source->rows(), 9);
    EXPECT_EQ(source->row_shape(), std::vector<std::int64_t>{2});
    EXPECT_EQ(source->row_bytes(), 8U);
    const auto all = read_floats(*source, 0, 9);
    EXPECT_EQ(std::vector<float>(all.begin(), all.begin() + 4), (std::vector<float>{300, 301, 200, 201}));
    EXPECT_EQ(all[12], 100);
    EXPECT_EQ(read_floats(*source, 5, 2), (std::vector<float>{208, 209, 100, 101}));
    EXPECT_EQ(source->locate(7), folder.file("part_b.h5") + ":x row 1");
    EXPECT_NE(source->description().find("3 files"), std::string::npos) << source->description();
}

TEST(Hdf5Rows, TellsItsFilesWithoutTheirFolderAndTheirSizes) {
    const TemporaryFolder folder;
    write_float_rows(folder.file("b.h5"), "x", 2, counting(6));
    write_float_rows(folder.file("a.h5"), "x", 2, counting(1000));
    const auto files = open_hdf5_rows({{folder.file("b.h5"), folder.file("a.h5")}, "x"})->files();
    ASSERT_EQ(files.size(), 2U);
    EXPECT_EQ(files[0].name, "b.h5");
    EXPECT_EQ(files[1].name, "a.h5");
    EXPECT_EQ(files[1].bytes, std::filesystem::file_size(folder.file("a.h5")));
    EXPECT_TRUE(make_synthetic_rows({})->files().empty());
}

TEST(Hdf5Rows, TakesAFileThatMatchesTwiceTwice) {
    const TemporaryFolder folder;
    write_float_rows(folder.file("a.h5"), "x", 1, counting(3));
    const auto source = open_hdf5_rows({{folder.file("a.h5"), folder.file("*.h5")}, "x"});
    EXPECT_EQ(read_floats(*source, 0, 6), (std::vector<float>{0, 1, 2, 0, 1, 2}));
}

TEST(Hdf5Rows, TakesAFileWhoseNameLooksLikeAGlob) {
    const TemporaryFolder folder;
    write_float_rows(folder.file("a[1].h5"), "x", 1, counting(3));
    write_float_rows(folder.file("a1.h5"), "x", 1, counting(5));
    EXPECT_EQ(open_hdf5_rows({{folder.file("a[1].h5")}, "x"})->rows(), 3);
}

TEST(Hdf5Rows, ReadsMoreFilesThanItKeepsOpen) {
    const TemporaryFolder folder;
    for (int i = 0; i < 40; ++i) {
        write_float_rows(folder.file("part" + std::to_string(10 + i) + ".h5"), "x", 1,
                         counting(2, static_cast<float>(2 * i)));
    }
    const auto source = open_hdf5_rows({{folder.file("part*.h5")}, "x"});
    EXPECT_EQ(read_floats(*source, 0, 80), counting(80));
    for (std::int64_t row = 79; row >= 0; row -= 7) {
        EXPECT_EQ(read_floats(*source, row, 1)[0], static_cast<float>(row));
    }
    EXPECT_LE(H5Fget_obj_count(static_cast<hid_t>(H5F_OBJ_ALL), H5F_OBJ_FILE), 16);
    expect_blocks_cover(*source);
}

TEST(Hdf5Rows, MakesBlocksOfWholeChunksOf128KiBThatDoNotCrossFiles) {
    const TemporaryFolder folder;
    write_float_rows(folder.file("a.h5"), "x", 64, std::vector<float>(64 * 2000), 200);  // chunks of 50 KiB
    write_float_rows(folder.file("b.h5"), "x", 64, std::vector<float>(64 * 700), 700);   // one of 175 KiB
    const auto source = open_hdf5_rows({{folder.file("a.h5"), folder.file("b.h5")}, "x"});
    EXPECT_EQ(source->blocks(),
              (std::vector<RowRange>{{0, 600}, {600, 600}, {1200, 600}, {1800, 200}, {2000, 700}}));
}

TEST(Hdf5Rows, ReadsContiguousBigEndianIntegersOfSeveralDimensions) {
    const TemporaryFolder folder;
    std::vector<std::int16_t> values(3000 * 4 * 10);
    std::iota(values.begin(), values.end(), std::int16_t{-7});
    write_plain(folder.file("a.h5"), H5T_STD_I16BE, H5T_NATIVE_INT16, {3000, 4, 10}, values.data());
    const auto source = open_hdf5_rows({{folder.file("a.h5")}, "x"});
    EXPECT_EQ(source->element_type(), ElementType::int16);
    EXPECT_EQ(source->row_shape(), (std::vector<std::int64_t>{4, 10}));
    EXPECT_EQ(source->blocks()[0].rows, 1639);  // 128 KiB of 80 bytes each, rounded up
    std::vector<std::int16_t> read(80);
    source->read(2, 2, reinterpret_cast<std::byte*>(read.data()));
    EXPECT_TRUE(std::equal(read.begin(), read.end(), values.begin() + 80));
}

TEST(Hdf5Rows, TakesAOneDimensionalDatasetAsSamplesOfOneNumber) {
    const TemporaryFolder folder;
    const std::vector<double> values = {1, 2, 3};
    write_plain(folder.file("a.h5"), H5T_NATIVE_DOUBLE, H5T_NATIVE_DOUBLE, {3}, values.data());
    const auto source = open_hdf5_rows({{folder.file("a.h5")}, "x"});
    EXPECT_EQ(source->features(), 1);
    EXPECT_TRUE(source->row_shape().empty());
    EXPECT_EQ(source->row_bytes(), 8U);
}

TEST(Hdf5Rows, NamesTheFileAndTheReasonThatItCannotBeRead) {
    const TemporaryFolder folder;
    const auto open = [&](const std::string& file, const std::string& dataset = "x") {
        return [path = folder.file(file), dataset] { open_hdf5_rows({{path}, dataset}); };
    };
    expect_error(ErrorKind::input, {"missing.h5"}, open("missing.h5"));
    expect_error(ErrorKind::input, {"no file matches", "part*.h5"}, open("part*.h5"));

    write_float_rows(folder.file("a.h5"), "train/x", 2, counting(4));
    expect_error(ErrorKind::input, {"a.h5", "train/y", "train/x"}, open("a.h5", "train/y"));
    expect_error(ErrorKind::input, {"a.h5", "train", "group"}, open("a.h5", "train"));

    write_float_rows(folder.file("empty.h5"), "x", 2, {});
    expect_error(ErrorKind::input, {"empty.h5:x", "empty"}, open("empty.h5"));

    const std::string text = "some text";
    const hdf5::Handle string_type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(string_type.get(), 9);
    write_plain(folder.file("text.h5"), string_type.get(), string_type.get(), {1}, text.data());
    expect_error(ErrorKind::input, {"text.h5:x", "string"}, open("text.h5"));

    const float number = 1;
    write_plain(folder.file("scalar.h5"), H5T_NATIVE_FLOAT, H5T_NATIVE_FLOAT, {}, &number);
    expect_error(ErrorKind::input, {"scalar.h5:x", "single number"}, open("scalar.h5"));
}

TEST(Hdf5Rows, RefusesFilesThatDisagreeInShapeOrType) {
    const TemporaryFolder folder;
    write_float_rows(folder.file("a.h5"), "x", 2, counting(4));
    write_float_rows(folder.file("b.h5"), "x", 4, counting(4));
    write_rows<double>(folder.file("c.h5"), "x", ElementType::float64, 2, {1, 2, 3, 4});
    expect_error(ErrorKind::input, {"b.h5:x", "4 float32", "a.h5", "2 float32"}, [&] {
        open_hdf5_rows({{folder.file("a.h5"), folder.file("b.h5")}, "x"});
    });
    expect_error(ErrorKind::input, {"c.h5:x", "float64", "a.h5"}, [&] {
        open_hdf5_rows({{folder.file("a.h5"), folder.file("c.h5")}, "x"});
    });
}

TEST(SyntheticRows, AreTheNumbersThatSeedRowAndFeatureName) {
    const auto source = make_synthetic_rows({.samples = 1000, .shape = {2, 3}, .seed = 9});
    std::vector<float> expected(6);
    CounterRandom(9, Purpose::synthetic).normals(0, 123, expected);
    EXPECT_EQ(read_floats(*source, 123, 1), expected);
    const auto several = read_floats(*source, 120, 5);
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(), several.begin() + 3 * 6));
    EXPECT_EQ(source->element_type(), ElementType::float32);
    expect_blocks_cover(*source);
}

TEST(SyntheticRows, FollowTheirDistribution) {
    const auto mean_of = [](SyntheticDistribution distribution, auto&& allowed) {
        const auto source =
            make_synthetic_rows({.distribution = distribution, .samples = 10000, .shape = {5}});
        const auto values = read_floats(*source, 0, 10000);
        EXPECT_TRUE(std::all_of(values.begin(), values.end(), allowed));
        EXPECT_NE(values[0], values[5]);
        return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
    };
    EXPECT_NEAR(mean_of(SyntheticDistribution::normal, [](float) { return true; }), 0, 0.03);
    EXPECT_NEAR(mean_of(SyntheticDistribution::uniform, [](float x) { return x > 0 && x < 1; }), 0.5, 0.01);
    const auto coin = make_synthetic_rows(
        {.distribution = SyntheticDistribution::bernoulli, .samples = 10000, .shape = {5}});
    const auto flips = read_floats(*coin, 0, 10000);
    const auto ones = std::count(flips.begin(), flips.end(), 1.0F);
    EXPECT_EQ(ones + std::count(flips.begin(), flips.end(), 0.0F), 50000);
    EXPECT_NEAR(static_cast<double>(ones), 25000, 600);
}

TEST(TrainingRows, ComeFromTheFileOrTheGenerator) {
    const TemporaryFolder folder;
    write_float_rows(folder.file("a.h5"), "x", 2, counting(4));
    Config config;
    config.data.synthetic = SyntheticConfig{.samples = 17, .shape = {3}};
    EXPECT_EQ(open_training_rows(config)->rows(), 17);
    config.data.synthetic.reset();
    config.data.train = DatasetConfig{{folder.file("a.h5")}, "x"};
    EXPECT_EQ(open_training_rows(config)->rows(), 2);
}

}  // namespace
}  // namespace vae_dist
