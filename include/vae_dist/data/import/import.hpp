#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vae_dist {

/// Where imported data go.
struct ImportTarget {
    std::string file;
    std::string dataset;
    bool replace = false;  ///< overwrite a dataset of that name (--force)
    int deflate = 4;       ///< 1 to 9; 0: uncompressed
};

/// Splits "F.h5:group/dataset" as new_dataset does.
ImportTarget parse_target(const std::string& text);

struct ImportResult {
    std::int64_t rows = 0;
    std::string description;              ///< "60000 x 28 x 28 uint8 to fashion.h5:train/x"
    std::vector<std::string> notes = {};  ///< what was decided without being told, a line each
};

// Each importer streams: neither the input nor the output need fit into memory. A file that exists is added
// to; it is replaced only once its successor is complete, and left as it was on any error. An input error
// names file and line or byte. Every input may be gzipped; the dataset's attribute "source" says its name.

/// LeCun's IDX format, gzipped or not, integers and floats of any rank. `labels` (an IDX vector of as many
/// elements) goes beside the dataset as "y".
ImportResult import_idx(const std::string& images, const std::optional<std::string>& labels,
                        const ImportTarget& target);

/// Whether the first line of a table has the names of its columns.
enum class CsvHeader { automatic, yes, no };

struct CsvOptions {
    std::optional<char> delimiter = {};  ///< absent: ',', or ';' where a comma begins fractions
    char decimal = '.';                  ///< or ','
    std::int64_t skip_lines = 0;         ///< before the header or the data
    CsvHeader header = CsvHeader::automatic;
    /// Absent: all; "age,3-5" these, "not:id" all others: names, numbers from 1 on, ranges.
    std::optional<std::string> columns = {};
};

/// The character that --delimiter names: itself, or a tab for "\\t" and "tab". An input error for what can be
/// part of a number, and for several characters.
char parse_delimiter(const std::string& text);

/// A table of finite numbers, in UTF-8, as float64 (rows, columns), so that timestamps and counts keep their
/// digits. Names of columns become the attribute "feature_names". What `CsvHeader::automatic` took the first
/// line for is among the notes; a line of which that is not certain is an input error. Fields may be quoted,
/// not lines broken inside of quotes. Text in other encodings and binary files are recognised and refused.
ImportResult import_csv(const std::string& csv, const CsvOptions& options, const ImportTarget& target);

/// NumPy's .npy, format 1 to 3, C order, integers, booleans (as int8) and floats (float16 as float32) of
/// either byte order.
ImportResult import_npy(const std::string& npy, const ImportTarget& target);

}  // namespace vae_dist
