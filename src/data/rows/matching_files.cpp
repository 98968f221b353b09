#include "vae_dist/data/rows/matching_files.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

/// The device and number of a file: the same for all names that it has.
using Identity = std::pair<dev_t, ino_t>;

std::optional<struct stat> status_of(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return std::nullopt;
    return status;
}

bool is_link(const std::string& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
}

bool has_wildcard(const std::string& text) {
    return text.find_first_of("*?[") != std::string::npos;
}

std::vector<std::string> parts_of(const std::string& pattern) {
    std::vector<std::string> parts;
    for (std::size_t at = 0; at < pattern.size();) {
        const std::size_t slash = std::min(pattern.find('/', at), pattern.size());
        if (slash > at) parts.push_back(pattern.substr(at, slash - at));
        at = slash + 1;
    }
    return parts;
}

// What a shell would make several names of.
void refuse_braces(const std::string& pattern) {
    const std::size_t open = pattern.find('{');
    const std::size_t close = pattern.find('}', open);
    if (close == std::string::npos || pattern.substr(open, close - open).find(',') == std::string::npos)
        return;
    const std::string names = pattern.substr(open + 1, close - open - 1);
    const auto with = [&](const std::string& name) {
        return pattern.substr(0, open) + name + pattern.substr(close + 1);
    };
    const std::size_t comma = names.find(',');
    const std::size_t next = std::min(names.find(',', comma + 1), names.size());
    throw_input_error(
        "no file matches {}: braces do not stand for several names here. Write a pattern for each: [{}, "
        "{}{}]",
        pattern, with(names.substr(0, comma)), with(names.substr(comma + 1, next - comma - 1)),
        next < names.size() ? ", ..." : "");
}

/// Walks the folders that a pattern leads through.
class Search {
 public:
    explicit Search(const std::string& pattern) : pattern_(pattern), parts_(parts_of(pattern)) {
        const auto is_deep = [](const std::string& part) { return part == "**"; };
        for (const std::string& part : parts_) {
            if (part.find("**") == std::string::npos || is_deep(part)) continue;
            throw_input_error(
                "{}: ** must stand alone between two slashes, as in folder/**/*.h5; write * for any part of "
                "one name",
                pattern);
        }
        only_files_ = std::any_of(parts_.begin(), parts_.end(), is_deep);
        // At the end, it stands for the files themselves.
        if (!parts_.empty() && is_deep(parts_.back())) parts_.emplace_back("*");
    }

    std::vector<std::string> run() {
        walk(pattern_.starts_with('/') ? "/" : "", 0);
        if (found_.empty()) {
            refuse_braces(pattern_);
            const std::string folder = missing_folder();
            if (folder.empty()) throw_input_error("no file matches {}", pattern_);
            if (status_of(folder))
                throw_input_error("no file matches {}: {} is a file, not a folder", pattern_, folder);
            throw_input_error("no file matches {}: there is no folder {}", pattern_, folder);
        }
        std::sort(found_.begin(), found_.end());
        found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
        return std::move(found_);
    }

 private:
    // `folder` is empty, for the current one, or ends in a slash.
    void walk(const std::string& folder, std::size_t at) {
        const std::string& part = parts_[at];
        const bool last = at + 1 == parts_.size();
        if (part == "**") return walk_deep(folder, at + 1);
        if (!has_wildcard(part)) return step(folder + part, last, at);
        for (const std::string& name : names_in(folder)) {
            if (fnmatch(part.c_str(), name.c_str(), FNM_PERIOD) == 0) step(folder + name, last, at);
        }
    }

    void step(const std::string& path, bool last, std::size_t at) {
        const auto status = status_of(path);
        const bool is_folder = status && S_ISDIR(status->st_mode);
        if (!last) {
            if (is_folder) walk(path + "/", at + 1);
        } else if (status ? !is_folder || !only_files_ : is_link(path)) {
            found_.push_back(path);  // a link that leads nowhere, too, or its rows would be missing unsaid
        }
    }

