#include "data/hdf5/diagnosis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <vector>

#include "data/hdf5/detail.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist::hdf5::detail {

namespace {

namespace fs = std::filesystem;

// All messages of the last failed call, from the outermost on.
std::string all_errors() {
    std::string text;
    const auto append = [](unsigned, const H5E_error2_t* error, void* to) -> herr_t {
        if (error->desc != nullptr) *static_cast<std::string*>(to) += std::string(error->desc) + "\n";
        return 0;
    };
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, append, &text);
    return text;
}

// The first line of `text` with one of `words` in it; empty if there is none.
std::string line_with(const std::string& text, std::initializer_list<const char*> words) {
    for (const char* word : words) {
        const std::size_t at = text.find(word);
        if (at == std::string::npos) continue;
        const std::size_t begin = at == 0 ? 0 : text.rfind('\n', at) + 1;
        return text.substr(begin, text.find('\n', at) - begin);
    }
    return "";
}

// "lzf (number 32000)" of each filter of the dataset that the library lacks.
std::vector<std::string> missing_filters(hid_t dataset) {
    const Handle creation(H5Dget_create_plist(dataset), H5Pclose);
    std::vector<std::string> missing;
    const int count = H5Pget_nfilters(creation.get());
    for (int i = 0; i < count; ++i) {
        std::array<char, 64> name = {};
        unsigned flags = 0;
        std::size_t parameters = 0;
        unsigned about = 0;
        const H5Z_filter_t filter =
            H5Pget_filter2(creation.get(), static_cast<unsigned>(i), &flags, &parameters, nullptr,
                           name.size() - 1, name.data(), &about);
        if (filter < 0 || H5Zfilter_avail(filter) > 0) continue;
        missing.push_back(name[0] == '\0' ? fmt::format("number {}", filter)
                                          : fmt::format("{} (number {})", name.data(), filter));
    }
    return missing;
}

[[noreturn]] void throw_missing_filter(const std::string& filters, const std::string& what,
                                       const std::string& words) {
    throw_input_error(
        "{}: the data are compressed by the filter {}, which this HDF5 library lacks. Set HDF5_PLUGIN_PATH "
        "to "
        "the folder of its plugin, or write the data with gzip: h5repack -f GZIP=4 OLD NEW does it where the "
        "filter is installed; lzf comes with h5py ({})",
        what, filters, words);
}

bool begins_with_driver(const std::string& path, const char* driver) {
    std::string begin(4096, '\0');
    std::ifstream file(path, std::ios::binary);
    file.read(begin.data(), static_cast<std::streamsize>(begin.size()));
    begin.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
    return begin.find(driver) != std::string::npos;
}

constexpr const char* kFamily = "NCSAfami";
constexpr const char* kSplit = "NCSAmult";

// The pattern of a family that `path` is of: each number in the name in turn may be that of the member.
std::string family_pattern(const fs::path& path) {
    const std::string name = path.filename().string();
    constexpr const char* kDigits = "0123456789";
    for (std::size_t begin = name.find_first_of(kDigits); begin != std::string::npos;) {
        const std::size_t end = std::min(name.find_first_not_of(kDigits, begin), name.size());
        const std::size_t width = end - begin;
        const auto with = [&](const std::string& number) {
            return name.substr(0, begin) + number + name.substr(end);
        };
        for (const std::string& first : {std::string("0"), std::string(width, '0')}) {
            if (!begins_with_driver((path.parent_path() / with(first)).string(), kFamily)) continue;
            return with(first.size() == 1 ? "%d" : fmt::format("%0{}d", width));
        }
        begin = name.find_first_of(kDigits, end);
    }
    return "";
}

// The common beginning of the names of a split file that `path` is of, "NAME-m.h5" and "NAME-r.h5".
std::string split_name(const fs::path& path) {
    const std::string name = path.filename().string();
    const std::size_t dash = name.rfind('-');
    if (dash == std::string::npos || dash == 0 || dash + 2 > name.size()) return "";
    const std::string metadata = name.substr(0, dash) + "-m" + name.substr(dash + 2);
    if (!begins_with_driver((path.parent_path() / metadata).string(), kSplit)) return "";
    return name.substr(0, dash);
}

