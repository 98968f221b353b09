// What the commands besides training print and leave.

#include <algorithm>
#include <thread>

#include "integration/run_files.hpp"
#include "integration/sample_data.hpp"
#include "integration/workplace.hpp"

namespace vae_dist {
namespace {

namespace fs = std::filesystem;

class Commands : public Workplace {
 protected:
    Commands() {
        write_text(
            "run.yaml",
            "data: {train: {files: [d.h5], dataset: train/x}, validation: {files: [d.h5], dataset: test/x}}\n"
            "model: {latent_dim: 2, encoder: {hidden: [8]}, decoder: {hidden: [8]}}\n"
            "train: {epochs: 3, batch_size: 40, virtual_ranks: 4}\n"
            "output: {directory: run}\n");
        write_images(path("d.h5"), "train/x", 402);
        write_images(path("d.h5"), "test/x", 33, 100000);
    }

    static std::string last_line(const std::string& text) {
        const std::size_t end = text.find_last_not_of('\n');
        const std::size_t begin = text.rfind('\n', end);
        return text.substr(begin == std::string::npos ? 0 : begin + 1, end - begin);
    }
};

TEST_F(Commands, CheckPrintsThePlanAndTrainsNothing) {
    for (const int ranks : {0, 3}) {
        const Outcome outcome = run_well(ranks, {"check", "run.yaml"});
        expect_parts(outcome.out, {"run.yaml is valid", "402", "8 x 8", "uint8",
                                   "4 virtual ranks with 100 to 101 samples each", "11 an epoch",
                                   "the last of 2", "33 in all", "33 samples", "parameters", "memory"});
    }
    // 64*8+8 + 2*(8*2+2) + 2*8+8 + 8*64+64
    expect_parts(run_well(0, {"check", "run.yaml"}).out, {"1,156 parameters"});
    EXPECT_FALSE(fs::exists(path("run")));
}

TEST_F(Commands, CheckPrintsTheOperationsOfThePlanWhereAsked) {
    const std::string plain = run_well(0, {"check", "run.yaml"}).out;
    EXPECT_EQ(plain.find("operations of training"), std::string::npos);
    const std::string plan = run_well(0, {"check", "run.yaml", "--plan"}).out;
    expect_parts(plan,
                 {plain, "21 operations of training, B = 10, K = 1", "x (B, 64), encoder/0/weight (8, 64)",
                  "posterior_draw", "bernoulli_gradient", "-- backward", "weight_gradient", "gradient"});
    const std::vector<std::string> several = {"check", "run.yaml", "--plan", "--set",
                                              "objective.importance_samples=3"};
    expect_parts(run_well(0, several).out, {"K = 3", "importance_weights", "importance_gradient"});
}

TEST_F(Commands, CheckSaysWhereBfloat16IsSlowAndTrainingRunsThereAllTheSame) {
    const std::vector<std::string> setting = {"--set", "train.precision=bfloat16", "--set", "train.epochs=1"};
    std::vector<std::string> check = {"check", "run.yaml"};
    check.insert(check.end(), setting.begin(), setting.end());
    std::vector<std::string> train = {"run.yaml"};
    train.insert(train.end(), setting.begin(), setting.end());
    const Outcome slow = run(0, check, {.environment = {"DNNL_MAX_CPU_ISA=AVX2"}});
    EXPECT_EQ(slow.status, 0) << slow.text();
    expect_parts(slow.text(), {"train.precision is bfloat16", "slower than with float32"});
    EXPECT_EQ(run(2, train, {.environment = {"DNNL_MAX_CPU_ISA=AVX2"}}).status, 0);
}

TEST_F(Commands, CheckSaysAmongWhomGradientsAreAddedUp) {
    expect_parts(run_well(3, {"check", "run.yaml"}).out, {"exact; summed among 3 ranks that share memory"});
    expect_parts(run_well(3, {"check", "run.yaml", "--set", "compute.shared_memory=off"}).out,
                 {"3 ranks on 3 hosts"});
}

TEST_F(Commands, CheckSaysWhereThreadsAreMoreThanCores) {
    const auto threads = std::to_string(std::thread::hardware_concurrency() + 1);
    const Outcome outcome = run(1, {"check", "run.yaml", "--set", "compute.threads=" + threads});
    EXPECT_EQ(outcome.status, 0) << outcome.text();
    expect_parts(outcome.text(),
                 {"compute.threads is " + threads, "--map-by slot:PE=" + threads, "--cpus-per-task"});
    EXPECT_EQ(run_well(1, {"check", "run.yaml"}).text().find("compute.threads"), std::string::npos);
}

TEST_F(Commands, CheckFindsWhatTrainingWouldRefuse) {
    expect_refused(run(3, {"check", "run.yaml", "--set", "train.batch_size=2"}), 2, {"train.batch_size"});
    expect_refused(run(0, {"check", "run.yaml", "--set", "data.train.dataset=none"}), 2,
                   {"d.h5:none", "train/x"});
    EXPECT_FALSE(fs::exists(path("run")));
}

TEST_F(Commands, InspectDescribesACheckpoint) {
    run_well(2, {"run.yaml", "--set", "train.epochs=1"});
    const Outcome outcome = run_well(0, {"inspect", "run/checkpoints/step_0000000011.h5"});
    expect_parts(outcome.out,
                 {"checkpoint", "step 11", "402 samples", "8 x 8", "4 virtual ranks", "bernoulli",
                  "/model/encoder/0/weight", "8 x 64", "/model/decoder/output/bias"});
}

TEST_F(Commands, InspectDescribesADataFile) {
    const Outcome outcome = run_well(3, {"inspect", "d.h5"});
    expect_parts(outcome.out, {"train/x", "402 x 8 x 8", "uint8", "test/x", "deflate"});
}

TEST_F(Commands, InspectRefusesATextFile) {
    expect_refused(run(0, {"inspect", "run.yaml"}), 2, {"run.yaml", "not an HDF5 file"});
    expect_refused(run(3, {"inspect", "nowhere.h5"}), 2, {"nowhere.h5", "No such file"});
}

TEST_F(Commands, InspectShowsTheFilesThatItCanReadAndThenNamesTheOthers) {
    write_text("text.h5", "no HDF5\n");
    const Outcome outcome = run(2, {"inspect", "text.h5", "d.h5", "nowhere.h5"});
    expect_refused(outcome, 2,
                   {"2 of 3 files cannot be read", "'text.h5' is not an HDF5 file", "nowhere.h5"});
    expect_parts(outcome.out, {"d.h5: HDF5", "train/x"});
}

TEST_F(Commands, HelpHasAnExampleForEachCommand) {
    const Outcome outcome = run_well(0, {"--help"});
    expect_parts(outcome.out,
                 {"mpirun -np 4 vae_dist configs/", "vae_dist check", "vae_dist inspect", "vae_dist keys",
                  "vae_dist import idx", "vae_dist import csv", "vae_dist import npy", "benchmark", "--set",
                  "Exit status", "75 stopped early"});
    for (const char* command : {"check", "benchmark", "evaluate", "inspect", "keys", "import"}) {
        expect_parts(run_well(0, {command, "--help"}).out,
                     {"Example", std::string("Usage: vae_dist ") + command + " ["});
    }
    expect_parts(
        run_well(0, {"import", "csv", "--help"}).out,
        {"Example", "Usage: vae_dist import csv", "--delimiter", "--header", "--decimal", "--columns"});
}

TEST_F(Commands, HelpShowsDefaults) {
    expect_parts(run_well(0, {"benchmark", "--help"}).out, {"--steps N=50", "--warmup N=10"});
    expect_parts(run_well(0, {"evaluate", "--help"}).out, {"--importance-samples K=5000"});
    expect_parts(run_well(0, {"import", "csv", "--help"}).out,
                 {"--skip-lines N=0", "--compress 0..9=4", "--header yes|no|auto=auto", "--decimal .|,=."});
}

TEST_F(Commands, KeysExplainsThem) {
    const std::string one = run_well(0, {"keys", "train.batch_size"}).out;
    EXPECT_EQ(one,
              "train.batch_size\n    samples in a step, over all ranks\n    default: 512\n"
              "    allowed: 1 to 10^9\n    may change later: no\n");
    EXPECT_EQ(run_well(2, {"keys", "train.batch_size"}).out, one);
    expect_parts(run_well(0, {"keys", "optimizer.schedule"}).out, {"optimizer.schedule.factor\n"});
    expect_parts(run_well(0, {"keys"}).out, {"data.train.files\n", "train.batch_size\n", "output.keep\n"});
    expect_parts(run_well(0, {"keys", "--markdown"}).out,
                 {"## train\n", "| `train.batch_size` | 512 | 1 to 10^9 | samples in a step"});
    expect_refused(run(2, {"keys", "trian"}), 2, {"no key or section 'trian'", "did you mean train?"});
    expect_refused(run(0, {"keys", "train", "model"}), 2, {"model", "vae_dist keys --help"});
}

TEST_F(Commands, VersionSaysWhatWasBuiltIn) {
    const Outcome outcome = run_well(2, {"--version"});
    expect_parts(outcome.out, {"vae_dist ", "Open MPI", "HDF5 1.", "cuda", "nccl"});
    expect_parts(run_well(0, {"-V"}).out, {"vae_dist ", "HDF5 1."});
}

TEST_F(Commands, WrongUsageIsRefused) {
    expect_refused(run(0, {}), 2, {"--help"});
    expect_refused(run(3, {"trian"}), 2, {"trian"});
    expect_refused(run(0, {"run.yaml", "--sett", "a=b"}), 2, {"--sett"});
    expect_refused(run(0, {"run.yaml", "--set", "train.epochs"}), 2, {"train.epochs"});
    expect_refused(run(0, {"generat", "run"}), 2, {"generat", "did you mean generate"});
    expect_refused(run(0, {"generate"}), 2, {"checkpoint", "see vae_dist generate --help"});
    expect_refused(run(0, {"evaluate", "run", "--dat", "x"}), 2,
                   {"unknown option --dat", "did you mean --data?", "see vae_dist evaluate --help"});
    expect_refused(run(0, {"generate", "run", "--count"}), 2,
                   {"--count needs a value", "vae_dist generate --help"});
    expect_refused(run(0, {"generate", "run", "--units", "cm"}), 2,
                   {"--units: 'cm' is none of 'model' and 'data'", "vae_dist generate --help"});
    expect_refused(run(0, {"generate", "run", "--conventions", "cf"}), 2,
                   {"--conventions: 'cf' is none of 'auto', 'netcdf', 'matlab' and 'none'"});
    expect_refused(run(0, {"benchmark", "run.yaml", "--steps", "0"}), 2,
                   {"--steps: 0 is not a whole number from 1 to 1000000", "vae_dist benchmark --help"});
    expect_refused(run(0, {"import", "csv", "t.csv"}), 2, {"--out", "see vae_dist import csv --help"});
}

TEST_F(Commands, AKeyGivenAsAnOptionIsAnsweredWithSet) {
    expect_refused(run(3, {"run.yaml", "--epochs", "5"}), 2,
                   {"unknown option --epochs", "--set train.epochs=5"});
    expect_refused(run(0, {"--epochs", "5", "run.yaml"}), 2,
                   {"unknown option --epochs", "--set train.epochs=5"});
    expect_refused(run(0, {"--lr=0.1", "run.yaml"}), 2,
                   {"--set optimizer.learning_rate=0.1", "vae_dist --help"});
    expect_refused(run(0, {"check", "run.yaml", "--batch-size", "64"}), 2,
                   {"--set train.batch_size=64", "vae_dist check --help"});
    expect_refused(run(0, {"run.yaml", "--hidden-size", "9"}), 2,
                   {"--set model.encoder.hidden=9 and --set model.decoder.hidden=9"});
    expect_refused(run(0, {"run.yaml", "--set", "train.lr=1"}), 2, {"did you mean optimizer.learning_rate?"});
}

TEST_F(Commands, AFormatThatCannotBeImportedIsAnsweredWithThoseThatCan) {
    expect_refused(run(3, {"import", "h5ad", "x.h5ad", "--out", "y.h5:x"}), 2,
                   {"no format 'h5ad'", "idx, csv and npy", "HDF5 already", "vae_dist import --help"});
    expect_refused(run(0, {"import", "parquet", "x"}), 2, {"no format 'parquet'", "idx, csv and npy"});
    expect_refused(run(0, {"import"}), 2, {"format is missing", "idx, csv and npy"});
}

TEST_F(Commands, ABatchLargerThanTheDataIsToldOnce) {
    const std::vector<std::string> arguments = {"check", "run.yaml", "--set", "train.batch_size=403"};
    const Outcome outcome = run(3, arguments);
    EXPECT_EQ(outcome.status, 0);
    const std::string warning = "train.batch_size is 403, but the data have only 402 samples";
    const std::size_t first = outcome.text().find(warning);
    EXPECT_NE(first, std::string::npos) << outcome.text();
    EXPECT_EQ(outcome.text().find(warning, first + 1), std::string::npos) << outcome.text();
    EXPECT_EQ(
        run(0, {"check", "run.yaml", "--set", "train.batch_size=402"}).text().find("train.batch_size is"),
        std::string::npos);
}

TEST_F(Commands, AnImportedTableSaysWhatItsFirstLineIs) {
    write_text("t.csv", "0,1,2\n0.5,0.25,0.75\n0.1,0.2,0.3\n");
    expect_parts(run_well(0, {"import", "csv", "t.csv", "--out", "t.h5:x"}).out,
                 {"imported 2 x 3", "line 1 has the names of the columns", "--header no"});
    expect_parts(run_well(0, {"import", "csv", "t.csv", "--out", "t.h5:y", "--header", "no"}).out,
                 {"imported 3 x 3"});
    expect_refused(run(0, {"import", "csv", "t.csv", "--out", "t.h5:z", "--header", "1"}), 2,
                   {"--header: '1' is none of 'yes', 'no' and 'auto'; see vae_dist import csv --help"});
    expect_refused(run(0, {"import", "csv", "t.csv", "--out", "t.h5:z", "--decimal", "x"}), 2,
                   {"--decimal: 'x' is none of '.' and ','; see vae_dist import csv --help"});
    write_text("d.csv", "a;b\n1,5;2,5\n");
    expect_refused(run(0, {"import", "csv", "d.csv", "--out", "t.h5:d"}), 2, {"--delimiter ';' --decimal ,"});
    run_well(0, {"import", "csv", "d.csv", "--out", "t.h5:d", "--decimal", ",", "--columns", "not:a"});
    write_text("t.tsv", "a\tb\n1\t2\n");
    run_well(0, {"import", "csv", "t.tsv", "--out", "t.h5:t", "--delimiter", "\\t"});
}

TEST_F(Commands, BenchmarkEndsInOneLineOfJsonAndLeavesNothing) {
    for (const int ranks : {0, 2}) {
        const Outcome outcome = run_well(ranks, {"benchmark", "run.yaml", "--steps", "15", "--warmup", "2"});
        const Json json = Json::parse(last_line(outcome.out), nullptr, false);
        ASSERT_TRUE(json.is_object()) << outcome.text();
        for (const char* key : {"step_ms", "samples_per_second"})
            EXPECT_GT(json[key].get<double>(), 0) << key;
        EXPECT_EQ(json["ranks"], std::max(ranks, 1));
        EXPECT_EQ(json["virtual_ranks"], 4);
        for (const char* part : {"data", "forward", "backward", "reduce", "optimizer"}) {
            EXPECT_GE(json["parts_ms"][part].get<double>(), 0) << part;
        }
    }
    EXPECT_FALSE(fs::exists(path("run")));
}

TEST_F(Commands, ImportedTablesCanBeTrainedOn) {
    write_text("t.csv", "a,b,c\n1,2,3.5\n4,5,-6\n7,8,9\n0,1,2\n");
    run_well(0, {"import", "csv", "t.csv", "--out", "t.h5:x"});
    run_well(2, {"run.yaml", "--set", "data.train={files: [t.h5], dataset: x}", "--set",
                 "data.validation=null", "--set", "data.transform=standardize", "--set",
                 "model.likelihood=gaussian", "--set", "train.batch_size=4"});
    EXPECT_EQ(checkpoints_in(path("run")).size(), 3U);
    expect_refused(run(0, {"import", "csv", "t.csv", "--out", "t.h5:x"}), 2, {"t.h5", "x"});
    expect_refused(run(0, {"import", "csv", "nowhere.csv", "--out", "t.h5:y"}), 2, {"nowhere.csv"});
}

TEST_F(Commands, AMessageAboutOneThingIsInTheSingular) {
    write_text(
        "one.yaml",
        "data: {synthetic: {distribution: normal, samples: 1, shape: [1]}}\n"
        "model: {latent_dim: 1, encoder: {hidden: [2]}, decoder: {hidden: [2]}, likelihood: gaussian}\n"
        "train: {batch_size: 1, epochs: 1, virtual_ranks: 1}\n"
        "output: {directory: one}\n");
    expect_parts(run_well(0, {"check", "one.yaml"}).out,
                 {"1 normal sample of 1", "read in 1 block\n", "1 virtual rank with 1 sample;",
                  "rank 0: virtual rank 0, 1 sample\n", "summed on one rank"});
    expect_parts(run_well(0, {"one.yaml"}).out, {"done: 1 step in ", ", 2 saves paused it for "});
    expect_parts(run_well(0, {"one.yaml"}).out, {"1 of 1 step done"});
    expect_refused(run(0, {"one.yaml", "--set", "train.seed=7"}), 2, {"changed: train.seed. Restore it, or"});
    expect_parts(run_well(0, {"inspect", "one"}).out,
                 {"1 epoch and 0 samples done; 1 update\n", "trained on 1 sample of shape 1, 1 virtual rank,",
                  "1 latent dimension,"});
    expect_parts(run_well(0, {"benchmark", "one.yaml", "--steps", "1"}).out,
                 {"1 rank, threads of each: 1, 1 virtual rank,"});
    expect_parts(run_well(0, {"generate", "one", "--count", "1", "--out", "g.h5"}).out,
                 {"generated 1 sample (prior)"});
    expect_parts(run_well(0, {"encode", "one", "--data", "g.h5:sample", "--out", "z.h5"}).out,
                 {"encoded 1 sample of"});
    expect_parts(run_well(0, {"reconstruct", "one", "--data", "g.h5:sample", "--out", "r.h5"}).out,
                 {"reconstructed 1 sample of"});
    expect_refused(
        run(0, {"generate", "one", "--traverse", "--row", "3", "--data", "g.h5:sample", "--out", "h.h5"}), 2,
        {"row 3 is not in", "which has only row 0"});
}

TEST_F(Commands, OnlyRankZeroPrints) {
    const std::string one = run_well(0, {"check", "run.yaml"}).out;
    const std::string three = run_well(3, {"check", "run.yaml"}).out;
    EXPECT_EQ(std::count(three.begin(), three.end(), '\n'), std::count(one.begin(), one.end(), '\n') + 2);
}

TEST_F(Commands, PlainLinesTellOfTraining) {
    const Outcome outcome = run_well(2, {"run.yaml", "--set", "output.log_every=5"});
    expect_parts(outcome.out, {"epoch 1/3  step 5/33  elbo -", "reconstruction -", "kl ", "left",
                               "validation", "done: 33 steps"});
    EXPECT_EQ(outcome.out.find('\x1b'), std::string::npos) << "no terminal is watching";
}

}  // namespace
}  // namespace vae_dist
