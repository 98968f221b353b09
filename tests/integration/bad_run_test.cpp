// Configurations, launches and machines that a run cannot work with, and runs that diverge.

#include <thread>

#include "integration/run_files.hpp"
#include "integration/sample_data.hpp"
#include "integration/small_disk.hpp"
#include "integration/workplace.hpp"

namespace vae_dist {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig =
    "data: {synthetic: {distribution: normal, samples: 96, shape: [6]}}\n"
    "model: {latent_dim: 2, encoder: {hidden: [8]}, decoder: {hidden: [8]}, likelihood: gaussian}\n"
    "train: {epochs: 2, batch_size: 32, virtual_ranks: 4}\n"
    "output: {directory: run, log_every: 1}\n";

class BadRun : public Workplace {
 protected:
    BadRun() { write_text("run.yaml", kConfig); }

    Outcome train(int ranks, const std::vector<std::string>& settings = {},
                  const ProcessOptions& options = {}) const {
        return run(ranks, with_settings("run.yaml", settings), options);
    }
};

TEST_F(BadRun, AMissingConfigurationIsNamed) {
    expect_refused(run(3, {"nowhere.yaml"}), 2, {"nowhere.yaml", "No such file"});
}

TEST_F(BadRun, AnUnknownKeyIsNamedWithItsLineAndTheNearestOne) {
    write_text("typo.yaml", std::string(kConfig) + "optimizer: {lerning_rate: 1e-3}\n");
    expect_refused(run(3, {"typo.yaml"}), 2, {"typo.yaml", "lerning_rate", "learning_rate", "5"});
    expect_refused(train(3, {"train.batchsize=8"}), 2, {"batchsize", "batch_size"});
}

TEST_F(BadRun, AValueOutOfRangeIsNamed) {
    expect_refused(train(3, {"optimizer.learning_rate=-1"}), 2, {"optimizer.learning_rate", "-1"});
    expect_refused(train(3, {"train.batch_size=many"}), 2, {"train.batch_size", "many"});
}

TEST_F(BadRun, AValueThatYamlReadsAsNothingIsNamed) {
    for (const std::string value : {"%v", "#8", "---", "&b", ""})
        expect_refused(train(2, {"train.seed=" + value}), 2, {"--set train.seed=" + value});
}

// By a build without CUDA, and by one that finds no device.
TEST_F(BadRun, WhatNeedsAGpuIsRefusedWithoutOne) {
    ASSERT_EQ(::setenv("CUDA_VISIBLE_DEVICES", "", 1), 0);
    for (const char* setting : {"compute.communicator=nccl", "compute.backend=cuda"}) {
        const std::string key(setting, std::string_view(setting).find('='));
        expect_refused(train(2, {setting}), 2, {key, "CUDA"});
    }
}

TEST_F(BadRun, MoreRanksThanVirtualRanksAreRefused) {
    expect_refused(train(5), 2, {"5 ranks", "4 virtual ranks", "train.virtual_ranks"});
}

TEST_F(BadRun, ABatchSmallerThanVirtualRanksIsRefused) {
    expect_refused(train(3, {"train.batch_size=3"}), 2,
                   {"train.batch_size", "3", "train.virtual_ranks", "4"});
}

TEST_F(BadRun, AnOutputDirectoryThatCannotBeWrittenIsNamed) {
    write_text("file", "not a folder");
    expect_refused(train(3, {"output.directory=file/run"}), 2, {"file/run", "output.directory"});
    expect_refused(train(3, {"output.directory=/proc/run"}), 2, {"/proc/run", "output.directory"});
    expect_refused(train(3, {"output.directory=null"}), 2, {"output.directory"});
}

TEST_F(BadRun, ADirectoryThatAnotherRunWritesToIsRefused) {
    const std::unique_ptr<Process> first =
        start(0, with_settings("run.yaml", {"train.epochs=100000000", "output.checkpoint_every=1000000"}));
    while (first->running() && !fs::exists(path("run/metrics.jsonl"))) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ASSERT_TRUE(first->running());
    expect_refused(train(2), 2, {"another run", "run"});
    EXPECT_TRUE(first->running());
}

TEST_F(BadRun, WhereTheDiskIsFullTheOlderCheckpointStaysAndIsNamed) {
    EXPECT_EQ(train(0, {"train.epochs=1"}).status, 0);
    const fs::path older = checkpoints_in(path("run")).back();
    const std::string bytes = contents_of(older);
    const auto less = static_cast<std::int64_t>(bytes.size()) - 1;
    expect_refused(train(0, {}, {.folder = {}, .most_file_bytes = less}), 1,
                   {"step_0000000006.h5", "newest complete checkpoint", older.filename().string()});
    EXPECT_EQ(contents_of(older), bytes);
    EXPECT_EQ(checkpoints_in(path("run")).size(), 2U);
    // With room again the run goes on to what it would have been.
    EXPECT_EQ(train(3).status, 0);
    EXPECT_EQ(train(3, {"output.directory=whole"}).status, 0);
    expect_equal_hdf5(checkpoints_in(path("whole")).back(), checkpoints_in(path("run")).back());
    EXPECT_EQ(metrics_of(path("whole")), metrics_of(path("run")));
}

TEST_F(BadRun, ADiskThatFillsUpEndsAllRanksWithTheNewestCheckpointWhole) {
    const SmallDisk disk(path("disk"), "size=400k");
    if (!disk.mounted())
        GTEST_SKIP()
            << "only root may mount a small disk; the test before this one limits file sizes instead";
    const std::vector<std::string> settings = {"output.directory=disk/run", "output.keep=1000",
                                               "train.epochs=200", "output.log_every=1000"};
    const Outcome outcome = train(3, settings);
    expect_refused(outcome, 1, {"No space left on device", "newest complete checkpoint"});
    const auto complete = checkpoints_in(path("disk/run"));
    ASSERT_GE(complete.size(), 2U);
    expect_parts(outcome.err, {complete.back().filename().string()});
    expect_parts(run_well(0, {"inspect", complete.back()}).out, {"whole and undamaged"});
    for (std::size_t i = 0; i + 1 < complete.size(); ++i)
        fs::remove(complete[i]);
    EXPECT_EQ(
        train(2, {"output.directory=disk/run", "output.keep=2", "train.epochs=40", "output.log_every=1000"})
            .status,
        0);
    EXPECT_EQ(
        train(0, {"output.directory=whole", "output.keep=2", "train.epochs=40", "output.log_every=1000"})
            .status,
        0);
    expect_equal_hdf5(checkpoints_in(path("whole")).back(), checkpoints_in(path("disk/run")).back());
}

TEST_F(BadRun, AReadOnlyDiskIsNamed) {
    const SmallDisk disk(path("disk"), "size=400k,ro");
    if (!disk.mounted()) GTEST_SKIP() << "only root may mount a read-only disk";
    expect_refused(train(3, {"output.directory=disk/run"}), 2, {"disk/run", "Read-only"});
}

const std::vector<std::string> kDivergent = {"optimizer.name=sgd", "optimizer.learning_rate=1e30",
                                             "train.epochs=20"};

TEST_F(BadRun, ARunThatDivergesStopsAndSaysWhatToDo) {
    const Outcome outcome = train(3, kDivergent);
    expect_refused(outcome, 1, {"diverged", "step 2", "optimizer.learning_rate"});
}

TEST_F(BadRun, SkippingEndsAfterABoundedNumberInARow) {
    std::vector<std::string> settings = kDivergent;
    settings.push_back("train.on_nonfinite=skip");
    const Outcome outcome = train(3, settings);
    expect_refused(outcome, 1, {"diverged", "11 steps in a row"});
    EXPECT_EQ(metric(path("run"), "skipped", "step").size(), 10U);
}

TEST_F(BadRun, AStepThatIsNotFiniteIsSkippedAndTheRunGoesOn) {
    // One sample whose loss no sum can hold.
    write_table(path("d.h5"), "x", 96, 50, 1e18F);
    write_text(
        "run.yaml",
        "data: {train: {files: [d.h5], dataset: x}}\n"
        "model: {latent_dim: 2, encoder: {hidden: [8]}, decoder: {hidden: [8]}, likelihood: gaussian}\n"
        "train: {epochs: 3, batch_size: 32, virtual_ranks: 4, on_nonfinite: skip}\n"
        "output: {directory: run, log_every: 3}\n");
    const Outcome outcome = train(3);
    EXPECT_EQ(outcome.status, 0) << outcome.text();
    expect_parts(outcome.err, {"warning", "skipped"});
    EXPECT_EQ(metric(path("run"), "skipped", "step").size(), 3U);
    EXPECT_EQ(train(1, {"output.directory=one"}).status, 0);
    expect_equal_runs(path("one"), path("run"));
    expect_refused(train(3, {"output.directory=stop", "train.on_nonfinite=stop"}), 1, {"diverged"});
}

}  // namespace
}  // namespace vae_dist
