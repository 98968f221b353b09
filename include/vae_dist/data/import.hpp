#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace vae_dist {

/// Where imported data go.
struct ImportTarget {
    std::string file;
    std::string dataset;
    bool replace = false;  ///< overwrite a dataset of that name (--force)
    int deflate = 4;       ///< 1 to 9; 0: uncompressed
};

/// Splits "F.h5:group/dataset"; an input error if there is no colon or either part is empty.
ImportTarget parse_target(const std::string& text);

struct ImportResult {
    std::int64_t rows = 0;
    std::string description;  ///< "60000 x 28 x 28 uint8 to fashion.h5:train/x"
};

// Each importer streams: neither the input nor the output need fit into memory. A file that exists is added
// to; it is replaced only once its successor is complete, and left as it was on any error. An input error
// names file and line or byte. Every input may be gzipped; the dataset's attribute "source" says its name.

/// LeCun's IDX format, gzipped or not, integers and floats of any rank. `labels` (an IDX vector of as many
/// elements) goes beside the dataset as "y".
ImportResult import_idx(const std::string& images, const std::optional<std::string>& labels,
                        const ImportTarget& target);

struct CsvOptions {
    char delimiter = ',';
    std::int64_t skip_lines = 0;  ///< before the header or the data
};

/// A table of finite numbers as float64 (rows, columns), so that timestamps and counts keep their digits. A
/// first line of texts, none of them a number, is a header and becomes the attribute "feature_names". Fields
/// may be quoted, not lines broken inside of quotes.
ImportResult import_csv(const std::string& csv, const CsvOptions& options, const ImportTarget& target);

/// NumPy's .npy, format 1 to 3, C order, integers, booleans (as int8) and floats (float16 as float32) of
/// either byte order.
ImportResult import_npy(const std::string& npy, const ImportTarget& target);

}  // namespace vae_dist
