// A run's result does not depend on how often it was interrupted.

#include <algorithm>
#include <random>
#include <thread>

#include "integration/run_files.hpp"
#include "integration/sample_data.hpp"
#include "integration/workplace.hpp"

namespace vae_dist {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig =
    "data:\n"
    "  train: {files: [d.h5], dataset: train/x}\n"
    "  validation: {files: [d.h5], dataset: test/x}\n"
    "  transform: binarize\n"
    "model: {latent_dim: 3, encoder: {hidden: [16]}, decoder: {hidden: [16]}}\n"
    "train: {epochs: 2, batch_size: 40, virtual_ranks: 4}\n"
    "output: {directory: run, log_every: 7}\n";

class Resume : public Workplace {
 protected:
    Resume() {
        write_text("run.yaml", kConfig);
        // Eleven steps an epoch, the last of one sample.
        write_images(path("d.h5"), "train/x", 401);
        write_images(path("d.h5"), "test/x", 50, 100000);
    }

    static std::vector<std::string> arguments(const std::string& directory,
                                              std::vector<std::string> settings) {
        settings.push_back("output.directory=" + directory);
        return with_settings("run.yaml", settings);
    }

    Outcome train(int ranks, const std::string& directory,
                  const std::vector<std::string>& settings = {}) const {
        return run_well(ranks, arguments(directory, settings));
    }

