#include "vae_dist/train/record/run_recorder.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "unit/train/small_checkpoint.hpp"

namespace vae_dist {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Occasion = RunRecorder::Occasion;

constexpr RunRecorder::Save kScheduled = {.as_best = false, .occasion = Occasion::scheduled};

class RunRecorderTest : public testing::Test {
 protected:
    RunRecorderTest() {
        output_.directory = path_.string();
        output_.keep = 100;
    }

    // Every step is an epoch.
    void begin(const Progress& progress = {}) {
        recorder_.emplace(output_, log_);
        recorder_->begin(small_config(), CheckpointSchedule(output_, 1, 1'000'000), progress);
    }

    void save(std::int64_t step, RunRecorder::Save save = kScheduled) {
        recorder_->save([step](Checkpoint& to) { to = small_checkpoint(step); }, step, save);
    }

    void train(std::int64_t step) { recorder_->train({.step = step, .epoch = step}); }

    fs::path checkpoint_path(std::int64_t step) const {
        return path_ / "checkpoints" / checkpoint_name(step);
    }
    std::string temporary_of(std::int64_t step) const {
        return checkpoint_path(step).string() + ".vae_dist-tmp";
    }

    bool is_whole(const fs::path& file, std::int64_t step) const {
        return fs::exists(file) && read_bytes(file) == checkpoint_bytes(small_checkpoint(step));
    }

    // "train 10", "checkpoint 20", ... of the lines there are.
    std::vector<std::string> events() const {
        std::vector<std::string> events;
        for (const Json& line : lines())
            events.push_back(line["event"].get<std::string>() + " " + line["step"].dump());
        return events;
    }
    std::vector<Json> lines() const {
        std::istringstream text(read_text_file(path_ / "metrics.jsonl"));
        std::vector<Json> lines;
        for (std::string line; std::getline(text, line);)
            lines.push_back(Json::parse(line));
        return lines;
    }

