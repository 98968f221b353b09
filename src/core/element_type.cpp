#include "vae_dist/core/element_type.hpp"

#include <array>

namespace vae_dist {

std::size_t element_bytes(ElementType type) {
    return with_type(type, []<class T>(T) { return sizeof(T); });
}

const char* element_name(ElementType type) {
    static constexpr std::array kNames = {"uint8", "int8",   "uint16", "int16",   "uint32",
                                          "int32", "uint64", "int64",  "float32", "float64"};
    return kNames.at(static_cast<std::size_t>(type));
}

}  // namespace vae_dist
