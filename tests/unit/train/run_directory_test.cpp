#include "vae_dist/train/record/run_directory.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <stdexcept>
#include <string>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "unit/train/small_checkpoint.hpp"

namespace vae_dist {
namespace {

namespace fs = std::filesystem;

class RunDirectoryTest : public testing::Test {
 protected:
    static std::vector<std::byte> bytes_of(std::int64_t step) {
        return checkpoint_bytes(small_checkpoint(step));
    }

    // As if every step were an epoch.
    void write(RunDirectory& directory, std::int64_t step, std::int64_t keep = 100,
               std::int64_t checkpoint_every = 1) const {
        OutputConfig output;
        output.keep = keep;
        output.checkpoint_every = checkpoint_every;
        directory.write_checkpoint(step, bytes_of(step), CheckpointSchedule(output, 1, 1'000'000), log_);
    }

    fs::path checkpoint_path(std::int64_t step) const {
        return path_ / "checkpoints" / checkpoint_name(step);
    }

    // The steps that have a file.
    std::set<std::string> names() const {
        std::set<std::string> names;
        for (const auto& entry : fs::directory_iterator(path_ / "checkpoints")) {
            names.insert(entry.path().filename().string());
        }
        return names;
    }

    void damage(std::int64_t step) const { fs::resize_file(checkpoint_path(step), 1000); }

    // Makes writing the step's checkpoint fail, for root too: the temporary's name is taken by a folder.
    void block(std::int64_t step) const {
        fs::create_directory(checkpoint_path(step).string() + ".vae_dist-tmp");
    }

