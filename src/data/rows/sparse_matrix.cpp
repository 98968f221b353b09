#include "data/rows/sparse_matrix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

namespace vae_dist {

using hdf5::File;
using hdf5::NodeKind;

namespace {

std::string member(const std::string& group, const char* name) {
    return group == "/" ? fmt::format("/{}", name) : fmt::format("{}/{}", group, name);
}

bool has_datasets(const File& file, const std::string& group, std::initializer_list<const char*> names) {
    return std::all_of(names.begin(), names.end(),
                       [&](const char* name) { return file.kind(member(group, name)) == NodeKind::dataset; });
}

}  // namespace

DatasetPlace place_of(const std::string& dataset) {
    const std::string path = dataset.starts_with('/') ? dataset : "/" + dataset;
    const std::size_t slash = path.rfind('/');
    return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

bool is_matlab_sparse(const File& file, const std::string& group) {
    return file.has_attribute(group, "MATLAB_sparse") && has_datasets(file, group, {"data", "ir", "jc"});
}

bool is_sparse(const File& file, const std::string& group) {
    return has_datasets(file, group, {"data", "indices", "indptr"}) || is_matlab_sparse(file, group);
}

bool is_tenx(const File& file, const std::string& group) {
    return is_sparse(file, group) && has_datasets(file, group, {"barcodes", "shape"});
}

std::string sparse_form(const File& file, const std::string& group) {
    if (is_tenx(file, group) || is_matlab_sparse(file, group)) return "CSC";
    for (const char* name : {"encoding-type", "h5sparse_format"}) {
        const std::string form = file.has_attribute(group, name) ? file.attribute_as_text(group, name) : "";
        if (form.starts_with("csr")) return "CSR";
        if (form.starts_with("csc")) return "CSC";
    }
    return "compressed";
}

std::string sparse_part(const File& file, const std::string& dataset) {
    const DatasetPlace place = place_of(dataset);
    if (!is_sparse(file, place.group)) return "";
    const std::string of =
        fmt::format("the sparse matrix {} ({})", place.group == "/" ? "of this file" : place.group.substr(1),
                    sparse_form(file, place.group));
    if (place.name == "data") return "the values that are not zero of " + of;
    const bool matlab = is_matlab_sparse(file, place.group);
    if (place.name == (matlab ? "ir" : "indices")) return "the positions of the values of " + of;
    if (place.name == (matlab ? "jc" : "indptr")) return "where rows or columns begin in " + of;
    if (place.name == "shape") return "the shape of " + of;
    return "";
}

}  // namespace vae_dist
