#include <fmt/format.h>
#include <fmt/ranges.h>
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
    expect_refused({"line 1, column 2", "'NA' is not a number", "a missing value", "--header yes"},
                   importing("1,NA,3\n4,5,6\n"));
    expect_refused({"line 3, column 1", "'id' is not a number", "--header yes"},
                   importing("a\n\nid,2019\n1,2\n", {.skip_lines = 2}));
    expect_refused({"line 1, column 1", "'NA' is not a number", "a missing value"},
                   importing("NA,NA\n1,2\n3,4\n"));
    expect_refused({"line 1, column 1", "'#N/A' is not a number"}, importing("#N/A,#DIV/0!\n1,2\n"));
    expect_refused({"line 1, column 1", "empty"}, importing("\"\",n/a\n1,2\n"));
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
    expect_refused({"line 3, column 3 ('kind')", "'setosa' is not a number", "--columns"},
                   importing("a,b,kind\n1,2,3\n1,2,setosa\n"));
    expect_refused({"line 2, column 1", "'nan' is not a finite"}, importing("1,2\nnan,3\n"));
    expect_refused({"line 1, column 2", "'inf' is not a finite"}, importing("1,inf\n"));
    expect_refused({"line 2, column 2", "'1e400' is not a finite float64"}, importing("1,2\n3,1e400\n"));
    expect_refused({"line 2", "'1.5x' is not a number"}, importing("1\n1.5x\n"));
    expect_refused({"line 1, column 1", "'+-5' is not a number"}, importing("+-5,1\n2,3\n"));
    expect_refused({"line 2 cannot be read", "quotes"}, importing("1,2\n3,\"4\n"));
    expect_refused({"line 2 is blank"}, importing("1,2\n\n3,4\n"));
    expect_refused({"line 4, column 1"}, importing("skipped\na,b\n1,2\nx,4\n", {.skip_lines = 1}));
}

TEST_F(Import, CsvSaysWhatItTookTheFirstLineFor) {
    const auto notes = [&](const std::string& text, const CsvOptions& options = {}) {
        ImportTarget to = target();
        to.replace = true;
        const ImportResult result = import_csv(write("t.csv", text), options, to);
        return fmt::format("{} rows", result.rows) + fmt::format("{}", fmt::join(result.notes, "|"));
    };
    const std::string where = fmt::format("'{}' line 1 ", folder_.file("t.csv"));
    EXPECT_EQ(notes("a,b\n1,2\n"),
              "1 rows" + where +
                  "has the names of the columns: none of its fields is a number (--header no: data)");
    EXPECT_EQ(notes("1,2\n3,4\n"),
              "2 rows" + where + "has data, not names: all its fields are numbers (--header yes: names)");
    EXPECT_EQ(notes("0,1,2\n0.5,0.25,0.75\n0.1,0.2,0.3\n"),
              "2 rows" + where +
                  "has the names of the columns: it counts from 0, and the lines after it do not (--header "
                  "no: data)");
    EXPECT_EQ(out().read_doubles("train/x").front(), 0.5);
    EXPECT_EQ(notes(",0,1\n0,0.5,0.25\n1,0.1,0.2\n").substr(0, 6), "2 rows");
    EXPECT_EQ(notes("0,1,2\n3,4,5\n").substr(0, 6), "2 rows");  // it counts on
    EXPECT_EQ(notes("0,1,2\n3,4,6\n", {.header = CsvHeader::yes}), "1 rows");
    EXPECT_EQ(notes("0,1,2\n3,4,6\n", {.header = CsvHeader::no}), "2 rows");
    EXPECT_EQ(notes("0,0\n1,0\n").substr(0, 6), "2 rows");
    EXPECT_EQ(notes(",a\n0,5\n1,7\n", {.header = CsvHeader::yes}),
              "2 rowscolumn 1 ('') counts the rows: if it is an index and not data, leave it out by "
              "--columns not:1");
}

