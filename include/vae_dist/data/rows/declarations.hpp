#pragma once

#include <optional>
#include <string>
#include <vector>

#include "vae_dist/data/hdf5/hdf5.hpp"

namespace vae_dist {

/// A value that a file declares to stand for a missing one.
struct MissingValue {
    std::string attribute;  ///< "_FillValue" or "missing_value", else "HDF5's fill value"
    double value = 0;
};

/// What the attributes of a dataset say of its numbers, by the conventions of netCDF (NetCDF Users Guide,
/// "Attribute Conventions") and by those of MATLAB's files of version 7.3.
struct Declarations {
    std::vector<MissingValue> missing;  ///< as the numbers lie in the file
    std::optional<double> valid_min;    ///< of valid_min or valid_range
    std::optional<double> valid_max;
    std::string valid_range;               ///< the attributes that say so: "valid_min 0 and valid_max 100"
    bool valid_range_is_unpacked = false;  ///< it is meant after scale_factor and add_offset
    double scale_factor = 1;
    double add_offset = 0;
    bool changes_sign = false;  ///< _Unsigned: the integers have no sign though their type has one, or so

    std::string matlab_class;  ///< empty: no array of MATLAB's
    bool matlab_empty = false;

    /// Attributes of these names whose values are not understood: "scale_factor 'one'".
    std::vector<std::string> not_understood;

    /// The numbers that lie in the file are not those that are meant.
    bool is_packed() const { return scale_factor != 1 || add_offset != 0 || changes_sign; }
    bool limits_values() const { return !missing.empty() || valid_min || valid_max; }
};

/// What a dataset's attributes say. Throws an input error if they cannot be read.
Declarations read_declarations(const hdf5::File& file, const std::string& dataset);

/// Whether anything says that MATLAB wrote a file: the text that its own files of version 7.3 begin with, or
/// an array's MATLAB_class.
bool has_sign_of_matlab(const hdf5::File& file);

/// "scale_factor 0.01 and add_offset 273.15", "_FillValue -1", ... of what is packed, of what is missing, and
/// of the array of MATLAB's; empty where nothing is declared.
std::string packing_text(const Declarations& declarations);
std::string missing_text(const Declarations& declarations);
std::string matlab_text(const Declarations& declarations);

/// What a reader of a dataset's numbers alone would pass over, one line each, for people: the above, with the
/// share of rows with missing values, and rows that are stored nowhere.
std::vector<std::string> list_declarations(const hdf5::File& file, const std::string& dataset);

}  // namespace vae_dist