// What is wrong with the target of an external link, in words that follow "the file 'x.h5', which".
std::string trouble_of_target(const File& file, const std::string& target, const std::string& object) {
    const fs::path folder = fs::absolute(file.path()).parent_path();
    for (const fs::path& place : {folder / target, fs::path(target)}) {
        std::error_code none;
        if (!fs::exists(place, none)) continue;
        try {
            if (File::open(place.string()).kind(object) == NodeKind::missing) return "has no such object";
            return "HDF5 cannot follow";
        } catch (const Error& error) {
            return fmt::format("cannot be used: {}", error.what());
        }
    }
    return fmt::format("is missing (looked for in '{}' and in the current folder)", folder.string());
}

std::string describe_link(const File& file, const std::string& path) {
    H5L_info_t info;
    if (H5Lget_info(file.id(), path.c_str(), &info, H5P_DEFAULT) < 0) return "leads nowhere";
    if (info.type == H5L_TYPE_HARD) return "cannot be opened: " + last_error();
    std::string value(info.u.val_size, '\0');
    const bool known = H5Lget_val(file.id(), path.c_str(), value.data(), value.size(), H5P_DEFAULT) >= 0;
    if (known && info.type == H5L_TYPE_SOFT)
        return fmt::format("is a link to '{}', which is not in the file", value.c_str());
    const char* target = nullptr;
    const char* object = nullptr;
    if (!known || info.type != H5L_TYPE_EXTERNAL ||
        H5Lunpack_elink_val(value.data(), value.size(), nullptr, &target, &object) < 0)
        return "is a link that leads nowhere";
    return fmt::format("is a link to '{}' in the file '{}', which {}", object, target,
                       trouble_of_target(file, target, object));
}

}  // namespace

void fail_reading(hid_t dataset, const std::string& what) {
    const std::string errors = all_errors();
    const std::string innermost = last_error();
    const std::string filter = line_with(errors, {"required filter"});
    if (!filter.empty()) {
        const std::vector<std::string> missing = missing_filters(dataset);
        const std::size_t quote = filter.find('\'');
        throw_missing_filter(!missing.empty() ? format_list(missing)
                             : quote == std::string::npos
                                 ? "of a source"
                                 : filter.substr(quote, filter.rfind('\'') + 1 - quote),
                             what, "HDF5: " + filter);
    }
    if (!line_with(errors, {"Fletcher32", "inflate", "filter returned failure"}).empty()) {
        throw_input_error(
            "{}: the file is damaged there, for a chunk cannot be decoded. Copy the file again, or write it "
            "anew "
            "(HDF5: {})",
            what, innermost);
    }
    throw_input_error("{}: {}", what, innermost);
}

std::optional<std::string> describe_dead_link(const File& file, const std::string& object) {
    const std::string absolute = object.starts_with('/') ? object : "/" + object;
    for (std::size_t end = 0; end < absolute.size();) {
        end = std::min(absolute.find('/', end + 1), absolute.size());
        const std::string path = absolute.substr(0, end);
        if (path == "/") continue;
        if (H5Lexists(file.id(), path.c_str(), H5P_DEFAULT) <= 0) return std::nullopt;
        if (H5Oexists_by_name(file.id(), path.c_str(), H5P_DEFAULT) > 0) continue;
        const std::string link = describe_link(file, path);
        return path == absolute ? link : fmt::format("cannot be reached: '{}' {}", path.substr(1), link);
    }
    return std::nullopt;
}

std::string describe_part_of_set(const std::string& path) {
    const std::string family = family_pattern(path);
    if (!family.empty()) {
        return fmt::format(
            "is one part of a file that HDF5's family driver has written in parts. Join the parts: h5repart "
            "-family_to_sec2 -m 1g '{}' whole.h5",
            (fs::path(path).parent_path() / family).string());
    }
    const std::string split = split_name(path);
    if (split.empty()) return "";
    return fmt::format(
        "is one part of a file that HDF5's split or multi driver has written in parts. Join the parts: "
        "h5repack '{}' whole.h5",
        (fs::path(path).parent_path() / split).string());
}

std::string advise_import(const std::string& path) {
    fs::path name = fs::path(path).filename();
    if (name.extension() == ".gz") name = name.stem();
    std::string ending = name.extension().string();
    std::transform(ending.begin(), ending.end(), ending.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    const char* format = nullptr;
    if (ending == ".csv" || ending == ".tsv" || ending == ".txt") format = "csv";
    if (ending == ".npy") format = "npy";
    if (name.string().ends_with("-ubyte")) format = "idx";
    if (format == nullptr) return "";
    return fmt::format("; vae_dist import {} '{}' --out data.h5:train/x makes one of it", format, path);
}

}  // namespace vae_dist::hdf5::detail
