// A run that is killed at random moments, on random numbers of ranks, ends in the bits of an undisturbed one.
//
// By hand, for longer: VAE_DIST_CHAOS_KILLS=200 VAE_DIST_CHAOS_SEED=7 build/release/tests/.../chaos_test

#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "integration/chaos_plan.hpp"
#include "integration/checkpoint_watch.hpp"
#include "integration/run_files.hpp"
#include "integration/sample_data.hpp"
#include "integration/workplace.hpp"

namespace vae_dist {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{10};  // until all of a run that was hit has gone
constexpr milliseconds kSlowDisk{100};         // a save is then under way for twice this

// Random numbers in the input and the posterior, schedules, clipping, validation: all that has a state.
constexpr const char* kImages =
    "data:\n"
    "  train: {files: [d.h5], dataset: train/x}\n"
    "  validation: {files: [d.h5], dataset: test/x}\n"
    "  transform: binarize\n"
    "  shuffle_window: 500\n"
    "model: {latent_dim: 4, encoder: {hidden: [192]}, decoder: {hidden: [192]}}\n"
    "objective: {kl_warmup_steps: 700, importance_samples: 1}\n"
    "optimizer: {learning_rate: 1e-3, clip_norm: 1, schedule: {name: cosine, warmup_steps: 50}}\n"
    "train: {batch_size: 128, virtual_ranks: 4, consistency_every: 100}\n"
    "output: {directory: run, log_every: 20, validate_every: 3, checkpoint_every: 7, keep: 2,\n"
    "         checkpoint_every_minutes: 0.002}\n";

constexpr const char* kTable =
    "data: {train: {files: [d.h5], dataset: train/x}, validation: {files: [d.h5], dataset: test/x},\n"
    "       transform: standardize}\n"
    "model: {latent_dim: 3, encoder: {hidden: [200, 100]}, decoder: {hidden: [200]}, likelihood: gaussian}\n"
    "optimizer: {name: adagrad, learning_rate: 1e-2, schedule: {name: exponential, factor: 0.9}}\n"
    "train: {batch_size: 128, virtual_ranks: 4}\n"
    "output: {directory: run, log_every: 13, validate_every: 2, keep: 3, keep_every: 20,\n"
    "         checkpoint_every_minutes: 0.002}\n";

std::uint32_t number_from(const char* variable, std::uint32_t otherwise) {
    const char* const text = std::getenv(variable);
    return text == nullptr ? otherwise : static_cast<std::uint32_t>(std::stoul(text));
}

double processor_seconds_of_children() {
    rusage usage{};
    getrusage(RUSAGE_CHILDREN, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

class Chaos : public Workplace {
 protected:
    Chaos() { limit_ = std::chrono::seconds(3600); }

    std::vector<std::string> arguments(const std::string& directory, std::int64_t epochs) const {
        return with_settings("run.yaml",
                             {"output.directory=" + directory, fmt::format("train.epochs={}", epochs)});
    }

    // So many epochs that the run is not over before its last kill, on a machine of any speed: ranks train on
    // for a second after mpirun was killed, and several of them at nearly twice the speed of the one here. By
    // the processor's time, for the machine may be less busy later.
    std::int64_t epochs_for(int kills) const {
        constexpr std::int64_t kTrial = 200;  // of which the start is little
        const double before = processor_seconds_of_children();
        run_well(0, arguments("trial", kTrial));
        const double an_epoch = (processor_seconds_of_children() - before) / kTrial;
        fs::remove_all(path("trial"));
        return std::max(kTrial, static_cast<std::int64_t>((4 + 1.25 * kills) / an_epoch));
    }

    // Waits for the moment of the kill; false where the run ended before it.
    bool reach(const Kill& kill, std::int64_t steps, Process& process) const {
        // What is there was perhaps saved by an earlier start: this one has to get on, or none ever would.
        const std::int64_t before = newest_step(path("killed"));
        const auto wanted =
            std::max(before + 1, static_cast<std::int64_t>(kill.progress * static_cast<double>(steps)));
        const auto is_there = [&] {
            if (kill.moment == Moment::starting) return true;
            if (newest_step(path("killed")) < wanted) return false;
            return kill.moment == Moment::training || !temporaries_in(path("killed/checkpoints")).empty();
        };
        if (!comes_true_while_running(process, is_there)) return false;
        std::this_thread::sleep_for(kill.pause);
        return true;
    }

    static void wait_for_a_rank(int rank, Process& process) {
        while (!process.process_of_rank(rank) && process.running())
            std::this_thread::sleep_for(milliseconds(1));
    }

    static void strike(const Kill& kill, Process& process) {
        switch (kill.blow) {
            case Blow::kill_a_rank:
                wait_for_a_rank(kill.victim, process);
                process.signal_rank(kill.victim, SIGKILL);
                break;
            case Blow::kill_mpirun:
                process.signal(SIGKILL);
                break;
            case Blow::terminate_mpirun:
                process.signal(SIGTERM);
                break;
            case Blow::interrupt_mpirun:
                process.signal(SIGINT);
                break;
            case Blow::ask_to_stop:
                // mpirun hands the signal on, and drops it where it has started no rank yet.
                wait_for_a_rank(0, process);
                process.signal(SIGUSR1);
                break;
        }
    }

    // One start and its end by force. False where there was nothing left to kill.
    bool start_and_kill(const Kill& kill, std::int64_t epochs, std::int64_t steps) {
        ProcessOptions options;
        if (kill.moment == Moment::saving) options.environment = slow_disk(path("killed"), kSlowDisk);
        const std::unique_ptr<Process> process = start(kill.ranks, arguments("killed", epochs), options);
        const bool reached = reach(kill, steps, *process);
        const auto struck = Clock::now();
        in_a_save_ += temporaries_in(path("killed")).empty() ? 0 : 1;
        strike(kill, *process);
        EXPECT_TRUE(process->gone_within(kPatience)) << "processes are left after " << to_text(kill);
        const std::chrono::duration<double> lasted = Clock::now() - struck;
        const Outcome outcome = process->wait(limit_);
        fmt::print("  {}: gone in {:.2f} s, status {}, newest checkpoint {} of {}\n", to_text(kill),
                   lasted.count(), outcome.status, newest_step(path("killed")), steps);
        std::fflush(stdout);
        EXPECT_TRUE(reached) << to_text(kill) << ": " << outcome.text();
        EXPECT_NE(outcome.status, 2) << outcome.text();
        EXPECT_EQ(outcome.err.find("a bug in vae_dist"), std::string::npos) << outcome.text();
        if (kill.blow == Blow::kill_a_rank && kill.moment != Moment::starting) {
            expect_parts(outcome.err, {fmt::format("rank {}", kill.victim)});
        }
        if (outcome.status == 75) expect_parts(outcome.out, {"stopped by SIGUSR1", "start again to go on"});
        return reached && outcome.status != 0;
    }

    void kill_and_compare(int kills, std::uint32_t seed) {
        fmt::print("{} kills by the seed {} (VAE_DIST_CHAOS_KILLS, VAE_DIST_CHAOS_SEED)\n", kills, seed);
        const std::int64_t epochs = epochs_for(kills);
        const Outcome whole = run_well(0, arguments("whole", epochs));
        const std::int64_t steps = newest_step(path("whole"));
        fmt::print("  undisturbed: {} steps in {:.1f} s\n", steps, whole.seconds);

        CheckpointWatch watch(path("killed"));
        int done = 0;
        for (const Kill& kill : plan_kills(seed, kills)) {
            if (!start_and_kill(kill, epochs, steps)) break;
            ++done;
        }
        fmt::print("  {} kills, {} of them in the middle of a save\n", done, in_a_save_);
        EXPECT_GE(in_a_save_, kills * 4 / 15);  // a third were planned so
        EXPECT_EQ(done, kills) << "the run was over before it was killed so often";
        const Outcome last = run_well(1 + static_cast<int>(seed % 4), arguments("killed", epochs));
        EXPECT_EQ(watch.finish(), std::vector<std::string>{});
        fmt::print("  the rest in {:.1f} s; checkpoints were loaded {} times meanwhile\n", last.seconds,
                   watch.loads());
        EXPECT_GT(watch.loads(), kills);
        expect_equal_runs(path("whole"), path("killed"));
    }

    int in_a_save_ = 0;
};

TEST_F(Chaos, ARunThatIsKilledThirtyTimesEndsInTheSameBits) {
    write_text("run.yaml", kImages);
    write_images(path("d.h5"), "train/x", 3001);
    write_images(path("d.h5"), "test/x", 500, 100000);
    kill_and_compare(static_cast<int>(number_from("VAE_DIST_CHAOS_KILLS", 30)),
                     number_from("VAE_DIST_CHAOS_SEED", 4));
}

TEST_F(Chaos, SoDoesOneOfATableWithAnotherOptimizer) {
    write_text("run.yaml", kTable);
    write_table(path("d.h5"), "train/x", 3001);
    write_table(path("d.h5"), "test/x", 300);
    kill_and_compare(static_cast<int>(number_from("VAE_DIST_CHAOS_KILLS", 24)) / 3,
                     number_from("VAE_DIST_CHAOS_SEED", 4) + 1);
}

}  // namespace
}  // namespace vae_dist