    // Kills all ranks a moment after the step's checkpoint is there. A run that was done before that is as
    // good.
    void kill_after(const std::string& directory, std::int64_t step, int ranks,
                    const std::vector<std::string>& settings, std::chrono::milliseconds moment) const {
        const std::unique_ptr<Process> process = start(ranks, arguments(directory, settings));
        const auto reached = [&] {
            const auto found = checkpoints_in(path(directory));
            return !found.empty() && std::stoll(found.back().stem().string().substr(5)) >= step;
        };
        while (process->running() && !reached())
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        EXPECT_TRUE(reached());
        std::this_thread::sleep_for(moment);
        process->kill();
    }
};

TEST_F(Resume, KilledAndStartedAgainOnOtherRanksItEndsInTheSameBits) {
    const std::vector<std::string> settings = {"train.epochs=60"};
    train(0, "whole", settings);
    std::mt19937 random(20);
    const auto moment = [&] { return std::chrono::milliseconds(random() % 60); };
    kill_after("killed", 11, 3, settings, moment());
    kill_after("killed", 150, 2, settings, moment());
    kill_after("killed", 330, 0, settings, moment());
    train(4, "killed", settings);
    expect_equal_runs(path("whole"), path("killed"));
}

TEST_F(Resume, KilledWithSeveralImportanceSamplesItEndsInTheSameBits) {
    const std::vector<std::string> settings = {"train.epochs=30", "objective.importance_samples=3"};
    train(0, "whole", settings);
    kill_after("killed", 55, 2, settings, std::chrono::milliseconds(3));
    train(3, "killed", settings);
    expect_equal_runs(path("whole"), path("killed"));
}

TEST_F(Resume, KilledWithTheVarianceOfTheDecoderItEndsInTheSameBits) {
    const std::vector<std::string> settings = {"train.epochs=30", "model.likelihood=gaussian",
                                               "model.likelihood.variance=decoder"};
    train(0, "whole", settings);
    kill_after("killed", 55, 2, settings, std::chrono::milliseconds(3));
    train(3, "killed", settings);
    expect_equal_runs(path("whole"), path("killed"));
}

TEST_F(Resume, KilledWithAMixtureAsPriorItEndsInTheSameBits) {
    const std::vector<std::string> settings = {"train.epochs=30", "model.prior={mixture: 4}",
                                               "train.precision=bfloat16"};
    train(0, "whole", settings);
    kill_after("killed", 55, 2, settings, std::chrono::milliseconds(3));
    train(3, "killed", settings);
    expect_equal_runs(path("whole"), path("killed"));
}

TEST_F(Resume, KilledWithConditionsItEndsInTheSameBits) {
    write_energies(path("d.h5"), "train/energy", 401);
    write_energies(path("d.h5"), "test/energy", 50);
    const std::vector<std::string> settings = {
        "train.epochs=30", "data.train={files: d.h5, dataset: train/x, conditions: {energy: train/energy}}",
        "data.validation={files: d.h5, dataset: test/x, conditions: {energy: test/energy}}",
        "model.condition.on=[energy]"};
    train(0, "whole", settings);
    kill_after("killed", 55, 2, settings, std::chrono::milliseconds(3));
    train(3, "killed", settings);
    expect_equal_runs(path("whole"), path("killed"));
}

TEST_F(Resume, KilledInItsFirstEpochItKeepsTheNumberOfVirtualRanks) {
    const std::vector<std::string> settings = {"train.virtual_ranks=auto", "train.epochs=20",
                                               "output.checkpoint_every=10"};
    train(2, "whole", settings);
    kill_after("killed", 0, 2, settings, std::chrono::milliseconds(0));
    train(0, "killed", settings);
    expect_equal_runs(path("whole"), path("killed"));
}

TEST_F(Resume, StoppedInTheMiddleOfAnEpochItGoesOnToTheSameBits) {
    const auto steps = [](const std::string& count) {
        return std::vector<std::string>{"train.epochs=null", "train.steps=" + count};
    };
    train(2, "whole", steps("40"));
    train(2, "parts", steps("7"));
    train(0, "parts", steps("19"));
    train(3, "parts", steps("40"));
    expect_equal_hdf5(checkpoints_in(path("whole")).back(), checkpoints_in(path("parts")).back());
    expect_equal_hdf5(path("whole/best.h5"), path("parts/best.h5"));
    EXPECT_EQ(metrics_of(path("whole")), metrics_of(path("parts")));
    EXPECT_EQ(metric(path("parts"), "train", "step"), (std::vector<double>{7, 14, 21, 28, 35}));
    EXPECT_EQ(metric(path("parts"), "validation", "step"), (std::vector<double>{11, 22, 33, 40}));
}

TEST_F(Resume, AnEndBetweenTwoValidationsLeavesNoTraceInALongerRun) {
    const auto epochs = [](const std::string& count) {
        return std::vector<std::string>{"train.epochs=" + count, "output.validate_every=2",
                                        "output.checkpoint_every=3"};
    };
    train(2, "whole", epochs("6"));
    train(2, "parts", epochs("3"));
    EXPECT_EQ(metric(path("parts"), "validation", "step"), (std::vector<double>{22, 33}));
    train(2, "parts", epochs("5"));
    train(1, "parts", epochs("6"));
    EXPECT_EQ(metrics_of(path("whole")), metrics_of(path("parts")));
    expect_equal_hdf5(path("whole/best.h5"), path("parts/best.h5"));
    expect_equal_hdf5(checkpoints_in(path("whole")).back(), checkpoints_in(path("parts")).back());
}

TEST_F(Resume, ALineThatAKillCutOffIsAddedToAFinishedRun) {
    for (const std::string every : {"1", "3"}) {
        const std::string directory = "every" + every;
        const std::vector<std::string> settings = {"output.checkpoint_every=" + every};
        train(2, directory, settings);
        const auto lines = metrics_of(path(directory));
        std::string text = contents_of(path(directory) / "metrics.jsonl");
        text.erase(text.rfind('\n', text.size() - 2) + 1);
        write_text(directory + "/metrics.jsonl", text);
        ASSERT_EQ(metrics_of(path(directory)).size() + 1, lines.size());
        train(0, directory, settings);
        EXPECT_EQ(metrics_of(path(directory)), lines);
    }
}

TEST_F(Resume, MoreEpochsMayBeAdded) {
    train(2, "whole", {"train.epochs=4"});
    train(2, "parts", {"train.epochs=2"});
    train(1, "parts", {"train.epochs=4"});
    // Checkpoints before the last keep the number of epochs that was asked for then.
    expect_equal_hdf5(checkpoints_in(path("whole")).back(), checkpoints_in(path("parts")).back());
    expect_equal_hdf5(path("whole/best.h5"), path("parts/best.h5"));
    EXPECT_EQ(metrics_of(path("whole")), metrics_of(path("parts")));
}

TEST_F(Resume, AFinishedRunSaysSoAndIsLeftAsItIs) {
    train(2, "run");
    const auto checkpoint = checkpoints_in(path("run")).back();
    const auto written = fs::last_write_time(checkpoint);
    const auto metrics = metrics_of(path("run"));
    for (const int ranks : {0, 3}) {
        const Outcome again = train(ranks, "run");
        expect_parts(again.out, {"finished", "22 of 22 steps"});
    }
    EXPECT_EQ(fs::last_write_time(checkpoint), written);
    EXPECT_EQ(metrics_of(path("run")), metrics);
}

TEST_F(Resume, AChangedConfigurationIsRefusedNamingItsKeys) {
    train(2, "run");
    const std::string checkpoint = contents_of(checkpoints_in(path("run")).back());
    const std::string configuration = contents_of(path("run/config.yaml"));
    const std::string metrics = contents_of(path("run/metrics.jsonl"));
    expect_refused(
        run(3, arguments("run", {"optimizer.learning_rate=0.5", "objective.beta=2", "train.epochs=9"})), 2,
        {"optimizer.learning_rate", "objective.beta", "run"});
    expect_refused(run(0, arguments("run", {"model.latent_dim=9"})), 2, {"model.latent_dim"});
    EXPECT_EQ(contents_of(checkpoints_in(path("run")).back()), checkpoint);
    EXPECT_EQ(contents_of(path("run/config.yaml")), configuration);
    EXPECT_EQ(contents_of(path("run/metrics.jsonl")), metrics);
}

TEST_F(Resume, KeysThatDoNotChangeTheResultMayChange) {
    train(2, "run");
    train(2, "run", {"output.log_every=1", "output.keep=1", "data.cache=stream", "train.epochs=3"});
    EXPECT_EQ(checkpoints_in(path("run")).size(), 1U);
    EXPECT_EQ(metric(path("run"), "train", "step").back(), 33);
}

TEST_F(Resume, ARunMayBeMoved) {
    train(2, "run");
    fs::rename(path("run"), path("moved"));
    expect_parts(train(1, "moved", {"train.epochs=3"}).out, {"going on from", "moved"});
    EXPECT_EQ(metric(path("moved"), "validation", "epoch"), (std::vector<double>{1, 2, 3}));
}

TEST_F(Resume, AutomaticVirtualRanksAreThoseOfTheFirstStart) {
    train(3, "run", {"train.virtual_ranks=auto"});
    train(2, "run", {"train.virtual_ranks=auto", "train.epochs=3"});
    train(3, "three", {"train.virtual_ranks=auto", "train.epochs=3"});
    expect_equal_hdf5(checkpoints_in(path("three")).back(), checkpoints_in(path("run")).back());
    expect_refused(run(4, arguments("run", {"train.virtual_ranks=auto", "train.epochs=4"})), 2,
                   {"4 ranks", "3 virtual ranks", "checkpoint"});
}

TEST_F(Resume, TheBestCheckpointIsTheOneOfTheBestValidation) {
    train(2, "run", {"train.epochs=4"});
    const auto elbo = metric(path("run"), "validation", "elbo");
    ASSERT_EQ(elbo.size(), 4U);
    const Outcome inspected = run_well(0, {"inspect", "run/best.h5"});
    const auto best = std::max_element(elbo.begin(), elbo.end());
    expect_parts(inspected.out, {"step " + std::to_string(11 * (best - elbo.begin() + 1))});
}

}  // namespace
}  // namespace vae_dist
