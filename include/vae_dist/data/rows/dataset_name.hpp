#pragma once

#include <string>
#include <vector>

namespace vae_dist {

/// A dataset and the file that it is in.
struct DatasetName {
    std::string file;  ///< a name, or a glob where files are read
    std::string dataset;
};

/// All that "FILE:DATASET" may mean, from the first colon to the last: both parts may have colons in them. A
/// part in double quotes ("H1:a.h5":x, a.h5:"H1:STRAIN") leaves one reading. None where there is no colon, or
/// a part is empty.
std::vector<DatasetName> readings_of(const std::string& text);

/// How to write a name so that it has one reading: '"a.h5":"H1:STRAIN"', with the quotes for the shell.
std::string quoted(const DatasetName& name);

/// The reading of which both file and dataset exist. Where none does: the only reading, or the only one of
/// which a file exists, so that opening it says what is missing. Input error where several exist, or
/// several may be meant; it says what was tried, and how to quote.
DatasetName existing_dataset(const std::string& text);

/// The name of a dataset that is to be made, whatever files there are: the only reading, or the only one
/// whose file ends in .h5 or .hdf5; else an input error, which says how to quote.
DatasetName new_dataset(const std::string& text);

}  // namespace vae_dist
