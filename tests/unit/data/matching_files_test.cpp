#include "vae_dist/data/rows/matching_files.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"

namespace vae_dist {
namespace {

namespace fs = std::filesystem;

class MatchingFiles : public testing::Test {
 protected:
    void make(std::initializer_list<const char*> names) const {
        for (const char* name : names) {
            fs::create_directories(fs::path(folder_.file(name)).parent_path());
            std::ofstream(folder_.file(name)) << "x";
        }
    }
    // Of a pattern in the folder, without its name.
    std::vector<std::string> found(const std::string& pattern) const {
        std::vector<std::string> files = matching_files(folder_.file(pattern));
        for (std::string& file : files)
            file.erase(0, folder_.file("").size());
        return files;
    }
    using Names = std::vector<std::string>;

    TemporaryFolder folder_;
};

TEST_F(MatchingFiles, AreInTheOrderOfTheirBytesAndAPlainNameIsItself) {
    make({"b.h5", "B.h5", "a[1].h5"});
    EXPECT_EQ(found("?.h5"), (Names{"B.h5", "b.h5"}));
    EXPECT_EQ(found("[!B].h5"), Names{"b.h5"});
    EXPECT_EQ(found("a[1].h5"), Names{"a[1].h5"});
    EXPECT_EQ(found("none.h5"), Names{"none.h5"});
    expect_error(ErrorKind::input, {"no file matches", "*.csv"}, [&] { found("*.csv"); });
}

TEST_F(MatchingFiles, TwoStarsStandForAnyNumberOfFolders) {
    make({"d/0.h5", "d/a/1.h5", "d/a/b/2.h5", "d/a-b/3.h5", "d/a/b/c/4.h5", "d/.hidden/5.h5", "d/a/.6.h5",
          "d/a/note.txt", "other/7.h5"});
    EXPECT_EQ(found("d/**/*.h5"), (Names{"d/0.h5", "d/a-b/3.h5", "d/a/1.h5", "d/a/b/2.h5", "d/a/b/c/4.h5"}));
    EXPECT_EQ(found("d/**/b/*.h5"), Names{"d/a/b/2.h5"});
    EXPECT_EQ(found("d/**/b/**/*.h5"), (Names{"d/a/b/2.h5", "d/a/b/c/4.h5"}));
    EXPECT_EQ(found("**/2.h5"), Names{"d/a/b/2.h5"});
    EXPECT_EQ(found("d/a/**"), (Names{"d/a/1.h5", "d/a/b/2.h5", "d/a/b/c/4.h5", "d/a/note.txt"}));
    EXPECT_EQ(found("d/*/*.h5"), (Names{"d/a-b/3.h5", "d/a/1.h5"}));
    expect_error(ErrorKind::input, {"no file matches", "d/**/*.csv"}, [&] { found("d/**/*.csv"); });
}

TEST_F(MatchingFiles, TwoStarsWithCompanyAreRefused) {
    make({"d/a/1.h5"});
    expect_error(ErrorKind::input, {"d/**.h5", "must stand alone", "folder/**/*.h5"},
                 [&] { found("d/**.h5"); });
}

TEST_F(MatchingFiles, LinksAreFollowedButNotInCircles) {
    make({"d/a/1.h5", "elsewhere/2.h5"});
    fs::create_directory_symlink(folder_.file("elsewhere"), folder_.file("d/link"));
    fs::create_directory_symlink(folder_.file("d"), folder_.file("d/a/up"));
    fs::create_symlink(folder_.file("gone.h5"), folder_.file("d/lost.h5"));
    EXPECT_EQ(found("d/**/*.h5"), (Names{"d/a/1.h5", "d/link/2.h5", "d/lost.h5"}));
}

TEST_F(MatchingFiles, AFolderThatIsMissingIsWrongInputAndIsNamed) {
    make({"d/1.h5"});
    for (const char* pattern : {"nowhere/*.h5", "nowhere/**/*.h5", "nowhere/*/1.h5"})
        expect_error(ErrorKind::input, {pattern, "there is no folder", "nowhere"}, [&] { found(pattern); });
    expect_error(ErrorKind::input, {"d/1.h5/*.h5", "d/1.h5 is a file, not a folder"},
                 [&] { found("d/1.h5/*.h5"); });
}

TEST_F(MatchingFiles, BracesAreAnsweredWithAPatternForEachName) {
    make({"d/a1.h5", "d/b1.h5", "d/{x}1.h5", "d/{y,z}.h5"});
    expect_error(ErrorKind::input, {"d/{a,b}*.h5", "braces", "d/a*.h5, ", "d/b*.h5]"},
                 [&] { found("d/{a,b}*.h5"); });
    expect_error(ErrorKind::input, {"d/{a1,b1,c1}.h5", "d/a1.h5, ", "d/b1.h5, ...]"},
                 [&] { found("d/{a1,b1,c1}.h5"); });
    EXPECT_EQ(found("d/{x}*.h5"), Names{"d/{x}1.h5"});
    EXPECT_EQ(found("d/{y,z}.h5"), Names{"d/{y,z}.h5"});
    EXPECT_EQ(found("d/{y,z}*"), Names{"d/{y,z}.h5"});
    expect_error(ErrorKind::input, {"no file matches", "d/{a*.h5"}, [&] { found("d/{a*.h5"); });
}

TEST_F(MatchingFiles, AFolderThatMayNotBeReadIsWrongInput) {
    if (geteuid() == 0) GTEST_SKIP() << "root may read every folder";
    make({"d/closed/1.h5"});
    fs::permissions(folder_.file("d/closed"), fs::perms::none);
    expect_error(ErrorKind::input, {"cannot read the folder", "d/closed"}, [&] { found("d/**/*.h5"); });
    fs::permissions(folder_.file("d/closed"), fs::perms::owner_all);
}

TEST_F(MatchingFiles, ThoseOfSeveralPatternsStandOneAfterAnother) {
    make({"a.h5", "b.h5"});
    EXPECT_EQ(matching_files(std::vector<std::string>{folder_.file("b.h5"), folder_.file("*.h5")}),
              (Names{folder_.file("b.h5"), folder_.file("a.h5"), folder_.file("b.h5")}));
}

TEST_F(MatchingFiles, AFileNamedTwiceIsToldWhateverItsNames) {
    make({"a.h5", "b.h5", "c.h5"});
    const std::string a = folder_.file("a.h5"), b = folder_.file("b.h5"), link = folder_.file("link.h5");
    fs::create_symlink(a, link);
    EXPECT_TRUE(files_named_twice({a, b, folder_.file("none.h5"), folder_.file("none.h5")}).empty());
    EXPECT_EQ(files_named_twice({b, a, b}),
              Names{"the file " + b + " is named twice, and each of its rows counts twice"});
    EXPECT_EQ(files_named_twice({a, b, link, a}), Names{"the file " + a + " is named 3 times (also as " +
                                                        link + "), and each of its rows counts 3 times"});
}

}  // namespace
}  // namespace vae_dist
