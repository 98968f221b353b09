#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "unit/train/same_checkpoint.hpp"
#include "unit/train/small_checkpoint.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {
namespace {

// A damaged file is refused as wrong input, or what was hit is a byte that no value depends on. All else, a
// crash above all, is a failure.
class CheckpointDamage : public testing::Test {
 protected:
    bool is_refused(std::span<const std::byte> bytes) const {
        try {
            EXPECT_TRUE(same(parse_checkpoint(bytes, "c.h5"), written_)) << "a wrong value was read";
            return false;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
            EXPECT_NE(std::string(error.what()).find("c.h5"), std::string::npos) << error.what();
            return true;
        }
    }

    const Checkpoint written_ = without_directory(small_checkpoint());
    const std::vector<std::byte> bytes_ = checkpoint_bytes(written_);
};

// Every eighth byte: eight tests, which take their time at once.
constexpr std::size_t kParts = 8;
class CheckpointByte : public CheckpointDamage, public testing::WithParamInterface<std::size_t> {};

TEST_P(CheckpointByte, FlippedIsNoticedOrWithoutEffect) {
    std::vector<std::byte> bytes = bytes_;
    std::size_t refused = 0;
    for (std::size_t at = GetParam(); at < bytes.size(); at += kParts) {
        SCOPED_TRACE(testing::Message() << "byte " << at << " of " << bytes.size());
        bytes[at] = ~bytes[at];
        refused += is_refused(bytes) ? 1 : 0;
        bytes[at] = bytes_[at];
    }
    EXPECT_GT(refused, bytes.size() / kParts / 4);
}

INSTANTIATE_TEST_SUITE_P(Part, CheckpointByte, testing::Range(std::size_t{0}, kParts));

TEST_F(CheckpointDamage, EachSingleBitOfTheFirstBytesFlippedIsNoticedOrWithoutEffect) {
    constexpr std::size_t kSuperblock = 48;
    std::vector<std::byte> bytes = bytes_;
    for (std::size_t bit = 0; bit < 8 * kSuperblock; ++bit) {
        SCOPED_TRACE(testing::Message() << "bit " << bit);
        bytes[bit / 8] ^= std::byte{1} << (bit % 8);
        EXPECT_TRUE(is_refused(bytes));
        bytes[bit / 8] = bytes_[bit / 8];
    }
}

TEST_F(CheckpointDamage, ManyRandomBytesAreNoticedWhereverTheyAre) {
    std::mt19937_64 random(20240607);
    for (int time = 0; time < 200; ++time) {
        SCOPED_TRACE(testing::Message() << "time " << time);
        std::vector<std::byte> bytes = bytes_;
        for (int i = 0; i < 1000; ++i)
            bytes[random() % bytes.size()] = static_cast<std::byte>(random() % 256);
        is_refused(bytes);
    }
}

// Without a broken superblock at the front, which alone would be refused.
TEST_F(CheckpointDamage, AFewRandomBytesBehindTheSuperblockAreNoticedWhereverTheyAre) {
    std::mt19937_64 random(7);
    constexpr std::size_t kSuperblock = 48;
    for (int time = 0; time < 1000; ++time) {
        SCOPED_TRACE(testing::Message() << "time " << time);
        std::vector<std::byte> bytes = bytes_;
        for (int i = 0; i < 4; ++i)
            bytes[kSuperblock + random() % (bytes.size() - kSuperblock)] =
                static_cast<std::byte>(random() % 256);
        is_refused(bytes);
    }
}

TEST_F(CheckpointDamage, RunsOfZerosAsATornWriteLeavesThemAreNoticed) {
    constexpr std::size_t kBlock = 512;
    for (std::size_t first = 0; first < bytes_.size(); first += kBlock) {
        SCOPED_TRACE(testing::Message() << "from byte " << first);
        std::vector<std::byte> bytes = bytes_;
        std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(first),
                  bytes.begin() + static_cast<std::ptrdiff_t>(std::min(first + kBlock, bytes.size())),
                  std::byte{0});
        is_refused(bytes);
    }
}

TEST_F(CheckpointDamage, TruncatedAnywhereItIsRefused) {
    for (std::size_t length = 0; length < bytes_.size(); length += 13) {
        SCOPED_TRACE(testing::Message() << length << " of " << bytes_.size());
        EXPECT_TRUE(is_refused(std::span(bytes_).first(length)));
    }
    EXPECT_TRUE(is_refused(std::span(bytes_).first(bytes_.size() - 1)));
}

TEST_F(CheckpointDamage, BytesAfterItsEndDoNoHarm) {
    std::vector<std::byte> bytes = bytes_;
    bytes.resize(bytes.size() + 1000);
    is_refused(bytes);
}

}  // namespace
}  // namespace vae_dist
