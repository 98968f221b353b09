#include "vae_dist/data/inspect.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <limits>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "vae_dist/data/hdf5.hpp"

namespace vae_dist {
namespace {

void expect_parts(const std::string& text, std::initializer_list<std::string> parts) {
    for (const std::string& part : parts)
        EXPECT_NE(text.find(part), std::string::npos) << part << " is not in\n" << text;
}

TEST(DescribeDataFile, ShowsWhatEachDatasetHoldsAndHowToTrainOnTheLargest) {
    const TemporaryFolder folder;
    const std::string path = folder.file("data.h5");
    hdf5::File file = hdf5::File::create(path);
    hdf5::RowWriter rows(file, "train/x",
                         {.row_shape = {28, 28}, .type = ElementType::uint8, .chunk_rows = 10, .deflate = 1});
    std::vector<std::uint8_t> pixels(30 * 784, 0);
    pixels[5] = 255;
    rows.append(30, reinterpret_cast<const std::byte*>(pixels.data()));
    rows.close();
    const float nan = std::numeric_limits<float>::quiet_NaN();
    file.write_floats("other", std::vector<std::int64_t>{4}, std::vector<float>{1, -2, nan, 4}, false);
    file.write_floats("scalar", {}, std::vector<float>{3}, false);
    file.write_floats("none", std::vector<std::int64_t>{0, 3}, {}, false);
    file.write_attribute("train/x", "source", "images.gz");
    file.write_attribute("/", "config", "a: 1\nb: 2\n" + std::string(500, 'c'));
    file.close();
    const std::string text = describe_data_file(path);
    expect_parts(text, {"data.h5: HDF5, ", "4 datasets", "config: a: 1\\nb: 2\\nccc", "(510 characters)",
                        "train/x  30 x 28 x 28  uint8, chunks 10 x 28 x 28, deflate + fletcher32",
                        "% of 23.0 KiB)", "values 0 to 255, mean 0.0108", "source: images.gz",
                        "other  4  float32", "values -2 to 4, mean 1; 1 NaN or infinite",
                        "scalar  scalar  float32", "empty", "dataset: train/x}"});
}

TEST(DescribeDataFile, CutsLongListsAndSaysSo) {
    const TemporaryFolder folder;
    hdf5::File file = hdf5::File::create(folder.file("many.h5"));
    for (int i = 0; i < 100; ++i) {
        file.write_floats(fmt::format("x{}", i), std::vector<std::int64_t>{1}, std::vector<float>{1}, false);
        file.write_attribute("/", fmt::format("a{}", i), std::int64_t{i});
    }
    file.close();
    const std::string text = describe_data_file(folder.file("many.h5"));
    expect_parts(text, {"100 datasets", "... and 88 more datasets", "... and 88 more attributes"});
    EXPECT_LT(std::ranges::count(text, '\n'), 45);
}

TEST(DescribeDataFile, OnlyTheFirstRowsOfALongDatasetAreSampled) {
    const TemporaryFolder folder;
    hdf5::File file = hdf5::File::create(folder.file("long.h5"));
    std::vector<float> values(3 << 20, 1);
    values.back() = 7;
    file.write_floats("x", std::vector<std::int64_t>{3, 1 << 20}, values, true);
    file.close();
    expect_parts(describe_data_file(folder.file("long.h5")), {"values 1 to 1, mean 1 in the first 1 rows"});
}

TEST(DescribeDataFile, LetsNoControlCharacterThrough) {
    const TemporaryFolder folder;
    hdf5::File file = hdf5::File::create(folder.file("d.h5"));
    const std::string name = "x\x1b[2J\ny";
    file.write_floats(name, std::vector<std::int64_t>{1}, std::vector<float>{1}, false);
    file.write_attribute("/", "a\rb",
                         "caf\xc3\xa9\t\x7f \xc2\x9b"
                         "31m");
    file.close();
    const std::string text = describe_data_file(folder.file("d.h5"));
    expect_parts(text, {"x\\x1b[2J\\ny  1  float32", "a\\x0db: caf\xc3\xa9\\t\\x7f \\x9b31m",
                        "dataset: x\\x1b[2J\\ny}"});
    for (const char c : text)
        EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << text;
    EXPECT_EQ(text.find("\xc2\x9b"), std::string::npos);
    EXPECT_EQ(std::ranges::count(text, '\n'), 5) << text;
}

TEST(DescribeDataFile, ADamagedDatasetIsToldInItsLine) {
    const TemporaryFolder folder;
    const std::string path = folder.file("damaged.h5");
    hdf5::File file = hdf5::File::create(path);
    file.write_floats("good", std::vector<std::int64_t>{64}, std::vector<float>(64, 2), true);
    file.write_floats("torn", std::vector<std::int64_t>{64}, std::vector<float>(64, 0.7F), true);
    file.close();
    std::string bytes;
    {
        std::ifstream stream(path, std::ios::binary);
        bytes.assign(std::istreambuf_iterator<char>(stream), {});
    }
    const float value = 0.7F;
    bytes[bytes.rfind(std::string(reinterpret_cast<const char*>(&value), 4))] ^= 1;
    std::ofstream(path, std::ios::binary) << bytes;
    expect_parts(describe_data_file(path), {"values 2 to 2", "cannot read", "torn", "checksum"});
}

TEST(DescribeDataFile, AFileWithoutNumbersSaysThatThereIsNothingToTrainOn) {
    const TemporaryFolder folder;
    hdf5::File file = hdf5::File::create(folder.file("none.h5"));
    file.close();
    expect_parts(describe_data_file(folder.file("none.h5")), {"0 datasets", "nothing to train on"});
    expect_error(ErrorKind::input, {"missing.h5"}, [&] { describe_data_file(folder.file("missing.h5")); });
}

}  // namespace
}  // namespace vae_dist