    // The rest of the pattern in this folder and in all below it.
    void walk_deep(const std::string& folder, std::size_t rest) {
        const auto status = status_of(folder.empty() ? "." : folder);
        if (!status) return;
        const Identity here(status->st_dev, status->st_ino);
        if (std::find(above_.begin(), above_.end(), here) != above_.end()) return;
        constexpr int kMostFolders = 200'000;
        if (++folders_ > kMostFolders)
            throw_input_error("{} leads through more than {} folders", pattern_, kMostFolders);
        walk(folder, rest);
        above_.push_back(here);
        for (const std::string& name : names_in(folder)) {
            const std::string path = folder + name;
            const auto below = name.starts_with('.') ? std::nullopt : status_of(path);
            if (below && S_ISDIR(below->st_mode)) walk_deep(path + "/", rest);
        }
        above_.pop_back();
    }

    // In the order of their bytes.
    std::vector<std::string> names_in(const std::string& folder) const {
        const std::string shown = folder.empty() ? "." : folder;
        const std::unique_ptr<DIR, int (*)(DIR*)> stream(opendir(shown.c_str()), closedir);
        if (stream == nullptr) {
            const int reason = errno;
            if (reason == ENOENT || reason == ENOTDIR) return {};
            const bool wrong = reason == EACCES || reason == ELOOP || reason == ENAMETOOLONG;
            throw Error(wrong ? ErrorKind::input : ErrorKind::failure,
                        fmt::format("looking for files that match {}: cannot read the folder {}: {}",
                                    pattern_, shown, std::strerror(reason)));
        }
        std::vector<std::string> names;
        while (const dirent* entry = readdir(stream.get())) {
            const std::string name = entry->d_name;
            if (name != "." && name != "..") names.push_back(name);
        }
        std::sort(names.begin(), names.end());
        return names;
    }

    // The first folder that the pattern names, without wildcards, and that is not there, or is a file; empty
    // if none.
    std::string missing_folder() const {
        std::string folder = pattern_.starts_with('/') ? "/" : "";
        for (std::size_t at = 0; at + 1 < parts_.size() && !has_wildcard(parts_[at]); ++at) {
            folder += parts_[at];
            const auto status = status_of(folder);
            if (!status || !S_ISDIR(status->st_mode)) return folder;
            folder += "/";
        }
        return "";
    }

    std::string pattern_;
    std::vector<std::string> parts_;
    bool only_files_ = false;
    std::vector<std::string> found_;
    std::vector<Identity> above_;  ///< the folders on the way down a `**`
    int folders_ = 0;
};

}  // namespace

std::vector<std::string> matching_files(const std::string& pattern) {
    // A file whose name has brackets in it is meant, not the glob; a plain name is left to fail when it is
    // opened.
    if (access(pattern.c_str(), F_OK) == 0) return {pattern};
    if (has_wildcard(pattern)) return Search(pattern).run();
    refuse_braces(pattern);
    return {pattern};
}

std::vector<std::string> matching_files(const std::vector<std::string>& patterns) {
    std::vector<std::string> files;
    for (const std::string& pattern : patterns) {
        const std::vector<std::string> more = matching_files(pattern);
        files.insert(files.end(), more.begin(), more.end());
    }
    return files;
}

std::vector<std::string> files_named_twice(const std::vector<std::string>& files) {
    std::map<Identity, std::vector<std::string>> names;
    std::vector<Identity> order;
    for (const std::string& file : files) {
        const auto status = status_of(file);
        if (!status) continue;  // opening it says so
        const Identity identity(status->st_dev, status->st_ino);
        std::vector<std::string>& of_file = names[identity];
        if (of_file.empty()) order.push_back(identity);
        of_file.push_back(file);
    }
    std::vector<std::string> sentences;
    for (const Identity& identity : order) {
        const std::vector<std::string>& of_file = names[identity];
        if (of_file.size() < 2) continue;
        const std::string times =
            of_file.size() == 2 ? std::string("twice") : fmt::format("{} times", of_file.size());
        const bool same_name = std::equal(of_file.begin() + 1, of_file.end(), of_file.begin());
        const auto other = std::find_if(of_file.begin(), of_file.end(),
                                        [&](const std::string& name) { return name != of_file.front(); });
        const std::string also = same_name ? "" : fmt::format(" (also as {})", *other);
        sentences.push_back(fmt::format("the file {} is named {}{}, and each of its rows counts {}",
                                        of_file.front(), times, also, times));
    }
    return sentences;
}

}  // namespace vae_dist
