// Data that cannot be trained on: one clear message, exit status 2, and no rank left waiting.

#include <cmath>
#include <fstream>
#include <limits>

#include "integration/run_files.hpp"
#include "integration/sample_data.hpp"
#include "integration/workplace.hpp"

namespace vae_dist {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig =
    "data: {train: {files: [d.h5], dataset: train/x}}\n"
    "model: {latent_dim: 2, encoder: {hidden: [8]}, decoder: {hidden: [8]}, likelihood: gaussian}\n"
    "train: {epochs: 1, batch_size: 16, virtual_ranks: 4}\n"
    "output: {directory: run}\n";

class BadData : public Workplace {
 protected:
    BadData() { write_text("run.yaml", kConfig); }

    Outcome train(const std::vector<std::string>& settings = {}) const {
        return run(3, with_settings("run.yaml", settings));
    }
};

TEST_F(BadData, AMissingFileIsNamed) {
    expect_refused(train(), 2, {"d.h5", "No such file"});
    expect_refused(train({"data.train.files=[none-*.h5]"}), 2, {"none-*.h5", "no file matches"});
}

TEST_F(BadData, AFileThatIsNotHdf5IsNamed) {
    write_text("d.h5", "1,2,3\n");
    expect_refused(train(), 2, {"d.h5", "not an HDF5 file"});
}

TEST_F(BadData, ATruncatedFileIsNamed) {
    write_table(path("d.h5"), "train/x", 400);
    fs::resize_file(path("d.h5"), fs::file_size(path("d.h5")) / 2);
    expect_refused(train(), 2, {"d.h5", "truncated"});
}

TEST_F(BadData, ADamagedChunkIsNamed) {
    write_images(path("d.h5"), "train/x", 400);
    std::string bytes = contents_of(path("d.h5"));
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x10);
    std::ofstream(path("d.h5"), std::ios::binary) << bytes;
    for (const char* cache : {"memory", "stream"}) {
        expect_refused(train({std::string("data.cache=") + cache}), 2, {"d.h5", "train/x", "row"});
    }
}

TEST_F(BadData, AMissingDatasetIsNamedWithThoseThereAre) {
    write_table(path("d.h5"), "train/y", 40);
    write_table(path("d.h5"), "test/z", 40);
    expect_refused(train(), 2, {"d.h5", "train/x", "train/y", "test/z"});
}

TEST_F(BadData, AGroupIsNoDataset) {
    write_table(path("d.h5"), "train/x/inner", 40);
    expect_refused(train(), 2, {"d.h5", "train/x", "group", "train/x/inner"});
}

TEST_F(BadData, AnEmptyDatasetIsNamed) {
    write_empty(path("d.h5"), "train/x");
    expect_refused(train(), 2, {"d.h5", "train/x", "empty"});
}

TEST_F(BadData, StringsAndCompoundsAreNoSamples) {
    write_strings(path("d.h5"), "strings");
    write_compounds(path("d.h5"), "compounds");
    expect_refused(train({"data.train.dataset=strings"}), 2,
                   {"d.h5", "strings", "string", "integers or floats"});
    expect_refused(train({"data.train.dataset=compounds"}), 2, {"d.h5", "compounds", "compound"});
}

TEST_F(BadData, ShapesThatDifferBetweenFilesAreNamed) {
    write_table(path("a.h5"), "train/x", 40);
    write_images(path("b.h5"), "train/x", 40);
    expect_refused(train({"data.train.files=[a.h5, b.h5]"}), 2, {"a.h5", "b.h5", "6", "8 x 8"});
}

TEST_F(BadData, ValidationDataOfAnotherShapeAreNamed) {
    write_table(path("d.h5"), "train/x", 40);
    write_images(path("d.h5"), "test/x", 40);
    expect_refused(train({"data.validation={files: [d.h5], dataset: test/x}"}), 2,
                   {"data.validation", "8 x 8", "data.train", "6"});
}

TEST_F(BadData, ANumberThatIsNotFiniteIsNamedByFileDatasetAndRow) {
    for (const float bad : {std::nanf(""), -std::numeric_limits<float>::infinity()}) {
        fs::remove(path("d.h5"));
        write_table(path("d.h5"), "train/x", 200, 137, bad);
        for (const char* cache : {"memory", "stream"}) {
            SCOPED_TRACE(cache);
            expect_refused(
                train({std::string("data.cache=") + cache, "output.directory=" + std::string(cache)}), 2,
                {"d.h5:train/x row 137", bad < 0 ? "inf" : "NaN"});
        }
        expect_refused(train({"data.transform=standardize"}), 2, {"d.h5:train/x row 137"});
    }
}

TEST_F(BadData, TheRowOfALaterFileIsCountedInThatFile) {
    write_table(path("a.h5"), "train/x", 100);
    write_table(path("b.h5"), "train/x", 100, 41, std::nanf(""));
    expect_refused(train({"data.train.files=[a.h5, b.h5]"}), 2, {"b.h5:train/x row 41"});
}

TEST_F(BadData, ABadValueInTheValidationDataIsNamed) {
    write_table(path("d.h5"), "train/x", 64);
    write_table(path("d.h5"), "test/x", 64, 33, std::nanf(""));
    expect_refused(train({"data.validation={files: [d.h5], dataset: test/x}"}), 2, {"d.h5:test/x row 33"});
}

TEST_F(BadData, BernoulliNeedsNumbersBetweenZeroAndOne) {
    write_table(path("d.h5"), "train/x", 64);
    expect_refused(train({"model.likelihood=bernoulli"}), 2, {"d.h5:train/x row", "bernoulli", "[0, 1]"});
    write_images(path("d.h5"), "images", 64);
    expect_refused(train({"model.likelihood=bernoulli", "data.train.dataset=images", "data.scale=1"}), 2,
                   {"d.h5:images row", "bernoulli", "[0, 1]"});
}

TEST_F(BadData, FewerSamplesThanVirtualRanksAreRefused) {
    write_table(path("d.h5"), "train/x", 3);
    expect_refused(train(), 2, {"3", "4", "virtual ranks"});
}

TEST_F(BadData, ARankThatCannotReadItsDataTakesTheJobDownAndIsNamed) {
    write_table(path("d.h5"), "train/x", 64);
    write_text("elsewhere/run.yaml", kConfig);
    std::vector<std::string> command = mpirun_command();
    const std::string program = VAE_DIST_PROGRAM;
    const std::string here = "exec '" + program + "' run.yaml";
    for (const std::string& how : {here, "cd elsewhere && " + here}) {
        command.insert(command.end(), {"-np", how == here ? "2" : "1", "sh", "-c", how, ":"});
    }
    command.pop_back();
    expect_refused(Process(command, {.folder = folder_.path()}).wait(limit_), 2,
                   {"rank 2", "elsewhere/d.h5", "No such file"});
}

TEST_F(BadData, ARunOnOtherDataThanItsCheckpointsIsRefused) {
    write_table(path("d.h5"), "train/x", 64);
    run_well(2, {"run.yaml"});
    const std::string before = contents_of(checkpoints_in(path("run")).back());
    fs::remove(path("d.h5"));
    write_images(path("d.h5"), "train/x", 64);
    expect_refused(train({"train.epochs=2"}), 2, {"d.h5", "8 x 8", "6"});
    fs::remove(path("d.h5"));
    write_table(path("d.h5"), "train/x", 65);
    expect_refused(train({"train.epochs=2"}), 2, {"d.h5", "65", "64"});
    EXPECT_EQ(contents_of(checkpoints_in(path("run")).back()), before);
}

}  // namespace
}  // namespace vae_dist
