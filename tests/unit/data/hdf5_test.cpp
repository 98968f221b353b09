#include "vae_dist/data/hdf5/hdf5.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
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

namespace vae_dist::hdf5 {
namespace {

TEST(Hdf5File, FloatsOfAnyShapeComeBackToTheBit) {
    const TemporaryFolder folder;
    const std::vector<std::vector<std::int64_t>> shapes = {{},     {1},         {7},          {0},
                                                           {3, 0}, {300, 5000}, {2, 3, 4, 5}, {1, 3000000}};
    const auto bits = [](float value) { return std::bit_cast<std::uint32_t>(value); };  // NaN is not NaN
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
            EXPECT_TRUE(std::ranges::equal(back, values, {}, bits, bits));
        }
        file.close();
    }
}

TEST(Hdf5File, DoublesComeBackToTheBit) {
    File file = File::create_in_memory();
    const std::vector<double> values = {1.7e9 + 0.1, -1e-300, 0, 1.0 / 3};
    file.write_doubles("group/x", std::vector<std::int64_t>{2, 2}, values, true);
    EXPECT_EQ(file.read_doubles("group/x"), values);
    EXPECT_EQ(file.info("group/x").shape, (std::vector<std::int64_t>{2, 2}));
    EXPECT_EQ(file.info("group/x").type, ElementType::float64);
    EXPECT_EQ(file.info("group/x").filters, std::vector<std::string>{"fletcher32"});
    file.write_floats("floats", std::vector<std::int64_t>{1}, std::vector<float>{0.5F}, true);
    EXPECT_EQ(file.read_doubles("floats"), std::vector<double>{0.5});
}

TEST(Hdf5File, ChecksummedDatasetsHaveChunksOfAtMost256KibiElementsCutEvenly) {
    File file = File::create_in_memory();
    file.write_floats("x", std::vector<std::int64_t>{2000, 784}, std::vector<float>(2000 * 784), true);
    EXPECT_EQ(file.info("x").chunk, (std::vector<std::int64_t>{334, 784}));
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
    const std::vector<std::byte> image = file.take_image();
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
        return file.take_image();
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
    ASSERT_EQ(::mkfifo(folder.file("pipe").c_str(), 0600),
              0);  // nobody writes to it: to wait would be to hang
    for (const Opener opener : {&File::open, &File::open_for_writing}) {
        const auto open = [&](const std::string& name) { return [&, name] { opener(folder.file(name)); }; };
        expect_error(ErrorKind::input, {"missing.h5", "No such file"}, open("missing.h5"));
        expect_error(ErrorKind::input, {"text.h5", "not an HDF5 file"}, open("text.h5"));
        expect_error(ErrorKind::input, {"empty.h5", "is empty"}, open("empty.h5"));
        expect_error(ErrorKind::input, {"cut.h5", "truncated"}, open("cut.h5"));
        expect_error(ErrorKind::input, {"is a folder"}, open("."));
        expect_error(ErrorKind::input, {"pipe", "not a regular file"}, open("pipe"));
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

}  // namespace
}  // namespace vae_dist::hdf5