TEST_F(Import, CsvAsksWhereTheFirstLineMayBeEither) {
    const auto importing = [&](const std::string& text, const CsvOptions& options = {}) {
        return [this, path = write("t.csv", text), options, t = target()] { import_csv(path, options, t); };
    };
    for (const std::string text :
         {"0,1,2\n5,5,7\n", "0,1\n0.5,0.5\n", "0\n0.5\n", "2000,2001,2002\n0.5,0.5,0.7\n",
          "400,402.5,405,407.5,410,412.5,415,417.5\n1,1,1,2,2,2,3,3\n"}) {
        expect_refused({"line 1 may have the names of the columns or data", "--header yes or --header no"},
                       importing(text));
    }
    expect_refused({"line 1 may have the names", "'NA' in it may stand for a missing value", "--header no"},
                   importing("NA,b\n1,2\n3,4\n"));
    expect_refused({"line 1 may have the names", "look like numbers, but cannot be read as numbers"},
                   importing("1.2.3,4.5.6\n1,2\n"));
    expect_refused({"line 1 may have the names"}, importing("id,2019\n7,8\n", {.columns = "2"}));
    expect_refused({"line 1, column 1", "'a' is not a number", "--columns"},
                   importing("a,1\n1,2\n", {.header = CsvHeader::no}));
}

TEST_F(Import, CsvNamesMayLookLikeNumbersBesideWordsOrBeSodium) {
    import_csv(write("t.csv", "name,0-9,10-19\n1,2,3\n"), {}, target("ages"));
    EXPECT_EQ(out().read_doubles("ages"), (std::vector<double>{1, 2, 3}));
    import_csv(write("t.csv", "RI,Na,K\n1,2,3\n"), {}, target("glass"));
    EXPECT_EQ(out().read_doubles("glass"), (std::vector<double>{1, 2, 3}));
}

