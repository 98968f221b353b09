#include "vae_dist/core/pending_file.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <optional>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "vae_dist/core/files.hpp"

namespace vae_dist {
namespace {

namespace fs = std::filesystem;

std::size_t entries(const fs::path& folder) {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(PendingFile, AppearsUnderItsNameOnlyWhenCommitted) {
    const TemporaryFolder folder;
    PendingFile pending(folder.file("a"));
    std::ofstream(pending.path()) << "new";
    EXPECT_FALSE(fs::exists(folder.file("a")));
    pending.commit();
    EXPECT_EQ(read_text_file(folder.file("a")), "new");
    EXPECT_EQ(entries(folder.path()), 1U);
}

TEST(PendingFile, LeavesNothingAndChangesNothingUnlessCommitted) {
    const TemporaryFolder folder;
    std::ofstream(folder.file("a")) << "old";
    {
        const PendingFile pending(folder.file("a"));
        std::ofstream(pending.path()) << "half of the n";
    }
    EXPECT_EQ(read_text_file(folder.file("a")), "old");
    EXPECT_EQ(entries(folder.path()), 1U);
}

TEST(PendingFile, ReplacesTheFileThatASymbolicLinkLeadsTo) {
    const TemporaryFolder folder;
    fs::create_directory(folder.path() / "far");
    std::ofstream(folder.file("far/a")) << "old";
    fs::create_symlink(folder.path() / "far" / "a", folder.path() / "link");
    PendingFile pending(folder.file("link"));
    EXPECT_EQ(pending.target(), fs::canonical(folder.path()) / "far" / "a");
    std::ofstream(pending.path()) << "new";
    pending.commit();
    EXPECT_TRUE(fs::is_symlink(folder.path() / "link"));
    EXPECT_EQ(read_text_file(folder.file("far/a")), "new");
}

TEST(PendingFile, IsHeldByOneAtATime) {
    const TemporaryFolder folder;
    std::optional<PendingFile> first(folder.file("a"));
    expect_error(ErrorKind::input, {"another process is writing", folder.file("a")},
                 [&] { PendingFile second(folder.file("a")); });
    EXPECT_TRUE(fs::exists(first->path())) << "who is refused takes nothing away";
    first.reset();
    EXPECT_NO_THROW(PendingFile(folder.file("a")));
}

TEST(PendingFile, TakesOverWhatAKilledProcessLeft) {
    const TemporaryFolder folder;
    fs::path left;
    {
        const PendingFile killed(folder.file("a"));
        left = killed.path();
    }
    std::ofstream(left) << "half";
    PendingFile pending(folder.file("a"));
    EXPECT_EQ(pending.path(), left);
    std::ofstream(pending.path()) << "whole";
    pending.commit();
    EXPECT_EQ(read_text_file(folder.file("a")), "whole");
    EXPECT_EQ(entries(folder.path()), 1U);
}

TEST(PendingFile, WhatIsWrittenIsTheWholeContentsAndStaysHeld) {
    const TemporaryFolder folder;
    PendingFile pending(folder.file("a"));
    for (const std::string text : {"a longer text", "short"})
        pending.write(std::as_bytes(std::span(text)));
    expect_error(ErrorKind::input, {"another process"}, [&] { PendingFile second(folder.file("a")); });
    pending.commit();
    EXPECT_EQ(read_text_file(folder.file("a")), "short");
    EXPECT_EQ(entries(folder.path()), 1U);
}

TEST(PendingFile, DoesNotReplaceWhatHasAppearedAndSaysWhereTheResultIs) {
    const TemporaryFolder folder;
    fs::path result;
    {
        PendingFile pending(folder.file("a"), false);
        result = pending.path();
        std::ofstream(result) << "new";
        std::ofstream(folder.file("a")) << "somebody else's";
        expect_error(ErrorKind::input, {folder.file("a"), "in the meantime", result.string()},
                     [&] { pending.commit(); });
    }
    EXPECT_EQ(read_text_file(folder.file("a")), "somebody else's");
    EXPECT_EQ(read_text_file(result), "new");

    PendingFile free(folder.file("b"), false);
    std::ofstream(free.path()) << "new";
    free.commit();
    EXPECT_EQ(read_text_file(folder.file("b")), "new");
}

TEST(PendingFile, AFolderThatIsMissingAndATargetThatIsAFolderAreNamed) {
    const TemporaryFolder folder;
    expect_error(ErrorKind::input, {folder.file("none/a"), "No such file"},
                 [&] { PendingFile pending(folder.file("none/a")); });
    expect_error(ErrorKind::input, {folder.path().string(), "it is a folder"},
                 [&] { PendingFile pending(folder.path().string()); });
}

}  // namespace
}  // namespace vae_dist
