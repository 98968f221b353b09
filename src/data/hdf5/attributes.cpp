#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>

#include "data/hdf5/detail.hpp"

namespace vae_dist::hdf5 {

using detail::check;
using detail::locate;

namespace {

std::string attribute_of(const File& file, const std::string& object, const std::string& name) {
    return fmt::format("attribute '{}' of '{}'", name, locate(file, object));
}

// Of fixed length: HDF5 keeps texts of variable length where no checksum protects them.
Handle text_type(std::size_t bytes) {
    Handle type(check(H5Tcopy(H5T_C_S1), ErrorKind::failure, "cannot make an HDF5 type"), H5Tclose);
    if (H5Tset_size(type.get(), std::max<std::size_t>(bytes, 1)) < 0 ||
        H5Tset_cset(type.get(), H5T_CSET_UTF8) < 0 || H5Tset_strpad(type.get(), H5T_STR_NULLPAD) < 0) {
        detail::fail(ErrorKind::failure, "cannot make an HDF5 type");
    }
    return type;
}

struct OpenAttribute {
    Handle type;
    std::int64_t elements;
};

OpenAttribute examine(const Handle& attribute, const std::string& what) {
    const std::string doing = fmt::format("cannot read {}", what);
    Handle type(check(H5Aget_type(attribute.get()), ErrorKind::input, doing), H5Tclose);
    const Handle space(check(H5Aget_space(attribute.get()), ErrorKind::input, doing), H5Sclose);
    const hssize_t elements = check(H5Sget_simple_extent_npoints(space.get()), ErrorKind::input, doing);
    return {std::move(type), elements};
}

std::string read_one_text(const Handle& attribute, const Handle& type, const std::string& what) {
    const std::string doing = fmt::format("cannot read {}", what);
    if (H5Tis_variable_str(type.get()) > 0) {
        char* text = nullptr;
        check(H5Aread(attribute.get(), type.get(), static_cast<void*>(&text)), ErrorKind::input, doing);
        const std::unique_ptr<char, herr_t (*)(void*)> owner(text, H5free_memory);
        return text == nullptr ? "" : text;
    }
    std::string text(H5Tget_size(type.get()), '\0');
    check(H5Aread(attribute.get(), type.get(), text.data()), ErrorKind::input, doing);
    const bool spaces = H5Tget_strpad(type.get()) == H5T_STR_SPACEPAD;
    text.resize(std::min(text.find(spaces ? std::string(1, ' ') + '\0' : std::string(1, '\0')), text.size()));
    return text;
}

template <class T>
std::vector<T> read_numbers(const Handle& attribute, hid_t type, std::int64_t elements,
                            const std::string& what) {
    std::vector<T> values(static_cast<std::size_t>(elements));
    check(H5Aread(attribute.get(), type, values.data()), ErrorKind::input,
          fmt::format("cannot read {}", what));
    return values;
}

}  // namespace

bool File::has_attribute(const std::string& object, const std::string& name) const {
    detail::start_library();
    return check(H5Aexists_by_name(id(), object.c_str(), name.c_str(), H5P_DEFAULT), ErrorKind::input,
                 fmt::format("cannot look for {}", attribute_of(*this, object, name))) > 0;
}

std::vector<std::string> File::attributes(const std::string& object) const {
    detail::start_library();
    std::vector<std::string> names;
    const auto keep = [](hid_t, const char* name, const H5A_info_t*, void* to) -> herr_t {
        static_cast<std::vector<std::string>*>(to)->emplace_back(name);
        return 0;
    };
    check(H5Aiterate_by_name(id(), object.c_str(), H5_INDEX_NAME, H5_ITER_INC, nullptr, keep, &names,
                             H5P_DEFAULT),
          ErrorKind::input, fmt::format("cannot list the attributes of '{}'", locate(*this, object)));
    return names;
}

void File::remove_attribute(const std::string& object, const std::string& name) {
    check(H5Adelete_by_name(id(), object.c_str(), name.c_str(), H5P_DEFAULT), ErrorKind::failure,
          fmt::format("cannot remove the {}", attribute_of(*this, object, name)));
}

void File::put_attribute(const std::string& object, const std::string& name, hid_t type, hid_t space,
                         const void* value) {
    const std::string doing = fmt::format("cannot write the {}", attribute_of(*this, object, name));
    if (has_attribute(object, name)) remove_attribute(object, name);
    Handle attribute(H5Acreate_by_name(id(), object.c_str(), name.c_str(), type, space, H5P_DEFAULT,
                                       H5P_DEFAULT, H5P_DEFAULT),
                     H5Aclose);
    check(attribute.get(), ErrorKind::failure, doing);
    check(H5Awrite(attribute.get(), type, value), ErrorKind::failure, doing);
    if (!attribute.close()) detail::fail(ErrorKind::failure, doing);
}

void File::write_attribute(const std::string& object, const std::string& name, const std::string& text) {
    detail::start_library();
    put_attribute(object, name, text_type(text.size()).get(), detail::make_space({}).get(), text.c_str());
}

void File::write_attribute(const std::string& object, const std::string& name, const char* text) {
    write_attribute(object, name, std::string(text));
}

void File::write_attribute(const std::string& object, const std::string& name, std::int64_t value) {
    detail::start_library();
    put_attribute(object, name, H5T_STD_I64LE, detail::make_space({}).get(), &value);
}

void File::write_attribute(const std::string& object, const std::string& name, double value) {
    detail::start_library();
    put_attribute(object, name, H5T_IEEE_F64LE, detail::make_space({}).get(), &value);
}

void File::write_attribute(const std::string& object, const std::string& name,
                           const std::vector<std::string>& texts) {
    detail::start_library();
    std::size_t longest = 1;
    for (const std::string& text : texts)
        longest = std::max(longest, text.size());
    std::string all;
    for (const std::string& text : texts)
        all += text + std::string(longest - text.size(), '\0');
    const std::int64_t shape[] = {static_cast<std::int64_t>(texts.size())};
    put_attribute(object, name, text_type(longest).get(), detail::make_space(shape).get(), all.c_str());
}

Handle File::open_attribute(const std::string& object, const std::string& name) const {
    if (!has_attribute(object, name)) throw_input_error("there is no {}", attribute_of(*this, object, name));
    return {check(H5Aopen_by_name(id(), object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT),
                  ErrorKind::input, fmt::format("cannot open the {}", attribute_of(*this, object, name))),
            H5Aclose};
}

std::string File::read_text_attribute(const std::string& object, const std::string& name) const {
    const std::string what = "the " + attribute_of(*this, object, name);
    const Handle attribute = open_attribute(object, name);
    const auto [type, elements] = examine(attribute, what);
    if (H5Tget_class(type.get()) != H5T_STRING || elements != 1) throw_input_error("{} is not a text", what);
    return read_one_text(attribute, type, what);
}

std::int64_t File::read_int_attribute(const std::string& object, const std::string& name) const {
    const std::string what = "the " + attribute_of(*this, object, name);
    const Handle attribute = open_attribute(object, name);
    const auto [type, elements] = examine(attribute, what);
    if (H5Tget_class(type.get()) != H5T_INTEGER || elements != 1)
        throw_input_error("{} is not an integer", what);
    return read_numbers<std::int64_t>(attribute, H5T_NATIVE_INT64, 1, what).front();
}

double File::read_double_attribute(const std::string& object, const std::string& name) const {
    const std::string what = "the " + attribute_of(*this, object, name);
    const Handle attribute = open_attribute(object, name);
    const auto [type, elements] = examine(attribute, what);
    const H5T_class_t kind = H5Tget_class(type.get());
    if ((kind != H5T_FLOAT && kind != H5T_INTEGER) || elements != 1)
        throw_input_error("{} is not a number", what);
    return read_numbers<double>(attribute, H5T_NATIVE_DOUBLE, 1, what).front();
}

std::optional<AttributeNumbers> File::numbers_in_attribute(const std::string& object,
                                                           const std::string& name) const {
    const std::string what = "the " + attribute_of(*this, object, name);
    const Handle attribute = open_attribute(object, name);
    const auto [type, elements] = examine(attribute, what);
    const H5T_class_t kind = H5Tget_class(type.get());
    if (kind != H5T_FLOAT && kind != H5T_INTEGER) return std::nullopt;
    return AttributeNumbers{read_numbers<double>(attribute, H5T_NATIVE_DOUBLE, elements, what),
                            kind == H5T_FLOAT};
}

std::string File::attribute_as_text(const std::string& object, const std::string& name) const {
    const std::string what = "the " + attribute_of(*this, object, name);
    const Handle attribute = open_attribute(object, name);
    const auto [type, elements] = examine(attribute, what);
    constexpr std::int64_t kMostShown = 8;
    const H5T_class_t kind = H5Tget_class(type.get());
    if (kind == H5T_STRING && elements == 1) return read_one_text(attribute, type, what);
    if (elements >= 1 && elements <= kMostShown) {
        if (kind == H5T_INTEGER) {
            return fmt::format(
                "{}",
                fmt::join(read_numbers<std::int64_t>(attribute, H5T_NATIVE_INT64, elements, what), ", "));
        }
        if (kind == H5T_FLOAT) {
            return fmt::format(
                "{}", fmt::join(read_numbers<double>(attribute, H5T_NATIVE_DOUBLE, elements, what), ", "));
        }
    }
    return fmt::format("<array of {} {}{}>", elements, detail::describe_type(type.get()),
                       kind == H5T_STRING && elements != 1 ? "s" : "");
}

}  // namespace vae_dist::hdf5
