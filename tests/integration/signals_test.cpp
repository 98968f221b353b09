// Signals of every kind at random moments, most of which fall into matrix products, lose nothing and change
// nothing.
//
// By hand, for longer, also with a narrower instruction set or on another build (VAE_DIST_PROGRAM):
//   VAE_DIST_SIGNALS=200 DNNL_MAX_CPU_ISA=AVX2 build/release/tests/integration/signals_test

#include <fmt/format.h>
#include <signal.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <thread>

#include "integration/run_files.hpp"
#include "integration/sample_data.hpp"
#include "integration/workplace.hpp"

namespace vae_dist {
namespace {

constexpr int kStopped = 75;

// Nearly all of the time is spent in products.
constexpr const char* kConfig =
    "data:\n"
    "  train: {files: [d.h5], dataset: train/x}\n"
    "  validation: {files: [d.h5], dataset: test/x}\n"
    "model: {latent_dim: 8, encoder: {hidden: [512, 512]}, decoder: {hidden: [512, 512]}}\n"
    "train: {batch_size: 128, virtual_ranks: 3}\n"
    "output: {directory: run, log_every: 1, validate_every: 4, checkpoint_every: 1000, keep: 1}\n";

constexpr std::array kStopSignals = {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
// What the system ignores by default, or by which it only stops and continues.
constexpr std::array kHarmless = {SIGWINCH, SIGURG, SIGCHLD, SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU};

// A bit for each signal, as /proc tells. Not SIGKILL and SIGSTOP, nor faults, nor the two that the C library
// keeps.
constexpr std::uint64_t bit(int signal) {
    return std::uint64_t{1} << (signal - 1);
}
constexpr std::uint64_t kAllThatCanBeBlocked =
    ~(bit(SIGKILL) | bit(SIGSTOP) | bit(SIGSEGV) | bit(SIGBUS) | bit(SIGFPE) | bit(SIGILL) | bit(SIGTRAP) |
      bit(SIGSYS) | bit(SIGABRT) | bit(32) | bit(33));

std::uint64_t blocked_signals(const std::filesystem::path& status) {
    const std::string text = contents_of(status);
    const std::size_t place = text.find("SigBlk:");
    return place == std::string::npos ? 0 : std::stoull(text.substr(place + 7), nullptr, 16);
}

int number_of_starts(int otherwise) {
    const char* const text = std::getenv("VAE_DIST_SIGNALS");
    return text == nullptr ? otherwise : std::stoi(text);
}

class Signals : public Workplace {
 protected:
    Signals() {
        write_text("run.yaml", kConfig);
        write_images(path("d.h5"), "train/x", 2001);
        write_images(path("d.h5"), "test/x", 100, 100000);
        limit_ = std::chrono::seconds(60);
    }

    // Not a standard distribution: those differ between libraries.
    int below(int bound) { return static_cast<int>(random_() % static_cast<unsigned>(bound)); }

    void pause(int longest_ms) {
        std::this_thread::sleep_for(std::chrono::microseconds(below(1000 * longest_ms)));
    }

    // A process that a signal stopped is sent on its way by SIGCONT, which the storm ends with.
    void send_harmless_signals(Process& process, int count) {
        for (int i = 0; i < count && process.running(); ++i) {
            process.signal(kHarmless[static_cast<std::size_t>(below(kHarmless.size()))]);
            pause(2);
        }
        process.signal(SIGCONT);
    }

    // Asks a run without an end to stop, again and again until it is gone, at a random moment.
    void start_and_stop(int ranks, int threads) {
        const auto settings = {std::string("train.steps=1000000000"),
                               fmt::format("compute.threads={}", threads)};
        const std::unique_ptr<Process> process = start(ranks, with_settings("run.yaml", settings));
        const auto is_under_way = [&] { return process->out().find("step ") != std::string::npos; };
        ASSERT_TRUE(comes_true_while_running(*process, is_under_way)) << process->wait(limit_).text();
        pause(40);
        // mpirun itself heeds the others in ways of its own.
        const int first =
            ranks == 0 ? kStopSignals[static_cast<std::size_t>(below(kStopSignals.size()))] : SIGUSR1;
        process->signal(first);
        // Not to mpirun, which they would end on its own way out.
        for (int i = 0; i < 20; ++i) {
            const int more = below(2) == 0 ? SIGUSR1 : SIGUSR2;
            if (ranks == 0) {
                process->signal(more);
            } else {
                process->signal_rank(below(ranks), more);
            }
            pause(2);
        }
        const Outcome outcome = process->wait(limit_);
        ASSERT_EQ(outcome.status, kStopped) << outcome.text();
        ASSERT_EQ(outcome.err.find("vae_dist: "), std::string::npos) << outcome.text();
    }

    std::mt19937 random_{7};
};

TEST_F(Signals, ARunThatIsStoppedAtRandomMomentsSavesEachTimeAndEndsInTheSameBits) {
    const int starts = number_of_starts(8);
    for (int i = 0; i < starts && !HasFatalFailure(); ++i) {
        const int ranks = i % 4 == 3 ? 3 : 0;
        start_and_stop(ranks, 1 + i / 2 % 2);
    }
    const std::string end = fmt::format("train.steps={}", newest_step(path("run")) + 20);
    run_well(2, with_settings("run.yaml", {end}));
    run_well(0, with_settings("run.yaml", {end, "output.directory=whole"}));
    EXPECT_EQ(metrics_of(path("whole")), metrics_of(path("run")));
    expect_equal_hdf5(checkpoints_in(path("whole")).back(), checkpoints_in(path("run")).back());
}

// Threads of libraries, too.
TEST_F(Signals, OneThreadOfEachRankTakesThemAndNoneThatComputes) {
    const std::unique_ptr<Process> process =
        start(2, with_settings("run.yaml", {"train.steps=1000000000", "compute.threads=2"}));
    const auto is_under_way = [&] { return process->out().find("step ") != std::string::npos; };
    ASSERT_TRUE(comes_true_while_running(*process, is_under_way)) << process->wait(limit_).text();
    for (const int rank : {0, 1}) {
        const auto pid = process->process_of_rank(rank);
        ASSERT_TRUE(pid);
        std::vector<std::string> takers;
        for (const auto& thread : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", *pid))) {
            if (blocked_signals(thread.path() / "status") != kAllThatCanBeBlocked)
                takers.push_back(contents_of(thread.path() / "comm"));
        }
        EXPECT_EQ(takers, std::vector<std::string>{"signals\n"}) << "rank " << rank;
    }
    process->signal(SIGUSR1);
    EXPECT_EQ(process->wait(limit_).status, kStopped);
}

TEST_F(Signals, ThoseThatAskForNothingChangeNothing) {
    run_well(0, with_settings("run.yaml", {"train.steps=60", "output.directory=whole", "compute.threads=2"}));
    const std::unique_ptr<Process> process =
        start(0, with_settings("run.yaml", {"train.steps=60", "compute.threads=2"}));
    send_harmless_signals(*process, 300);
    const Outcome outcome = process->wait(limit_);
    EXPECT_EQ(outcome.status, 0) << outcome.text();
    expect_equal_runs(path("whole"), path("run"));
}

TEST_F(Signals, EndEvaluationsAtOnceOrChangeNothingInThem) {
    run_well(0, with_settings("run.yaml", {"train.steps=5"}));
    const std::vector<std::string> evaluate = {
        "evaluate", "run", "--data", "d.h5:test/x", "--importance-samples", "200", "--out"};
    const auto with_output = [&](const std::string& name) {
        auto arguments = evaluate;
        arguments.push_back(name);
        return arguments;
    };
    run_well(0, with_output("whole.json"));
    {
        const std::unique_ptr<Process> process = start(0, with_output("stormy.json"));
        send_harmless_signals(*process, 200);
        EXPECT_EQ(process->wait(limit_).status, 0);
    }
    EXPECT_EQ(contents_of(path("whole.json")), contents_of(path("stormy.json")));
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGALRM}) {
        auto endless = with_output("ended.json");
        endless[5] = "8000000";
        const std::unique_ptr<Process> process = start(0, endless);
        pause(400);
        process->signal(signal);
        EXPECT_TRUE(process->gone_within(std::chrono::seconds(20))) << signal;
        EXPECT_EQ(process->wait(limit_).status, 128 + signal);
        EXPECT_FALSE(std::filesystem::exists(path("ended.json")));
    }
}

TEST_F(Signals, EndImportsAtOnceAndLeaveAWholeFileOrNone) {
    std::string table = "a,b,c\n";
    for (int row = 0; row < 200000; ++row)
        table += fmt::format("{},{},{}\n", row, row % 7, 0.25 * row);
    write_text("table.csv", table);
    run_well(0, {"import", "csv", "table.csv", "--out", "whole.h5:x"});
    {
        const std::unique_ptr<Process> process =
            start(0, {"import", "csv", "table.csv", "--out", "stormy.h5:x"});
        send_harmless_signals(*process, 200);
        EXPECT_EQ(process->wait(limit_).status, 0);
    }
    expect_equal_hdf5(path("whole.h5"), path("stormy.h5"));
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
        const std::unique_ptr<Process> process =
            start(0, {"import", "csv", "table.csv", "--out", "ended.h5:x"});
        pause(100);
        process->signal(signal);
        const Outcome outcome = process->wait(limit_);
        EXPECT_TRUE(outcome.status == 128 + signal || outcome.status == 0) << outcome.text();
        // The signal may also come when the file has its name and the program only ends.
        const bool is_there = std::filesystem::exists(path("ended.h5"));
        EXPECT_TRUE(is_there || outcome.status != 0) << outcome.text();
        if (is_there) expect_equal_hdf5(path("whole.h5"), path("ended.h5"));
        std::filesystem::remove(path("ended.h5"));
    }
    run_well(0, {"import", "csv", "table.csv", "--out", "ended.h5:x"});
    expect_equal_hdf5(path("whole.h5"), path("ended.h5"));
}

}  // namespace
}  // namespace vae_dist
