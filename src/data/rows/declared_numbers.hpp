#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "vae_dist/config/config.hpp"
#include "vae_dist/core/element_type.hpp"
#include "vae_dist/data/rows/declarations.hpp"

namespace vae_dist {

/// From the numbers that lie in one dataset to those that are meant, by what its attributes declare.
class DeclaredNumbers {
 public:
    /// `stored` is the type of the numbers in the file. With netcdf they are unpacked, with the others left
    /// as they are; missing ones are looked for unless it is none.
    DeclaredNumbers(Declarations declarations, ElementType stored, Conventions conventions);

    /// Of the numbers that are meant: of packed numbers of up to 16 bits and of float32 it is float32, of
    /// wider ones float64.
    ElementType type() const { return type_; }
    bool unpacks() const { return unpacks_; }
    const Declarations& declarations() const { return declarations_; }

    /// Which of `count` stored numbers is the first that stands for a missing value or lies outside of the
    /// valid range.
    std::optional<std::size_t> first_missing(const std::byte* stored, std::size_t count) const;
    /// Why it is missing: "-1 is a missing value (_FillValue)".
    std::string describe_missing(const std::byte* stored, std::size_t index) const;

    /// Takes `count` stored numbers to `type()`; needed only where it `unpacks`.
    void unpack(const std::byte* stored, std::size_t count, std::byte* to) const;

 private:
    Declarations declarations_;
    ElementType stored_;  // with the sign that is declared
    ElementType type_;
    bool unpacks_ = false;
    bool looks_ = false;
};

}  // namespace vae_dist
