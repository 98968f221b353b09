#include "vae_dist/core/files.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <vector>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"

namespace vae_dist {
namespace {

namespace fs = std::filesystem;

// While it lives no file of this process may grow beyond some bytes, which to a writer looks like a full
// disk.
class FileSizeLimit {
 public:
    explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit = {bytes, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

 private:
    void (*handler_)(int);
    rlimit before_{};
};

std::size_t entries(const fs::path& folder) {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(WriteFileAtomically, ReplacesAFileWhole) {
    const TemporaryFolder folder;
    write_file_atomically(folder.file("a"), "a long first text");
    write_file_atomically(folder.file("a"), "second");
    EXPECT_EQ(read_text_file(folder.file("a")), "second");
    EXPECT_EQ(entries(folder.path()), 1U) << "no temporary stays";
}

TEST(WriteFileAtomically, WhereTheDiskIsFullTheOldFileStaysAndTheTemporaryGoes) {
    const TemporaryFolder folder;
    write_file_atomically(folder.file("a"), "old");
    const std::vector<std::byte> large(100000);
    {
        const FileSizeLimit limit(4096);
        expect_error(ErrorKind::failure, {folder.file("a"), "File too large"},
                     [&] { write_file_atomically(folder.file("a"), large); });
    }
    EXPECT_EQ(read_text_file(folder.file("a")), "old");
    EXPECT_EQ(entries(folder.path()), 1U);
}

TEST(WriteFileAtomically, AFolderThatIsMissingIsNamed) {
    const TemporaryFolder folder;
    expect_error(ErrorKind::failure, {"nowhere/a", "No such file"},
                 [&] { write_file_atomically(folder.path() / "nowhere" / "a", "text"); });
}

TEST(WriteFileAtomically, ATargetThatIsAFolderStays) {
    const TemporaryFolder folder;
    fs::create_directories(folder.path() / "a" / "b");
    expect_error(ErrorKind::failure, {folder.file("a")},
                 [&] { write_file_atomically(folder.file("a"), "text"); });
    EXPECT_TRUE(fs::exists(folder.path() / "a" / "b"));
    EXPECT_EQ(entries(folder.path()), 1U);
}

TEST(PutInPlace, RenamesACompleteFile) {
    const TemporaryFolder folder;
    std::ofstream(folder.file("new")) << "new";
    std::ofstream(folder.file("a")) << "old";
    put_in_place(folder.file("new"), folder.file("a"));
    EXPECT_EQ(read_text_file(folder.file("a")), "new");
    EXPECT_FALSE(fs::exists(folder.file("new")));
    expect_error(ErrorKind::failure, {folder.file("a")},
                 [&] { put_in_place(folder.file("new"), folder.file("a")); });
    EXPECT_EQ(read_text_file(folder.file("a")), "new");
}

TEST(RemoveTemporaries, TakesOnlyWhatAnInterruptedWriteLeft) {
    const TemporaryFolder folder;
    std::ofstream(folder.file("a.h5.vae_dist-tmp")) << "half";
    std::ofstream(folder.file("b.tmp")) << "somebody else's";
    remove_temporaries(folder.path());
    EXPECT_FALSE(fs::exists(folder.file("a.h5.vae_dist-tmp")));
    EXPECT_TRUE(fs::exists(folder.file("b.tmp")));
    EXPECT_NO_THROW(remove_temporaries(folder.path() / "nowhere"));
}

TEST(ReadTextFile, ReadsAnEmptyFileAndNamesAMissingOne) {
    const TemporaryFolder folder;
    std::ofstream(folder.file("empty")).flush();
    EXPECT_EQ(read_text_file(folder.file("empty")), "");
    expect_error(ErrorKind::failure, {folder.file("missing")},
                 [&] { read_text_file(folder.file("missing")); });
}

TEST(CreateWritableFolder, MakesParentsAndLeavesNoTrace) {
    const TemporaryFolder folder;
    create_writable_folder(folder.path() / "a" / "b");
    create_writable_folder(folder.path() / "a" / "b");
    EXPECT_TRUE(fs::is_empty(folder.path() / "a" / "b"));
}

TEST(CreateWritableFolder, RefusesAPathBelowAFile) {
    const TemporaryFolder folder;
    std::ofstream(folder.file("file")) << "x";
    expect_error(ErrorKind::input, {folder.file("file")},
                 [&] { create_writable_folder(folder.path() / "file" / "runs"); });
}

TEST(FolderLockTest, IsHeldByOneAtATime) {
    const TemporaryFolder folder;
    {
        const FolderLock first(folder.path());
        expect_error(ErrorKind::input, {"another run", folder.path().string()},
                     [&] { FolderLock(folder.path()); });
    }
    EXPECT_NO_THROW(FolderLock(folder.path()));
}

}  // namespace
}  // namespace vae_dist
