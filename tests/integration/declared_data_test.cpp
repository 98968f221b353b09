// What a file says of its own rows, and what only a look at them shows: told before a job is queued, the same
// on every rank.

#include <cmath>

#include "integration/run_files.hpp"
#include "integration/sample_data.hpp"
#include "integration/workplace.hpp"
#include "vae_dist/data/hdf5/hdf5.hpp"

namespace vae_dist {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig =
    "data: {train: {files: [d.h5], dataset: x}, transform: standardize}\n"
    "model: {latent_dim: 2, encoder: {hidden: [8]}, decoder: {hidden: [8]}, likelihood: gaussian}\n"
    "train: {epochs: 1, batch_size: 16, virtual_ranks: 2}\n"
    "output: {directory: run}\n";

class DeclaredData : public Workplace {
 protected:
    DeclaredData() { write_text("run.yaml", kConfig); }

    template <class Value>
    void declare(const std::string& name, const Value& value) const {
        hdf5::File file = hdf5::File::open_for_writing(path("d.h5").string());
        file.write_attribute("x", name, value);
        file.close();
    }

    // Rows of two numbers of int16, of which number `missing` is -1.
    void write_integers(std::int64_t rows, std::int64_t missing = -1) const {
        hdf5::File file = hdf5::File::create(path("d.h5").string());
        hdf5::RowWriter writer(file, "x", {.row_shape = {2}, .type = ElementType::int16, .chunk_rows = 8});
        std::vector<std::int16_t> values;
        for (std::int64_t i = 0; i < 2 * rows; ++i)
            values.push_back(i == missing ? -1 : static_cast<std::int16_t>(i * 37 % 1000));
        writer.append(rows, reinterpret_cast<const std::byte*>(values.data()));
        writer.close();
        file.close();
    }

