#include "vae_dist/data/hdf5.hpp"

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

namespace vae_dist::hdf5 {
namespace {

std::vector<float> counting(std::size_t size) {
    std::vector<float> values(size);
    std::iota(values.begin(), values.end(), 0.5F);
    return values;
}

void write_bytes(const std::string& path, std::span<const std::byte> bytes) {
    std::ofstream stream(path, std::ios::binary);
    stream.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

std::string read_bytes(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

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

TEST(Hdf5File, FloatsOfAnyShapeComeBackToTheBit) {
    const TemporaryFolder folder;
    const std::vector<std::vector<std::int64_t>> shapes = {{},     {1},         {7},          {0},
                                                           {3, 0}, {300, 5000}, {2, 3, 4, 5}, {1, 3000000}};
    for (const bool checksum : {false, true}) {
        File file = File::create(folder.file("floats.h5"));
        for (const auto& shape : shapes) {
            std::int64_t size = 1;
            for (const std::int64_t n : shape)
                size *= n;
            const std::string name = "group/of/" + std::to_string(&shape - shapes.data());
            std::vector<float> values = counting(static_cast<std::size_t>(size));
            if (size > 6) values[3] = std::numeric_limits<float>::quiet_NaN();
            file.write_floats(name, shape, values, checksum);
            EXPECT_EQ(file.info(name).shape, shape);
            EXPECT_EQ(file.info(name).filters.size(), checksum && size > 0 && !shape.empty() ? 1U : 0U);
            const std::vector<float> back = file.read_floats(name);
            ASSERT_EQ(back.size(), values.size());
            EXPECT_EQ(std::memcmp(back.data(), values.data(), values.size() * sizeof(float)), 0);
        }
        file.close();
    }
}

TEST(Hdf5File, ChecksummedDatasetsHaveChunksOfAtMostOneMebiElementsCutEvenly) {
    File file = File::create_in_memory();
    file.write_floats("x", std::vector<std::int64_t>{2000, 784}, std::vector<float>(2000 * 784), true);
    EXPECT_EQ(file.info("x").chunk, (std::vector<std::int64_t>{1000, 784}));
    EXPECT_EQ(file.info("x").filters, std::vector<std::string>{"fletcher32"});
    EXPECT_EQ(file.info("x").type_name, "float32");
}

TEST(Hdf5File, EqualContentsAreEqualFiles) {
    const TemporaryFolder folder;
    const auto write = [&](const std::string& path) {
        File file = File::create(path);
        file.write_floats("a/b/c", std::vector<std::int64_t>{10, 3}, counting(30), true);
        file.write_attribute("/", "text", "words");
        file.write_attribute("a/b", "number", std::int64_t{7});
        RowWriter rows(file, "d/x",
                       {.row_shape = {5}, .type = ElementType::int16, .chunk_rows = 4, .deflate = 1});
        const std::vector<std::int16_t> values(50, 3);
        rows.append(10, reinterpret_cast<const std::byte*>(values.data()));
        rows.close();
        file.close();
    };
    write(folder.file("first.h5"));
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // times in a file count seconds
    write(folder.file("second.h5"));
    EXPECT_EQ(read_bytes(folder.file("first.h5")), read_bytes(folder.file("second.h5")));
}

TEST(Hdf5File, AnImageInMemoryIsAFileOnceWritten) {
    const TemporaryFolder folder;
    File file = File::create_in_memory();
    File other = File::create_in_memory();
    file.write_floats("model/weight", std::vector<std::int64_t>{4, 5}, counting(20), true);
    file.write_attribute("/", "step", std::int64_t{12});
    other.write_attribute("/", "step", std::int64_t{13});
    const std::vector<std::byte> image = file.image();
    write_bytes(folder.file("image.h5"), image);
    for (const File& back : {File::open(folder.file("image.h5")), File::open_bytes(image, "image.h5")}) {
        EXPECT_EQ(back.read_floats("model/weight"), counting(20));
        EXPECT_EQ(back.read_int_attribute("/", "step"), 12);
    }
    EXPECT_EQ(other.read_int_attribute("/", "step"), 13);
    // What is opened for writing later shows whether the image was marked as still open.
    File again = File::open_for_writing(folder.file("image.h5"));
    again.write_attribute("/", "step", std::int64_t{14});
    again.close();
    EXPECT_EQ(File::open(folder.file("image.h5")).read_int_attribute("/", "step"), 14);
}

TEST(Hdf5File, ImagesOfOneNameAreDifferentFilesAndErrorsNameThem) {
    const auto image_of = [](std::int64_t step) {
        File file = File::create_in_memory();
        file.write_attribute("/", "step", step);
        return file.image();
    };
    const File first = File::open_bytes(image_of(1), "checkpoint.h5");
    const File second = File::open_bytes(image_of(2), "checkpoint.h5");
    EXPECT_EQ(first.read_int_attribute("/", "step"), 1);
    EXPECT_EQ(second.read_int_attribute("/", "step"), 2);
    expect_error(ErrorKind::input, {"checkpoint.h5", "epoch"},
                 [&] { first.read_int_attribute("/", "epoch"); });
    const std::string text = "not an HDF5 file at all";
    expect_error(ErrorKind::input, {"text.h5"},
                 [&] { File::open_bytes(std::as_bytes(std::span(text)), "text.h5"); });
    expect_error(ErrorKind::input, {"none.h5"}, [&] { File::open_bytes({}, "none.h5"); });
}

TEST(Hdf5File, WhatCannotBeOpenedIsCalledByItsReason) {
    const TemporaryFolder folder;
    using Opener = File (*)(const std::string&);
    std::ofstream(folder.file("text.h5")) << "pixel1,pixel2\n0,0\n";
    std::ofstream(folder.file("empty.h5")).flush();
    File file = File::create(folder.file("cut.h5"));
    file.write_floats("x", std::vector<std::int64_t>{1000}, counting(1000), false);
    file.close();
    std::filesystem::resize_file(folder.file("cut.h5"),
                                 std::filesystem::file_size(folder.file("cut.h5")) - 100);
    for (const Opener opener : {&File::open, &File::open_for_writing}) {
        const auto open = [&](const std::string& name) { return [&, name] { opener(folder.file(name)); }; };
        expect_error(ErrorKind::input, {"missing.h5", "No such file"}, open("missing.h5"));
        expect_error(ErrorKind::input, {"text.h5", "not an HDF5 file"}, open("text.h5"));
        expect_error(ErrorKind::input, {"empty.h5", "is empty"}, open("empty.h5"));
        expect_error(ErrorKind::input, {"cut.h5", "truncated"}, open("cut.h5"));
        expect_error(ErrorKind::input, {"is a folder"}, open("."));
    }
    expect_error(ErrorKind::failure, {"absent/new.h5", "No such file"},
                 [&] { File::create(folder.file("absent/new.h5")); });
}

TEST(Hdf5File, AMissingDatasetIsAnsweredWithThoseThereAre) {
    File file = File::create_in_memory();
    expect_error(ErrorKind::input, {"train/x", "no dataset at all"}, [&] { file.info("train/x"); });
    file.write_floats("train/x", std::vector<std::int64_t>{2}, counting(2), false);
    file.write_floats("test/x", std::vector<std::int64_t>{2}, counting(2), false);
    const auto asking = [&](const std::string& name) { return [&, name] { file.info(name); }; };
    expect_error(ErrorKind::input,
                 {"train/X", "does not exist", "test/x and train/x", "did you mean 'train/x'"},
                 asking("train/X"));
    expect_error(ErrorKind::input, {"is a group", "test/x and train/x"}, asking("train"));
    expect_error(ErrorKind::input, {"is a group"}, asking("/"));
    expect_error(ErrorKind::input, {"does not exist", "test/x and train/x"}, asking("train/x/deeper"));
    expect_error(ErrorKind::input, {"does not exist"}, asking("no/such/path"));
}

TEST(Hdf5File, DatasetsAreListedByNameThroughGroupsAndLinksEvenInCircles) {
    File file = File::create_in_memory();
    for (const char* name : {"b/x", "a/2", "a/10", "c"})
        file.write_floats(name, {}, counting(1), false);
    H5Lcreate_soft("/a/2", file.id(), "soft", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/nowhere", file.id(), "dangling", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external("missing.h5", "/x", file.id(), "external", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_hard(file.id(), "/", file.id(), "b/up", H5P_DEFAULT, H5P_DEFAULT);
    EXPECT_EQ(file.datasets(), (std::vector<std::string>{"/a/10", "/a/2", "/b/x", "/c", "/soft"}));
    EXPECT_EQ(file.datasets("a"), (std::vector<std::string>{"/a/10", "/a/2"}));
    EXPECT_EQ(file.kind("soft"), NodeKind::dataset);
    EXPECT_EQ(file.kind("dangling"), NodeKind::missing);
    EXPECT_EQ(file.kind("external"), NodeKind::missing);
    EXPECT_EQ(file.kind("a"), NodeKind::group);
    EXPECT_EQ(file.kind("/"), NodeKind::group);
    EXPECT_EQ(file.kind("c/x"), NodeKind::missing);
}

TEST(Hdf5File, AnExternalLinkLeadsToItsFile) {
    const TemporaryFolder folder;
    File target = File::create(folder.file("target.h5"));
    target.write_floats("x", std::vector<std::int64_t>{3}, counting(3), false);
    target.close();
    File file = File::create(folder.file("link.h5"));
    H5Lcreate_external("target.h5", "/x", file.id(), "y", H5P_DEFAULT, H5P_DEFAULT);
    file.close();
    EXPECT_EQ(File::open(folder.file("link.h5")).read_floats("y"), counting(3));
}

TEST(Hdf5File, ADatasetUnderADatasetCannotBeWritten) {
    File file = File::create_in_memory();
    file.write_floats("x", {}, counting(1), false);
    expect_error(ErrorKind::input, {"'x' is not a group"},
                 [&] { file.write_floats("x/y", {}, counting(1), false); });
    expect_error(ErrorKind::failure, {"x"}, [&] { file.write_floats("x", {}, counting(1), false); });
    file.remove("x");
    EXPECT_EQ(file.kind("x"), NodeKind::missing);
}

TEST(Hdf5File, ItIsClosedOnlyWhenNothingOfItIsOpen) {
    const TemporaryFolder folder;
    File file = File::create(folder.file("a.h5"));
    RowWriter rows(file, "x", {});
    expect_error(ErrorKind::bug, {"no object of a file is open"}, [&] { file.close(); });
    rows.close();
    file.close();
    file.close();
}

TEST(Hdf5Attributes, NumbersAndTextsComeBackExactly) {
    const TemporaryFolder folder;
    const double odd_nan = std::bit_cast<double>(0x7ff8dead00beef01ULL);
    const std::string long_text(200'000, 'y');
    const std::string lines = "model:\n  latent_dim: 32  # \xc3\xa4\n \n";
    File file = File::create(folder.file("a.h5"));
    file.write_floats("x", {}, counting(1), false);
    file.write_attribute("/", "elbo", odd_nan);
    file.write_attribute("/", "step", std::numeric_limits<std::int64_t>::min());
    file.write_attribute("/", "config", lines);
    file.write_attribute("/", "long", long_text);
    file.write_attribute("/", "none", "");
    file.write_attribute("x", "source", "replaced");
    file.write_attribute("x", "source", "images.gz");
    file.close();
    const File back = File::open(folder.file("a.h5"));
    EXPECT_EQ(std::bit_cast<std::uint64_t>(back.read_double_attribute("/", "elbo")), 0x7ff8dead00beef01ULL);
    EXPECT_EQ(back.read_int_attribute("/", "step"), std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(back.read_text_attribute("/", "config"), lines);
    EXPECT_EQ(back.read_text_attribute("/", "long"), long_text);
    EXPECT_EQ(back.read_text_attribute("/", "none"), "");
    EXPECT_EQ(back.read_text_attribute("x", "source"), "images.gz");
    EXPECT_EQ(back.attributes("/"), (std::vector<std::string>{"config", "elbo", "long", "none", "step"}));
    EXPECT_TRUE(back.has_attribute("/", "step"));
    EXPECT_FALSE(back.has_attribute("/", "steps"));
}

TEST(Hdf5Attributes, TextsOfVariableLengthAreReadToo) {
    File file = File::create_in_memory();
    const Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(type.get(), H5T_VARIABLE);
    const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
    const char* text = "by h5py";
    {
        const Handle attribute(H5Acreate2(file.id(), "a", type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT),
                               H5Aclose);
        H5Awrite(attribute.get(), type.get(), static_cast<const void*>(&text));
    }
    EXPECT_EQ(file.read_text_attribute("/", "a"), "by h5py");
}

TEST(Hdf5Attributes, AnAttributeThatIsMissingOrOfAnotherKindIsNamed) {
    File file = File::create_in_memory();
    file.write_attribute("/", "text", "12");
    file.write_attribute("/", "number", 1.5);
    expect_error(ErrorKind::input, {"step"}, [&] { file.read_int_attribute("/", "step"); });
    expect_error(ErrorKind::input, {"text", "not an integer"}, [&] { file.read_int_attribute("/", "text"); });
    expect_error(ErrorKind::input, {"number", "not an integer"},
                 [&] { file.read_int_attribute("/", "number"); });
    expect_error(ErrorKind::input, {"text", "not a number"},
                 [&] { file.read_double_attribute("/", "text"); });
    expect_error(ErrorKind::input, {"number", "not a text"},
                 [&] { file.read_text_attribute("/", "number"); });
    expect_error(ErrorKind::input, {"x"}, [&] { file.has_attribute("x", "a"); });
}

TEST(Hdf5Attributes, AnyOfThemCanBeShown) {
    File file = File::create_in_memory();
    file.write_attribute("/", "text", "words");
    file.write_attribute("/", "int", std::int64_t{-3});
    file.write_attribute("/", "double", 0.25);
    file.write_attribute("/", "names", std::vector<std::string>{"age", "height", ""});
    EXPECT_EQ(file.attribute_as_text("/", "text"), "words");
    EXPECT_EQ(file.attribute_as_text("/", "int"), "-3");
    EXPECT_EQ(file.attribute_as_text("/", "double"), "0.25");
    EXPECT_EQ(file.attribute_as_text("/", "names"), "<array of 3 strings>");
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
    EXPECT_TRUE(file.info("null").scalar);
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
    testing::internal::CaptureStderr();
    std::thread reading([&] {
        const RowReader reader(folder.file("rows.h5"), "x");
        std::vector<float> row(100);
        for (int i = 0; i < 200; ++i) {
            reader.read(i, 1, reinterpret_cast<std::byte*>(row.data()));
            EXPECT_EQ(row[99], values[static_cast<std::size_t>(i) * 100 + 99]);
            EXPECT_THROW(File::open(folder.file("missing.h5")), Error);
            EXPECT_THROW(
                reader.info().type ? File::open(folder.file("rows.h5")).info("missing") : DatasetInfo{},
                Error);
        }
    });
    for (int i = 0; i < 50; ++i) {
        File other = File::create_in_memory();
        other.write_floats("y", std::vector<std::int64_t>{50}, counting(50), true);
        EXPECT_EQ(other.read_floats("y"), counting(50));
        EXPECT_THROW(other.read_floats("z"), Error);
    }
    reading.join();
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace vae_dist::hdf5
