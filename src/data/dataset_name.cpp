#include "vae_dist/data/dataset_name.hpp"

#include <glob.h>
#include <unistd.h>

#include <algorithm>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

DatasetName split_dataset_name(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    DatasetName name;
    if (colon != std::string::npos) name = {text.substr(0, colon), text.substr(colon + 1)};
    if (name.file.empty() || name.dataset.empty() || name.dataset.ends_with('/')) {
        throw_input_error("'{}' does not name a dataset in a file; write it as FILE.h5:DATASET, such as {}",
                          text, "data.h5:train/x");
    }
    return name;
}

std::vector<std::string> matching_files(const std::string& pattern) {
    // A file whose name has brackets in it is meant, not the glob; a plain name is left to fail when it is
    // opened.
    if (pattern.find_first_of("*?[") == std::string::npos || access(pattern.c_str(), F_OK) == 0)
        return {pattern};
    glob_t found{};
    const int status = glob(pattern.c_str(), GLOB_NOSORT | GLOB_ERR, nullptr, &found);
    std::vector<std::string> files(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    globfree(&found);
    if (status == GLOB_NOMATCH) throw_input_error("no file matches {}", pattern);
    if (status != 0) throw_failure("looking for files that match {}: a folder cannot be read", pattern);
    std::sort(files.begin(), files.end());
    return files;
}

}  // namespace vae_dist
