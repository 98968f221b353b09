#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include "data/import/array.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

// The header's text, a Python dictionary such as {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
std::string read_header(ImportInput& input) {
    std::array<std::byte, 8> start{};  // magic, major and minor version
    const bool complete = input.read(start) == start.size();
    const std::string_view text(reinterpret_cast<const char*>(start.data()), start.size());
    if (text.starts_with("PK")) {
        throw_input_error("'{}' is an archive of arrays (.npz); save the one to import with numpy.save",
                          input.path());
    }
    const int version = std::to_integer<int>(start[6]);
    if (!complete || !text.starts_with(kMagic)) throw_input_error("'{}' is not a .npy file", input.path());
    if (version < 1 || version > 3) {
        throw_input_error("'{}' has version {} of the .npy format; 1 to 3 are known", input.path(), version);
    }
    std::vector<std::byte> length(version == 1 ? 2 : 4);
    input.read_exactly(length, static_cast<std::int64_t>(start.size() + length.size()));
    std::size_t size = 0;
    for (std::size_t i = length.size(); i-- > 0;)
        size = size << 8 | std::to_integer<std::size_t>(length[i]);
    constexpr std::size_t kMostHeader = std::size_t{1} << 14;
    if (size > kMostHeader) {
        throw_input_error("'{}' has a header of {} bytes; an array of numbers needs at most {}", input.path(),
                          size, kMostHeader);
    }
    std::string header(size, '\0');
    input.read_exactly(std::as_writable_bytes(std::span(header)),
                       input.position() + static_cast<std::int64_t>(size));
    return header;
}

// The value of `key` in the dictionary: a text without its quotes, a tuple without its parentheses, a word;
// empty if there is none of these.
std::string find_value(std::string_view header, std::string_view key) {
    std::size_t at = header.find(key);
    if (at == 0 || at == std::string_view::npos) return "";
    at += key.size() + 1;  // over the closing quote
    while (at < header.size() && (header[at] == ' ' || header[at] == ':'))
        ++at;
    if (at >= header.size() || header[at] == '[') return "";
    const char first = header[at];
    const bool enclosed = first == '\'' || first == '"' || first == '(';
    if (enclosed) ++at;
    const std::string_view ends = first == '(' ? ")" : enclosed ? std::string_view(&first, 1) : ", }";
    return std::string(header.substr(at, header.find_first_of(ends, at) - at));
}

// numpy's kind and width in bytes. Booleans are not uint8, whose values count in 255ths by default.
constexpr std::pair<std::string_view, ElementType> kTypes[] = {
    {"b1", ElementType::int8},    {"i1", ElementType::int8},    {"u1", ElementType::uint8},
    {"i2", ElementType::int16},   {"u2", ElementType::uint16},  {"i4", ElementType::int32},
    {"u4", ElementType::uint32},  {"i8", ElementType::int64},   {"u8", ElementType::uint64},
    {"f2", ElementType::float32}, {"f4", ElementType::float32}, {"f8", ElementType::float64},
};

// `descr` is a byte order of "<>|=", and the type: "<f4".
void set_type(const std::string& descr, const ImportInput& input, ArrayInput& array) {
    const std::string type = descr.empty() ? "" : descr.substr(1);
    const auto found = std::ranges::find(kTypes, type, &std::pair<std::string_view, ElementType>::first);
    if (found == std::end(kTypes)) {
        throw_input_error("'{}' holds neither integers nor floats, but {}", input.path(),
                          descr.empty() ? "records or objects" : fmt::format("numpy's type '{}'", descr));
    }
    array.type = found->second;
    array.half_floats = type == "f2";
    array.order = descr.front() == '>'   ? std::endian::big
                  : descr.front() == '<' ? std::endian::little
                                         : std::endian::native;
}

std::vector<std::int64_t> parse_shape(const std::string& text, const ImportInput& input) {
    std::vector<std::int64_t> shape;
    for (const char* at = text.data(); at < text.data() + text.size();) {
        if (*at == ' ' || *at == ',') {
            ++at;
            continue;
        }
        const auto [end, error] = std::from_chars(at, text.data() + text.size(), shape.emplace_back());
        if (error != std::errc{}) throw_input_error("'{}' is damaged: its shape is ({})", input.path(), text);
        at = end;
    }
    return shape;
}

ArrayInput read_npy_header(ImportInput& input) {
    const std::string header = read_header(input);
    const std::string order = find_value(header, "fortran_order");
    if ((order != "True" && order != "False") || header.find("shape") == std::string::npos) {
        throw_input_error("'{}' is damaged: its header does not tell the order and the shape", input.path());
    }
    ArrayInput array;
    set_type(find_value(header, "descr"), input, array);
    array.shape = parse_shape(find_value(header, "shape"), input);
    if (order == "True" && array.shape.size() > 1) {
        throw_input_error(
            "'{}' is in Fortran order, column after column; save numpy.ascontiguousarray(...) of it",
            input.path());
    }
    return array;
}

}  // namespace

ImportResult import_npy(const std::string& npy, const ImportTarget& target) {
    ImportInput input(npy);
    const ArrayInput array = read_npy_header(input);
    check_shape(array, input);
    ImportOutput output(target);
    copy_array(input, array, target.dataset, output);
    output.commit();
    return {array.shape.front(), describe_import(array.shape, array.type, target)};
}

}  // namespace vae_dist
