#pragma once

#include <string>
#include <vector>

namespace vae_dist {

/// The files that a name or glob stands for, each once, in the order of their bytes, which no locale changes.
/// `*`, `?` and `[...]` match within one folder, and no dot at the beginning of a name; `**` alone between
/// slashes stands for any number of folders, none included. Links to folders are followed, but not to a
/// folder on the way to them. A pattern with `**` gives files only, any other folders too. A plain name is
/// given back whether there is such a file or not. Input error if no file matches, a folder is missing or may
/// not be read, `**` has company, or braces are to stand for several names, which they do not.
std::vector<std::string> matching_files(const std::string& pattern);

/// Those of several names or globs, one after another.
std::vector<std::string> matching_files(const std::vector<std::string>& patterns);

/// What a list of files names more than once, directly or through links: a sentence for each such file.
std::vector<std::string> files_named_twice(const std::vector<std::string>& files);

}  // namespace vae_dist
