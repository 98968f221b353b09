// A run that is asked to stop, or runs out of time, saves, leaves with status 75, and can be gone on with.

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <utility>

#include "integration/run_files.hpp"
#include "integration/sample_data.hpp"
#include "integration/workplace.hpp"

namespace vae_dist {
namespace {

constexpr int kStopped = 75;

// Fifty-one steps an epoch, the last of one sample.
constexpr const char* kConfig =
    "data:\n"
    "  train: {files: [d.h5], dataset: train/x}\n"
    "  validation: {files: [d.h5], dataset: test/x}\n"
    "  transform: binarize\n"
    "model: {latent_dim: 3, encoder: {hidden: [16]}, decoder: {hidden: [16]}}\n"
    "objective: {kl_warmup_steps: 300}\n"
    "train: {batch_size: 40, virtual_ranks: 4}\n"
    "output: {directory: run, log_every: 7}\n";

// No run is asked to stop before its end by luck: it has no end in reach. The one that goes on gets one.
constexpr const char* kEndless = "train.steps=1000000000";

class Stop : public Workplace {
 protected:
    Stop() {
        write_text("run.yaml", kConfig);
        write_images(path("d.h5"), "train/x", 2001);
        write_images(path("d.h5"), "test/x", 50, 100000);
    }

    std::unique_ptr<Process> start_endless(int ranks, const std::vector<std::string>& settings = {},
                                           const ProcessOptions& options = {}) const {
        return start(ranks, with_settings("run.yaml", and_steps(settings, kEndless)), options);
    }

    // Waits until some lines of this start are in the metrics.
    void wait_for_steps(Process& process) const {
        const auto lines = [&] {
            const std::string text = contents_of(path("run/metrics.jsonl"));
            return std::count(text.begin(), text.end(), '\n');
        };
        // The lines of steps that were not saved go at the start.
        const auto is_under_way = [&] { return process.out().find("step ") != std::string::npos; };
        ASSERT_TRUE(comes_true_while_running(process, is_under_way)) << process.wait(limit_).text();
        const auto before = lines();
        ASSERT_TRUE(comes_true_while_running(process, [&] { return lines() > before + 3; }))
            << process.wait(limit_).text();
    }

    Outcome expect_stopped(Process& process, const std::string& by) const {
        Outcome outcome = process.wait(limit_);
        EXPECT_EQ(outcome.status, kStopped) << outcome.text();
        expect_parts(outcome.out, {"stopped by " + by, "start again to go on"});
        EXPECT_EQ(outcome.err.find("vae_dist: "), std::string::npos) << outcome.text();
        EXPECT_GT(newest_step(path("run")), 0);
        return outcome;
    }

    // Goes on a little, and expects to end as a run that nobody stopped.
    void finish_and_compare(int ranks, const std::vector<std::string>& settings = {}) const {
        const auto arguments =
            and_steps(settings, fmt::format("train.steps={}", newest_step(path("run")) + 100));
        run_well(ranks, with_settings("run.yaml", arguments));
        auto whole = arguments;
        whole.emplace_back("output.directory=whole");
        run_well(0, with_settings("run.yaml", whole));
        EXPECT_EQ(metrics_of(path("whole")), metrics_of(path("run")));
        // Others keep the number of steps that was asked for when they were written.
        ASSERT_FALSE(checkpoints_in(path("run")).empty());
        expect_equal_hdf5(checkpoints_in(path("whole")).back(), checkpoints_in(path("run")).back());
        EXPECT_TRUE(temporaries_in(path("run")).empty());
    }

