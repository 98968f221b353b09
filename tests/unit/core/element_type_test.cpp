#include "vae_dist/core/element_type.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "vae_dist/core/shape.hpp"

namespace vae_dist {
namespace {

TEST(ElementType, NameWidthAndCppTypeAgree) {
    for (int i = 0; i <= static_cast<int>(ElementType::float64); ++i) {
        const auto type = static_cast<ElementType>(i);
        const std::string name = with_type(type, []<class T>(T) {
            const std::string kind = std::is_floating_point_v<T> ? "float"
                                     : std::is_signed_v<T>       ? "int"
                                                                 : "uint";
            return kind + std::to_string(8 * sizeof(T));
        });
        EXPECT_EQ(element_name(type), name);
        EXPECT_TRUE(name.ends_with(std::to_string(8 * element_bytes(type)))) << name;
    }
}

TEST(ElementType, NumbersAreReadFromAnyAddress) {
    alignas(8) std::byte bytes[1 + 2 * sizeof(double)];
    const double values[] = {-0.1, std::numeric_limits<double>::max()};
    std::memcpy(bytes + 1, values, sizeof values);
    EXPECT_EQ(element_at<double>(bytes + 1, 0), values[0]);
    EXPECT_EQ(element_at<double>(bytes + 1, 1), values[1]);
}

TEST(Shape, CountsElements) {
    EXPECT_EQ(element_count({}), 1);
    EXPECT_EQ(element_count(std::vector<std::int64_t>{5, 28, 28}), 3920);
    EXPECT_EQ(element_count(std::vector<std::int64_t>{5, 0}), 0);
}

}  // namespace
}  // namespace vae_dist
