// Disks that are slow, fill up or stop taking files in the middle of a run.

#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>

#include "integration/run_files.hpp"
#include "integration/sample_data.hpp"
#include "integration/small_disk.hpp"
#include "integration/workplace.hpp"

namespace vae_dist {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig =
    "data: {train: {files: [d.h5], dataset: x}, transform: standardize}\n"
    "model: {latent_dim: 2, encoder: {hidden: [30]}, decoder: {hidden: [30]}, likelihood: gaussian}\n"
    "train: {batch_size: 32, virtual_ranks: 4}\n"
    "output: {directory: disk/run, log_every: 20, checkpoint_every_minutes: 0.0005}\n";

class Disk : public Workplace {
 protected:
    Disk() {
        write_text("run.yaml", kConfig);
        write_table(path("d.h5"), "x", 3001);
    }

    fs::path checkpoints() const { return path("disk/run/checkpoints"); }

    static std::vector<std::string> endless() {
        return with_settings("run.yaml", {"train.steps=1000000000"});
    }

    void wait_for_a_save(Process& process) const {
        ASSERT_TRUE(comes_true_while_running(process, [&] { return newest_step(path("disk/run")) > 0; }))
            << process.wait(limit_).text();
    }

    // What was saved is whole, and with room again leads to what it would have been.
    void expect_saved_and_finish(int ranks) const {
        ASSERT_GT(newest_step(path("disk/run")), 0);
        for (const auto& file : checkpoints_in(path("disk/run")))
            expect_parts(run_well(0, {"inspect", file.string()}).out, {"whole and undamaged"});
        const std::string steps = fmt::format("train.steps={}", newest_step(path("disk/run")) + 100);
        run_well(ranks, with_settings("run.yaml", {steps}));
        run_well(0, with_settings("run.yaml", {steps, "output.directory=whole"}));
        expect_equal_hdf5(checkpoints_in(path("whole")).back(), checkpoints_in(path("disk/run")).back());
        EXPECT_EQ(metrics_of(path("whole")), metrics_of(path("disk/run")));
        EXPECT_TRUE(temporaries_in(path("disk/run")).empty());
    }
};

TEST_F(Disk, TrainingGoesOnDuringASlowSaveAndAStopWaitsForIt) {
    run_well(0, with_settings("run.yaml", {"train.steps=10"}));
    const std::unique_ptr<Process> process =
        start(2, endless(), {.environment = slow_disk(checkpoints(), std::chrono::seconds(1))});
    ASSERT_TRUE(comes_true_while_running(*process, [&] { return !temporaries_in(checkpoints()).empty(); }));
    const auto lines = [&] {
        const std::string text = process->out();
        return std::count(text.begin(), text.end(), '\n');
    };
    const auto before = lines();
    EXPECT_TRUE(comes_true_while_running(
        *process, [&] { return lines() > before + 2 || temporaries_in(checkpoints()).empty(); }));
    EXPECT_FALSE(temporaries_in(checkpoints()).empty()) << "no step was taken during the save";
    process->signal(SIGUSR1);
    const Outcome outcome = process->wait(limit_);
    EXPECT_EQ(outcome.status, 75) << outcome.text();
    EXPECT_EQ(outcome.err.find("vae_dist: "), std::string::npos) << outcome.text();
    EXPECT_TRUE(temporaries_in(checkpoints()).empty());
    expect_saved_and_finish(3);
}

TEST_F(Disk, OneThatFillsUpInTheMiddleOfARunEndsItWithWhatWasSaved) {
    const SmallDisk disk(path("disk"), "size=3m");
    if (!disk.mounted()) GTEST_SKIP() << "only root may mount a small disk";
    const std::unique_ptr<Process> process = start(3, endless());
    wait_for_a_save(*process);
    std::ofstream filler(path("disk/filler"));
    const std::string piece(4096, 'x');
    // Old checkpoints that go make room again: until the end.
    EXPECT_FALSE(comes_true_while_running(*process, [&] {
        filler.clear();
        while (filler.write(piece.data(), static_cast<std::streamsize>(piece.size())).flush()) {
        }
        return false;
    }));
    filler.close();
    expect_refused(process->wait(limit_), 1, {"No space left on device", "newest complete checkpoint"});
    fs::remove(path("disk/filler"));
    expect_saved_and_finish(2);
}

// The beginning of a command that runs without root's right to ignore permissions; empty where no program can
// be started so.
std::optional<std::vector<std::string>> without_right_to_ignore_permissions(const fs::path& folder) {
    std::vector<std::string> command;
    if (geteuid() == 0) command = {"setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"};
    const fs::path sealed = folder / "sealed";
    fs::create_directory(sealed);
    fs::permissions(sealed, fs::perms::owner_read | fs::perms::owner_exec);
    std::vector<std::string> trial = command;
    trial.insert(trial.end(), {"sh", "-c", "echo ran; ! touch \"$0/file\"", sealed.string()});
    const Outcome outcome = Process(trial, {}).wait(std::chrono::seconds(60));
    if (outcome.status != 0 || outcome.out != "ran\n") return std::nullopt;
    return command;
}

TEST_F(Disk, AFolderThatTurnsReadOnlyInTheMiddleOfARunEndsItWithWhatWasSaved) {
    auto command = without_right_to_ignore_permissions(folder_.path());
    if (!command) GTEST_SKIP() << "a program cannot be kept from writing into a read-only folder here";
    const auto run = vae_dist_command(2, endless());
    command->insert(command->end(), run.begin(), run.end());
    Process process(*command, {.folder = folder_.path()});
    wait_for_a_save(process);
    fs::permissions(checkpoints(), fs::perms::owner_read | fs::perms::owner_exec);
    expect_refused(process.wait(limit_), 1, {"Permission denied", "newest complete checkpoint"});
    fs::permissions(checkpoints(), fs::perms::owner_all);
    expect_saved_and_finish(3);
}

}  // namespace
}  // namespace vae_dist
