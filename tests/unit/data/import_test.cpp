#include "vae_dist/data/import.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <random>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "vae_dist/data/hdf5.hpp"

namespace vae_dist {
namespace {

class Import : public testing::Test {
 protected:
    std::string write(const std::string& name, const std::string& bytes) const {
        std::ofstream(folder_.file(name), std::ios::binary) << bytes;
        return folder_.file(name);
    }
    std::string write_gzipped(const std::string& name, const std::string& bytes) const {
        const gzFile file = gzopen(folder_.file(name).c_str(), "wb");
        EXPECT_EQ(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())),
                  static_cast<int>(bytes.size()));
        EXPECT_EQ(gzclose(file), Z_OK);
        return folder_.file(name);
    }
    std::string read(const std::string& path) const {
        std::ifstream stream(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(stream), {}};
    }
    ImportTarget target(const std::string& dataset = "train/x") const {
        return {.file = folder_.file("out.h5"), .dataset = dataset};
    }
    hdf5::File out() const { return hdf5::File::open(folder_.file("out.h5")); }
    std::vector<std::string> names() const {
        std::vector<std::string> found;
        for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
            found.push_back(entry.path().filename().string());
        }
        std::ranges::sort(found);
        return found;
    }
    // The import fails as it should, and leaves neither the target nor a temporary file.
    void expect_refused(std::initializer_list<std::string> parts, const std::function<void()>& action,
                        ErrorKind kind = ErrorKind::input) const {
        const std::vector<std::string> before = names();
        expect_error(kind, parts, action);
        EXPECT_EQ(names(), before);
    }

    TemporaryFolder folder_;
};

std::string big_endian(std::uint64_t value, int bytes) {
    std::string text;
    for (int i = bytes; i-- > 0;)
        text += static_cast<char>(value >> 8 * i & 255);
    return text;
}

std::string idx_header(int type, const std::vector<std::uint32_t>& shape) {
    std::string header = std::string(2, '\0') + static_cast<char>(type) + static_cast<char>(shape.size());
    for (const std::uint32_t size : shape)
        header += big_endian(size, 4);
    return header;
}

// An .npy file as numpy writes it.
std::string npy(const std::string& descr, const std::string& shape, const std::string& data, int version = 1,
                const std::string& order = "False") {
    std::string header = "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }";
    header += std::string(63 - header.size() % 64, ' ') + "\n";
    std::string length;
    for (int i = 0; i < (version == 1 ? 2 : 4); ++i)
        length += static_cast<char>(header.size() >> 8 * i & 255);
    return "\x93NUMPY" + std::string(1, static_cast<char>(version)) + '\0' + length + header + data;
}

