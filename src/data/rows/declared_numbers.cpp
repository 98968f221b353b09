#include "data/rows/declared_numbers.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

namespace vae_dist {

namespace {

ElementType with_other_sign(ElementType type) {
    constexpr std::pair<ElementType, ElementType> kPairs[] = {{ElementType::uint8, ElementType::int8},
                                                              {ElementType::uint16, ElementType::int16},
                                                              {ElementType::uint32, ElementType::int32},
                                                              {ElementType::uint64, ElementType::int64}};
    for (const auto& [without, with] : kPairs) {
        if (type == without) return with;
        if (type == with) return without;
    }
    return type;
}

ElementType unpacked_type(ElementType stored) {
    return element_bytes(stored) <= 2 || stored == ElementType::float32 ? ElementType::float32
                                                                        : ElementType::float64;
}

// A declared number as one of type T, for attributes may be wider than the data; that of a type whose sign
// changes is written with the other sign.
template <class T>
double as_stored(double value, bool changes_sign) {
    if constexpr (std::is_same_v<T, float>) {
        return std::abs(value) > std::numeric_limits<float>::max() ? value : static_cast<float>(value);
    } else if constexpr (std::is_integral_v<T>) {
        constexpr double kRange = 256.0 * static_cast<double>(std::uint64_t{1} << (8 * sizeof(T) - 8));
        if (!changes_sign) return value;
        if (std::is_unsigned_v<T> && value < 0) return value + kRange;
        if (std::is_signed_v<T> && value > static_cast<double>(std::numeric_limits<T>::max()))
            return value - kRange;
    }
    return value;
}

bool equal(double a, double b) {
    return a == b || (std::isnan(a) && std::isnan(b));
}

// What is missing, in numbers of type T.
template <class T>
struct MissingNumbers {
    explicit MissingNumbers(const Declarations& declared) {
        for (const MissingValue& value : declared.missing)
            values.push_back(as_stored<T>(value.value, declared.changes_sign));
        unpacked = declared.valid_range_is_unpacked;
        scale = declared.scale_factor;
        offset = declared.add_offset;
        const auto limit = [&](double value) {
            return unpacked ? value : as_stored<T>(value, declared.changes_sign);
        };
        if (declared.valid_min) least = limit(*declared.valid_min);
        if (declared.valid_max) most = limit(*declared.valid_max);
    }

    bool outside(T stored) const { return meant(stored) < least || meant(stored) > most; }

    // As the valid range counts.
    double meant(T stored) const {
        const auto value = static_cast<double>(stored);
        return unpacked ? value * scale + offset : value;
    }

    // The place of the value in the declarations that it is; -1 if it is none.
    std::ptrdiff_t which(T stored) const {
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (equal(static_cast<double>(stored), values[i])) return static_cast<std::ptrdiff_t>(i);
        }
        return -1;
    }

    std::vector<double> values;
    double least = -std::numeric_limits<double>::infinity();
    double most = std::numeric_limits<double>::infinity();
    bool unpacked = false;
    double scale = 1;
    double offset = 0;
};

}  // namespace

DeclaredNumbers::DeclaredNumbers(Declarations declarations, ElementType stored, Conventions conventions)
    : declarations_(std::move(declarations)), stored_(stored), type_(stored) {
    looks_ = conventions != Conventions::none && declarations_.limits_values();
    // Not uint8, whose values count in 255ths by default.
    if (conventions == Conventions::matlab && declarations_.matlab_class == "logical" &&
        stored == ElementType::uint8)
        stored_ = type_ = ElementType::int8;
    if (conventions != Conventions::netcdf) return;
    if (declarations_.changes_sign) stored_ = type_ = with_other_sign(stored);
    unpacks_ = declarations_.scale_factor != 1 || declarations_.add_offset != 0;
    if (unpacks_) type_ = unpacked_type(stored);
}

std::optional<std::size_t> DeclaredNumbers::first_missing(const std::byte* stored, std::size_t count) const {
    if (!looks_) return std::nullopt;
    return with_type(stored_, [&]<class T>(T) -> std::optional<std::size_t> {
        const MissingNumbers<T> missing(declarations_);
        for (std::size_t i = 0; i < count; ++i) {
            const T value = element_at<T>(stored, i);
            if (missing.outside(value) || missing.which(value) >= 0) return i;
        }
        return std::nullopt;
    });
}

std::string DeclaredNumbers::describe_missing(const std::byte* stored, std::size_t index) const {
    return with_type(stored_, [&]<class T>(T) {
        const MissingNumbers<T> missing(declarations_);
        const T value = element_at<T>(stored, index);
        const std::ptrdiff_t which = missing.which(value);
        if (which < 0) {
            return fmt::format(
                "{} is outside of the valid range ({}{})", value, declarations_.valid_range,
                missing.unpacked ? fmt::format("; unpacked it is {:.7g}", missing.meant(value)) : "");
        }
        return fmt::format("{} stands for a missing value ({})", value,
                           declarations_.missing[static_cast<std::size_t>(which)].attribute);
    });
}

void DeclaredNumbers::unpack(const std::byte* stored, std::size_t count, std::byte* to) const {
    const auto unpack_to = [&]<class To>(To) {
        with_type(stored_, [&]<class From>(From) {
            for (std::size_t i = 0; i < count; ++i) {
                const double meant =
                    static_cast<double>(element_at<From>(stored, i)) * declarations_.scale_factor +
                    declarations_.add_offset;
                const auto value = static_cast<To>(meant);
                std::memcpy(to + i * sizeof(To), &value, sizeof(To));
            }
        });
    };
    type_ == ElementType::float32 ? unpack_to(float{}) : unpack_to(double{});
}

}  // namespace vae_dist
