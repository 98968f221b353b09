#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <tuple>

#include "unit/data/import_fixture.hpp"

namespace vae_dist {
namespace {

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
    expect_refused({"not a .npy file"}, importing("1,2\n3,4\n"));
    expect_refused({"not a .npy file"}, importing(""));
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
    expect_refused({"shape"}, importing(npy("'|u1'", "None", "")));
    expect_refused({"does not tell"}, importing(npy("'|u1'", "(1,)", "a", 1, "Perhaps")));
    import_npy(write("a.npy", npy("'|u1'", "(2,)", "ab", 1, "True")),
               target());  // one dimension has no order
    EXPECT_EQ(out().read_floats("train/x"), (std::vector<float>{'a', 'b'}));
}

}  // namespace
}  // namespace vae_dist
