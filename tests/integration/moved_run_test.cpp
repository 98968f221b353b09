// A run goes on wherever its data lie, if they are its data.

#include "integration/run_files.hpp"
#include "integration/sample_data.hpp"
#include "integration/workplace.hpp"
#include "vae_dist/data/hdf5/hdf5.hpp"

namespace vae_dist {
namespace {

namespace fs = std::filesystem;

class MovedRun : public Workplace {
 protected:
    MovedRun() {
        write_text("run.yaml",
                   "data: {train: {files: [\"here/t*.h5\"], dataset: x}, validation: {files: [here/v.h5], "
                   "dataset: x}}\n"
                   "model: {latent_dim: 2, encoder: {hidden: [8]}, decoder: {hidden: [8]}}\n"
                   "train: {epochs: 1, batch_size: 40, virtual_ranks: 3}\n"
                   "output: {directory: run, log_every: 3}\n");
        write_data("here");
    }
    // Images from these on.
    void write_data(const std::string& folder, std::int64_t train = 0, std::int64_t validation = 1000) const {
        fs::create_directories(path(folder));
        write_images(path(folder + "/t1.h5"), "x", 200, train);
        write_images(path(folder + "/t2.h5"), "x", 100, 500);
        write_images(path(folder + "/v.h5"), "x", 30, validation);
    }
    static std::vector<std::string> on(const std::string& folder, std::vector<std::string> settings = {}) {
        settings.insert(settings.end(), {"data.train.files=[\"" + folder + "/t*.h5\"]",
                                         "data.validation.files=[" + folder + "/v.h5]"});
        return with_settings("run.yaml", settings);
    }
    // As the first versions wrote them.
    void forget_identities() const {
        for (const fs::path& checkpoint : checkpoints_in(path("run"))) {
            hdf5::File file = hdf5::File::open_for_writing(checkpoint.string());
            for (const char* of : {"data", "validation"}) {
                for (const char* part : {"_files", "_form", "_sample"})
                    file.remove_attribute("/", std::string(of) + part);
            }
            file.close();
        }
    }
};

TEST_F(MovedRun, DataThatWereCopiedElsewhereServeToTheSameBits) {
    write_data("scratch");
    run_well(2, with_settings("run.yaml", {}));
    const Outcome outcome = run_well(3, on("scratch", {"train.epochs=2"}));
    expect_parts(outcome.out,
                 {"going on from", "the data lie elsewhere: data.train.files was ", "/here/t*.h5",
                  "/scratch/t*.h5; data.validation", "v.h5; names, shapes and sampled rows are the same"});
    run_well(1, on("scratch", {"train.epochs=2", "output.directory=whole"}));
    EXPECT_EQ(metrics_of(path("run")), metrics_of(path("whole")));
    expect_equal_hdf5(checkpoints_in(path("run")).back(), checkpoints_in(path("whole")).back());
    EXPECT_EQ(run_well(1, on("scratch", {"train.epochs=3"})).out.find("elsewhere"), std::string::npos);
}

TEST_F(MovedRun, AProjectMayBeMovedWithDataAndRun) {
    fs::create_directory(path("project"));
    fs::rename(path("here"), path("project/here"));
    run_well(0, on("project/here", {"output.directory=project/run"}));
    fs::rename(path("project"), path("moved"));
    const Outcome outcome = run_well(2, on("moved/here", {"output.directory=moved/run", "train.epochs=2"}));
    expect_parts(outcome.out, {"going on from", "/moved/run/", "the data lie elsewhere", "done: 16 steps"});
}

TEST_F(MovedRun, OtherDataUnderTheSameNamesAreRefused) {
    run_well(2, {"run.yaml"});
    const std::string checkpoint = contents_of(checkpoints_in(path("run")).back());
    write_data("other", 7000);
    write_data("elsewhere", 0, 8000);
    for (const int ranks : {0, 3}) {
        expect_refused(run(ranks, on("other", {"train.epochs=2"})), 2,
                       {"other data in data.train", "not the numbers", "64 samples, CRC-32"});
    }
    expect_refused(run(2, on("elsewhere", {"train.epochs=2"})), 2, {"other data in data.validation"});
    fs::rename(path("other/t2.h5"), path("other/t3.h5"));
    expect_refused(run(2, on("other", {"train.epochs=2"})), 2, {"t1.h5 and t2.h5 then, t1.h5 and t3.h5 now"});
    EXPECT_EQ(contents_of(checkpoints_in(path("run")).back()), checkpoint);
    run_well(2, {"run.yaml", "--set", "train.epochs=2"});
}

TEST_F(MovedRun, ACheckpointOfBeforeGoesOnByTheNamesOfItsFiles) {
    run_well(2, {"run.yaml"});
    forget_identities();
    write_data("scratch");
    fs::create_directory(path("renamed"));
    fs::copy(path("here/v.h5"), path("renamed/w.h5"));
    expect_refused(
        run(2, with_settings("run.yaml", {"train.epochs=2", "data.validation.files=[renamed/w.h5]"})), 2,
        {"other data in data.validation", "here/v.h5", "renamed/w.h5"});
    expect_parts(run_well(2, on("scratch", {"train.epochs=2"})).out,
                 {"the data lie elsewhere", "the checkpoint tells no more"});
    const hdf5::File file = hdf5::File::open(checkpoints_in(path("run")).back().string());
    EXPECT_EQ(file.read_text_attribute("/", "data_files"), "t1.h5 and t2.h5");
    EXPECT_EQ(file.read_text_attribute("/", "validation_form"), "30 samples of 8 x 8 uint8");
}

}  // namespace
}  // namespace vae_dist
