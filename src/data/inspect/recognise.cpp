#include "data/inspect/recognise.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "data/rows/sparse_matrix.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

namespace {

using hdf5::File;
using hdf5::NodeKind;

/// An attribute as text; empty where there is none.
std::string attribute(const File& file, const std::string& object, const std::string& name) {
    return file.has_attribute(object, name) ? file.attribute_as_text(object, name) : "";
}

bool is_anndata(const File& file) {
    if (attribute(file, "/", "encoding-type") == "anndata") return true;
    const auto is_there = [&](const char* name) { return file.kind(name) != NodeKind::missing; };
    return is_there("/obs") && is_there("/var") && (is_there("/X") || is_there("/layers"));
}

bool is_pytables(const File& file) {
    return file.has_attribute("/", "PYTABLES_FORMAT_VERSION");
}

std::string anndata_part(const File& file, const std::string& dataset) {
    if (!is_anndata(file)) return "";
    for (const auto& [group, what] : {std::pair("/obs/", "a column of the table of cells (obs)"),
                                      std::pair("/var/", "a column of the table of genes (var)"),
                                      std::pair("/raw/var/", "a column of the table of genes (raw/var)"),
                                      std::pair("/varm/", "numbers of genes, not of cells (varm)"),
                                      std::pair("/obsp/", "relations between cells (obsp)"),
                                      std::pair("/varp/", "relations between genes (varp)"),
                                      std::pair("/uns/", "notes of other programs (uns)")}) {
        if (dataset.starts_with(group)) return what;
    }
    return "";
}

std::string pytables_part(const File& file, const std::string& dataset, const DatasetPlace& place) {
    if (!is_pytables(file)) return "";
    if (dataset.find("/_i_") != std::string::npos) return "part of the index of a table";
    const std::string& name = place.name;
    if (name.starts_with("axis") || name.ends_with("_items") || name.find("_label") != std::string::npos ||
        name.find("_level") != std::string::npos) {
        const bool is_pandas = !attribute(file, place.group, "pandas_type").empty();
        if (is_pandas) return "names of rows or columns of a pandas table";
    }
    if (attribute(file, dataset, "CLASS") == "TABLE")
        return "a table whose columns have types of their own (compound)";
    return "";
}

// Matrices of numbers are samples where data.conventions says so.
std::string matlab_part(const File& file, const std::string& dataset, const hdf5::DatasetInfo& info) {
    if (dataset.starts_with("/#")) return "MATLAB's own notes";
    const std::string type = attribute(file, dataset, "MATLAB_class");
    if (type.empty()) return "";
    if (file.has_attribute(dataset, "MATLAB_empty") || !info.type)
        return fmt::format("a MATLAB array of class {}", type);
    if (info.shape.size() == 2 && type != "char") return "";
    std::vector<std::int64_t> shape(info.shape.rbegin(), info.shape.rend());
    return fmt::format("a MATLAB array of class {}, {} in MATLAB; only matrices of numbers can be trained on",
                       type, format_shape(shape));
}

std::string netcdf_part(const File& file, const std::string& dataset) {
    if (attribute(file, dataset, "CLASS") == "DIMENSION_SCALE") return "the coordinates of a dimension";
    return "";
}

}  // namespace

std::string recognised_format(const File& file, const std::vector<std::string>& datasets) {
    if (is_anndata(file)) {
        const bool sparse = is_sparse(file, "/X");
        return fmt::format("AnnData: a table of cells x genes in X{}",
                           sparse ? ", stored as a sparse matrix, which cannot be trained on: store it dense "
                                    "(adata.X = adata.X.toarray() in Python)"
                                  : "");
    }
    for (const std::string& dataset : datasets) {
        const DatasetPlace place = place_of(dataset);
        if (place.name != "data" || !is_sparse(file, place.group)) continue;
        const std::string group = place.group == "/" ? "of this file" : place.group.substr(1);
        if (is_matlab_sparse(file, place.group)) {
            return fmt::format(
                "MATLAB 7.3: the sparse matrix {} cannot be trained on: store it dense (full() in MATLAB)",
                group);
        }
        if (is_tenx(file, place.group)) {
            return fmt::format(
                "10x Genomics: counts of features x cells in the sparse matrix {}, which cannot be trained "
                "on: store it dense, with cells as rows (scanpy.read_10x_h5 and toarray() in Python)",
                group);
        }
        return fmt::format(
            "the sparse matrix {} ({}) cannot be trained on: store it dense, with samples as rows "
            "(toarray() of scipy.sparse in Python)",
            group, sparse_form(file, place.group));
    }
    if (is_pytables(file)) {
        const bool pandas = std::any_of(datasets.begin(), datasets.end(), [&](const std::string& dataset) {
            return file.has_attribute(place_of(dataset).group, "pandas_type");
        });
        return pandas ? "pandas (PyTables): the numbers of a table are in block0_values and so on, one block "
                        "for each type of column"
                      : "PyTables";
    }
    for (const std::string& dataset : datasets) {
        if (file.has_attribute(dataset, "MATLAB_class"))
            return "MATLAB 7.3, which reverses the order of dimensions: data.conventions: matlab takes the "
                   "rows of a "
                   "matrix as samples";
    }
    const auto is_scale = [&](const std::string& dataset) {
        return file.has_attribute(dataset, "DIMENSION_LIST") || file.has_attribute(dataset, "_Netcdf4Dimid");
    };
    if (file.has_attribute("/", "_NCProperties") || std::any_of(datasets.begin(), datasets.end(), is_scale))
        return "netCDF-4";
    return "";
}

std::string recognised_part(const File& file, const std::string& dataset, const hdf5::DatasetInfo& info) {
    const DatasetPlace place = place_of(dataset);
    for (const std::string& what :
         {sparse_part(file, dataset), anndata_part(file, dataset), pytables_part(file, dataset, place),
          matlab_part(file, dataset, info), netcdf_part(file, dataset)}) {
        if (!what.empty()) return what;
    }
    return "";
}

}  // namespace vae_dist
