// Numbers so large that training on them diverges, or that they are hardly meant: check warns, and training
// says what it met.

#include <algorithm>

#include "integration/run_files.hpp"
#include "integration/sample_data.hpp"
#include "integration/workplace.hpp"
#include "vae_dist/data/hdf5/hdf5.hpp"

namespace vae_dist {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig =
    "data: {train: {files: [d.h5], dataset: x}}\n"
    "model: {latent_dim: 4, encoder: {hidden: [64]}, decoder: {hidden: [64]}, likelihood: gaussian}\n"
    "train: {epochs: 1, batch_size: 64, virtual_ranks: 3}\n"
    "output: {directory: run}\n";

class LargeValues : public Workplace {
 protected:
    LargeValues() { write_text("run.yaml", kConfig); }

    Outcome check(std::vector<std::string> settings = {}) const {
        std::vector<std::string> arguments = with_settings("run.yaml", settings);
        arguments.insert(arguments.begin(), "check");
        return run_well(2, arguments);
    }

    // Rows of six counts, the largest in row 40.
    void write_counts(std::int32_t most) const {
        hdf5::File file = hdf5::File::create(path("d.h5").string());
        hdf5::RowWriter writer(file, "x", {.row_shape = {6}, .type = ElementType::int32, .chunk_rows = 16});
        std::vector<std::int32_t> values;
        for (std::int32_t i = 0; i < 64 * 6; ++i)
            values.push_back(i * 37 % most);
        values[40 * 6 + 1] = most;
        writer.append(64, reinterpret_cast<const std::byte*>(values.data()));
        writer.close();
        file.close();
    }
};

TEST_F(LargeValues, AreWarnedOfByCheckAndNamedWhereTrainingDiverges) {
    write_counts(6000);
    const Outcome outcome = check();
    expect_parts(outcome.err, {"warning: the numbers of data.train are too large for the model as it starts",
                               "the largest magnitude is 6000 (", "d.h5:x row 40)",
                               "data.transform: standardize, or log1p"});
    expect_parts(outcome.out, {"run.yaml is valid"});
    for (const int ranks : {1, 3}) {
        fs::remove_all(path("run"));
        expect_refused(
            run(ranks, {"run.yaml"}), 1,
            {"diverged", "in step 1", "the largest magnitude in its batch is 6000 (", "d.h5:x row 40)",
             "too large for the model as it starts: set data.transform: standardize"});
    }
}

TEST_F(LargeValues, AreNoTroubleWhereTheyAreMadeSmall) {
    write_counts(6000);
    for (const char* setting : {"data.transform=standardize", "data.scale=1e-4"}) {
        EXPECT_EQ(check({setting}).err.find("warning"), std::string::npos) << setting;
        run_well(
            2, with_settings("run.yaml", {setting, "output.directory=" + std::string(setting).substr(5, 5)}));
    }
    write_counts(4);
    EXPECT_EQ(check().err.find("warning"), std::string::npos);
    run_well(2, {"run.yaml"});
}

TEST_F(LargeValues, ThatStandForMissingOnesAreCalledSo) {
    write_table(path("d.h5"), "x", 96, 50, 9.96921e36F);
    const std::initializer_list<std::string> parts = {"9.96921e+36 (", "d.h5:x row 50)",
                                                      "mostly stand for missing values: leave such rows out"};
    expect_parts(check().err, {"warning: data.train holds a number of magnitude "});
    expect_parts(check().err, parts);
    expect_parts(check({"data.transform=standardize"}).err, parts);
    const Outcome trained = run(3, with_settings("run.yaml", {"train.batch_size=96"}));
    expect_refused(trained, 1, {"diverged", "in step 1"});
    expect_refused(trained, 1, parts);
    fs::rename(path("d.h5"), path("v.h5"));
    write_table(path("d.h5"), "x", 96);
    const Outcome validation =
        check({"data.transform=standardize", "data.validation={files: [v.h5], dataset: x}"});
    expect_parts(validation.err,
                 {"warning: data.validation holds a number of magnitude 9.96921e+36 (", "v.h5:x row 50)"});
}

}  // namespace
}  // namespace vae_dist