    TemporaryFolder folder_;
    fs::path path_ = folder_.path() / "runs" / "a";
    Log log_{0};
};

TEST_F(RunDirectoryTest, ANewRunHasNoCheckpoint) {
    RunDirectory directory(path_.string());
    EXPECT_FALSE(directory.newest_checkpoint(log_).has_value());
}

TEST_F(RunDirectoryTest, TheNewestCheckpointIsFoundByItsStep) {
    RunDirectory directory(path_.string());
    for (const std::int64_t step : {9, 10, 100})
        write(directory, step);
    const auto found = directory.newest_checkpoint(log_);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(fs::path(found->name).filename(), "step_0000000100.h5");
    EXPECT_EQ(found->bytes, bytes_of(100));
}

TEST_F(RunDirectoryTest, RotationKeepsTheNewest) {
    RunDirectory directory(path_.string());
    for (const std::int64_t step : {5, 10, 15, 20})
        write(directory, step, 2);
    EXPECT_EQ(names(), (std::set<std::string>{"step_0000000015.h5", "step_0000000020.h5"}));
}

TEST_F(RunDirectoryTest, UnscheduledCheckpointsGoWithTheNextScheduledOne) {
    RunDirectory directory(path_.string());
    for (const std::int64_t step : {10, 13, 17})
        write(directory, step, 2, 10);
    EXPECT_EQ(names().size(), 3U);
    write(directory, 20, 2, 10);
    EXPECT_EQ(names(), (std::set<std::string>{"step_0000000010.h5", "step_0000000020.h5"}));
}

TEST_F(RunDirectoryTest, OfALinkToAnOldCheckpointOnlyTheLinkGoes) {
    RunDirectory directory(path_.string());
    write(directory, 10);
    fs::remove(checkpoint_path(10));
    std::ofstream(folder_.file("elsewhere")) << "x";
    fs::create_symlink(folder_.file("elsewhere"), checkpoint_path(10));
    EXPECT_NO_THROW(write(directory, 20, 1));
    EXPECT_EQ(names(), std::set<std::string>{"step_0000000020.h5"});
    EXPECT_TRUE(fs::exists(folder_.file("elsewhere")));
}

TEST_F(RunDirectoryTest, AnyExceptionNamesTheNewestCompleteCheckpoint) {
    RunDirectory directory(path_.string());
    write(directory, 10);
    expect_error(ErrorKind::failure, {path_.string(), "out of luck", "step_0000000010.h5"},
                 [&] { directory.write_or_name_newest([] { throw std::runtime_error("out of luck"); }); });
}

TEST_F(RunDirectoryTest, RotationLeavesOtherFilesAndTheBestAlone) {
    RunDirectory directory(path_.string());
    std::ofstream(path_ / "checkpoints" / "step_mine.h5") << "x";
    directory.write_best(bytes_of(5));
    for (const std::int64_t step : {5, 10})
        write(directory, step, 1);
    EXPECT_EQ(names(), (std::set<std::string>{"step_0000000010.h5", "step_mine.h5"}));
    EXPECT_EQ(read_bytes(path_ / "best.h5"), bytes_of(5));
}

TEST_F(RunDirectoryTest, RotationNeverTakesTheCheckpointJustWrittenForADamagedLaterOne) {
    RunDirectory directory(path_.string());
    for (const std::int64_t step : {10, 50})
        write(directory, step);
    damage(50);
    write(directory, 20, 1);
    const auto found = directory.newest_checkpoint(log_);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(fs::path(found->name).filename(), "step_0000000020.h5");
}

TEST_F(RunDirectoryTest, DamagedCheckpointsArePassedOverAndThatIsSaid) {
    RunDirectory directory(path_.string());
    for (const std::int64_t step : {10, 20, 30})
        write(directory, step);
    damage(30);
    std::ofstream(checkpoint_path(20)) << "no HDF5";
    testing::internal::CaptureStderr();
    const auto found = directory.newest_checkpoint(log_);
    const std::string said = testing::internal::GetCapturedStderr();
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->bytes, bytes_of(10));
    for (const char* part :
         {"step_0000000030.h5", "step_0000000020.h5", "older checkpoint", "step_0000000010.h5"}) {
        EXPECT_NE(said.find(part), std::string::npos) << part << " in: " << said;
    }
}

TEST_F(RunDirectoryTest, WhereAllAreDamagedTheRunIsNotBegunAnew) {
    RunDirectory directory(path_.string());
    for (const std::int64_t step : {10, 20}) {
        write(directory, step);
        damage(step);
    }
    expect_error(ErrorKind::input, {"none of the 2 checkpoints", path_.string(), "move that folder away"},
                 [&] { directory.newest_checkpoint(log_); });
}

TEST_F(RunDirectoryTest, ASecondHolderIsRefusedWhileTheFirstLives) {
    {
        const RunDirectory first(path_.string());
        expect_error(ErrorKind::input, {"another run", path_.string()},
                     [&] { RunDirectory(path_.string()); });
    }
    EXPECT_NO_THROW(RunDirectory(path_.string()));
}

TEST_F(RunDirectoryTest, AFailedWriteNamesTheNewestCompleteCheckpointAndLeavesAll) {
    RunDirectory directory(path_.string());
    for (const std::int64_t step : {10, 20})
        write(directory, step);
    block(30);
    expect_error(ErrorKind::failure,
                 {"step_0000000030.h5", "newest complete checkpoint", "step_0000000020.h5"},
                 [&] { write(directory, 30, 1); });
    EXPECT_EQ(directory.newest_checkpoint(log_)->bytes, bytes_of(20));
    EXPECT_TRUE(fs::exists(checkpoint_path(10)));
}

TEST_F(RunDirectoryTest, AFailedFirstWriteSaysThatThereIsNoCheckpoint) {
    RunDirectory directory(path_.string());
    block(10);
    expect_error(ErrorKind::failure, {"step_0000000010.h5", "no complete checkpoint"},
                 [&] { write(directory, 10); });
}

TEST_F(RunDirectoryTest, AStartRemovesWhatAnInterruptedWriteLeft) {
    { const RunDirectory first(path_.string()); }
    const fs::path left = checkpoint_path(10).string() + ".vae_dist-tmp";
    std::ofstream(left) << "half";
    const RunDirectory second(path_.string());
    EXPECT_FALSE(fs::exists(left));
}

TEST_F(RunDirectoryTest, AFolderThatCannotBeMadeIsNamed) {
    std::ofstream(folder_.file("runs")) << "a file where a folder should be";
    expect_error(ErrorKind::input, {path_.string()}, [&] { RunDirectory(path_.string()); });
}

TEST_F(RunDirectoryTest, TheConfigurationIsWrittenBelowALineThatSaysByWhom) {
    RunDirectory directory(path_.string());
    directory.write_config("a: 1\n");
    directory.write_config("a: 2\n");
    const std::string text = read_text_file(path_ / "config.yaml");
    EXPECT_TRUE(text.starts_with("# ")) << text;
    EXPECT_TRUE(text.ends_with("\na: 2\n")) << text;
}

TEST_F(RunDirectoryTest, FilesThatAreNotARunsAreNotReplaced) {
    for (const std::string name : {"config.yaml", "metrics.jsonl", "best.h5"}) {
        const fs::path folder = folder_.path() / ("with_" + name);
        fs::create_directories(folder);
        std::ofstream(folder / name) << "mine\n";
        expect_error(ErrorKind::input, {name, "output.directory"}, [&] { RunDirectory(folder.string()); });
        EXPECT_EQ(read_text_file(folder / name), "mine\n");
    }
}

TEST_F(RunDirectoryTest, ABestCheckpointAloneIsNotReplacedByANewRun) {
    RunDirectory directory(path_.string());
    directory.write_config("a: 1\n");
    directory.write_best(bytes_of(1));
    expect_error(ErrorKind::input, {"best.h5", "move it away"}, [&] { directory.newest_checkpoint(log_); });
}

TEST_F(RunDirectoryTest, CheckpointsShowThatAFolderIsARuns) {
    {
        RunDirectory directory(path_.string());
        write(directory, 1);
        directory.write_best(bytes_of(1));
    }
    EXPECT_NO_THROW(RunDirectory(path_.string()));
}

TEST_F(RunDirectoryTest, ItsOwnFilesAreNotForeign) {
    {
        RunDirectory directory(path_.string());
        directory.write_config("a: 1\n");
        directory.write_best(bytes_of(1));
    }
    EXPECT_NO_THROW(RunDirectory(path_.string()));
}

}  // namespace
}  // namespace vae_dist
