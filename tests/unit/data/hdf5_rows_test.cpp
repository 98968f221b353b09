// Types of numbers, and reading and writing by rows.

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <numeric>
#include <thread>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "unit/data/hdf5_fixture.hpp"
#include "vae_dist/data/hdf5/hdf5.hpp"

namespace vae_dist::hdf5 {
namespace {

// A dataset of any type, written from `values` of the memory type `memory`.
void write_raw(const File& file, const std::string& name, hid_t type, hid_t memory,
               std::vector<hsize_t> shape, const void* values) {
    const Handle space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), H5Sclose);
    const Handle dataset(
        H5Dcreate2(file.id(), name.c_str(), type, space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
        H5Dclose);
    ASSERT_TRUE(dataset) << last_error();
    ASSERT_GE(H5Dwrite(dataset.get(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0) << last_error();
}

TEST(Hdf5Types, NumbersOfEveryTypeAndByteOrderAreReadAsTheyAre) {
    const TemporaryFolder folder;
    struct Case {
        hid_t type;
        ElementType element;
        const char* name;
    };
    File file = File::create(folder.file("types.h5"));
    const std::vector<Case> cases = {
        {H5T_STD_U8BE, ElementType::uint8, "uint8"},       {H5T_STD_I8LE, ElementType::int8, "int8"},
        {H5T_STD_U16BE, ElementType::uint16, "uint16"},    {H5T_STD_I16BE, ElementType::int16, "int16"},
        {H5T_STD_U32LE, ElementType::uint32, "uint32"},    {H5T_STD_I32BE, ElementType::int32, "int32"},
        {H5T_STD_U64BE, ElementType::uint64, "uint64"},    {H5T_STD_I64LE, ElementType::int64, "int64"},
        {H5T_IEEE_F32BE, ElementType::float32, "float32"}, {H5T_IEEE_F64BE, ElementType::float64, "float64"}};
    const double values[] = {1, 2, 100};
    for (const Case& c : cases)
        write_raw(file, c.name, c.type, H5T_NATIVE_DOUBLE, {3}, values);
    file.close();
    for (const Case& c : cases) {
        const RowReader reader(folder.file("types.h5"), c.name);
        ASSERT_TRUE(reader.info().type.has_value()) << c.name;
        EXPECT_EQ(*reader.info().type, c.element);
        EXPECT_EQ(reader.info().type_name, c.name);
        std::vector<std::byte> raw(3 * element_bytes(c.element));
        reader.read(0, 3, raw.data());
        double back[3] = {};
        std::memcpy(back, raw.data(), std::min(raw.size(), sizeof back));
        std::vector<std::byte> room(sizeof back);
        std::copy(raw.begin(), raw.end(), room.begin());
        ASSERT_GE(H5Tconvert(memory_type(c.element), H5T_NATIVE_DOUBLE, 3, room.data(), nullptr, H5P_DEFAULT),
                  0);
        std::memcpy(back, room.data(), sizeof back);
        EXPECT_EQ(back[0], 1) << c.name;
        EXPECT_EQ(back[2], 100) << c.name;
    }
}

TEST(Hdf5Types, HalfFloatsAreReadAsFloatsAndBooleansAsSignedBytes) {
    const TemporaryFolder folder;
    File file = File::create(folder.file("types.h5"));
    const Handle half(H5Tcopy(H5T_IEEE_F32LE), H5Tclose);
    H5Tset_fields(half.get(), 15, 10, 5, 0, 10);
    H5Tset_size(half.get(), 2);
    H5Tset_ebias(half.get(), 15);
    const float halves[] = {1.5F, -0.25F};
    write_raw(file, "half", half.get(), H5T_NATIVE_FLOAT, {2}, halves);
    const Handle boolean(H5Tenum_create(H5T_STD_I8LE), H5Tclose);
    std::int8_t member = 0;
    H5Tenum_insert(boolean.get(), "FALSE", &member);
    member = 1;
    H5Tenum_insert(boolean.get(), "TRUE", &member);
    const std::int8_t flags[] = {1, 0, 1};
    write_raw(file, "bool", boolean.get(), boolean.get(), {3}, flags);
    file.close();

    const RowReader half_reader(folder.file("types.h5"), "half");
    EXPECT_EQ(half_reader.info().type_name, "float16");
    ASSERT_EQ(half_reader.info().type, ElementType::float32);
    float back[2] = {};
    half_reader.read(0, 2, reinterpret_cast<std::byte*>(back));
    EXPECT_EQ(back[0], 1.5F);
    EXPECT_EQ(back[1], -0.25F);

    const RowReader bool_reader(folder.file("types.h5"), "bool");
    EXPECT_EQ(bool_reader.info().type_name, "bool");
    ASSERT_EQ(bool_reader.info().type, ElementType::int8);
    std::int8_t bits[3] = {};
    bool_reader.read(0, 3, reinterpret_cast<std::byte*>(bits));
    EXPECT_EQ(bits[0], 1);
    EXPECT_EQ(bits[1], 0);
    EXPECT_EQ(File::open(folder.file("types.h5")).read_floats("bool"), (std::vector<float>{1, 0, 1}));
}

TEST(Hdf5Types, WhatIsNoNumberHasNoTypeButAName) {
    const TemporaryFolder folder;
    File file = File::create(folder.file("types.h5"));
    const Handle text(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(text.get(), 4);
    write_raw(file, "text", text.get(), text.get(), {2}, "abcdefg");
    const Handle compound(H5Tcreate(H5T_COMPOUND, 8), H5Tclose);
    H5Tinsert(compound.get(), "a", 0, H5T_NATIVE_FLOAT);
    H5Tinsert(compound.get(), "b", 4, H5T_NATIVE_FLOAT);
    const float pair[2] = {};
    write_raw(file, "compound", compound.get(), compound.get(), {1}, pair);
    {
        const Handle space(H5Screate(H5S_NULL), H5Sclose);
        const Handle nothing(
            H5Dcreate2(file.id(), "null", H5T_IEEE_F32LE, space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
            H5Dclose);
    }
    EXPECT_FALSE(file.info("text").type.has_value());
    EXPECT_EQ(file.info("text").type_name, "string");
    EXPECT_FALSE(file.info("compound").type.has_value());
    EXPECT_EQ(file.info("compound").type_name, "compound");
    EXPECT_TRUE(file.info("null").shape.empty());
    EXPECT_TRUE(file.read_floats("null").empty());
    expect_error(ErrorKind::input, {"text", "string"}, [&] { file.read_floats("text"); });
    file.close();
    const RowReader reader(folder.file("types.h5"), "text");
    std::byte to[8];
    expect_error(ErrorKind::input, {"text", "string"}, [&] { reader.read(0, 1, to); });
}

class RowWriterBySize : public testing::TestWithParam<int> {};

TEST_P(RowWriterBySize, RowsOfAnyAppendSizeComeBackFromAnyRange) {
    const TemporaryFolder folder;
    constexpr std::int64_t kRows = 101;
    std::vector<std::int32_t> values(kRows * 6);
    std::iota(values.begin(), values.end(), -5);
    File file = File::create(folder.file("rows.h5"));
    RowWriter writer(file, "train/x",
                     {.row_shape = {2, 3}, .type = ElementType::int32, .chunk_rows = 8, .deflate = 4});
    for (std::int64_t first = 0; first < kRows; first += GetParam()) {
        const std::int64_t count = std::min<std::int64_t>(GetParam(), kRows - first);
        writer.append(count, reinterpret_cast<const std::byte*>(values.data() + first * 6));
        EXPECT_EQ(writer.rows(), first + count);
    }
    writer.close();
    file.close();

    const RowReader reader(folder.file("rows.h5"), "train/x");
    EXPECT_EQ(reader.info().shape, (std::vector<std::int64_t>{kRows, 2, 3}));
    EXPECT_EQ(reader.info().chunk, (std::vector<std::int64_t>{8, 2, 3}));
    EXPECT_EQ(reader.info().filters, (std::vector<std::string>{"shuffle", "deflate", "fletcher32"}));
    for (const auto& [first, count] : {std::pair{0, 101}, {0, 1}, {100, 1}, {7, 2}, {50, 0}, {30, 71}}) {
        std::vector<std::int32_t> back(static_cast<std::size_t>(count) * 6);
        reader.read(first, count, reinterpret_cast<std::byte*>(back.data()));
        EXPECT_TRUE(std::equal(back.begin(), back.end(), values.begin() + first * 6))
            << first << " " << count;
    }
}

INSTANTIATE_TEST_SUITE_P(Sizes, RowWriterBySize, testing::Values(1, 7, 8, 9, 16, 33, 101));

TEST(RowReader, ChunksThatCutRowsAreReadWhole) {
    const TemporaryFolder folder;
    File file = File::create(folder.file("cut.h5"));
    const std::vector<float> values = counting(50 * 30);
    {
        const Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
        const hsize_t chunk[] = {4, 7};
        H5Pset_chunk(properties.get(), 2, chunk);
        H5Pset_deflate(properties.get(), 1);
        const hsize_t shape[] = {50, 30};
        const Handle space(H5Screate_simple(2, shape, nullptr), H5Sclose);
        const Handle dataset(H5Dcreate2(file.id(), "x", H5T_IEEE_F32BE, space.get(), H5P_DEFAULT,
                                        properties.get(), H5P_DEFAULT),
                             H5Dclose);
        H5Dwrite(dataset.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    }
    file.close();
    const RowReader reader(folder.file("cut.h5"), "x");
    for (std::int64_t row = 0; row < 50; ++row) {
        std::vector<float> back(30);
        reader.read(row, 1, reinterpret_cast<std::byte*>(back.data()));
        EXPECT_TRUE(std::equal(back.begin(), back.end(), values.begin() + row * 30)) << row;
    }
}

TEST(RowReader, ADamagedChunkIsNamedByItsRows) {
    const TemporaryFolder folder;
    const std::string path = folder.file("damaged.h5");
    File file = File::create(path);
    RowWriter writer(file, "x",
                     {.row_shape = {16}, .type = ElementType::uint8, .chunk_rows = 16, .deflate = 0});
    const std::vector<std::uint8_t> values(64 * 16, 0xA7);
    writer.append(64, reinterpret_cast<const std::byte*>(values.data()));
    writer.close();
    file.close();
    std::string bytes = read_bytes(path);
    bytes[bytes.rfind(std::string(256, '\xA7')) + 5] = 0;  // in one of the four chunks
    write_bytes(path, std::as_bytes(std::span(bytes)));
    const RowReader reader(path, "x");
    std::vector<std::byte> to(64 * 16);
    expect_error(ErrorKind::input, {"damaged.h5:x", "rows 0 to 63", "checksum"},
                 [&] { reader.read(0, 64, to.data()); });
}

TEST(RowReader, TwoOfOneFileAreIndependent) {
    const TemporaryFolder folder;
    File file = File::create(folder.file("both.h5"));
    for (const char* name : {"train", "test"}) {
        RowWriter writer(file, name, {.row_shape = {}, .chunk_rows = 2});
        writer.append(5, reinterpret_cast<const std::byte*>(counting(5).data()));
        writer.close();
    }
    file.close();
    const RowReader train(folder.file("both.h5"), "train");
    { const RowReader test(folder.file("both.h5"), "test"); }
    float value = 0;
    train.read(4, 1, reinterpret_cast<std::byte*>(&value));
    EXPECT_EQ(value, 4.5F);
}

TEST(RowReader, AThreadOfItsOwnReadsWhileAnotherWritesAndNeitherPrints) {
    const TemporaryFolder folder;
    File file = File::create(folder.file("rows.h5"));
    RowWriter writer(file, "x", {.row_shape = {100}, .chunk_rows = 16, .deflate = 1});
    const std::vector<float> values = counting(200 * 100);
    writer.append(200, reinterpret_cast<const std::byte*>(values.data()));
    writer.close();
    file.close();
    const std::vector<std::byte> no_file(1000);
    testing::internal::CaptureStderr();
    std::thread reading([&] {
        const RowReader reader(folder.file("rows.h5"), "x");
        std::vector<float> row(100);
        for (int i = 0; i < 200; ++i) {
            reader.read(i, 1, reinterpret_cast<std::byte*>(row.data()));
            EXPECT_EQ(row[99], values[static_cast<std::size_t>(i) * 100 + 99]);
            EXPECT_THROW(File::open_bytes(no_file, "noise"), Error);
        }
    });
    for (int i = 0; i < 50; ++i) {
        File other = File::create_in_memory();
        other.write_floats("y", std::vector<std::int64_t>{50}, counting(50), true);
        EXPECT_EQ(other.read_floats("y"), counting(50));
        EXPECT_THROW(File::open_bytes(no_file, "noise"), Error);
    }
    reading.join();
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace vae_dist::hdf5