template <class T>
std::string bytes_of(const std::vector<T>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
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
    expect_refused({"no IDX file"}, importing("PK zip"));
    expect_refused({"no IDX file"}, importing(""));
    expect_refused({"no IDX file"}, importing(idx_header(0x0a, {1}) + "a"));
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
    expect_refused({"train/x", "already", "--replace"}, [&] { import_idx(second, {}, target("train/x")); });
    expect_refused({"train", "no dataset"}, [&] { import_idx(second, {}, target("train")); });
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
    expect_refused(
        {"No such file"},
        [&] { import_idx(input, {}, {.file = folder_.file("absent/out.h5"), .dataset = "x"}); },
        ErrorKind::failure);
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

TEST_F(Import, CsvWithAHeader) {
    const std::string text =
        "age, \"height, m\" ,\"say \"\"x\"\"\"\r\n1,2.5,-3e2\r\n\"4\", +5 ,1e-60\r\n\r\n";
    const ImportResult result = import_csv(write_gzipped("t.csv.gz", text), {}, target());
    EXPECT_EQ(result.rows, 2);
    EXPECT_NE(result.description.find("2 x 3 float32 to "), std::string::npos) << result.description;
    EXPECT_EQ(out().read_floats("train/x"), (std::vector<float>{1, 2.5, -300, 4, 5, 0}));
    EXPECT_EQ(out().info("train/x").type_name, "float32");
    EXPECT_EQ(out().attribute_as_text("train/x", "feature_names"), "<array of 3 strings>");
    EXPECT_EQ(out().read_text_attribute("train/x", "source"), "t.csv.gz");
}

TEST_F(Import, CsvWithoutAHeaderAndWithoutALastLineEnd) {
    import_csv(write("t.csv",
                     "\xef\xbb\xbf"
                     "1\t2\n3\t4"),
               {.delimiter = '\t'}, target());
    EXPECT_EQ(out().read_floats("train/x"), (std::vector<float>{1, 2, 3, 4}));
    EXPECT_FALSE(out().has_attribute("train/x", "feature_names"));
    import_csv(write("s.csv", "a comment\n\n7\n8\n"), {.skip_lines = 2}, target("test/x"));
    EXPECT_EQ(out().read_floats("test/x"), (std::vector<float>{7, 8}));
    EXPECT_EQ(out().info("test/x").shape, (std::vector<std::int64_t>{2, 1}));
}

TEST_F(Import, CsvNumbersAreTheNearestFloats) {
    import_csv(write("t.csv", "0.1,3.4028235e38,16777217,1e-45,-0\n"), {}, target());
    const std::vector<float> back = out().read_floats("train/x");
    EXPECT_EQ(back, (std::vector<float>{0.1F, 3.4028235e38F, 16777216.0F, 1e-45F, 0.0F}));
    EXPECT_TRUE(std::signbit(back[4]));
}

TEST_F(Import, CsvOfManyBlocksKeepsEveryNumber) {
    std::string text = "a,b,c,d,e\n";
    constexpr int kRows = 300'000;
    for (int i = 0; i < kRows; ++i)
        text += std::to_string(i) + ",1.25,-2," + std::to_string(i % 7) + ",0.5\n";
    ASSERT_GT(text.size(), std::size_t{5} << 20);
    import_csv(write("t.csv", text), {}, target());
    const std::vector<float> back = out().read_floats("train/x");
    ASSERT_EQ(back.size(), std::size_t{5} * kRows);
    for (int i = 0; i < kRows; ++i) {
        const auto at = 5 * static_cast<std::size_t>(i);
        ASSERT_EQ(back[at], static_cast<float>(i));
        ASSERT_EQ(back[at + 3], static_cast<float>(i % 7));
        ASSERT_EQ(back[at + 4], 0.5F);
    }
}

TEST_F(Import, CsvRefusesWhatIsNotATableOfNumbers) {
    const auto importing = [&](const std::string& text, const CsvOptions& options = {}) {
        return [this, path = write("t.csv", text), options, t = target()] { import_csv(path, options, t); };
    };
    expect_refused({"t.csv", "no data"}, importing(""));
    expect_refused({"header, but no data"}, importing("a,b\n"));
    expect_refused({"no data"}, importing("1,2\n", {.skip_lines = 3}));
    expect_refused({"line 3 has 2 fields", "3"}, importing("a,b,c\n1,2,3\n4,5\n"));
    expect_refused({"line 2 has 4 fields", "3"}, importing("1,2,3\n4,5,6,7\n"));
    expect_refused({"line 2, column 2 ('b')", "empty"}, importing("a,b,c\n1,,3\n"));
    expect_refused({"line 1, column 2", "empty"}, importing("1,,3\n4,5,6\n"));
    expect_refused({"line 3, column 3 ('kind')", "'setosa' is no number"},
                   importing("a,b,kind\n1,2,3\n1,2,setosa\n"));
    expect_refused({"line 2, column 1", "'nan' is not a finite"}, importing("1,2\nnan,3\n"));
    expect_refused({"line 1, column 2", "'inf' is not a finite"}, importing("1,inf\n"));
    expect_refused({"line 2, column 2", "'1e39' is not a finite float32"}, importing("1,2\n3,1e39\n"));
    expect_refused({"line 2", "'1.5x' is no number"}, importing("1\n1.5x\n"));
    expect_refused({"line 2", "'1;2' is no number", "';' between", "--delimiter"}, importing("a;b\n1;2\n"));
    expect_refused({"line 2", "tabs", "--delimiter"}, importing("a\tb\n1\t2\n"));
    expect_refused({"line 2 is blank"}, importing("1,2\n\n3,4\n"));
    expect_refused({"line 4, column 1"}, importing("skipped\na,b\n1,2\nx,4\n", {.skip_lines = 1}));
}

TEST_F(Import, NpyOfEveryVersionTypeAndByteOrder) {
    const std::vector<float> floats = {1.5F, -2, 3, 4, 5, 6};
    const std::string path = folder_.file("a.npy");
    for (const int version : {1, 2, 3}) {
        const std::string dataset = fmt::format("version {}", version);
        write("a.npy", npy("'<f4'", "(3, 2)", bytes_of(floats), version));
        EXPECT_EQ(import_npy(path, target(dataset)).rows, 3);
        EXPECT_EQ(out().info(dataset).shape, (std::vector<std::int64_t>{3, 2}));
        EXPECT_EQ(out().read_floats(dataset), floats);
    }
    const std::vector<std::tuple<std::string, std::string, std::string>> cases = {
        {"|b1", std::string("\1\0", 2), "int8"},
        {"|u1", std::string("\1\0", 2), "uint8"},
        {"|i1", std::string("\1\0", 2), "int8"},
        {">u2", big_endian(1, 2) + big_endian(0, 2), "uint16"},
        {"<i2", bytes_of(std::vector<std::int16_t>{1, 0}), "int16"},
        {">i4", big_endian(1, 4) + big_endian(0, 4), "int32"},
        {"<u4", bytes_of(std::vector<std::uint32_t>{1, 0}), "uint32"},
        {"<i8", bytes_of(std::vector<std::int64_t>{1, 0}), "int64"},
        {">u8", big_endian(1, 8) + big_endian(0, 8), "uint64"},
        {"<f2", std::string("\0\x3c\0\0", 4), "float32"},
        {">f2", std::string("\x3c\0\0\0", 4), "float32"},
        {">f8", big_endian(std::bit_cast<std::uint64_t>(1.0), 8) + big_endian(0, 8), "float64"},
    };
    for (const auto& [descr, data, type] : cases) {
        write("a.npy", npy("'" + descr + "'", "(2,)", data));
        const std::string dataset = "type " + descr;
        import_npy(path, target(dataset));
        EXPECT_EQ(out().info(dataset).type_name, type) << descr;
        EXPECT_EQ(out().read_floats(dataset), (std::vector<float>{1, 0})) << descr;
    }
}

TEST_F(Import, NpyHalfFloatsKeepTheirValues) {
    const std::vector<std::uint16_t> halves = {0x3555, 0xC000, 0x0001, 0x7BFF, 0x7C00, 0x7E00, 0x8000};
    import_npy(write("a.npy", npy("'<f2'", "(7,)", bytes_of(halves))), target());
    const std::vector<float> back = out().read_floats("train/x");
    EXPECT_EQ(back[0], 0.333251953125F);
    EXPECT_EQ(back[1], -2);
    EXPECT_EQ(back[2], 0x1p-24F);
    EXPECT_EQ(back[3], 65504);
    EXPECT_TRUE(std::isinf(back[4]));
    EXPECT_TRUE(std::isnan(back[5]));
    EXPECT_TRUE(std::signbit(back[6]));
}

TEST_F(Import, NpyHeadersMayHaveTheirKeysInAnyOrder) {
    std::string header = "{\"shape\":(2 ,1),'fortran_order':False,\"descr\":\"|u1\"}";
    header.resize(118, ' ');
    import_npy(
        write("a.npy", std::string("\x93NUMPY\1\0", 8) + static_cast<char>(118) + '\0' + header + "ab"),
        target());
    EXPECT_EQ(out().info("train/x").shape, (std::vector<std::int64_t>{2, 1}));
}

TEST_F(Import, NpyRefusesWhatIsWrong) {
    const auto importing = [&](const std::string& bytes) {
        return [this, path = write("a.npy", bytes), t = target()] { import_npy(path, t); };
    };
    const std::string good = npy("'|u1'", "(4, 2)", "abcdefgh");
    const std::string size = std::to_string(good.size());
    expect_refused({"no .npy file"}, importing("1,2\n3,4\n"));
    expect_refused({"no .npy file"}, importing(""));
    expect_refused({".npz", "numpy.save"}, importing("PK\3\4 archive"));
    expect_refused({"truncated", "should have " + size}, importing(good.substr(0, good.size() - 3)));
    expect_refused({"truncated"}, importing(good.substr(0, 20)));
    expect_refused({"goes on after the " + size}, importing(good + "x"));
    expect_refused({"version 9"}, importing(npy("'|u1'", "(1,)", "a", 9)));
    expect_refused({"Fortran order", "ascontiguousarray"},
                   importing(npy("'|u1'", "(2, 2)", "abcd", 1, "True")));
    expect_refused({"'|O'"}, importing(npy("'|O'", "(1,)", "a")));
    expect_refused({"'<c8'"}, importing(npy("'<c8'", "(1,)", "abcdefgh")));
    expect_refused({"'<U1'"}, importing(npy("'<U1'", "(1,)", "abcd")));
    expect_refused({"records or objects"}, importing(npy("[('a', '<f4')]", "(1,)", "abcd")));
    expect_refused({"single number"}, importing(npy("'|u1'", "()", "a")));
    expect_refused({"no data"}, importing(npy("'|u1'", "(0, 3)", "")));
    expect_refused({"shape"}, importing(npy("'|u1'", "(1, x)", "")));
    expect_refused({"does not tell"}, importing(npy("'|u1'", "None", "")));
    import_npy(write("a.npy", npy("'|u1'", "(2,)", "ab", 1, "True")),
               target());  // one dimension has no order
    EXPECT_EQ(out().read_floats("train/x"), (std::vector<float>{'a', 'b'}));
}

}  // namespace
}  // namespace vae_dist