TEST_F(Import, CsvColumnsAreChosenOrLeftOut) {
    const std::string text = "id,age,\"a,b\",7\n\"x, \"\"y\"\"\",1,2,3\nz,4,5,6\n";
    const auto values = [&](const std::string& columns) {
        ImportTarget to = target();
        to.replace = true;
        import_csv(write("t.csv", text), {.header = CsvHeader::yes, .columns = columns}, to);
        return out().read_doubles("train/x");
    };
    EXPECT_EQ(values("not:id"), (std::vector<double>{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(values("not:1"), (std::vector<double>{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(values("4,2"), (std::vector<double>{3, 1, 6, 4}));
    EXPECT_EQ(values("2-3"), (std::vector<double>{1, 2, 4, 5}));
    EXPECT_EQ(values("\"a,b\",age"), (std::vector<double>{2, 1, 5, 4}));
    EXPECT_EQ(values("\"7\""), (std::vector<double>{3, 6}));
    EXPECT_EQ(out().attribute_as_text("train/x", "feature_names"), "7");

    const auto importing = [&](const std::string& columns, CsvHeader header = CsvHeader::yes) {
        return [this, path = write("t.csv", text), columns, header, t = target("test/x")] {
            import_csv(path, {.header = header, .columns = columns}, t);
        };
    };
    expect_refused({"no column 'agee'", "did you mean 'age'?"}, importing("agee"));
    expect_refused({"no column 5", "the table has 4 columns"}, importing("2,5"));
    expect_refused({"7 may be the number of a column, or the name of column 4", "\"7\"", "7-7"},
                   importing("7"));
    expect_refused({"column 2 is there twice"}, importing("age,2"));
    expect_refused({"leaves out every column"}, importing("not:1-4"));
    expect_refused({"'age' is a name, but the table has no header"}, importing("age", CsvHeader::no));
    for (const std::string list : {"", "not:", ",", "age,", "\"age", "\"age\"x", "1,,2"})
        expect_refused({"--columns", "expected names, numbers"}, importing(list));
    expect_refused({"3-2 goes backwards"}, importing("3-2"));
}

TEST_F(Import, CsvNumbersMayHaveADecimalComma) {
    import_csv(write("t.csv", "a;b\n1,5; +2,5e-1\n\"-3,25\";4\n"), {.decimal = ','}, target());
    EXPECT_EQ(out().read_doubles("train/x"), (std::vector<double>{1.5, 0.25, -3.25, 4}));
    import_csv(write("t.csv", "1,5\t2\n"), {.delimiter = '\t', .decimal = ','}, target("test/x"));
    EXPECT_EQ(out().read_doubles("test/x"), (std::vector<double>{1.5, 2}));
    const auto importing = [&](const std::string& text, const CsvOptions& options) {
        return
            [this, path = write("t.csv", text), options, t = target("y")] { import_csv(path, options, t); };
    };
    expect_refused({"',' cannot be both"}, importing("1,5\n", {.delimiter = ',', .decimal = ','}));
}

TEST_F(Import, CsvAdviceNamesTheOptionsThatWouldReadTheLine) {
    const auto importing = [&](const std::string& text, const CsvOptions& options = {}) {
        return [this, path = write("t.csv", text), options, t = target()] { import_csv(path, options, t); };
    };
    expect_refused({"line 2", "'1;2' is not a number", "with --delimiter ';' the line is numbers"},
                   importing("a;b\n1;2\n"));
    expect_refused({"line 2", "with --delimiter '\\t' the line"}, importing("a\tb\n1\t2\n"));
    expect_refused({"line 2 has 3 fields, but line 1 has 1; with --delimiter ';' --decimal , both are rows"},
                   importing("a;b\n1,5;2,5\n"));
    expect_refused({"line 2", "with --decimal , "}, importing("a;b\n1,5;2\n", {.delimiter = ';'}));
    expect_refused({"line 2", "is ';' between the columns? Then give --delimiter ';'"},
                   importing("a;b\n1;x\n"));
}

TEST_F(Import, CsvAdviceOnNumbersSaysHowToWriteThem) {
    const auto importing = [&](const std::string& text, const CsvOptions& options = {}) {
        return [this, path = write("t.csv", text), options, t = target()] { import_csv(path, options, t); };
    };
    const CsvOptions comma = {.decimal = ','};
    for (const std::string text : {"a;b\n1.234,5;1\n", "1.234,5;1.000,0\n2;3\n"}) {
        expect_refused({"'1.234,5' is not a number; its thousands are separated by '.'", "write 1234,5"},
                       importing(text, comma));
    }
    expect_refused({"'1,234.5' is not", "separated by ','", "write 1234.5"},
                   importing("a,b\n\"1,234.5\",1\n"));
    expect_refused({"'1.234.567' is not", "write 1234567"}, importing("a\n1.234.567\n"));
    expect_refused({"'-1 234' is not", "separated by ' '", "write -1234"}, importing("a,b\n-1 234,1\n"));
    expect_refused(
        {"if ',' separates its thousands, write 1234; if it begins the fraction, write '.' for it"},
        importing("a,b\n\"1,234\",1\n"));
    expect_refused(
        {"if '.' separates its thousands, write 1234; if it begins the fraction, give --decimal ."},
        importing("a;b\n1.234;1\n", comma));
    expect_refused({"'1,5' is not a number; its fraction must begin with '.'"},
                   importing("a,b\n\"1,5\",1\n"));
    expect_refused({"'2.5.6' is not a number; correct it"}, importing("a,b\n1,2.5.6\n"));
}

TEST_F(Import, CsvAdviceOnCommentsIsToSkipLines) {
    const auto importing = [&](const std::string& text) {
        return [this, path = write("t.csv", text), t = target()] { import_csv(path, {}, t); };
    };
    expect_refused({"line 2 has 2 fields, but line 1 has 1; if line 1 is a comment, give --skip-lines 1"},
                   importing("# comment\n1,2\n"));
    expect_refused({"'# b' is not a number; if the lines up to this one are comments, give --skip-lines 2"},
                   importing("# a\n# b\n1,2\n"));
    expect_refused({"'# of' is not a number; if the lines up to this one are comments, give --skip-lines 1"},
                   importing("# of,2020\n1,2\n"));
    expect_refused({"line 3 has 1 field,", "comments within a table are not supported"},
                   importing("a,b\n1,2\n# end\n"));
    const ImportResult named = import_csv(write("t.csv", "# a,b\n1,2\n"), {}, target());
    EXPECT_NE(named.notes.at(0).find("if it is a comment, give --skip-lines"), std::string::npos);
}

TEST_F(Import, CsvAdviceOnRaggedRowsSaysWhatMayBeWrong) {
    const auto importing = [&](const std::string& text) {
        return [this, path = write("t.csv", text), t = target()] { import_csv(path, {}, t); };
    };
    for (const std::string text : {"a,b,c\n1,2,3\n4,5\n", "8,9,7\n1,2,3\n4,5\n"}) {
        expect_refused({"line 3 has 2 fields, but line 1 has 3; complete the line, or leave it out"},
                       importing(text));
    }
    expect_refused({"4 fields, but line 1 has 3; a field with ',' in it needs quotes"},
                   importing("1,2,3\n4,5,6,7\n"));
    expect_refused({"3 fields, but line 1 has 2; it ends with ','; remove that"}, importing("a,b\n1,2,\n"));
    expect_refused({"2 fields, but line 1 has 1; if line 1 is a title, give --skip-lines 1"},
                   importing("A title\na,b\n1,2\n"));
    expect_refused({"2 fields, but line 1 has 1; is ';' between the columns?"},
                   importing("a;b\n1.234,5;2\n"));
}

TEST_F(Import, CsvDelimitersAreOneCharacter) {
    EXPECT_EQ(parse_delimiter("\\t"), '\t');
    EXPECT_EQ(parse_delimiter("tab"), '\t');
    EXPECT_EQ(parse_delimiter("\t"), '\t');
    EXPECT_EQ(parse_delimiter(";"), ';');
    EXPECT_EQ(parse_delimiter(" "), ' ');
    for (const std::string text : {"", "ab", "\\n", "5", ".", "-", "e", "\"", "\n", "\xc2\xa7", "\xa7"})
        expect_error(ErrorKind::input, {"--delimiter", "one character"}, [&] { parse_delimiter(text); });
}

TEST_F(Import, CsvInOtherEncodingsIsRecognised) {
    const auto importing = [&](const std::string& bytes) {
        return [this, path = write("t.csv", bytes), t = target()] { import_csv(path, {}, t); };
    };
    expect_refused(
        {"line 1, column 1", "'gr\\xf6\\xdfe' is not UTF-8", "Latin-1", "iconv -f ISO-8859-1 -t UTF-8"},
        importing("gr\xf6\xdf"
                  "e,b\n1,2\n"));
    expect_refused({"Windows-1252", "iconv -f WINDOWS-1252"}, importing("\x80,b\n1,2\n"));
    expect_refused({"line 2, column 2", "not UTF-8", "Latin-1"}, importing("a,b\n1,\xf6\n"));
    const auto wide = [](const std::string& text, bool big) {
        std::string bytes;
        for (const char c : text)
            bytes += big ? std::string{'\0', c} : std::string{c, '\0'};
        return bytes;
    };
    expect_refused({"is in UTF-16,", "iconv -f UTF-16 -t UTF-8"},
                   importing("\xff\xfe" + wide("a\tb\r\n1\t2\r\n", false)));
    expect_refused({"is in UTF-16,", "iconv -f UTF-16 -t UTF-8"},
                   importing("\xfe\xff" + wide("a\n1\n", true)));
    expect_refused({"is in UTF-16LE,", "iconv -f UTF-16LE"}, importing(wide("a,b\n1,2\n", false)));
    expect_refused({"is in UTF-16BE,", "iconv -f UTF-16BE"}, importing(wide("a,b\n1,2\n", true)));
    expect_refused({"is in UTF-32,"}, importing(std::string("\xff\xfe\0\0a\0\0\0", 8)));
    expect_refused({"old Macintosh", "tr '\\r' '\\n'"}, importing("a,b\r1,2\r"));
    import_csv(write("t.csv",
                     "gr\xc3\xb6\xc3\x9f"
                     "e,b\n1,2\n"),
               {}, target());
    EXPECT_EQ(out().read_doubles("train/x"), (std::vector<double>{1, 2}));
}

TEST_F(Import, CsvOfBytesIsNotPrinted) {
    const auto message = [&](const std::string& bytes) {
        try {
            import_csv(write("t.csv", bytes), {}, target());
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    EXPECT_NE(message("\x89HDF\r\n\x1a\n\1\2").find("an HDF5 file"), std::string::npos);
    EXPECT_NE(message("PK\x03\x04").find("ZIP archive"), std::string::npos);
    EXPECT_NE(message("\x93NUMPY\1\1").find("import npy"), std::string::npos);
    EXPECT_NE(message(std::string("\0\0\x08\x03\0\0\0\1", 8)).find("import idx"), std::string::npos);
    import_csv(write("t.csv", "PAR1,BZh\n1,2\n"), {}, target("names"));
    EXPECT_NE(message("BZh91AY\1\2").find("bzip2"), std::string::npos);
    EXPECT_NE(message(std::string("a,b\n1,2\0\3\n", 10)).find("binary file"), std::string::npos);
    const std::string shown = message("a,b\n1,\x1b[2Jx" + std::string(1000, 'y') + "\n");
    EXPECT_NE(shown.find("'\\x1b[2Jxyyy"), std::string::npos) << shown;
    EXPECT_LT(shown.size(), 400U);
}

}  // namespace
}  // namespace vae_dist
