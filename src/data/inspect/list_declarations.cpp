#include <fmt/format.h>

#include <algorithm>

#include "data/hdf5/unstored.hpp"
#include "data/rows/dataset_rows.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/data/rows/declarations.hpp"

namespace vae_dist {

namespace {

// " in 25 of 50 rows (50%)"; empty where the rows cannot be read, which other messages tell.
std::string share_missing(const hdf5::File& file, const std::string& dataset) {
    try {
        const DatasetRows rows(file.path(), dataset, {.conventions = Conventions::netcdf});
        return "; in " + rows.share_missing();
    } catch (const Error&) {
        return "";
    }
}

std::string describe_matlab(const Declarations& declarations, std::vector<std::int64_t> shape) {
    std::reverse(shape.begin(), shape.end());
    return fmt::format("an array of MATLAB's ({}), {} there{}", matlab_text(declarations),
                       format_shape(shape),
                       shape.size() == 2 ? "; data.conventions: matlab takes its rows as the samples" : "");
}

}  // namespace

std::vector<std::string> list_declarations(const hdf5::File& file, const std::string& dataset) {
    const Declarations declarations = read_declarations(file, dataset);
    std::vector<std::string> lines;
    const std::string packing = packing_text(declarations);
    if (!packing.empty()) {
        lines.push_back(
            fmt::format("packed numbers (netCDF): {}; data.conventions: netcdf unpacks them", packing));
    }
    const std::string missing = missing_text(declarations);
    if (!missing.empty()) {
        lines.push_back(fmt::format("missing values (netCDF): {}{}", missing, share_missing(file, dataset)));
    }
    if (!declarations.not_understood.empty()) {
        lines.push_back(fmt::format("attributes of netCDF's conventions that are not understood: {}",
                                    format_list(declarations.not_understood)));
    }
    if (!declarations.matlab_class.empty())
        lines.push_back(describe_matlab(declarations, file.info(dataset).shape));
    if (const auto unstored = hdf5::find_unstored_rows(file, dataset))
        lines.push_back(fmt::format("{}; HDF5 gives its fill value for them", unstored->text()));
    return lines;
}

}  // namespace vae_dist
