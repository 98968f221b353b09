#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include "data/hdf5/detail.hpp"

namespace vae_dist::hdf5::detail {

namespace {

namespace fs = std::filesystem;

// (file, dataset) that were looked at: mappings are many, and may lead round in a circle.
using Places = std::set<std::pair<std::string, std::string>>;

// What the library's call `get` gives of mapping `index`: a file's or a dataset's name.
template <class Get>
std::string name_of_source(const Get& get, hid_t creation, std::size_t index, const std::string& doing) {
    const ssize_t length = check(get(creation, index, nullptr, 0), ErrorKind::input, doing);
    std::string name(static_cast<std::size_t>(length) + 1, '\0');
    check(get(creation, index, name.data(), name.size()), ErrorKind::input, doing);
    name.pop_back();
    return name;
}

// Where HDF5 looks for a source file, in this order.
std::vector<fs::path> places_to_look(const fs::path& virtual_file, const fs::path& name) {
    std::vector<fs::path> places;
    if (name.is_absolute()) places.push_back(name);
    const fs::path relative = name.is_absolute() ? name.filename() : name;
    const fs::path folder = fs::absolute(virtual_file).parent_path();
    if (const char* const prefixes = std::getenv("HDF5_VDS_PREFIX"); prefixes != nullptr) {
        constexpr std::string_view kOrigin = "${ORIGIN}";
        std::istringstream list{prefixes};
        for (std::string prefix; std::getline(list, prefix, ':');) {
            if (prefix.starts_with(kOrigin)) prefix.replace(0, kOrigin.size(), folder.string());
            if (!prefix.empty()) places.push_back(fs::path(prefix) / relative);
        }
    }
    places.push_back(folder / relative);
    places.push_back(relative);
    std::error_code none;
    const fs::path behind_links = fs::canonical(virtual_file, none);
    if (!none) places.push_back(behind_links.parent_path() / relative);
    return places;
}

}  // namespace

std::pair<std::string, std::string> virtual_source_names(hid_t creation, std::size_t index,
                                                         const std::string& doing) {
    return {name_of_source(H5Pget_virtual_filename, creation, index, doing),
            name_of_source(H5Pget_virtual_dsetname, creation, index, doing)};
}

std::string number_pattern(const std::string& name, std::uint64_t block) {
    std::string numbered;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const char next = name[i] == '%' && i + 1 < name.size() ? name[i + 1] : '\0';
        if (next == 'b' || next == '%') ++i;
        numbered += next == 'b' ? std::to_string(block) : std::string(1, name[i]);
    }
    return numbered;
}

std::optional<File> open_virtual_source(const File& file, const std::string& dataset,
                                        const std::string& name) {
    std::string trouble;
    for (const fs::path& place : places_to_look(file.path(), name)) {
        std::error_code none;
        if (!fs::exists(place, none)) continue;
        try {
            return File::open(place.string());
        } catch (const Error& error) {
            if (trouble.empty()) trouble = error.what();
        }
    }
    if (!trouble.empty())
        throw_input_error("'{}' is made of datasets in other files: {}", locate(file, dataset), trouble);
    return std::nullopt;
}

namespace {

void require_sources(const File& file, const std::string& dataset, Places& seen);

void require_source(const File& file, const std::string& dataset, const std::string& source_file,
                    const std::string& source_dataset, Places& seen) {
    const auto require_dataset = [&](const File& source) {
        if (source.kind(source_dataset) != NodeKind::dataset) {
            throw_input_error("'{}' is made of '{}', which does not exist; its rows would be fill values",
                              locate(file, dataset), locate(source, source_dataset));
        }
        require_sources(source, source_dataset, seen);
    };
    if (source_file == ".") return require_dataset(file);
    const std::optional<File> source = open_virtual_source(file, dataset, source_file);
    if (!source) {
        throw_input_error(
            "'{}' is made of datasets in other files, and '{}' is missing; its rows would be fill values",
            locate(file, dataset), source_file);
    }
    require_dataset(*source);
}

void require_sources(const File& file, const std::string& dataset, Places& seen) {
    const std::string doing = fmt::format("cannot read what '{}' is made of", locate(file, dataset));
    const Handle opened = open_dataset(file, dataset);
    const Handle creation(check(H5Dget_create_plist(opened.get()), ErrorKind::input, doing), H5Pclose);
    if (H5Pget_layout(creation.get()) != H5D_VIRTUAL) return;
    std::size_t mappings = 0;
    check(H5Pget_virtual_count(creation.get(), &mappings), ErrorKind::input, doing);
    for (std::size_t i = 0; i < mappings; ++i) {
        const auto [file_pattern, dataset_pattern] = virtual_source_names(creation.get(), i, doing);
        const std::string source_file = number_pattern(file_pattern, 0);
        const std::string source_dataset = number_pattern(dataset_pattern, 0);
        // The same name means another file where it stands in another folder.
        if (seen.emplace(file.path() + '\0' + source_file, source_dataset).second) {
            require_source(file, dataset, source_file, source_dataset, seen);
        }
    }
}

}  // namespace

void require_virtual_sources(const File& file, const std::string& dataset) {
    Places seen;
    require_sources(file, dataset, seen);
}

}  // namespace vae_dist::hdf5::detail
