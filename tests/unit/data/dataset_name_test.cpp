#include "vae_dist/data/rows/dataset_name.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "unit/data/data_files.hpp"

namespace vae_dist {
namespace {

// "FILE|DATASET" for each reading.
std::vector<std::string> readings(const std::string& text) {
    std::vector<std::string> found;
    for (const DatasetName& name : readings_of(text))
        found.push_back(name.file + "|" + name.dataset);
    return found;
}

using Readings = std::vector<std::string>;

TEST(DatasetName, IsReadAtEveryColon) {
    EXPECT_EQ(readings("d.h5:train/x"), Readings{"d.h5|train/x"});
    EXPECT_EQ(readings("a:b.h5:H1:x"), (Readings{"a|b.h5:H1:x", "a:b.h5|H1:x", "a:b.h5:H1|x"}));
    EXPECT_EQ(readings(":a:b"), Readings{":a|b"});
    EXPECT_EQ(readings("a.h5:g/:x"), (Readings{"a.h5|g/:x", "a.h5:g/|x"}));
}

TEST(DatasetName, QuotesLeaveOneReading) {
    for (const std::string text : {R"("a:b.h5":"H1:x")", R"("a:b.h5":H1:x)", R"(a:b.h5:"H1:x")"})
        EXPECT_EQ(readings(text), Readings{"a:b.h5|H1:x"}) << text;
    EXPECT_EQ(readings(R"(""odd".h5":x)"), Readings{R"("odd".h5|x)"});
    EXPECT_TRUE(readings(R"("":x)").empty());
    const std::string for_shell = quoted({"a:b.h5", "H1:x"});
    EXPECT_EQ(readings(for_shell.substr(1, for_shell.size() - 2)), Readings{"a:b.h5|H1:x"});
}

TEST(DatasetName, WithoutFileOrDatasetIsAnError) {
    for (const std::string text : {"", "data.h5", ":x", "data.h5:", "data.h5:group/"}) {
        expect_error(ErrorKind::input, {text, "FILE.h5:DATASET"}, [&] { existing_dataset(text); });
        expect_error(ErrorKind::input, {text, "FILE.h5:DATASET"}, [&] { new_dataset(text); });
    }
}

class ExistingDataset : public testing::Test {
 protected:
    void write(const std::string& file, const std::string& dataset) const {
        write_float_rows(folder_.file(file), dataset, 1, {1, 2});
    }
    void expect_reading(const std::string& text, const std::string& file, const std::string& dataset) const {
        const DatasetName name = existing_dataset(folder_.file(text));
        EXPECT_EQ(name.file, folder_.file(file));
        EXPECT_EQ(name.dataset, dataset);
    }
    void expect_refused(const std::string& text, std::initializer_list<std::string> parts) const {
        expect_error(ErrorKind::input, parts, [&] { existing_dataset(folder_.file(text)); });
    }

    TemporaryFolder folder_;
};

TEST_F(ExistingDataset, IsTheReadingThatExists) {
    write("colon.h5", "H1:STRAIN");
    write("odd:name.h5", "g/x");
    expect_reading("colon.h5:H1:STRAIN", "colon.h5", "H1:STRAIN");
    expect_reading("odd:name.h5:g/x", "odd:name.h5", "g/x");
    expect_reading("col*.h5:H1:STRAIN", "col*.h5", "H1:STRAIN");
}

TEST_F(ExistingDataset, WhereSeveralExistQuotesAreAskedFor) {
    write("a.h5", "b:x");
    write("a.h5:b", "x");
    const std::string file = folder_.file("a.h5");
    expect_refused("a.h5:b:x", {"'b:x' in the file '" + file + "'", "'x' in the file '" + file + ":b'",
                                "both exist", "'\"" + file + "\":\"b:x\"'"});
    const DatasetName name = existing_dataset("\"" + file + ":b\":x");
    EXPECT_EQ(name.file, file + ":b");
    EXPECT_EQ(name.dataset, "x");
}

// Opening it says which datasets there are.
TEST_F(ExistingDataset, WhereNoneExistsItIsTheOneInAFileThatDoes) {
    write("a.h5", "x");
    expect_reading("a.h5:b:y", "a.h5", "b:y");
    expect_reading("none.h5:y", "none.h5", "y");
}

TEST_F(ExistingDataset, WhereNoFileExistsTheMessageSaysWhatWasTried) {
    expect_refused("a.h5:b:y", {"was not found", "'b:y' in the file '" + folder_.file("a.h5") + "'",
                                "'y' in the file '" + folder_.file("a.h5:b") + "'", "Quotes"});
}

TEST_F(ExistingDataset, AFileWithoutADatasetIsToldFromANameWithoutAFile) {
    write("a.h5", "x");
    expect_refused("a.h5", {"is a file, but no dataset in it is named", "a.h5:train/x"});
}

TEST(NewDataset, GoesByTheNameAloneAndAsksForQuotesWhereThatIsNotEnough) {
    const auto expect = [](const std::string& text, const std::string& file, const std::string& dataset) {
        const DatasetName name = new_dataset(text);
        EXPECT_EQ(name.file, file);
        EXPECT_EQ(name.dataset, dataset);
    };
    expect("d.bin:x", "d.bin", "x");
    expect("o.txt:train/x", "o.txt", "train/x");
    expect("d.h5:H1:STRAIN", "d.h5", "H1:STRAIN");
    expect("run:1/d.hdf5:H1:x", "run:1/d.hdf5", "H1:x");
    expect("\"d.bin\":H1:x", "d.bin", "H1:x");
    for (const std::string text : {"d.bin:H1:x", "a.h5:b.h5:x"})
        expect_error(ErrorKind::input, {text, "put quotes around the parts", "in the file '"},
                     [&] { new_dataset(text); });
}

}  // namespace
}  // namespace vae_dist
