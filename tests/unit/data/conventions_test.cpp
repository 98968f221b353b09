// What a file says of its own numbers: refused, or done where it is asked for.

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "unit/data/data_files.hpp"
#include "vae_dist/data/rows/row_source.hpp"

namespace vae_dist {
namespace {

template <class T>
std::vector<T> read_all(RowSource& source) {
    std::vector<T> values(static_cast<std::size_t>(source.rows() * source.features()));
    source.read(0, source.rows(), reinterpret_cast<std::byte*>(values.data()));
    return values;
}

// A file with one dataset, and attributes that a test adds to it.
class ConventionsOf : public testing::Test {
 protected:
    template <class Value>
    void declare(const std::string& name, const Value& value, const std::string& file_name = "d.h5") const {
        hdf5::File file = hdf5::File::open_for_writing(folder_.file(file_name));
        file.write_attribute("x", name, value);
        file.close();
    }

    std::unique_ptr<RowSource> open(Conventions conventions = Conventions::automatic) const {
        return open_hdf5_rows({{path_}, "x"}, {.conventions = conventions});
    }

    TemporaryFolder folder_;
    std::string path_ = folder_.file("d.h5");
};

class NetcdfConventions : public ConventionsOf {
 protected:
    NetcdfConventions() {
        write_rows<std::int16_t>(path_, "x", ElementType::int16, 2, {100, 200, -1, 400, 500, 600, -1, -1});
    }
};

TEST_F(NetcdfConventions, PackedNumbersAreRefusedWithTheShareOfMissingValues) {
    declare("scale_factor", 0.01);
    declare("_FillValue", std::int64_t{-1});
    expect_error(ErrorKind::input,
                 {"d.h5:x", "packed", "scale_factor 0.01", "2 of 4 rows (50%)", "_FillValue -1",
                  "data.conventions: netcdf", "data.conventions: none"},
                 [&] { open(); });
    expect_error(ErrorKind::input, {"data.conventions: netcdf"}, [&] { open(Conventions::matlab); });
}

TEST_F(NetcdfConventions, PackedNumbersAreUnpackedOrLeftAsTheyAreWhereThatIsAsked) {
    declare("scale_factor", 0.01);
    declare("add_offset", 10.0);
    const auto unpacked = open(Conventions::netcdf);
    EXPECT_EQ(unpacked->element_type(), ElementType::float32);
    EXPECT_EQ(read_all<float>(*unpacked), (std::vector<float>{11, 12, 9.99F, 14, 15, 16, 9.99F, 9.99F}));
    EXPECT_NE(unpacked->description().find("scale_factor 0.01"), std::string::npos);
    const auto raw = open(Conventions::none);
    EXPECT_EQ(raw->element_type(), ElementType::int16);
    EXPECT_EQ(read_all<std::int16_t>(*raw)[2], -1);
}

TEST_F(NetcdfConventions, AMissingValueIsAnErrorWhenItsRowIsRead) {
    declare("_FillValue", std::int64_t{-1});
    for (const Conventions conventions : {Conventions::automatic, Conventions::netcdf}) {
        const auto source = open(conventions);
        std::vector<std::int16_t> row(2);
        source->read(0, 1, reinterpret_cast<std::byte*>(row.data()));
        EXPECT_EQ(row, (std::vector<std::int16_t>{100, 200}));
        expect_error(ErrorKind::input,
                     {"d.h5:x row 1", "-1 stands for a missing value (_FillValue)", "2 of 4 rows (50%)",
                      "data.conventions: none"},
                     [&] { read_all<std::int16_t>(*source); });
    }
    EXPECT_EQ(read_all<std::int16_t>(*open(Conventions::none))[6], -1);
}

// As netCDF's library leaves rows that a program did not write in a chunk that it did.
TEST_F(ConventionsOf, HDF5sOwnFillValueStandsForAMissingOneButForZeroAndBytes) {
    const auto write = [&](hid_t type, int fill) {
        hdf5::File file = hdf5::File::create(folder_.file("f.h5"));
        const hsize_t sizes[] = {3, 2};
        {
            const hdf5::Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
            ASSERT_GE(H5Pset_fill_value(creation.get(), H5T_NATIVE_INT, &fill), 0);
            const hdf5::Handle space(H5Screate_simple(2, sizes, nullptr), H5Sclose);
            const hdf5::Handle made(
                H5Dcreate2(file.id(), "x", type, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
                H5Dclose);
            const int values[] = {1, 2, 3, fill, 5, 6};
            ASSERT_GE(H5Dwrite(made.get(), H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
        }
        file.close();
    };
    const auto read = [&](Conventions conventions = Conventions::automatic) {
        const auto source = open_hdf5_rows({{folder_.file("f.h5")}, "x"}, {.conventions = conventions});
        std::vector<std::byte> rows(3 * source->row_bytes());
        source->read(0, 3, rows.data());
    };
    write(H5T_STD_I16LE, -32767);
    for (const Conventions conventions : {Conventions::automatic, Conventions::netcdf}) {
        expect_error(ErrorKind::input,
                     {"f.h5:x row 1", "-32767 stands for a missing value (HDF5's fill value)",
                      "1 of 3 rows (33.3%)", "data.conventions: none"},
                     [&] { read(conventions); });
    }
    read(Conventions::none);
    write(H5T_STD_I16LE, 0);
    read();
    write(H5T_STD_U8LE, 255);
    read();
}

TEST_F(NetcdfConventions, AFillValueThatNoRowHoldsDoesNoHarm) {
    declare("_FillValue", std::int64_t{-32768});
    declare("missing_value", 1e20);
    declare("valid_max", std::int64_t{600});
    EXPECT_EQ(read_all<std::int16_t>(*open())[5], 600);
}

TEST_F(NetcdfConventions, AValueOutsideOfTheValidRangeIsAnError) {
    declare("valid_max", std::int64_t{500});
    expect_error(ErrorKind::input,
                 {"row 2", "600 is outside of the valid range (valid_max 500)", "1 of 4 rows (25%)"},
                 [&] { read_all<std::int16_t>(*open()); });
}

TEST_F(NetcdfConventions, AValidRangeOfFloatsIsThatOfTheUnpackedNumbers) {
    declare("scale_factor", 0.01);
    declare("valid_min", -0.5);
    declare("valid_max", 5.5);
    expect_error(
        ErrorKind::input,
        {"row 2", "600 is outside of the valid range (valid_min -0.5 and valid_max 5.5; unpacked it is 6)"},
        [&] { read_all<float>(*open(Conventions::netcdf)); });
}

TEST_F(NetcdfConventions, UnsignedNumbersInASignedTypeAreReadAsTheyAreMeant) {
    declare("_Unsigned", "true");
    expect_error(ErrorKind::input, {"packed", "_Unsigned"}, [&] { open(); });
    EXPECT_EQ(open(Conventions::netcdf)->element_type(), ElementType::uint16);
    EXPECT_EQ(read_all<std::uint16_t>(*open(Conventions::netcdf))[2], 65535);
    declare("_FillValue", std::int64_t{-1});
    expect_error(ErrorKind::input, {"row 1", "65535 stands for a missing value"},
                 [&] { read_all<std::uint16_t>(*open(Conventions::netcdf)); });
}

TEST_F(NetcdfConventions, AnAttributeThatIsNotUnderstoodIsRefused) {
    declare("scale_factor", "one");
    expect_error(ErrorKind::input, {"d.h5:x", "scale_factor 'one'", "data.conventions: none"},
                 [&] { open(); });
    expect_error(ErrorKind::input, {"scale_factor 'one'"}, [&] { open(Conventions::netcdf); });
    EXPECT_EQ(open(Conventions::none)->rows(), 4);
}

TEST_F(NetcdfConventions, EachFileIsUnpackedByItsOwnAttributes) {
    write_rows<std::int16_t>(folder_.file("e.h5"), "x", ElementType::int16, 2, {7, 8});
    declare("scale_factor", 0.5);
    declare("scale_factor", 2.0, "e.h5");
    const auto source =
        open_hdf5_rows({{path_, folder_.file("e.h5")}, "x"}, {.conventions = Conventions::netcdf});
    const std::vector<float> values = read_all<float>(*source);
    EXPECT_EQ(values[0], 50);
    EXPECT_EQ(values[8], 14);
}

TEST_F(NetcdfConventions, WideNumbersKeepTheirPrecision) {
    const std::string path = folder_.file("wide.h5");
    write_rows<std::int32_t>(path, "x", ElementType::int32, 1, {2147483647});
    declare("scale_factor", 0.5, "wide.h5");
    const auto source = open_hdf5_rows({{path}, "x"}, {.conventions = Conventions::netcdf});
    EXPECT_EQ(source->element_type(), ElementType::float64);
    EXPECT_EQ(read_all<double>(*source)[0], 1073741823.5);
}

TEST(DeclaredMissing, IsFoundAmongFloatsWhoseAttributeIsWider) {
    const TemporaryFolder folder;
    write_float_rows(folder.file("f.h5"), "x", 1, {1, 1e20F, 3});
    hdf5::File file = hdf5::File::open_for_writing(folder.file("f.h5"));
    file.write_attribute("x", "missing_value", 1e20);
    file.close();
    expect_error(ErrorKind::input, {"row 1", "missing_value", "1 of 3 rows"}, [&] {
        read_all<float>(*open_hdf5_rows({{folder.file("f.h5")}, "x"}));
    });
}

// As scipy, AnnData and MATLAB store them.
TEST_F(ConventionsOf, APartOfASparseMatrixIsRefusedUnlessItsNumbersAreAskedFor) {
    hdf5::File file = hdf5::File::create(path_);
    for (const char* name : {"m/data", "m/indices", "m/indptr", "S/data", "S/ir", "S/jc"})
        file.write_floats(name, std::vector<std::int64_t>{3}, std::vector<float>{1, 2, 3}, false);
    file.write_attribute("m", "encoding-type", "csr_matrix");
    file.write_attribute("S", "MATLAB_sparse", std::int64_t{50});
    file.write_floats("data", std::vector<std::int64_t>{3}, std::vector<float>{1, 2, 3}, false);
    file.close();
    const auto open = [&](const std::string& dataset, Conventions conventions = Conventions::automatic) {
        return open_hdf5_rows({{path_}, dataset}, {.conventions = conventions})->rows();
    };
    expect_error(ErrorKind::input,
                 {"d.h5:m/data holds the values that are not zero of the sparse matrix m (CSR), not samples",
                  "toarray()", "data.conventions: none"},
                 [&] { open("m/data"); });
    expect_error(ErrorKind::input, {"where rows or columns begin in the sparse matrix m"},
                 [&] { open("/m/indptr", Conventions::netcdf); });
    expect_error(ErrorKind::input, {"the positions of the values of the sparse matrix S (CSC)", "full()"},
                 [&] { open("S/ir", Conventions::matlab); });
    EXPECT_EQ(open("m/data", Conventions::none), 3);
    EXPECT_EQ(open("data"), 3);
}

class MatlabConventions : public ConventionsOf {};

// MATLAB's 5 x 2, that is, five samples of two numbers, lies in the file as 2 x 5.
TEST_F(MatlabConventions, AMatrixIsRefusedOrReadByItsColumns) {
    write_float_rows(path_, "x", 5, {0, 1, 2, 3, 4, 10, 11, 12, 13, 14}, 1);
    declare("MATLAB_class", "single");
    expect_error(ErrorKind::input,
                 {"d.h5:x", "MATLAB_class single", "5 x 2 there and 2 x 5 in the file",
                  "data.conventions: matlab for 5 samples of 2 numbers", "none for 2 samples of shape 5"},
                 [&] { open(); });
    expect_error(ErrorKind::input, {"data.conventions: matlab"}, [&] { open(Conventions::netcdf); });
    const auto source = open(Conventions::matlab);
    EXPECT_EQ(source->rows(), 5);
    EXPECT_EQ(source->row_shape(), std::vector<std::int64_t>{2});
    EXPECT_EQ(read_all<float>(*source), (std::vector<float>{0, 10, 1, 11, 2, 12, 3, 13, 4, 14}));
    EXPECT_EQ(open(Conventions::none)->rows(), 2);
    std::vector<float> rows(4);
    source->read(3, 2, reinterpret_cast<std::byte*>(rows.data()));
    EXPECT_EQ(rows, (std::vector<float>{3, 13, 4, 14}));
}

TEST_F(MatlabConventions, AreThoseOfAMatrixWithoutTheAttributeToo) {
    write_float_rows(path_, "x", 5, {0, 1, 2, 3, 4, 10, 11, 12, 13, 14}, 2);
    EXPECT_EQ(open()->rows(), 2);
    EXPECT_EQ(open(Conventions::matlab)->rows(), 5);
}

TEST_F(MatlabConventions, AreDoubtedWhereNothingInTheFileIsOfMatlab) {
    write_float_rows(path_, "x", 5, {0, 1, 2, 3, 4, 10, 11, 12, 13, 14}, 2);
    EXPECT_TRUE(open()->doubts().empty());
    const std::vector<std::string> doubts = open(Conventions::matlab)->doubts();
    ASSERT_EQ(doubts.size(), 1U);
    for (const char* part :
         {"d.h5:x is read by its last dimension (data.conventions: matlab), as 5 samples of 2",
          "nothing in the file says that MATLAB wrote it", "2 of 5 numbers"})
        EXPECT_NE(doubts[0].find(part), std::string::npos) << doubts[0];
    // An array beside it, or the text before HDF5's bytes.
    hdf5::File file = hdf5::File::open_for_writing(path_);
    file.write_floats("g/y", std::vector<std::int64_t>{1}, std::vector<float>{1}, false);
    file.write_attribute("g/y", "MATLAB_class", "single");
    file.close();
    EXPECT_TRUE(open(Conventions::matlab)->doubts().empty());
    write_float_rows(path_, "x", 5, {0, 1, 2, 3, 4, 10, 11, 12, 13, 14}, 2);
    std::ifstream plain(path_, std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(plain)), std::istreambuf_iterator<char>());
    std::string block = "MATLAB 7.3 MAT-file, Platform: GLNXA64";
    block.resize(512, ' ');
    std::ofstream(path_, std::ios::binary) << block + bytes;
    EXPECT_EQ(open(Conventions::matlab)->rows(), 5);
    EXPECT_TRUE(open(Conventions::matlab)->doubts().empty());
}

TEST_F(MatlabConventions, ALogicalArrayHoldsNoPixels) {
    write_rows<std::uint8_t>(path_, "x", ElementType::uint8, 2, {0, 1, 1, 0});
    declare("MATLAB_class", "logical");
    EXPECT_EQ(open(Conventions::matlab)->element_type(), ElementType::int8);
}

TEST_F(MatlabConventions, WhatIsNoMatrixIsRefused) {
    hdf5::File file = hdf5::File::create(path_);
    file.write_floats("x", std::vector<std::int64_t>{3, 2, 2}, std::vector<float>(12), false);
    file.close();
    expect_error(ErrorKind::input, {"d.h5:x", "3 dimensions", "data.conventions: none"},
                 [&] { open(Conventions::matlab); });
    declare("MATLAB_class", "double");
    expect_error(ErrorKind::input,
                 {"2 x 2 x 3 there and 3 x 2 x 2 in the file", "none to take MATLAB's last dimension",
                  "3 samples of shape 2 x 2"},
                 [&] { open(); });
    expect_error(ErrorKind::input, {"3 x 2 x 2 in the file. Set data.conventions: none"},
                 [&] { open(Conventions::matlab); });
    EXPECT_EQ(open(Conventions::none)->rows(), 3);
    declare("MATLAB_class", "char");
    expect_error(ErrorKind::input, {"text of MATLAB's"}, [&] { open(); });
    declare("MATLAB_empty", std::int64_t{1});
    expect_error(ErrorKind::input, {"empty array of MATLAB's"}, [&] { open(); });
}

// Blocks are pieces of a line of each feature, so that memory stays bounded.
TEST_F(MatlabConventions, ALargeMatrixIsReadInPiecesOfBoundedSize) {
    constexpr std::int64_t kFeatures = 40;
    constexpr std::int64_t kSamples = 100000;
    std::vector<float> values;
    for (std::int64_t i = 0; i < kFeatures * kSamples; ++i)
        values.push_back(static_cast<float>(i));
    hdf5::File file = hdf5::File::create(path_);
    file.write_floats("x", std::vector<std::int64_t>{kFeatures, kSamples}, values, false);
    file.close();
    const auto source = open(Conventions::matlab);
    std::int64_t next = 0;
    for (const RowRange& block : source->blocks()) {
        EXPECT_EQ(block.first, next);
        EXPECT_LE(block.rows * kFeatures, 1 << 18);
        next = block.end();
    }
    EXPECT_EQ(next, kSamples);
    const std::vector<float> read = read_all<float>(*source);
    for (const std::int64_t i : {0, 39, 40, 1234567, 3999999}) {
        EXPECT_EQ(read[static_cast<std::size_t>(i)],
                  static_cast<float>(i % kFeatures * kSamples + i / kFeatures));
    }
}

}  // namespace
}  // namespace vae_dist
