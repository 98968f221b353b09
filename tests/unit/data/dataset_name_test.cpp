#include "vae_dist/data/dataset_name.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"

namespace vae_dist {
namespace {

TEST(DatasetName, IsSplitAtTheLastColon) {
    const DatasetName name = split_dataset_name("odd:name.h5:train/x");
    EXPECT_EQ(name.file, "odd:name.h5");
    EXPECT_EQ(name.dataset, "train/x");
}

TEST(DatasetName, WithoutFileOrDatasetIsAnError) {
    for (const std::string text : {"", "data.h5", ":x", "data.h5:", "data.h5:group/"}) {
        expect_error(ErrorKind::input, {text, "FILE.h5:DATASET"}, [&] { split_dataset_name(text); });
    }
}

TEST(MatchingFiles, AreInTheOrderOfTheirBytesAndAPlainNameIsItself) {
    const TemporaryFolder folder;
    for (const char* name : {"b.h5", "B.h5", "a[1].h5"})
        std::ofstream(folder.file(name)) << "x";
    EXPECT_EQ(matching_files(folder.file("?.h5")),
              (std::vector<std::string>{folder.file("B.h5"), folder.file("b.h5")}));
    EXPECT_EQ(matching_files(folder.file("a[1].h5")), std::vector<std::string>{folder.file("a[1].h5")});
    EXPECT_EQ(matching_files(folder.file("none.h5")), std::vector<std::string>{folder.file("none.h5")});
    expect_error(ErrorKind::input, {"no file matches", "*.csv"},
                 [&] { matching_files(folder.file("*.csv")); });
}

}  // namespace
}  // namespace vae_dist
