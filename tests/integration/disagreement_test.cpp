// Ranks that do not do the same work are noticed, and named, instead of training garbage into each other.

#include <fmt/format.h>

#include <fstream>
#include <span>

#include "integration/process_memory.hpp"
#include "integration/run_files.hpp"
#include "integration/sample_data.hpp"
#include "integration/workplace.hpp"
#include "vae_dist/data/hdf5/hdf5.hpp"

namespace vae_dist {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig =
    "data: {train: {files: [d.h5], dataset: x}, validation: {files: [v.h5], dataset: x},\n"
    "       transform: standardize}\n"
    "model: {latent_dim: 2, encoder: {hidden: [8]}, decoder: {hidden: [8]}, likelihood: gaussian}\n"
    "train: {epochs: 2, batch_size: 32, virtual_ranks: 4}\n"
    "output: {directory: run, log_every: 1}\n";

class Disagreement : public Workplace {
 protected:
    Disagreement() {
        write_text("run.yaml", kConfig);
        write_table(path("d.h5"), "x", 200);
        write_table(path("v.h5"), "x", 50);
    }

    // Two ranks of one command, and a third one of another.
    Outcome run_with_another(const std::string& program, const std::vector<std::string>& arguments) const {
        std::vector<std::string> command = vae_dist_command(2, {"run.yaml"});
        command.insert(command.end(), {":", "-np", "1", program});
        command.insert(command.end(), arguments.begin(), arguments.end());
        return Process(command, {.folder = folder_.path()}).wait(limit_);
    }
};

TEST_F(Disagreement, AnotherConfigurationOnOneRankIsNamedWithItsKeys) {
    expect_refused(
        run_with_another(VAE_DIST_PROGRAM,
                         with_settings("run.yaml", {"train.seed=7", "model.encoder.hidden=[9]"})),
        2, {"rank 2", "train.seed is 7 rather than 1", "model.encoder.hidden is [9] rather than [8]"});
}

TEST_F(Disagreement, AnotherBuildOnOneRankIsNamed) {
    fs::copy_file(VAE_DIST_PROGRAM, path("another_build"));
    std::ofstream(path("another_build"), std::ios::app) << "another";
    expect_refused(run_with_another(path("another_build"), {"run.yaml"}), 2,
                   {"rank 2", "another build of vae_dist (", "rank 0 ("});
}

TEST_F(Disagreement, DataMayLieElsewhereOnOneRankButNotBeOthers) {
    fs::create_directory(path("elsewhere"));
    fs::copy_file(path("d.h5"), path("elsewhere/d.h5"));
    const auto elsewhere =
        with_settings("run.yaml", {"data.train.files=[" + path("elsewhere/d.h5").string() + "]"});
    const Outcome outcome = run_with_another(VAE_DIST_PROGRAM, elsewhere);
    EXPECT_EQ(outcome.status, 0) << outcome.text();
    fs::remove_all(path("run"));

    fs::remove(path("elsewhere/d.h5"));
    write_table(path("elsewhere/d.h5"), "x", 200, 199, 0.5F);
    ASSERT_EQ(fs::file_size(path("d.h5")), fs::file_size(path("elsewhere/d.h5")));
    expect_refused(run_with_another(VAE_DIST_PROGRAM, elsewhere), 2,
                   {"rank 2", "different data in the training data", "last sample"});
}

// A learning rate that changes no weight: those of the first checkpoint are then found in memory. Many draws:
// most of a step is the pass before the comparison.
TEST_F(Disagreement, ARankWhoseMemoryErredIsNamed) {
    const std::unique_ptr<Process> process = start(
        3,
        with_settings("run.yaml", {"train.epochs=null", "train.steps=1000000000", "train.consistency_every=1",
                                   "optimizer.learning_rate=1e-30", "output.checkpoint_every=1000000",
                                   "objective.importance_samples=500"}));
    ASSERT_TRUE(comes_true_while_running(*process, [&] {
        return process->out().find("step ") != std::string::npos;
    })) << process->wait(limit_).text();
    const auto weights =
        hdf5::File::open(checkpoints_in(path("run")).at(0).string()).read_floats("/model/encoder/0/weight");
    // An error that comes between the comparison and the update is not noticed: it is written over, or
    // spreads as the owner's own. Then there is another one.
    const pid_t rank_2 = process->process_of_rank(2).value();
    const auto replace = [&](const std::vector<float>& now, const std::vector<float>& then) {
        return replace_in_memory(rank_2, std::as_bytes(std::span(now)), std::as_bytes(std::span(then)));
    };
    std::vector<float> wrong = weights;
    if (!replace(weights, wrong)) GTEST_SKIP() << "the memory of another process may not be written to here";
    comes_true_while_running(*process, [&] {
        const std::vector<float> last = wrong;
        wrong[3] += 1;
        return !replace(last, wrong) || !replace(weights, wrong);
    });
    expect_refused(process->wait(limit_), 1,
                   {"the parameters of rank 2 (", "are not those of ranks 0 (", "before step"});
}

}  // namespace
}  // namespace vae_dist