    // What training refuses, check does, too; both on ranks of which each could find another row.
    void expect_refused_by_all(const std::vector<std::string>& settings,
                               std::initializer_list<std::string> parts) const {
        std::vector<std::string> check = with_settings("run.yaml", settings);
        expect_refused(run(2, check), 2, parts);
        check.insert(check.begin(), "check");
        expect_refused(run(0, check), 2, parts);
        EXPECT_FALSE(fs::exists(path("run/best.h5")));
    }
};

TEST_F(DeclaredData, PackedNumbersAreRefusedOrUnpacked) {
    write_integers(64);
    declare("scale_factor", 0.01);
    declare("_FillValue", std::int64_t{-1});
    expect_refused_by_all(
        {}, {"d.h5:x", "packed", "scale_factor 0.01", "0 of 64 rows (0%)", "data.conventions: netcdf"});
    expect_parts(run_well(0, {"inspect", "d.h5"}).out, {"packed", "scale_factor 0.01", "_FillValue -1"});
    run_well(2, with_settings("run.yaml",
                              {"data.conventions=netcdf", "data.validation={files: [d.h5], dataset: x}"}));
    expect_parts(run_well(2, {"evaluate", "run", "--data", "d.h5:x", "--limit", "9"}).out, {"elbo"});
    // The checkpoint's model saw hundredths.
    expect_refused(run(2, {"evaluate", "run", "--data", "d.h5:x", "--conventions", "auto"}), 2,
                   {"packed", "--conventions netcdf"});
    expect_refused(run(0, {"evaluate", "run", "--data", "d.h5:x", "--conventions", "some"}), 2,
                   {"some", "netcdf"});
}

TEST_F(DeclaredData, AMissingValueIsAnErrorThatNamesItsRowAndTheShare) {
    write_integers(64, 101);
    declare("_FillValue", std::int64_t{-1});
    expect_refused_by_all({},
                          {"d.h5:x row 50", "_FillValue", "1 of 64 rows (1.56%)", "data.conventions: none"});
    run_well(2, with_settings("run.yaml", {"data.conventions=none"}));
}

TEST_F(DeclaredData, RowsThatAreStoredNowhereAreRefused) {
    write_integers(40);
    {
        const hdf5::File file = hdf5::File::open_for_writing(path("d.h5").string());
        const hdf5::Handle dataset(H5Dopen2(file.id(), "x", H5P_DEFAULT), H5Dclose);
        const hsize_t size[] = {64, 2};
        ASSERT_GE(H5Dset_extent(dataset.get(), size), 0);
    }
    expect_refused_by_all({}, {"d.h5:x: rows 40 to 63 were never written", "24 of 64 (37.5%)"});
    expect_parts(run_well(0, {"inspect", "d.h5"}).out, {"rows 40 to 63 were never written"});
    run_well(2, with_settings("run.yaml", {"data.conventions=none"}));
}

TEST_F(DeclaredData, APartOfASparseMatrixIsRefused) {
    for (const char* part : {"m/data", "m/indices", "m/indptr"})
        write_table(path("d.h5"), part, 64);
    write_text("run.yaml",
               std::string(kConfig).replace(std::string(kConfig).find("dataset: x"), 10, "dataset: m/data"));
    expect_refused_by_all({}, {"d.h5:m/data", "sparse matrix m", "data.conventions: none"});
    run_well(2, with_settings("run.yaml", {"data.conventions=none"}));
}

TEST_F(DeclaredData, AMatrixOfMatlabsIsTrainedOnByItsColumnsWithTheSameBitsOnEveryNumberOfRanks) {
    std::vector<double> values;
    for (int i = 0; i < 3 * 64; ++i)
        values.push_back(std::sin(i));
    hdf5::File file = hdf5::File::create(path("d.h5").string());
    file.write_doubles("x", std::vector<std::int64_t>{3, 64}, values, false);
    file.close();
    declare("MATLAB_class", "double");
    expect_refused_by_all({},
                          {"d.h5:x", "64 x 3 there and 3 x 64 in the file", "matlab for 64 samples of 3"});
    expect_parts(run_well(0, {"inspect", "d.h5"}).out, {"MATLAB_class double"});
    for (const int ranks : {1, 2}) {
        run_well(ranks, with_settings("run.yaml", {"data.conventions=matlab",
                                                   "output.directory=run" + std::to_string(ranks)}));
    }
    expect_equal_runs(path("run1"), path("run2"));
    expect_parts(run_well(2, {"encode", "run1", "--data", "d.h5:x", "--out", "l.h5"}).text(), {"64"});
}

TEST_F(DeclaredData, DimensionsThatAreTurnedInAFileThatIsNotMatlabsAreToldOnce) {
    write_integers(64);
    std::vector<std::string> check =
        with_settings("run.yaml", {"data.conventions=matlab", "train.virtual_ranks=1", "train.batch_size=1"});
    const Outcome trained = run_well(1, check);
    check.insert(check.begin(), "check");
    for (const Outcome& outcome : {run_well(0, check), trained}) {
        const std::string said = "d.h5:x is read by its last dimension";
        expect_parts(outcome.err, {"warning: data.train: ", said, "2 samples of 64 numbers"});
        EXPECT_EQ(outcome.err.find(said), outcome.err.rfind(said));
    }
}

TEST_F(DeclaredData, CheckLooksAtRowsOfEachFileOfTrainingAndValidation) {
    write_table(path("a.h5"), "x", 100);
    write_table(path("b.h5"), "x", 100, 41, std::nanf(""));
    const std::vector<std::string> settings = {"data.transform=none",
                                               "data.validation={files: [b.h5], dataset: x}"};
    const auto check = [&](const std::string& files) {
        std::vector<std::string> all = settings;
        all.push_back("data.train.files=" + files);
        std::vector<std::string> arguments = with_settings("run.yaml", all);
        arguments.insert(arguments.begin(), "check");
        return arguments;
    };
    expect_refused(run(2, check("[a.h5, b.h5]")), 2, {"b.h5:x row 41", "NaN"});
    expect_refused(run(2, check("[a.h5]")), 2, {"b.h5:x row 41", "NaN"});
    fs::remove(path("b.h5"));
    write_table(path("b.h5"), "x", 100);
    expect_parts(run_well(2, check("[a.h5, b.h5]")).out,
                 {"looked at   200 of 200 rows, in 2 of 2 blocks and in 2 of 2 files",
                  "100 of 100 rows, in 1 of 1 block and in 1 of 1 file of the validation data"});
}

TEST_F(DeclaredData, ALinkWhoseTargetIsGoneIsNamed) {
    {
        const hdf5::File file = hdf5::File::create(path("d.h5").string());
        H5Lcreate_external("gone.h5", "y", file.id(), "x", H5P_DEFAULT, H5P_DEFAULT);
    }
    expect_refused_by_all({}, {"d.h5:x' is a link to 'y' in the file 'gone.h5', which is missing"});
    expect_parts(run_well(0, {"inspect", "d.h5"}).out, {"x is a link to 'y' in the file 'gone.h5'"});
}

}  // namespace
}  // namespace vae_dist
