#pragma once

#include <string>
#include <vector>

namespace vae_dist {

/// A dataset and the file that it is in.
struct DatasetName {
    std::string file;
    std::string dataset;
};

/// Splits "F.h5:group/dataset" at the last colon; an input error if there is none or either part is empty.
DatasetName split_dataset_name(const std::string& text);

/// The files that a name or glob stands for, in the order of their bytes, which no locale changes. A plain
/// name is given back whether there is such a file or not; an input error if no file matches a glob.
std::vector<std::string> matching_files(const std::string& pattern);

}  // namespace vae_dist
