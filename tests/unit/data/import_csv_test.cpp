#include <gtest/gtest.h>

#include <cmath>

#include "unit/data/import_fixture.hpp"

namespace vae_dist {
namespace {

TEST_F(Import, CsvWithAHeader) {
    const std::string text =
        "age, \"height, m\" ,\"say \"\"x\"\"\"\r\n1,2.5,-3e2\r\n\"4\", +5 ,1e-400\r\n\r\n";
    const ImportResult result = import_csv(write_gzipped("t.csv.gz", text), {}, target());
    EXPECT_EQ(result.rows, 2);
    EXPECT_NE(result.description.find("2 x 3 float64 to "), std::string::npos) << result.description;
    EXPECT_EQ(out().read_floats("train/x"), (std::vector<float>{1, 2.5, -300, 4, 5, 0}));
    EXPECT_EQ(out().info("train/x").type_name, "float64");
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

TEST_F(Import, CsvNumbersLoseNoDigits) {
    import_csv(write("t.csv", "0.1,1.7976931348623157e308,1700000000123456,5e-324,-0\n"), {}, target());
    const std::vector<double> back = out().read_doubles("train/x");
    EXPECT_EQ(back, (std::vector<double>{0.1, 1.7976931348623157e308, 1700000000123456, 5e-324, 0}));
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

TEST_F(Import, CsvTakesNoLineWithANumberForAHeader) {
    const auto importing = [&](const std::string& text, const CsvOptions& options = {}) {
        return [this, path = write("t.csv", text), options, t = target()] { import_csv(path, options, t); };
    };
    expect_refused({"line 1, column 2", "'NA' is no number", "missing values", "--skip-lines"},
                   importing("1,NA,3\n4,5,6\n"));
    expect_refused({"line 3, column 1", "'id' is no number", "--skip-lines"},
                   importing("a\n\nid,2019\n1,2\n", {.skip_lines = 2}));
    expect_refused({"line 1, column 1", "empty"}, importing(",,\n4,5,6\n"));
    import_csv(write("t.csv", ",a,\n0,1,2\n"), {}, target());
    EXPECT_EQ(out().read_doubles("train/x"), (std::vector<double>{0, 1, 2}));
    EXPECT_TRUE(out().has_attribute("train/x", "feature_names"));
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
    expect_refused({"line 2, column 2", "'1e400' is not a finite float64"}, importing("1,2\n3,1e400\n"));
    expect_refused({"line 2", "'1.5x' is no number"}, importing("1\n1.5x\n"));
    expect_refused({"line 2", "'1;2' is no number", "';' between", "--delimiter"}, importing("a;b\n1;2\n"));
    expect_refused({"line 2", "tabs", "--delimiter"}, importing("a\tb\n1\t2\n"));
    expect_refused({"line 2 is blank"}, importing("1,2\n\n3,4\n"));
    expect_refused({"line 4, column 1"}, importing("skipped\na,b\n1,2\nx,4\n", {.skip_lines = 1}));
}

}  // namespace
}  // namespace vae_dist