 private:
    static std::vector<std::string> and_steps(std::vector<std::string> settings, const std::string& steps) {
        settings.push_back(steps);
        return settings;
    }
};

TEST_F(Stop, EachSignalSavesAndLeavesWithStatus75) {
    for (const auto& [signal, name] :
         {std::pair(SIGTERM, "SIGTERM"), {SIGINT, "SIGINT"}, {SIGUSR1, "SIGUSR1"}, {SIGUSR2, "SIGUSR2"}}) {
        const std::unique_ptr<Process> process = start_endless(0);
        wait_for_steps(*process);
        process->signal(signal);
        expect_stopped(*process, name);
    }
    finish_and_compare(2);
}

TEST_F(Stop, ASignalToMpirunStopsAllRanks) {
    for (const int ranks : {2, 4}) {
        const std::unique_ptr<Process> process = start_endless(ranks);
        wait_for_steps(*process);
        process->signal(SIGUSR1);
        expect_stopped(*process, "SIGUSR1");
    }
    finish_and_compare(3);
}

TEST_F(Stop, ASignalToAnyOneRankStopsAllRanks) {
    for (const int rank : {0, 2}) {
        const std::unique_ptr<Process> process = start_endless(3);
        wait_for_steps(*process);
        EXPECT_TRUE(process->signal_rank(rank, SIGUSR2));
        expect_stopped(*process, "SIGUSR2");
    }
    finish_and_compare(1);
}

// The first save lasts for seconds; then all that there is to keep is kept.
TEST_F(Stop, ASignalBeforeTheFirstStepLeavesWithStatus75) {
    for (const int ranks : {0, 3}) {
        const std::string directory = fmt::format("run{}", ranks);
        const std::string temporaries = directory + "/checkpoints";
        std::filesystem::create_directories(path(temporaries));
        const std::unique_ptr<Process> process =
            start_endless(ranks, {"output.directory=" + directory},
                          {.environment = slow_disk(path(temporaries), std::chrono::seconds(3))});
        ASSERT_TRUE(
            comes_true_while_running(*process, [&] { return !temporaries_in(path(temporaries)).empty(); }));
        process->signal(SIGUSR1);
        const Outcome outcome = process->wait(limit_);
        EXPECT_EQ(outcome.status, kStopped) << outcome.text();
        expect_parts(outcome.out, {"stopped by SIGUSR1 before the next step, after 0 of"});
        EXPECT_EQ(checkpoints_in(path(directory)).size(), 1U);
    }
}

TEST_F(Stop, ASignalOnTheWayOutChangesNothing) {
    const std::unique_ptr<Process> process = start_endless(3);
    wait_for_steps(*process);
    process->signal(SIGUSR1);
    ASSERT_TRUE(comes_true_while_running(
        *process, [&] { return process->out().find("stopped by") != std::string::npos; }));
    for (const int rank : {0, 1, 2})
        process->signal_rank(rank, SIGUSR2);
    expect_stopped(*process, "SIGUSR1");
}

// Each epoch has a better model for some time, whose best.h5 is saved.
TEST_F(Stop, BestModelsDoNotPutOffTheCheckpointsByTheClock) {
    const std::unique_ptr<Process> process = start_endless(
        0, {"output.checkpoint_every=1000000", "output.checkpoint_every_minutes=0.01", "output.keep=1000"});
    EXPECT_TRUE(comes_true_while_running(*process, [&] { return newest_step(path("run")) > 0; }))
        << process->wait(limit_).text();
    process->signal(SIGTERM);
    expect_stopped(*process, "SIGTERM");
}

TEST_F(Stop, ASecondInterruptLeavesAtOnce) {
    run_well(0, with_settings("run.yaml", {"train.steps=10"}));
    // A save that would take a minute.
    const std::unique_ptr<Process> process =
        start_endless(0, {}, {.environment = slow_disk(path("run/checkpoints"), std::chrono::seconds(30))});
    wait_for_steps(*process);
    process->signal(SIGINT);
    ASSERT_TRUE(
        comes_true_while_running(*process, [&] { return !temporaries_in(path("run/checkpoints")).empty(); }));
    process->signal(SIGINT);
    EXPECT_TRUE(process->gone_within(std::chrono::seconds(20)));
    EXPECT_EQ(process->wait(limit_).status, 128 + SIGINT);
    finish_and_compare(2);
}

TEST_F(Stop, ATimeLimitSavesAndLeavesBeforeIt) {
    for (const int ranks : {0, 2}) {
        const std::unique_ptr<Process> process = start_endless(ranks, {"train.time_limit=3s"});
        const Outcome outcome = expect_stopped(*process, "the time limit");
        // Some seconds for a busy machine: that it is less than the limit alone is not sure there.
        EXPECT_LT(outcome.seconds, 3 + 10) << outcome.text();
    }
    finish_and_compare(3);
}

TEST_F(Stop, ARunThatIsSavedByTheClockLosesLittle) {
    const std::vector<std::string> settings = {"output.checkpoint_every_minutes=0.0005",
                                               "output.validate_every=1000"};
    for (const int ranks : {2, 0}) {
        const std::int64_t before = newest_step(path("run"));
        const std::unique_ptr<Process> process = start_endless(ranks, settings);
        EXPECT_TRUE(comes_true_while_running(
            *process, [&] { return newest_step(path("run")) > std::max<std::int64_t>(before, 0); }));
        process->kill();
        EXPECT_EQ(contents_of(path("run/metrics.jsonl")).find("checkpoint"), std::string::npos);
    }
    finish_and_compare(3, settings);
}

TEST_F(Stop, CheckpointsOfEverySoManyEpochsStayForGood) {
    run_well(2, with_settings("run.yaml", {"train.epochs=7", "output.keep=1", "output.keep_every=3"}));
    std::vector<std::string> names;
    for (const auto& file : checkpoints_in(path("run")))
        names.push_back(file.stem().string());
    EXPECT_EQ(names, (std::vector<std::string>{"step_0000000153", "step_0000000306", "step_0000000357"}));
}

}  // namespace
}  // namespace vae_dist