    TemporaryFolder folder_;
    fs::path path_ = folder_.path() / "run";
    OutputConfig output_;
    Log log_{0};
    std::optional<RunRecorder> recorder_;
};

using Events = std::vector<std::string>;

TEST_F(RunRecorderTest, LinesStandInTheOrderOfTheCalls) {
    begin();
    train(1);
    save(1);
    recorder_->skipped(2, 2);
    recorder_->validation({.step = 2, .epoch = 2});
    save(2);
    train(3);
    recorder_->flush();
    EXPECT_EQ(events(),
              (Events{"train 1", "checkpoint 1", "skipped 2", "validation 2", "checkpoint 2", "train 3"}));
    EXPECT_TRUE(is_whole(checkpoint_path(1), 1));
    EXPECT_TRUE(is_whole(checkpoint_path(2), 2));
    EXPECT_FALSE(fs::exists(path_ / "best.h5"));
    EXPECT_TRUE(read_text_file(path_ / "config.yaml").ends_with(to_yaml(small_config())));
}

TEST_F(RunRecorderTest, TheLineOfACheckpointEndsWithWhatItTook) {
    begin();
    save(4);
    recorder_->flush();
    const Json line = lines().at(0);
    EXPECT_EQ(line["file"], "checkpoints/step_0000000004.h5");
    EXPECT_EQ(line["epoch"], 4);
    const RunRecorder::SaveTimes times = recorder_->save_times();
    EXPECT_EQ(line["pause_seconds"], times.last_pause);
    EXPECT_EQ(line["write_seconds"], times.longest_write);
    EXPECT_EQ(std::prev(line.end()).key(), "write_seconds");
    EXPECT_EQ(std::prev(line.end(), 2).key(), "pause_seconds");
}

TEST_F(RunRecorderTest, TheOccasionDecidesWhatIsWritten) {
    begin();
    save(1, {.as_best = true, .occasion = Occasion::none});
    save(2, {.as_best = false, .occasion = Occasion::unscheduled});
    save(3, {.as_best = true, .occasion = Occasion::scheduled});
    save(4, {.as_best = false, .occasion = Occasion::end_of_run});
    recorder_->flush();
    EXPECT_EQ(events(), (Events{"checkpoint 3", "checkpoint 4"}));
    EXPECT_FALSE(lines()[0].contains("final"));
    EXPECT_EQ(lines()[1]["final"], true);
    EXPECT_FALSE(fs::exists(checkpoint_path(1)));
    for (const std::int64_t step : {2, 3, 4})
        EXPECT_TRUE(is_whole(checkpoint_path(step), step)) << step;
    EXPECT_TRUE(is_whole(path_ / "best.h5", 3));
}

TEST_F(RunRecorderTest, WhatIsSupersededGoes) {
    output_.keep = 2;
    begin();
    for (const std::int64_t step : {1, 2, 3})
        save(step);
    recorder_->flush();
    EXPECT_FALSE(fs::exists(checkpoint_path(1)));
    EXPECT_TRUE(fs::exists(checkpoint_path(2)));
    EXPECT_TRUE(fs::exists(checkpoint_path(3)));
}

TEST_F(RunRecorderTest, ASaveUsesTheMemoryOfTheOneBeforeOnceThatIsWritten) {
    begin();
    const float* first = nullptr;
    recorder_->save(
        [&](Checkpoint& to) {
            to = small_checkpoint(1);
            first = to.model[0].values.data();
        },
        1, kScheduled);
    recorder_->save(
        [&](Checkpoint& to) {
            EXPECT_TRUE(is_whole(checkpoint_path(1), 1));
            EXPECT_EQ(to.model[0].values.data(), first);
            to.progress.step = 2;
        },
        2, kScheduled);
    recorder_->flush();
    EXPECT_TRUE(fs::exists(checkpoint_path(2)));
}

// A pipe that nobody reads yet is as slow as a disk can be; in the end it cannot be flushed.
TEST_F(RunRecorderTest, ASlowDiskDoesNotStopTraining) {
    begin();
    ASSERT_EQ(mkfifo(temporary_of(1).c_str(), 0600), 0);
    EXPECT_FALSE(recorder_->is_saving());
    save(1);
    for (std::int64_t step = 2; step < 100; ++step)
        train(step);
    EXPECT_TRUE(recorder_->is_saving());
    EXPECT_EQ(recorder_->error(), nullptr);
    EXPECT_EQ(recorder_->save_times().count, 1);
    EXPECT_EQ(events(), Events{});

    const int reader = open(temporary_of(1).c_str(), O_RDONLY | O_CLOEXEC);
    for (std::array<char, 65536> some{}; read(reader, some.data(), some.size()) > 0;) {
    }
    close(reader);
    expect_error(ErrorKind::failure, {"step_0000000001.h5", "no complete checkpoint yet"},
                 [&] { recorder_->flush(); });
    EXPECT_FALSE(recorder_->is_saving());
    EXPECT_EQ(events(), Events{}) << "nothing is written after a failure";
}

TEST_F(RunRecorderTest, TheEndWaitsUntilAllIsWritten) {
    begin();
    save(1, {.as_best = true, .occasion = Occasion::scheduled});
    train(2);
    recorder_.reset();
    EXPECT_TRUE(is_whole(checkpoint_path(1), 1));
    EXPECT_TRUE(is_whole(path_ / "best.h5", 1));
    EXPECT_EQ(events(), (Events{"checkpoint 1", "train 2"}));
}

TEST_F(RunRecorderTest, WithoutAnythingBegunThereIsNothingToWaitFor) {
    recorder_.emplace(output_, log_);
    EXPECT_NO_THROW(recorder_->flush());
    EXPECT_FALSE(recorder_->newest_checkpoint().has_value());
}

TEST_F(RunRecorderTest, AFailureNamesTheNewestCompleteCheckpointInEveryLaterCall) {
    begin();
    save(1);
    recorder_->flush();
    fs::create_directory(temporary_of(2));
    save(2, {.as_best = true, .occasion = Occasion::scheduled});
    const auto expect_failed = [](const std::function<void()>& action) {
        expect_error(ErrorKind::failure, {"step_0000000002.h5", "newest complete", "step_0000000001.h5"},
                     action);
    };
    expect_failed([&] { recorder_->flush(); });
    ASSERT_NE(recorder_->error(), nullptr);
    expect_failed([&] { std::rethrow_exception(recorder_->error()); });
    expect_failed([&] { train(3); });
    expect_failed([&] {
        recorder_->save([](Checkpoint&) { FAIL() << "there is nothing to copy for"; }, 3, kScheduled);
    });
    EXPECT_FALSE(recorder_->is_saving());
    EXPECT_TRUE(is_whole(path_ / "best.h5", 2)) << "the best is written first";
    EXPECT_EQ(events(), Events{"checkpoint 1"});
    EXPECT_TRUE(is_whole(checkpoint_path(1), 1));
}

TEST_F(RunRecorderTest, AFolderThatIsRemovedUnderItIsNamed) {
    begin();
    save(1);
    recorder_->flush();
    fs::remove_all(path_);
    save(2);
    expect_error(ErrorKind::failure, {checkpoint_path(2).string(), "No such file"},
                 [&] { recorder_->flush(); });
}

TEST_F(RunRecorderTest, AFullDiskLeavesTheLastCheckpointAndNoTemporary) {
    begin();
    save(1);
    recorder_->flush();
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    const rlimit small = {4096, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    save(2);
    expect_error(ErrorKind::failure, {"step_0000000002.h5", "File too large", "step_0000000001.h5"},
                 [&] { recorder_->flush(); });
    setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    EXPECT_TRUE(is_whole(checkpoint_path(1), 1));
    EXPECT_FALSE(fs::exists(checkpoint_path(2)));
    EXPECT_FALSE(fs::exists(temporary_of(2)));
}

TEST_F(RunRecorderTest, MetricsThatCannotBeWrittenAreAFailureToo) {
    begin();
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    const rlimit small = {1, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    train(1);
    expect_error(ErrorKind::failure, {"metrics.jsonl", "File too large"}, [&] { recorder_->flush(); });
    setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
}

TEST_F(RunRecorderTest, AFailureToCopyIsTheCallersAndLeavesTheRecorderWhole) {
    begin();
    EXPECT_THROW(recorder_->save([](Checkpoint&) { throw std::runtime_error("no device"); }, 1, kScheduled),
                 std::runtime_error);
    EXPECT_FALSE(recorder_->is_saving());
    EXPECT_EQ(recorder_->save_times().count, 0);
    save(2);
    recorder_->flush();
    EXPECT_EQ(events(), Events{"checkpoint 2"});
}

TEST_F(RunRecorderTest, PausesAreWhatCopyingTook) {
    begin();
    constexpr std::chrono::milliseconds kNap(20);
    for (const std::int64_t step : {1, 2}) {
        recorder_->save(
            [&](Checkpoint& to) {
                if (step == 1) std::this_thread::sleep_for(kNap);
                to = small_checkpoint(step);
            },
            step, kScheduled);
    }
    recorder_->flush();
    const RunRecorder::SaveTimes times = recorder_->save_times();
    EXPECT_EQ(times.count, 2);
    EXPECT_GE(times.longest_pause, 0.020);
    EXPECT_GE(times.longest_pause, times.last_pause);
    EXPECT_GE(times.all_pauses, 0.020 + times.last_pause);
    EXPECT_GT(times.longest_write, 0);
}

TEST_F(RunRecorderTest, GoingOnDropsWhatComesAgain) {
    begin();
    train(1);
    save(1);
    train(2);
    recorder_.reset();
    begin({.step = 1, .epoch = 1});
    EXPECT_EQ(events(), (Events{"train 1", "checkpoint 1"}));
    recorder_.reset();
    begin({.step = 1, .epoch = 1, .epoch_end_pending = true});
    EXPECT_EQ(events(), Events{"train 1"});
}

TEST_F(RunRecorderTest, AKillBetweenACheckpointAndItsLineIsMadeGood) {
    begin();
    save(5, {.as_best = false, .occasion = Occasion::unscheduled});
    recorder_.reset();
    recorder_.emplace(output_, log_);
    EXPECT_TRUE(recorder_->newest_checkpoint().has_value());
    EXPECT_FALSE(recorder_->has_line_of_checkpoint(5));
    recorder_->begin(small_config(), CheckpointSchedule(output_, 1, 1'000'000), {.step = 5, .epoch = 5});
    recorder_->complete_line(5, 5);
    recorder_->complete_line(5, 5);
    recorder_->flush();
    EXPECT_TRUE(recorder_->has_line_of_checkpoint(5));
    EXPECT_EQ(events(), Events{"checkpoint 5"});
    EXPECT_EQ(lines()[0]["file"], "checkpoints/step_0000000005.h5");
}

TEST_F(RunRecorderTest, WithoutADirectoryItIsMissed) {
    expect_error(ErrorKind::input, {"output.directory"}, [&] { RunRecorder(OutputConfig{}, log_); });
}

}  // namespace
}  // namespace vae_dist
