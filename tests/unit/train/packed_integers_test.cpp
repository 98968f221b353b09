#include "train/step/packed_integers.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace vae_dist {
namespace {

std::vector<std::int64_t> packed_and_added(const std::vector<std::int64_t>& values,
                                           std::vector<std::int64_t> to, std::size_t* size = nullptr) {
    // What lies beyond the packed bytes must not matter.
    std::vector<std::byte> bytes(most_packed_integer_bytes(values.size()), std::byte{0xA5});
    const std::size_t used = pack_integers(values, bytes.data());
    EXPECT_LE(used, bytes.size());
    for (std::size_t i = used; i < bytes.size(); ++i)
        bytes[i] = std::byte{0x5A};
    add_packed_integers(bytes.data(), to);
    if (size != nullptr) *size = used;
    return to;
}

std::vector<std::int64_t> unpacked(const std::vector<std::int64_t>& values, std::size_t* size = nullptr) {
    return packed_and_added(values, std::vector<std::int64_t>(values.size()), size);
}

TEST(PackedIntegers, ComeBackAsTheyWereAtEveryLengthAndWidth) {
    for (const std::size_t length : {0, 1, 2, 255, 256, 257, 1000, 4096}) {
        for (int bits = 0; bits < 64; ++bits) {
            std::vector<std::int64_t> values(length);
            for (std::size_t i = 0; i < length; ++i) {
                const auto magnitude = static_cast<std::int64_t>((std::uint64_t{1} << bits) - 1);
                values[i] = i % 3 == 0   ? magnitude
                            : i % 3 == 1 ? -magnitude - 1
                                         : static_cast<std::int64_t>(i);
            }
            ASSERT_EQ(unpacked(values), values) << length << " of " << bits << " bits";
        }
    }
}

TEST(PackedIntegers, ExtremesComeBack) {
    const std::vector<std::int64_t> values = {std::numeric_limits<std::int64_t>::min(),
                                              std::numeric_limits<std::int64_t>::max(), 0, -1, 1};
    EXPECT_EQ(unpacked(values), values);
}

TEST(PackedIntegers, TakeTheFewestWholeBytes) {
    const auto bytes_of = [](std::int64_t value) {
        std::vector<std::int64_t> values(256);
        values[200] = value;
        std::size_t size = 0;
        unpacked(values, &size);
        return size;
    };
    EXPECT_EQ(bytes_of(0), 1);
    EXPECT_EQ(bytes_of(127), 1 + 256);
    EXPECT_EQ(bytes_of(-128), 1 + 256);
    EXPECT_EQ(bytes_of(128), 1 + 2 * 256);
    EXPECT_EQ(bytes_of((1 << 23) - 1), 1 + 3 * 256);
    EXPECT_EQ(bytes_of(-(1 << 23) - 1), 1 + 4 * 256);
    EXPECT_EQ(bytes_of(std::int64_t{1} << 62), 1 + 8 * 256);
}

TEST(PackedIntegers, AreAddedToWhatIsThereAndWrapAround) {
    const std::vector<std::int64_t> values = {5, -7, std::numeric_limits<std::int64_t>::max()};
    EXPECT_EQ(packed_and_added(values, {10, 20, 1}),
              (std::vector<std::int64_t>{15, 13, std::numeric_limits<std::int64_t>::min()}));
}

}  // namespace
}  // namespace vae_dist
