// Whole runs on the stand-in for GPUs: what they give, which devices they take, and how they fail.

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <cmath>

#include "integration/run_files.hpp"
#include "integration/sample_data.hpp"
#include "integration/workplace.hpp"

namespace vae_dist {
namespace {

constexpr int kStopped = 75;

constexpr const char* kImages =
    "data:\n"
    "  train: {files: [d.h5], dataset: train/x}\n"
    "  validation: {files: [d.h5], dataset: test/x}\n"
    "  transform: binarize\n"
    "model: {latent_dim: 3, encoder: {hidden: [24, 16]}, decoder: {hidden: [16, 24]}, activation: tanh}\n"
    "train: {epochs: 2, batch_size: 40, virtual_ranks: 4}\n"
    "output: {directory: run, log_every: 3}\n";

constexpr const char* kTable =
    "data:\n"
    "  train: {files: [d.h5], dataset: train/x}\n"
    "  validation: {files: [d.h5], dataset: test/x}\n"
    "  transform: standardize\n"
    "model: {latent_dim: 2, encoder: {hidden: [16]}, decoder: {hidden: [16]}, likelihood: gaussian}\n"
    "objective: {kl_warmup_steps: 5, importance_samples: 3}\n"
    "optimizer: {clip_norm: 5, l2: 1e-4}\n"
    "train: {epochs: 2, batch_size: 40, virtual_ranks: 4}\n"
    "output: {directory: run, log_every: 3}\n";

class StandInRun : public Workplace {
 protected:
    void use_images(std::int64_t rows = 402) const {
        write_text("run.yaml", kImages);
        write_images(path("d.h5"), "train/x", rows);
        write_images(path("d.h5"), "test/x", 61, 100000);
    }
    void use_table() const {
        write_text("run.yaml", kTable);
        write_table(path("d.h5"), "train/x", 401);
        write_table(path("d.h5"), "test/x", 61);
    }

    static ProcessOptions with(std::vector<std::string> environment) {
        return {.environment = std::move(environment)};
    }

    Outcome train(int ranks, const std::string& directory, std::vector<std::string> settings = {},
                  const ProcessOptions& options = {}) const {
        settings.push_back("output.directory=" + directory);
        return run(ranks, with_settings("run.yaml", settings), options);
    }
    void train_well(int ranks, const std::string& directory, const std::vector<std::string>& settings = {},
                    const ProcessOptions& options = {}) const {
        const Outcome outcome = train(ranks, directory, settings, options);
        EXPECT_EQ(outcome.status, 0) << outcome.text();
    }

    // Ranks of which each sees what `value` of its own makes of the variable: "$OMPI_COMM_WORLD_LOCAL_RANK".
    Outcome run_each_with(int ranks, const std::string& variable, const std::string& value,
                          const std::vector<std::string>& arguments) const {
        std::vector<std::string> command = mpirun_command();
        std::string line = "export " + variable + "=" + value + "; exec '" VAE_DIST_PROGRAM "'";
        for (const std::string& argument : arguments)
            line += " '" + argument + "'";
        for (const std::string& word :
             {std::string("-np"), std::to_string(ranks), std::string("sh"), std::string("-c"), line})
            command.push_back(word);
        return Process(command, {.folder = folder_.path()}).wait(limit_);
    }

    // Products of floats in TF32 differ by a few thousandths of their terms' size, what follows from them
    // after some updates by a little more.
    void expect_close_to_processor(const std::vector<std::string>& settings, double tolerance) const {
        std::vector<std::string> on_cpu = settings;
        on_cpu.push_back("compute.backend=cpu");
        std::vector<std::string> on_device = settings;
        on_device.push_back("compute.backend=cuda");
        train_well(2, "cpu", on_cpu);
        train_well(2, "device", on_device);
        for (const auto& [event, field] :
             {std::pair("train", "elbo"), std::pair("train", "kl"), std::pair("train", "gradient_norm"),
              std::pair("validation", "elbo")}) {
            const auto cpu = metric(path("cpu"), event, field);
            const auto device = metric(path("device"), event, field);
            ASSERT_EQ(cpu.size(), device.size());
            ASSERT_FALSE(cpu.empty());
            for (std::size_t i = 0; i < cpu.size(); ++i)
                EXPECT_NEAR(device[i], cpu[i], tolerance * (0.1 + std::abs(cpu[i])))
                    << event << ' ' << field << ' ' << i;
        }
        EXPECT_NE(metrics_of(path("cpu")), metrics_of(path("device"))) << "one of them ran twice";
    }

