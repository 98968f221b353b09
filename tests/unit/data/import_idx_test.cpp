// IDX files, and what all imports do to their target.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <bit>
#include <cstdlib>
#include <random>

#include "data/import/output.hpp"
#include "support/little_address_space.hpp"
#include "unit/data/import_fixture.hpp"

namespace vae_dist {
namespace {

std::string idx_header(int type, const std::vector<std::uint32_t>& shape) {
    std::string header = std::string(2, '\0') + static_cast<char>(type) + static_cast<char>(shape.size());
    for (const std::uint32_t size : shape)
        header += big_endian(size, 4);
    return header;
}

TEST(ImportTargetText, IsAFileAColonAndADataset) {
    EXPECT_EQ(parse_target("a:b.h5:train/x").file, "a:b.h5");
    EXPECT_EQ(parse_target("a:b.h5:train/x").dataset, "train/x");
    for (const char* text : {"a.h5", "a.h5:", ":x", "", ":", "a.h5:x/"}) {
        expect_error(ErrorKind::input, {"FILE.h5:DATASET"}, [&] { parse_target(text); });
    }
}

TEST_F(Import, IdxImagesAndLabelsGzippedOrNot) {
    std::string pixels;
    for (int i = 0; i < 5 * 2 * 3; ++i)
        pixels += static_cast<char>(200 + i);
    const std::string images = idx_header(8, {5, 2, 3}) + pixels;
    const std::string labels = idx_header(8, {5}) + "\1\2\3\4\5";
    const ImportResult result =
        import_idx(write_gzipped("images.gz", images), write("labels", labels), target());
    EXPECT_EQ(result.rows, 5);
    EXPECT_NE(result.description.find("5 x 2 x 3 uint8 to "), std::string::npos) << result.description;
    const hdf5::File file = out();
    EXPECT_EQ(file.info("train/x").shape, (std::vector<std::int64_t>{5, 2, 3}));
    EXPECT_EQ(file.info("train/x").type_name, "uint8");
    EXPECT_EQ(file.read_floats("train/x")[7], 207);
    EXPECT_EQ(file.read_floats("train/y"), (std::vector<float>{1, 2, 3, 4, 5}));
    EXPECT_EQ(file.read_text_attribute("train/x", "source"), "images.gz");
}

// Memory for what a damaged header says may be more than there is: here 16 rows of 2 GiB.
TEST_F(Import, IdxThatIsShorterThanItsHeaderSaysTakesNoMemoryForTheRest) {
    const LittleAddressSpace little(rlim_t{1} << 30);
    if (!little.works()) GTEST_SKIP() << "a sanitizer has taken most addresses";
    const std::string images = write("images", idx_header(8, {16, 0x7fffffff}) + "0123456789");
    expect_error(ErrorKind::input, {"images", "22 bytes"}, [&] { import_idx(images, {}, target()); });
}

TEST_F(Import, IdxNumbersOfEveryType) {
    const std::vector<std::pair<int, std::string>> types = {
        {0x08, big_endian(7, 1)},
        {0x09, big_endian(7, 1)},
        {0x0b, big_endian(7, 2)},
        {0x0c, big_endian(7, 4)},
        {0x0d, big_endian(std::bit_cast<std::uint32_t>(7.0F), 4)},
        {0x0e, big_endian(std::bit_cast<std::uint64_t>(7.0), 8)}};
    const char* const names[] = {"uint8", "int8", "int16", "int32", "float32", "float64"};
    for (std::size_t i = 0; i < types.size(); ++i) {
        const std::string path = write("numbers", idx_header(types[i].first, {1}) + types[i].second);
        import_idx(path, {}, target(names[i]));
        EXPECT_EQ(out().info(names[i]).type_name, names[i]);
        EXPECT_EQ(out().read_floats(names[i]), std::vector<float>{7}) << names[i];
    }
    EXPECT_EQ(out().datasets().size(), types.size());
}

TEST_F(Import, MoreRowsThanOneBlock) {
    constexpr std::uint32_t kRows = 70'001;
    std::string pixels(std::size_t{kRows} * 64, '\0');
    std::mt19937 random(1);
    for (char& pixel : pixels)
        pixel = static_cast<char>(random() % 3);
    import_idx(write_gzipped("images.gz", idx_header(8, {kRows, 64}) + pixels), {}, target());
    const hdf5::RowReader reader(folder_.file("out.h5"), "train/x");
    EXPECT_EQ(reader.info().shape, (std::vector<std::int64_t>{kRows, 64}));
    EXPECT_EQ(reader.info().chunk, (std::vector<std::int64_t>{4096, 64}));
    std::string back(pixels.size(), '\0');
    reader.read(0, kRows, reinterpret_cast<std::byte*>(back.data()));
    EXPECT_TRUE(back == pixels);
}

TEST_F(Import, IdxRefusesWhatIsWrong) {
    const auto importing = [&](const std::string& bytes) {
        return [this, path = write("in", bytes), t = target()] { import_idx(path, {}, t); };
    };
    const std::string good = idx_header(8, {2, 3}) + "abcdef";
    expect_refused({"missing", "No such file"}, [&] { import_idx(folder_.file("missing"), {}, target()); });
    expect_refused({"is a folder"}, [&] { import_idx(folder_.path(), {}, target()); });
    expect_refused({"not an IDX file"}, importing("PK zip"));
    expect_refused({"not an IDX file"}, importing(""));
    expect_refused({"not an IDX file"}, importing(idx_header(0x0a, {1}) + "a"));
    expect_refused({"truncated", "10 bytes", "should have 12"}, importing(good.substr(0, 10)));
    expect_refused({"truncated", "17 bytes", "should have 18"}, importing(good.substr(0, 17)));
    expect_refused({"goes on after the 18 bytes"}, importing(good + "g"));
    expect_refused({"single number"}, importing(idx_header(8, {}) + "a"));
    expect_refused({"no data", "0 x 3"}, importing(idx_header(8, {0, 3})));
    expect_refused({"too large"}, importing(idx_header(8, {1, 65536, 65536, 65536, 65536}) + "a"));
    const std::string images = write("in", good);
    write("labels", idx_header(8, {3}) + "abc");
    expect_refused({"labels", "2 labels", "3"},
                   [&] { import_idx(images, folder_.file("labels"), target()); });
    write("labels", idx_header(8, {2}) + "ab");
    expect_refused({"another name"}, [&] { import_idx(images, folder_.file("labels"), target("train/y")); });
}

TEST_F(Import, ADamagedOrTruncatedGzipStreamIsRefused) {
    std::string pixels(100'000, '\0');
    std::mt19937 random(2);
    for (char& pixel : pixels)
        pixel = static_cast<char>(random());
    const std::string whole = read(write_gzipped("images.gz", idx_header(8, {100, 1000}) + pixels));
    write("images.gz", whole.substr(0, whole.size() / 2));
    expect_refused({"images.gz", "truncated"}, [&] { import_idx(folder_.file("images.gz"), {}, target()); });
    std::string damaged = whole;
    damaged[damaged.size() - 6] ^= 1;  // in the stream's checksum
    write("images.gz", damaged);
    expect_refused({"images.gz"}, [&] { import_idx(folder_.file("images.gz"), {}, target()); });
}

TEST_F(Import, AddsToAFileAndReplacesADatasetOnlyWhenAsked) {
    const std::string first = write("first", idx_header(8, {1}) + "a");
    const std::string second = write("second", idx_header(8, {2}) + "bc");
    import_idx(first, {}, target("train/x"));
    import_idx(second, {}, target("test/x"));
    EXPECT_EQ(out().datasets(), (std::vector<std::string>{"/test/x", "/train/x"}));
    const std::string before = read(folder_.file("out.h5"));
    expect_refused({"train/x", "already", "--force"}, [&] { import_idx(second, {}, target("train/x")); });
    expect_refused({"train", "not a dataset"}, [&] { import_idx(second, {}, target("train")); });
    expect_refused({"not a group"}, [&] { import_idx(second, {}, target("train/x/deeper")); });
    EXPECT_EQ(read(folder_.file("out.h5")), before);
    ImportTarget replacing = target("train/x");
    replacing.replace = true;
    import_idx(second, {}, replacing);
    EXPECT_EQ(out().read_floats("train/x"), (std::vector<float>{'b', 'c'}));
    EXPECT_EQ(out().read_floats("test/x"), (std::vector<float>{'b', 'c'}));
}

TEST_F(Import, ATargetThatIsNoHdf5FileIsLeftAlone) {
    const std::string input = write("in", idx_header(8, {1}) + "a");
    write("out.h5", "precious text");
    expect_refused({"out.h5", "not an HDF5 file"}, [&] { import_idx(input, {}, target()); });
    EXPECT_EQ(read(folder_.file("out.h5")), "precious text");
    expect_refused({"No such file"},
                   [&] { import_idx(input, {}, {.file = folder_.file("absent/out.h5"), .dataset = "x"}); });
}

TEST_F(Import, ASymbolicLinkStaysOne) {
    const std::string input = write("in", idx_header(8, {1}) + "a");
    std::filesystem::create_directory(folder_.path() / "data");
    import_idx(input, {}, {.file = folder_.file("data/real.h5"), .dataset = "x"});
    std::filesystem::create_symlink("data/real.h5", folder_.path() / "out.h5");
    import_idx(input, {}, target("y"));
    EXPECT_TRUE(std::filesystem::is_symlink(folder_.path() / "out.h5"));
    EXPECT_EQ(hdf5::File::open(folder_.file("data/real.h5")).datasets(),
              (std::vector<std::string>{"/x", "/y"}));
}

TEST_F(Import, OfTwoIntoOneFileAtTheSameTimeTheLaterOneIsRefused) {
    const std::string input = write("in", idx_header(8, {1}) + "a");
    for (const bool exists : {false, true}) {
        ImportOutput first(target(exists ? "x2" : "x"));
        expect_refused({"out.h5", "another process"}, [&] { import_idx(input, {}, target("y")); });
        first.commit();
        import_idx(input, {}, target(exists ? "y2" : "y"));
    }
    EXPECT_EQ(out().datasets(), (std::vector<std::string>{"/y", "/y2"}));
    EXPECT_EQ(names(), (std::vector<std::string>{"in", "out.h5"}));
}

TEST_F(Import, WhatAKilledOneLeftIsTakenOver) {
    const std::string input = write("in", idx_header(8, {1}) + "a");
    import_idx(input, {}, target("before"));
    const auto killed = [&] {
        ImportOutput output(target("lost"));
        output.file().write_attribute("/", "note", std::string(100'000, 'x'));
        raise(SIGKILL);
    };
    EXPECT_EXIT(killed(), testing::KilledBySignal(SIGKILL), "");
    ASSERT_EQ(names().size(), 3U) << "a killed import leaves its copy";
    import_idx(input, {}, target("after"));
    EXPECT_EQ(out().datasets(), (std::vector<std::string>{"/after", "/before"}));
    EXPECT_FALSE(out().has_attribute("/", "note"));
    EXPECT_EQ(names(), (std::vector<std::string>{"in", "out.h5"}));
}

// A full disk, as far as this process can have one: files cannot grow beyond `bytes`.
class FileSizeLimit {
 public:
    explicit FileSizeLimit(rlim_t bytes) {
        handler_ = signal(SIGXFSZ, SIG_IGN);
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{bytes, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() {
        setrlimit(RLIMIT_FSIZE, &before_);
        signal(SIGXFSZ, handler_);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
    rlimit before_{};
    void (*handler_)(int) = nullptr;
};

// In a process of its own, which also shows that the library gets through the exit.
void import_and_exit(const std::string& input, const ImportTarget& target, rlim_t most_bytes) {
    const FileSizeLimit full(most_bytes);
    try {
        import_idx(input, {}, target);
    } catch (const Error& error) {
        fmt::print(stderr, "{}\n", error.what());
        std::exit(error.exit_status());
    }
    std::exit(0);
}

TEST_F(Import, AFullDiskIsAFailureThatLeavesAllAsItWas) {
    import_idx(write("small", idx_header(8, {1}) + "a"), {}, target("small"));
    const std::string before = read(folder_.file("out.h5"));
    std::string noise(3'000'000, '\0');
    std::mt19937 random(3);
    for (char& byte : noise)
        byte = static_cast<char>(random());
    const std::string input = write("noise", idx_header(8, {3000, 1000}) + noise);
    const std::vector<std::string> names_before = names();
    for (const rlim_t limit : {3'000, 1'000'000, 2'900'000, 3'001'000}) {
        EXPECT_EXIT(import_and_exit(input, target(), limit), testing::ExitedWithCode(1),
                    "cannot .*out.h5.*File too large");
        EXPECT_EQ(names(), names_before);
        EXPECT_EQ(read(folder_.file("out.h5")), before);
    }
}

}  // namespace
}  // namespace vae_dist
