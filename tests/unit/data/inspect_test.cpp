#include "vae_dist/data/inspect/inspect.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "vae_dist/data/hdf5/hdf5.hpp"

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
    expect_parts(describe_data_file(folder.file("long.h5")), {"values 1 to 1, mean 1 in the first 1 row"});
}

TEST(DescribeDataFile, LetsNoControlCharacterThrough) {
    const TemporaryFolder folder;
    hdf5::File file = hdf5::File::create(folder.file("d.h5"));
    const std::string name = "x\x1b[2J\ny";
    file.write_floats(name, std::vector<std::int64_t>{1}, std::vector<float>{1.5}, false);
    file.write_attribute("/", "a\rb",
                         "caf\xc3\xa9\t\x7f \xc2\x9b"
                         "31m");
    file.close();
    const std::string text = describe_data_file(folder.file("d.h5"));
    expect_parts(text, {"x\\x1b[2J\\ny  1  float32", "a\\x0db: caf\xc3\xa9\\t\\x7f \\x9b31m",
                        "dataset: \"x\\x1b[2J\\ny\"}"});
    for (const char c : text)
        EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << text;
    EXPECT_EQ(text.find("\xc2\x9b"), std::string::npos);
    EXPECT_EQ(std::ranges::count(text, '\n'), 6) << text;
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

// --- What is recognised, and what is recommended

class Recognise : public testing::Test {
 protected:
    template <class T>
    void write(const std::string& dataset, ElementType type, std::vector<std::int64_t> row_shape,
               const std::vector<T>& values) {
        std::int64_t features = 1;
        for (const std::int64_t size : row_shape)
            features *= size;
        hdf5::RowWriter writer(file_, dataset, {.row_shape = row_shape, .type = type});
        writer.append(std::ssize(values) / features, std::as_bytes(std::span(values)).data());
        writer.close();
    }
    // 40 rows, each number by its place.
    template <class T, class Number>
    void write_made(const std::string& dataset, ElementType type, std::vector<std::int64_t> row_shape,
                    const Number& number) {
        std::size_t count = 40;
        for (const std::int64_t size : row_shape)
            count *= static_cast<std::size_t>(size);
        std::vector<T> values;
        for (std::size_t i = 0; i < count; ++i)
            values.push_back(static_cast<T>(number(i)));
        write(dataset, type, std::move(row_shape), values);
    }
    void write_sparse(const std::string& group) {
        write<float>(group + "/data", ElementType::float32, {}, std::vector<float>(500, 1));
        write_made<std::int32_t>(group + "/indices", ElementType::int32, {},
                                 [](std::size_t i) { return i % 7; });
        write_made<std::int32_t>(group + "/indptr", ElementType::int32, {}, [](std::size_t i) { return i; });
    }
    void expect(std::initializer_list<std::string> parts) {
        file_.close();
        text_ = describe_data_file(path_);
        expect_parts(text_, parts);
    }
    void expect_nothing_recommended() const {
        EXPECT_NE(text_.find("nothing to train on: "), std::string::npos) << text_;
        EXPECT_EQ(text_.find("to train on it"), std::string::npos) << text_;
    }

    TemporaryFolder folder_;
    std::string path_ = folder_.file("d.h5");
    hdf5::File file_ = hdf5::File::create(path_);
    std::string text_;
};

TEST_F(Recognise, ASparseMatrixIsNotTrainedOnInParts) {
    write_sparse("matrix");
    expect({"the sparse matrix matrix (compressed) cannot be trained on", "toarray()",
            "the values that are not zero of the sparse matrix", "where rows or columns begin"});
    expect_nothing_recommended();
}

TEST_F(Recognise, AnnDataIsKnownByItsGroupsAndATableOfCellsIsNotSamples) {
    write_sparse("X");
    file_.write_attribute("/X", "encoding-type", "csr_matrix");
    write<float>("obs/score", ElementType::float32, {}, std::vector<float>(70, 0.5));
    write<float>("var/mean", ElementType::float32, {}, std::vector<float>(70, 0.5));
    expect({"AnnData", "sparse", "toarray()", "sparse matrix X (CSR)", "a column of the table of cells"});
    expect_nothing_recommended();
}

TEST_F(Recognise, DenseCountsOfAnnDataAreRecommendedAsCounts) {
    write_made<float>("X", ElementType::float32, {30}, [](std::size_t i) { return i % 5 == 0 ? i % 40 : 0; });
    write<float>("obs/score", ElementType::float32, {}, std::vector<float>(4000, 0.5));
    write<float>("var/mean", ElementType::float32, {}, std::vector<float>(70, 0.5));
    expect({"AnnData", ": counts, it seems", "dataset: X}, transform: log1p}", "likelihood: gaussian"});
}

TEST_F(Recognise, TenxIsKnownByItsBarcodes) {
    write_sparse("matrix");
    write<std::int32_t>("matrix/barcodes", ElementType::int32, {}, {1, 2});
    write<std::int32_t>("matrix/shape", ElementType::int32, {}, {7, 39});
    expect({"10x Genomics", "cells as rows", "the shape of the sparse matrix matrix (CSC)"});
    expect_nothing_recommended();
}

TEST_F(Recognise, OfPandasTheBlocksOfNumbersAreTrainedOn) {
    file_.write_attribute("/", "PYTABLES_FORMAT_VERSION", "2.1");
    write_made<double>("df/block0_values", ElementType::float64, {3}, [](std::size_t i) { return 0.5 * i; });
    write_made<std::int64_t>("df/axis1", ElementType::int64, {}, [](std::size_t i) { return i; });
    write_made<std::int64_t>("df/_i_table/index/sorted", ElementType::int64, {2000},
                             [](std::size_t i) { return i; });
    file_.write_attribute("/df", "pandas_type", "frame");
    expect({"pandas (PyTables)", "names of rows or columns", "part of the index of a table",
            "dataset: df/block0_values}, transform: standardize}"});
}

TEST_F(Recognise, MatlabReversesDimensionsWhichIsAsked) {
    write_made<double>("X", ElementType::float64, {1000}, [](std::size_t i) { return 0.5 * i; });
    file_.write_attribute("/X", "MATLAB_class", "double");
    expect({"MATLAB 7.3", "an array of MATLAB's (MATLAB_class double), 1000 x 40 there",
            "dataset: X}, conventions: matlab, transform: standardize}"});
}

TEST_F(Recognise, SparseMatricesOfMatlabAreNotRecommended) {
    for (const char* name : {"S/data", "S/ir", "S/jc"})
        write_made<double>(name, ElementType::float64, {}, [](std::size_t i) { return 0.5 * i; });
    file_.write_attribute("/S", "MATLAB_sparse", std::int64_t{50});
    expect({"MATLAB 7.3: the sparse matrix S cannot be trained on", "full() in MATLAB",
            "the values that are not zero of the sparse matrix S (CSC)", "where rows or columns begin"});
    expect_nothing_recommended();
}

TEST_F(Recognise, ADatasetOfOneNumberOverAndOverIsNotRecommended) {
    write_made<std::int64_t>("attention_mask", ElementType::int64, {4}, [](std::size_t) { return 1; });
    expect({"every number in it is 1"});
    expect_nothing_recommended();
}

TEST_F(Recognise, ArraysOfMatlabThatAreNoMatricesAreNotRecommended) {
    write_made<double>("X", ElementType::float64, {10, 20}, [](std::size_t i) { return 0.5 * i; });
    file_.write_attribute("/X", "MATLAB_class", "double");
    expect({"a MATLAB array of class double, 20 x 10 x 40 in MATLAB"});
    expect_nothing_recommended();
}

TEST_F(Recognise, CoordinatesOfNetcdfAreNotAndPackedNumbersAreUnpacked) {
    write_made<std::int16_t>("t", ElementType::int16, {4}, [](std::size_t i) { return 3 * i; });
    write_made<double>("lat", ElementType::float64, {}, [](std::size_t i) { return 0.5 * i; });
    file_.write_attribute("/lat", "CLASS", "DIMENSION_SCALE");
    file_.write_attribute("/t", "_Netcdf4Dimid", std::int64_t{0});
    file_.write_attribute("/t", "scale_factor", 0.01);
    expect({"netCDF-4", "the coordinates of a dimension", "packed numbers (netCDF): scale_factor 0.01",
            "dataset: t}, conventions: netcdf, transform: standardize}"});
}

TEST_F(Recognise, ValuesThatStandForMissingOnesAreCounted) {
    write_made<float>("t", ElementType::float32, {4}, [](std::size_t i) { return i < 3 ? -1 : 0.5 * i; });
    file_.write_attribute("/t", "_FillValue", -1.0);
    expect({"values in it that stand for missing ones: 3"});
    expect_nothing_recommended();
}

TEST_F(Recognise, ValuesOutsideOfTheValidRangeAreNotRecommended) {
    write_made<float>("t", ElementType::float32, {4}, [](std::size_t i) { return 0.25 * i; });
    file_.write_attribute("/t", "valid_max", 38.5);
    expect({"it has missing values (valid_max 38.5) in 2 of 40 rows (5%)"});
    expect_nothing_recommended();
}

TEST_F(Recognise, AFillValueThatDoesNotOccurIsNoObstacle) {
    write_made<float>("t", ElementType::float32, {4}, [](std::size_t i) { return 0.5 * i; });
    file_.write_attribute("/t", "_FillValue", std::numeric_limits<double>::quiet_NaN());
    expect({"dataset: t}, transform: standardize}"});
}

TEST_F(Recognise, WhatHasNanIsNotRecommendedButTheNextBest) {
    write_made<float>("large", ElementType::float32, {9},
                      [](std::size_t i) { return i == 7 ? NAN : 0.5 * i; });
    write_made<float>("small", ElementType::float32, {2}, [](std::size_t i) { return 0.5 * i; });
    expect({"1 NaN or infinite", "dataset: small}"});
}

TEST_F(Recognise, WhereAllHaveNanTheReasonIsTold) {
    write_made<float>("x", ElementType::float32, {9}, [](std::size_t i) { return i == 7 ? NAN : 0.5 * i; });
    write_made<float>("weight", ElementType::float32, {}, [](std::size_t i) { return 0.5 * i; });
    expect({"nothing to train on: x: NaN or infinite values in it: 1; training refuses them"});
    expect_nothing_recommended();
}

TEST_F(Recognise, LabelsAndNumbersOfRowsAreToldApart) {
    write_made<std::uint8_t>("train/y", ElementType::uint8, {}, [](std::size_t i) { return i * 7 % 10; });
    write_made<std::int32_t>("train/rows", ElementType::int32, {}, [](std::size_t i) { return i + 3; });
    expect({": labels, it seems (10 different ones)", ": numbers of rows, it seems"});
    expect_nothing_recommended();
}

TEST_F(Recognise, IdsOfTokensHaveNoLikelihood) {
    write_made<std::uint8_t>("x", ElementType::uint8, {64}, [](std::size_t i) { return 1 + i * 7 % 65; });
    write_made<std::uint8_t>("vocab", ElementType::uint8, {}, [](std::size_t i) { return i * i % 90; });
    expect({": ids of tokens or categories, it seems", "for which there is no likelihood"});
    expect_nothing_recommended();
}

TEST_F(Recognise, WholeQuantitiesAreTableColumns) {
    write_made<std::int32_t>("x", ElementType::int32, {3}, [](std::size_t i) { return 1990 + i % 30; });
    expect({"dataset: x}, transform: standardize}", "likelihood: gaussian"});
}

TEST_F(Recognise, CountsInBytesAreNotDividedBy255) {
    write_made<std::uint8_t>("x", ElementType::uint8, {4},
                             [](std::size_t i) { return i % 3 + i % 17 / 16 * 8; });
    expect({": counts, it seems", "dataset: x}, scale: 1, transform: log1p}", "likelihood: gaussian"});
}

TEST_F(Recognise, PicturesGoByTheirRange) {
    write_made<std::uint8_t>("p", ElementType::uint8, {8, 8}, [](std::size_t i) { return i % 256; });
    expect({": 8-bit grey values", "dataset: p}}", "likelihood: bernoulli"});
}

TEST_F(Recognise, PicturesOfFewLevelsAreScaledByTheirLargest) {
    write_made<std::uint8_t>("p", ElementType::uint8, {8, 8}, [](std::size_t i) { return i % 17; });
    expect({": grey values up to 16", "dataset: p}, scale: 0.0625}", "likelihood: bernoulli"});
}

TEST_F(Recognise, ZerosAndOnesAreBernoulli) {
    write_made<std::uint8_t>("p", ElementType::uint8, {5}, [](std::size_t i) { return i % 2; });
    expect({": zeros and ones", "dataset: p}, scale: 1}", "likelihood: bernoulli"});
}

TEST_F(Recognise, NamesAreQuotedForYaml) {
    write_made<float>("H1: [STRAIN]", ElementType::float32, {2}, [](std::size_t i) { return 0.5 * i; });
    expect({"dataset: \"H1: [STRAIN]\"}"});
}

}  // namespace
}  // namespace vae_dist
