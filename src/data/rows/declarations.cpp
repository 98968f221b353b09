#include "vae_dist/data/rows/declarations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <string_view>

#include "vae_dist/core/text.hpp"

namespace vae_dist {

namespace {

using hdf5::AttributeNumbers;

// A number of an attribute, which may be of float32.
std::string number(double value) {
    const auto narrow = static_cast<float>(value);
    return static_cast<double>(narrow) == value ? fmt::format("{}", narrow) : fmt::format("{}", value);
}

// Reads the attributes of one dataset that conventions give a meaning.
class AttributeReader {
 public:
    AttributeReader(const hdf5::File& file, const std::string& dataset)
        : file_(file), dataset_(dataset), info_(file.info(dataset)), names_(file.attributes(dataset)) {}

    Declarations read() {
        if (!info_.type) return {};
        read_packing();
        read_missing();
        read_valid_range();
        read_matlab();
        return std::move(found_);
    }

 private:
    bool has(const std::string& name) const {
        return std::find(names_.begin(), names_.end(), name) != names_.end();
    }

    std::string text_of(const std::string& name) const {
        return has(name) ? file_.attribute_as_text(dataset_, name) : "";
    }

    // The numbers of an attribute, at least `least` of them; absent too where it has another kind of value,
    // which is noted.
    std::optional<AttributeNumbers> numbers(const std::string& name, std::size_t least = 1) {
        if (!has(name)) return std::nullopt;
        std::optional<AttributeNumbers> found = file_.numbers_in_attribute(dataset_, name);
        if (found && found->values.size() >= least) return found;
        found_.not_understood.push_back(fmt::format("{} '{}'", name, text_of(name)));
        return std::nullopt;
    }

    bool holds_floats() const {
        return info_.type == ElementType::float32 || info_.type == ElementType::float64;
    }

    void read_packing() {
        if (const auto scale = numbers("scale_factor")) found_.scale_factor = scale->values[0];
        if (const auto offset = numbers("add_offset")) found_.add_offset = offset->values[0];
        if (holds_floats() || !has("_Unsigned")) return;
        const std::string text = text_of("_Unsigned");
        const bool is_unsigned = info_.type_name.starts_with("uint");
        if (text == "true" || text == "True" || text == "1") {
            found_.changes_sign = !is_unsigned;
        } else if (text == "false" || text == "False" || text == "0") {
            found_.changes_sign = is_unsigned;
        } else {
            found_.not_understood.push_back(fmt::format("_Unsigned '{}'", text));
        }
    }

    void read_missing() {
        for (const char* name : {"_FillValue", "missing_value"}) {
            const std::optional<AttributeNumbers> declared = numbers(name);
            if (!declared) continue;
            for (const double value : declared->values)
                found_.missing.push_back({name, value});
        }
        read_fill_value();
    }

    // netCDF's library gives every dataset a fill value, often without an attribute. Not of single bytes, for
    // which its conventions have none, and not 0, which is a number like others.
    void read_fill_value() {
        if (has("_FillValue") || !info_.fill_value || *info_.fill_value == 0) return;
        if (element_bytes(*info_.type) > 1)
            found_.missing.push_back({"HDF5's fill value", *info_.fill_value});
    }

    void read_valid_range() {
        bool in_floats = false;
        std::vector<std::string> attributes;
        if (const auto range = numbers("valid_range", 2)) {
            found_.valid_min = range->values[0];
            found_.valid_max = range->values[1];
            in_floats = range->floats;
            attributes.push_back(
                fmt::format("valid_range {} to {}", number(range->values[0]), number(range->values[1])));
        }
        if (const auto least = numbers("valid_min")) {
            found_.valid_min = least->values[0];
            in_floats = least->floats;
            attributes.push_back("valid_min " + number(least->values[0]));
        }
        if (const auto most = numbers("valid_max")) {
            found_.valid_max = most->values[0];
            in_floats = most->floats;
            attributes.push_back("valid_max " + number(most->values[0]));
        }
        found_.valid_range_is_unpacked = in_floats && !holds_floats();
        if (!attributes.empty()) found_.valid_range = format_list(attributes);
    }

    void read_matlab() {
        found_.matlab_class = text_of("MATLAB_class");
        found_.matlab_empty = text_of("MATLAB_empty") == "1";
    }

    const hdf5::File& file_;
    const std::string& dataset_;
    hdf5::DatasetInfo info_;
    std::vector<std::string> names_;
    Declarations found_;
};

}  // namespace

Declarations read_declarations(const hdf5::File& file, const std::string& dataset) {
    return AttributeReader(file, dataset).read();
}

bool has_sign_of_matlab(const hdf5::File& file) {
    constexpr std::string_view kBegin = "MATLAB 7.";  // of the text in the block before HDF5's own bytes
    std::string begin(kBegin.size(), '\0');
    std::ifstream(file.path(), std::ios::binary).read(begin.data(), std::ssize(begin));
    if (begin == kBegin) return true;
    const std::vector<std::string> datasets = file.datasets();
    return std::any_of(datasets.begin(), datasets.end(), [&](const std::string& dataset) {
        return file.has_attribute(dataset, "MATLAB_class");
    });
}

std::string packing_text(const Declarations& declarations) {
    std::vector<std::string> parts;
    if (declarations.changes_sign) parts.emplace_back("_Unsigned");
    if (declarations.scale_factor != 1) parts.push_back("scale_factor " + number(declarations.scale_factor));
    if (declarations.add_offset != 0) parts.push_back("add_offset " + number(declarations.add_offset));
    return parts.empty() ? "" : format_list(parts);
}

std::string missing_text(const Declarations& declarations) {
    std::vector<std::string> parts;
    for (const MissingValue& missing : declarations.missing) {
        std::string part = fmt::format("{} {}", missing.attribute, number(missing.value));
        if (std::find(parts.begin(), parts.end(), part) == parts.end()) parts.push_back(std::move(part));
    }
    if (declarations.valid_min && declarations.valid_max) {
        parts.push_back(fmt::format("a valid range from {} to {}", number(*declarations.valid_min),
                                    number(*declarations.valid_max)));
    } else if (declarations.valid_min) {
        parts.push_back("valid_min " + number(*declarations.valid_min));
    } else if (declarations.valid_max) {
        parts.push_back("valid_max " + number(*declarations.valid_max));
    }
    return parts.empty() ? "" : format_list(parts, 6);
}

std::string matlab_text(const Declarations& declarations) {
    if (declarations.matlab_class.empty()) return "";
    return fmt::format("MATLAB_class {}{}", declarations.matlab_class,
                       declarations.matlab_empty ? " and MATLAB_empty" : "");
}

}  // namespace vae_dist
