#include "vae_dist/data/rows/declarations.hpp"

#include <gtest/gtest.h>

#include "support/temporary_folder.hpp"
#include "unit/data/data_files.hpp"
#include "vae_dist/data/inspect/inspect.hpp"

namespace vae_dist {
namespace {

// A file with the dataset x of int16, and what a test adds to it.
class DeclarationsOf : public testing::Test {
 protected:
    DeclarationsOf() { write_rows<std::int16_t>(path_, "x", ElementType::int16, 2, {1, 2, 3, 4}); }

    template <class Value>
    void declare(const std::string& name, const Value& value) const {
        hdf5::File file = hdf5::File::open_for_writing(path_);
        file.write_attribute("x", name, value);
        file.close();
    }

    // An attribute of several numbers.
    void declare_numbers(const std::string& name, const std::vector<double>& values, hid_t type) const {
        hdf5::File file = hdf5::File::open_for_writing(path_);
        {
            const hsize_t size = values.size();
            const hdf5::Handle space(H5Screate_simple(1, &size, nullptr), H5Sclose);
            const hdf5::Handle attribute(H5Acreate_by_name(file.id(), "x", name.c_str(), type, space.get(),
                                                           H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                                         H5Aclose);
            ASSERT_GE(H5Awrite(attribute.get(), H5T_NATIVE_DOUBLE, values.data()), 0);
        }
        file.close();
    }

    Declarations read() const { return read_declarations(hdf5::File::open(path_), "x"); }
    std::vector<std::string> list() const { return list_declarations(hdf5::File::open(path_), "x"); }

    TemporaryFolder folder_;
    std::string path_ = folder_.file("d.h5");
};

TEST_F(DeclarationsOf, ADatasetWithoutAttributesAreNone) {
    EXPECT_TRUE(list().empty());
    declare("units", "K");
    declare("scale_factor", 1.0);
    declare("add_offset", 0.0);
    declare("_Unsigned", "false");
    EXPECT_TRUE(list().empty());
    EXPECT_FALSE(read().is_packed());
}

TEST_F(DeclarationsOf, NetcdfAreItsPackingAndItsMissingValues) {
    declare_numbers("scale_factor", {0.01}, H5T_IEEE_F32LE);
    declare("add_offset", 273.15);
    declare("_Unsigned", "true");
    declare("_FillValue", std::int64_t{-1});
    declare_numbers("missing_value", {-1, -2}, H5T_STD_I16LE);
    declare_numbers("valid_range", {0, 100}, H5T_STD_I16LE);
    const Declarations found = read();
    EXPECT_TRUE(found.is_packed());
    EXPECT_TRUE(found.changes_sign);
    EXPECT_FLOAT_EQ(static_cast<float>(found.scale_factor), 0.01F);
    EXPECT_EQ(found.add_offset, 273.15);
    EXPECT_EQ(found.missing.size(), 3U);
    EXPECT_EQ(found.valid_max, 100);
    EXPECT_FALSE(found.valid_range_is_unpacked);
    EXPECT_EQ(found.valid_range, "valid_range 0 to 100");
    EXPECT_EQ(list(),
              (std::vector<std::string>{
                  "packed numbers (netCDF): _Unsigned, scale_factor 0.01 and add_offset 273.15; "
                  "data.conventions: netcdf unpacks them",
                  "missing values (netCDF): _FillValue -1, missing_value -1, missing_value -2 and a valid "
                  "range from 0 to 100; in 0 of 2 rows (0%)"}));
}

TEST_F(DeclarationsOf, AValidRangeOfFloatsIsMeantOfTheUnpackedNumbers) {
    declare("valid_min", -0.5);
    EXPECT_TRUE(read().valid_range_is_unpacked);
    EXPECT_FALSE(read().valid_max);
    EXPECT_EQ(missing_text(read()), "valid_min -0.5");
}

TEST_F(DeclarationsOf, AnAttributeOfAnotherKindIsNotPassedOver) {
    declare("scale_factor", "one");
    EXPECT_EQ(read().not_understood, std::vector<std::string>{"scale_factor 'one'"});
    EXPECT_EQ(list().size(), 1U);
}

TEST_F(DeclarationsOf, AnArrayOfMatlabsIsRecognisedAndInspectTells) {
    declare("MATLAB_class", "double");
    EXPECT_EQ(matlab_text(read()), "MATLAB_class double");
    EXPECT_NE(describe_data_file(path_).find("note: an array of MATLAB's (MATLAB_class double), 2 x 2 there"),
              std::string::npos)
        << describe_data_file(path_);
}

}  // namespace
}  // namespace vae_dist