    // Of the model of the folder `run`.
    void expect_same_commands() const {
        for (const int ranks : {1, 3}) {
            const std::string n = std::to_string(ranks);
            run_well(ranks, {"evaluate", "run", "--data", "d.h5:test/x", "--importance-samples", "7", "--out",
                             "e" + n + ".json"});
            run_well(ranks, {"encode", "run", "--data", "d.h5:test/x", "--out", "l" + n + ".h5"});
            run_well(ranks, {"reconstruct", "run", "--data", "d.h5:test/x", "--out", "r" + n + ".h5"});
            run_well(ranks, {"generate", "run", "--count", "33", "--draw", "--out", "g" + n + ".h5"});
        }
        EXPECT_FALSE(contents_of(path("e1.json")).empty());
        EXPECT_EQ(contents_of(path("e1.json")), contents_of(path("e3.json")));
        for (const std::string file : {"l", "r", "g"})
            expect_equal_hdf5(path(file + "1.h5"), path(file + "3.h5"));
    }
};

TEST_F(StandInRun, ImagesGiveWhatTheyGiveOnProcessors) {
    use_images();
    expect_close_to_processor({}, 3e-3);
}

TEST_F(StandInRun, ATableGivesWhatItGivesOnProcessors) {
    use_table();
    expect_close_to_processor({}, 1e-2);
}

TEST_F(StandInRun, TheVarianceOfTheDecoderGivesWhatItGivesOnProcessors) {
    use_table();
    expect_close_to_processor({"model.likelihood.variance=decoder"}, 1e-2);
}

TEST_F(StandInRun, AMixtureAsPriorGivesWhatItGivesOnProcessors) {
    use_table();
    expect_close_to_processor({"model.prior={mixture: 7}"}, 1e-2);
}

TEST_F(StandInRun, ConditionsGiveWhatTheyGiveOnProcessors) {
    use_table();
    write_energies(path("d.h5"), "train/energy", 401);
    write_energies(path("d.h5"), "test/energy", 61);
    expect_close_to_processor(
        {"data.train={files: d.h5, dataset: train/x, conditions: {energy: train/energy}}",
         "data.validation={files: d.h5, dataset: test/x, conditions: {energy: test/energy}}",
         "model.condition.on=[energy]"},
        1e-2);
}

TEST_F(StandInRun, Bfloat16GivesWhatItGivesOnProcessors) {
    use_images();
    expect_close_to_processor({"train.precision=bfloat16"}, 2e-2);
}

// Slices of the ranks that come in other sizes at other steps, which graphs have to be made for together.
TEST_F(StandInRun, RanksOfUnequalSlicesRepeatTheSameSteps) {
    use_images();
    for (const int ranks : {3, 2, 1}) {
        const std::string name = "of" + std::to_string(ranks);
        train_well(ranks, name, {"train.virtual_ranks=7", "train.batch_size=37", "train.epochs=5"});
        if (ranks < 3) expect_equal_runs(path("of3"), path(name));
    }
}

// What events don't order happens in another order each time, and nothing changes.
TEST_F(StandInRun, NoBitDependsOnWhenTheDeviceDoesWhatItIsAskedFor) {
    use_images();
    train_well(2, "late");
    for (const std::string order : {"eager", "random:1", "random:2", "random:3"}) {
        train_well(2, order, {}, with({"VAE_DIST_STAND_IN_ORDER=" + order}));
        EXPECT_EQ(metrics_of(path("late")), metrics_of(path(order))) << order;
    }
}

TEST_F(StandInRun, SumsByWayOfTheHostGiveTheBitsOfNccl) {
    use_images();
    train_well(3, "nccl", {"compute.communicator=nccl"});
    train_well(3, "mpi", {"compute.communicator=mpi"});
    train_well(2, "late", {"compute.overlap=off"});
    EXPECT_EQ(metrics_of(path("nccl")), metrics_of(path("mpi")));
    EXPECT_EQ(metrics_of(path("nccl")), metrics_of(path("late")));
}

TEST_F(StandInRun, StoppedAndGoneOnWithOnOtherRanksItEndsInTheSameBits) {
    use_images(2001);
    const std::vector<std::string> long_run = {"train.epochs=4"};
    train_well(3, "whole", long_run);
    std::vector<std::string> settings = long_run;
    settings.push_back("output.directory=stopped");
    int stops = 0;
    for (const int ranks : {2, 4, 1}) {
        const auto process = start(ranks, with_settings("run.yaml", settings));
        const auto before = metrics_of(path("stopped")).size();
        comes_true_while_running(*process, [&] { return process->out().find("step ") != std::string::npos; });
        process->signal_rank(ranks - 1, SIGTERM);
        const Outcome outcome = process->wait(limit_);
        EXPECT_TRUE(outcome.status == kStopped || outcome.status == 0) << outcome.text();
        stops += outcome.status == kStopped ? 1 : 0;
        EXPECT_GE(metrics_of(path("stopped")).size(), before);
    }
    EXPECT_GT(stops, 0);
    train_well(3, "stopped", long_run);
    expect_equal_runs(path("whole"), path("stopped"));
}

TEST_F(StandInRun, CommandsOnATrainedModelGiveTheSameOnEveryNumberOfRanks) {
    use_images();
    train_well(2, "run");
    expect_same_commands();
}

TEST_F(StandInRun, CommandsWithTheVarianceOfTheDecoderGiveTheSameOnEveryNumberOfRanks) {
    use_table();
    train_well(2, "run", {"model.likelihood.variance=decoder"});
    expect_same_commands();
}

TEST_F(StandInRun, CommandsWithAMixtureAsPriorGiveTheSameOnEveryNumberOfRanks) {
    use_table();
    train_well(2, "run", {"model.prior={mixture: 7}", "train.precision=bfloat16"});
    expect_same_commands();
}

TEST_F(StandInRun, BenchmarkTimesTheStepsOfADevice) {
    use_images();
    const Outcome outcome = run_well(2, {"benchmark", "run.yaml", "--steps", "5", "--warmup", "2"});
    expect_parts(outcome.out, {"\"step_ms\":", "\"ranks\":2"});
}

// --- Which devices

TEST_F(StandInRun, CheckSaysWhichRankTakesWhichDevice) {
    use_images();
    const std::string out = run_well(3, {"check", "run.yaml"}).out;
    expect_parts(out, {"rank 0 (", "000000000001)", "rank 2 (", "000000000003)", "3 ranks by NCCL"});
    expect_parts(run_well(0, {"check", "run.yaml"}).out, {"stand-in for a GPU (GPU-", "one rank"});
}

TEST_F(StandInRun, ARankThatIsShownOneDeviceTakesThat) {
    use_images();
    const Outcome outcome =
        run_each_with(3, "CUDA_VISIBLE_DEVICES", "$OMPI_COMM_WORLD_LOCAL_RANK", {"check", "run.yaml"});
    EXPECT_EQ(outcome.status, 0) << outcome.text();
    expect_parts(outcome.out, {"000000000001)", "000000000002)", "000000000003)", "NCCL"});
}

TEST_F(StandInRun, RanksThatShareADeviceAddUpByMpiAndNcclRefusesThem) {
    use_images();
    const ProcessOptions one_device = with({"VAE_DIST_STAND_IN_DEVICES=1"});
    train_well(0, "alone", {}, one_device);
    train_well(3, "shared", {}, one_device);
    expect_equal_runs(path("alone"), path("shared"));
    expect_refused(
        train(3, "refused", {"compute.communicator=nccl"}, one_device), 2,
        {"compute.communicator is nccl", "ranks 0 and 1 share GPU-", "compute.communicator to mpi"});
    EXPECT_TRUE(checkpoints_in(path("refused")).empty());
}

TEST_F(StandInRun, WithoutADeviceAutoTakesTheProcessorAndCudaIsRefused) {
    use_images();
    const ProcessOptions none = with({"VAE_DIST_STAND_IN_DEVICES=0"});
    train_well(2, "auto", {}, none);
    train_well(2, "cpu", {"compute.backend=cpu"});
    EXPECT_EQ(metrics_of(path("auto")), metrics_of(path("cpu")));
    expect_refused(train(2, "refused", {"compute.backend=cuda"}, none), 2,
                   {"compute.backend is cuda", "no CUDA-capable device is detected"});
    expect_refused(train(2, "refused", {"compute.communicator=nccl"}, none), 2,
                   {"compute.communicator is nccl", "GPU"});
}

TEST_F(StandInRun, WhereOneRankHasNoDeviceAllTakeTheirProcessorsAndSaySo) {
    use_images();
    // Rank 1 alone sees a device that is not there.
    const std::string value = "$((OMPI_COMM_WORLD_RANK * 9))";
    const Outcome outcome = run_each_with(2, "CUDA_VISIBLE_DEVICES", value, {"run.yaml"});
    EXPECT_EQ(outcome.status, 0) << outcome.text();
    expect_parts(outcome.err, {"warning", "rank 1 has no GPU", "processors"});
    expect_refused(
        run_each_with(2, "CUDA_VISIBLE_DEVICES", value,
                      with_settings("run.yaml", {"compute.backend=cuda", "output.directory=refused"})),
        2, {"compute.backend is cuda", "no GPU that serves"});
}

// --- How they fail

TEST_F(StandInRun, ACallThatFailsOnOneRankIsNamedOnceAndEndsAll) {
    use_images();
    struct Case {
        const char* fault;
        const char* words;
    };
    for (const Case& c :
         {Case{"cudaMalloc:9@1", "out of memory"}, Case{"cudaSetDevice:1@2", "cudaSetDevice failed"},
          Case{"cudaMemcpyAsync:60@0", "cudaMemcpyAsync failed"},
          Case{"cublasLtMatmul:30@2", "cublasLtMatmul failed"},
          Case{"cudaGraphLaunch:3@1", "cudaGraphLaunch failed"},
          Case{"cudaEventQuery:40@1", "unspecified launch failure"},
          Case{"ncclGetUniqueId:1@0", "ncclGetUniqueId failed"},
          Case{"ncclReduceScatter:2@1", "ncclReduceScatter failed"},
          Case{"ncclAllGather:1@0", "ncclAllGather failed"},
          Case{"ncclCommInitRank:1@1", "no network was found"}}) {
        SCOPED_TRACE(c.fault);
        const Outcome outcome =
            train(3, "failed", {}, with({std::string("VAE_DIST_STAND_IN_FAIL=") + c.fault}));
        expect_refused(outcome, 1, {c.words});
        std::filesystem::remove_all(path("failed"));
    }
}

// The library's version is too old on every rank.
TEST_F(StandInRun, AnotherNcclThanThatOfTheBuildIsRefused) {
    use_images();
    expect_refused(train(2, "refused", {}, with({"VAE_DIST_STAND_IN_FAIL=ncclGetVersion:1"})), 2,
                   {"NCCL 2.28.9", "NCCL 2.27.9", "LD_LIBRARY_PATH"});
}

// Collectives that never come to their end, because another rank has failed.
TEST_F(StandInRun, ErrorsThatNcclReportsLaterEndAllRanks) {
    use_images();
    for (const char* rank : {"", "@0", "@2"}) {
        SCOPED_TRACE(rank);
        const Outcome outcome =
            train(3, "failed", {}, with({std::string("VAE_DIST_STAND_IN_FAIL=ncclAsync:7") + rank}));
        EXPECT_EQ(outcome.status, 1) << outcome.text();
        expect_parts(outcome.err, {"vae_dist: error:", "by NCCL failed", "remote process exited"});
        EXPECT_LT(outcome.seconds_after_error, 10) << outcome.text();
        std::filesystem::remove_all(path("failed"));
    }
}

TEST_F(StandInRun, AKilledRankIsNamed) {
    use_images();
    const auto process = start(3, with_settings("run.yaml", {"train.steps=1000000", "train.epochs=null"}));
    ASSERT_TRUE(comes_true_while_running(*process, [&] {
        return process->out().find("step ") != std::string::npos;
    })) << process->wait(limit_).text();
    ASSERT_TRUE(process->signal_rank(2, SIGKILL));
    const Outcome outcome = process->wait(limit_);
    EXPECT_NE(outcome.status, 0) << outcome.text();
    EXPECT_LT(outcome.seconds_after_error, 10) << outcome.text();
}

TEST_F(StandInRun, ARankThatStandsStillIsNamedAndGivenUp) {
    use_images();
    const auto process =
        start(3, with_settings("run.yaml", {"train.steps=1000000", "train.epochs=null",
                                            "train.stall_warning=1s", "train.stall_limit=4s"}));
    ASSERT_TRUE(comes_true_while_running(*process, [&] {
        return process->out().find("step ") != std::string::npos;
    })) << process->wait(limit_).text();
    ASSERT_TRUE(process->signal_rank(1, SIGSTOP));
    const Outcome outcome = process->wait(limit_);
    EXPECT_EQ(outcome.status, 1) << outcome.text();
    expect_parts(outcome.err, {"vae_dist: error:", "rank 1", "given up"});
}

}  // namespace
}  // namespace vae_dist
