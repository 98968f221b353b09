// A file that was damaged on disk must never be taken for a good one: it is refused, or what is read is
// right.

#include <gtest/gtest.h>

#include <bit>
#include <fstream>
#include <random>
#include <span>

#include "support/temporary_folder.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/data/hdf5/hdf5.hpp"

// HDF5 itself leaks what it had read of a damaged file; our own leaks are still found.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
    return "leak:libhdf5";
}

namespace vae_dist::hdf5 {
namespace {

struct Contents {
    std::vector<std::vector<float>> datasets;
    std::vector<std::string> texts;
    std::vector<std::int64_t> numbers;
    std::vector<std::uint64_t> bits_of_doubles;
    bool operator==(const Contents&) const = default;
};

const char* const kDatasets[] = {"/model/encoder/0/weight", "/model/encoder/0/bias",
                                 "/model/decoder/output/weight",
                                 "/optimizer/first_moment/model/encoder/0/weight"};

// As many attributes as a checkpoint has, so that HDF5 would keep them out of the object header by default.
std::vector<std::byte> checkpoint_like_file() {
    File file = File::create_in_memory();
    float next = 0.25F;
    for (const char* name : kDatasets) {
        std::vector<float> values(23 * 7);
        for (float& value : values)
            value = next *= -1.01F;
        file.write_floats(name, std::vector<std::int64_t>{23, 7}, values, true);
    }
    for (int i = 0; i < 10; ++i)
        file.write_attribute("/", "number " + std::to_string(i), std::int64_t{i} * 123456789);
    file.write_attribute("/", "elbo", -101.5625);
    std::string config;
    for (int i = 0; i < 800; ++i)
        config += "key_" + std::to_string(i) + ": value\n";
    file.write_attribute("/", "config", config);
    return file.take_image();
}

Contents read_all(std::span<const std::byte> bytes) {
    const File file = File::open_bytes(bytes, "checkpoint.h5");
    Contents contents;
    for (const char* name : kDatasets)
        contents.datasets.push_back(file.read_floats(name));
    for (int i = 0; i < 10; ++i)
        contents.numbers.push_back(file.read_int_attribute("/", "number " + std::to_string(i)));
    contents.bits_of_doubles.push_back(std::bit_cast<std::uint64_t>(file.read_double_attribute("/", "elbo")));
    contents.texts.push_back(file.read_text_attribute("/", "config"));
    return contents;
}

TEST(DamagedFile, AFlippedByteIsFoundOrDoesNotMatter) {
    std::vector<std::byte> image = checkpoint_like_file();
    const Contents original = read_all(image);
    std::mt19937 random(20240229);
    int refused = 0;
    constexpr int kFlips = 1000;
    for (int i = 0; i < kFlips; ++i) {
        const std::size_t at = random() % image.size();
        const auto mask = static_cast<std::byte>(1 + random() % 255);
        image[at] ^= mask;
        try {
            EXPECT_EQ(read_all(image), original) << "byte " << at << " was read as another";
        } catch (const Error&) {
            ++refused;
        }
        image[at] ^= mask;
    }
    EXPECT_GT(refused, kFlips / 2);
    EXPECT_EQ(read_all(image), original);
}

TEST(DamagedFile, AShorterFileIsRefusedAtEveryLength) {
    const std::vector<std::byte> image = checkpoint_like_file();
    const std::span<const std::byte> bytes(image);
    for (std::size_t length = 0; length < image.size(); length += 64) {
        EXPECT_THROW(read_all(bytes.first(length)), Error) << length << " of " << image.size() << " bytes";
    }
    EXPECT_THROW(read_all(bytes.first(image.size() - 1)), Error);
}

TEST(DamagedFile, AShorterFileOnDiskIsRefusedToo) {
    const TemporaryFolder folder;
    const std::string path = folder.file("checkpoint.h5");
    const std::vector<std::byte> image = checkpoint_like_file();
    std::ofstream stream(path, std::ios::binary);
    stream.write(reinterpret_cast<const char*>(image.data()), static_cast<std::streamsize>(image.size()));
    stream.close();
    EXPECT_EQ(File::open(path).read_double_attribute("/", "elbo"), -101.5625);
    for (std::size_t length = image.size() - 1; length > 1024; length /= 2) {
        std::filesystem::resize_file(path, length);
        EXPECT_THROW(File::open(path), Error) << length;
    }
}

}  // namespace
}  // namespace vae_dist::hdf5
