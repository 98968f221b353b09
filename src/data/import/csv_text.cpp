#include "data/import/csv_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "vae_dist/core/error.hpp"
#include "vae_dist/core/utf8.hpp"

namespace vae_dist {

namespace {

using namespace std::string_view_literals;

struct Signature {
    std::string_view bytes;
    std::string_view format;
    std::string_view advice;
};

constexpr std::string_view kSaveAsCsv = "save the table as CSV";
constexpr std::string_view kUnpack = "unpack it first";

// What begins a file of another format.
constexpr std::array kSignatures = {
    Signature{"\x89HDF\r\n\x1a\n"sv, "an HDF5 file",
              "vae_dist inspect shows its datasets; it needs no import"},
    Signature{"\x93NUMPY"sv, "a NumPy array", "use vae_dist import npy"},
    Signature{"\0\0\x08"sv, "an IDX file", "use vae_dist import idx"},
    Signature{"\0\0\x0d"sv, "an IDX file", "use vae_dist import idx"},
    Signature{"PK\x03\x04"sv, "a ZIP archive, as .xlsx, .ods and .npz files are",
              "save the table as CSV; of a .npz, unpack the .npy files and use vae_dist import npy"},
    Signature{"\xd0\xcf\x11\xe0"sv, "an old Office file, as .xls files are", kSaveAsCsv},
    Signature{"PAR1"sv, "a Parquet file", kSaveAsCsv},
    Signature{"ARROW1"sv, "an Arrow file", kSaveAsCsv},
    Signature{"SQLite format 3"sv, "an SQLite database", kSaveAsCsv},
    Signature{"BZh"sv, "compressed by bzip2", kUnpack},
    Signature{"\xfd\x37zXZ"sv, "compressed by xz", kUnpack},
    Signature{"\x28\xb5\x2f\xfd"sv, "compressed by zstd", kUnpack},
    Signature{"%PDF"sv, "a PDF file", kSaveAsCsv},
    Signature{"\x89PNG"sv, "a PNG picture", "it is not a table"},
    Signature{"<!DOCTYPE"sv, "an HTML page", "the table itself may have another address"},
    Signature{"<html"sv, "an HTML page", "the table itself may have another address"},
};

// The name that iconv knows; {} for text of 8 bits a unit. Most characters of a table are below U+0100, so
// that of the two bytes of a unit always the same one is 0.
std::string_view wide_encoding(std::string_view beginning) {
    constexpr std::size_t kLooked = 4096;
    if (beginning.starts_with("\xff\xfe\0\0"sv) || beginning.starts_with("\0\0\xfe\xff"sv)) return "UTF-32";
    if (beginning.starts_with("\xff\xfe"sv) || beginning.starts_with("\xfe\xff"sv)) return "UTF-16";
    std::array<std::size_t, 2> zeros{};
    const std::size_t looked = std::min(beginning.size(), kLooked);
    for (std::size_t i = 0; i < looked; ++i)
        zeros[i % 2] += beginning[i] == '\0' ? 1 : 0;
    const std::size_t most = looked / 4;  // of looked / 2 units
    if (zeros[0] == 0 && zeros[1] > most) return "UTF-16LE";
    if (zeros[1] == 0 && zeros[0] > most) return "UTF-16BE";
    return {};
}

std::string conversion(std::string_view encoding, const std::string& path) {
    return fmt::format("convert it: iconv -f {} -t UTF-8 '{}' > utf8.csv", encoding, path);
}

bool is_binary(std::string_view beginning) {
    const auto is_control = [](unsigned char c) { return (c < 0x20 && (c < '\t' || c > '\r')) || c == 0x7f; };
    const auto controls = static_cast<std::size_t>(std::ranges::count_if(beginning, is_control));
    return beginning.find('\0') != beginning.npos || controls > 1 + beginning.size() / 100;
}

}  // namespace

void require_table_text(std::string_view beginning, const std::string& path) {
    const bool binary = is_binary(beginning);
    for (const auto& [bytes, format, advice] : kSignatures) {
        // A column may be named PAR1.
        if (beginning.starts_with(bytes) && (binary || bytes.starts_with('<'))) {
            throw_input_error("'{}' is not a table as text: it is {}; {}", path, format, advice);
        }
    }
    const std::string_view encoding = wide_encoding(beginning);
    if (!encoding.empty())
        throw_input_error("'{}' is in {}, not UTF-8; {}", path, encoding, conversion(encoding, path));
    if (binary)
        throw_input_error("'{}' is not a table as text: it is a binary file; save the table as CSV", path);
    if (beginning.find('\n') == beginning.npos && beginning.find('\r') != beginning.npos &&
        beginning.find('\r') + 1 < beginning.size()) {
        throw_input_error(
            "'{}' ends its lines as old Macintosh programs do; convert it: tr '\\r' '\\n' < '{}' > lines.csv",
            path, path);
    }
}

std::string advice_for_encoding(std::string_view text, const std::string& path) {
    // Latin-1 has control characters there, which no table has; Windows has letters and quotes.
    const bool windows = std::ranges::any_of(text.substr(utf8_prefix(text)),
                                             [](unsigned char c) { return c >= 0x80 && c < 0xa0; });
    return fmt::format("it may be {}; if so, {}", windows ? "Windows-1252" : "Latin-1 (ISO-8859-1)",
                       conversion(windows ? "WINDOWS-1252" : "ISO-8859-1", path));
}

}  // namespace vae_dist
