// Names of files and datasets as people give them: colons, patterns, folders that are missing.

#include "integration/run_files.hpp"
#include "integration/sample_data.hpp"
#include "integration/workplace.hpp"

namespace vae_dist {
namespace {

namespace fs = std::filesystem;

class Names : public Workplace {
 protected:
    Names() {
        write_text("run.yaml",
                   "data: {train: {files: [\"deep/**/*.h5\"], dataset: x}}\n"
                   "model: {latent_dim: 2, encoder: {hidden: [4]}, decoder: {hidden: [4]}}\n"
                   "train: {epochs: 1, batch_size: 16, virtual_ranks: 2}\n"
                   "output: {directory: run}\n");
        for (const char* file : {"deep/0.h5", "deep/a/1.h5", "deep/a/b/2.h5"}) {
            fs::create_directories(path(file).parent_path());
            write_images(path(file), "x", 20);
        }
    }
    Outcome check(int ranks, const std::string& setting = "train.epochs=1") const {
        return run(ranks, {"check", "run.yaml", "--set", setting});
    }
    Outcome evaluate(int ranks, const std::string& data) const {
        return run(ranks, {"evaluate", "run", "--importance-samples", "2", "--data", data});
    }
};

TEST_F(Names, ADatasetWithAColonServesATrainedModel) {
    run_well(1, {"run.yaml"});
    write_images(path("colon.h5"), "H1:STRAIN", 20);
    for (const int ranks : {0, 2})
        expect_parts(evaluate(ranks, "colon.h5:H1:STRAIN").out, {"of 64 numbers"});
    for (const char* name :
         {R"("colon.h5":"H1:STRAIN")", R"("colon.h5":H1:STRAIN)", R"(colon.h5:"H1:STRAIN")"})
        expect_parts(evaluate(0, name).out, {"of 64 numbers"});
    expect_refused(evaluate(2, "colon.h5:H1:none"), 2, {"colon.h5:H1:none", "does not exist", "H1:STRAIN"});
    expect_refused(evaluate(0, "nowhere.h5:H1:x"), 2,
                   {"was not found", "'H1:x' in the file 'nowhere.h5'", "'x' in the file 'nowhere.h5:H1'"});
    fs::create_symlink(path("colon.h5"), path("colonel.h5"));
    expect_parts(evaluate(2, "col*.h5:H1:STRAIN").err, {"--data: the file colon.h5 is named twice"});
    write_images(path("colon.h5:H1"), "STRAIN", 20);
    expect_refused(evaluate(2, "colon.h5:H1:STRAIN"), 2, {"both exist", R"('"colon.h5":"H1:STRAIN"')"});
}

TEST_F(Names, AnImportGoesByTheNameAlone) {
    write_text("t.csv", "1,2\n3,4\n");
    run_well(0, {"import", "csv", "t.csv", "--out", "t.h5:H1:STRAIN"});
    run_well(0, {"import", "csv", "t.csv", "--out", "\"t.h5\":\"H2:STRAIN\""});
    expect_parts(run_well(0, {"inspect", "t.h5"}).out, {"H1:STRAIN  2 x 2", "H2:STRAIN  2 x 2"});
    expect_refused(run(2, {"import", "csv", "t.csv", "--out", "t.bin:H1:x"}), 2,
                   {"t.bin:H1:x", "put quotes around the parts"});
    EXPECT_FALSE(fs::exists(path("t.bin")));
}

TEST_F(Names, TwoStarsTakeEveryLevel) {
    expect_parts(check(2).out, {"60 of shape 8 x 8", "3 files from"});
    expect_parts(check(0, "data.train.files=[deep/*/*.h5]").out, {"20 of shape 8 x 8"});
    expect_refused(check(2, "data.train.files=[deep/**.h5]"), 2, {"deep/**.h5", "must stand alone"});
}

TEST_F(Names, AMissingFolderIsWrongInput) {
    for (const char* files : {"nowhere/*.h5", "nowhere/**/*.h5"}) {
        for (const int ranks : {0, 2}) {
            expect_refused(
                run(ranks, {"run.yaml", "--set", std::string("data.train.files=[\"") + files + "\"]"}), 2,
                {files, "there is no folder", "/nowhere"});
        }
    }
    expect_refused(run(2, {"run.yaml", "--set", "data.train.files=[nowhere/x.h5]"}), 2,
                   {"nowhere/x.h5", "No such file"});
    expect_refused(run(2, {"inspect", "nowhere/*.h5"}), 2, {"nowhere/*.h5", "there is no folder"});
}

TEST_F(Names, AFileNamedTwiceIsToldOnce) {
    const std::string sentence = "and each of its rows counts twice";
    Outcome outcome = check(2, "data.train.files=[deep/0.h5, \"deep/*.h5\"]");
    EXPECT_EQ(outcome.status, 0) << outcome.text();
    expect_parts(outcome.err, {"vae_dist: warning: data.train.files: the file ", "deep/0.h5", sentence});
    EXPECT_EQ(outcome.err.find(sentence), outcome.err.rfind(sentence));
    fs::create_symlink(path("deep/0.h5"), path("deep/link.h5"));
    outcome = check(0, "data.train.files=[\"deep/*.h5\"]");
    expect_parts(outcome.err, {"deep/0.h5", "(also as ", "deep/link.h5)", sentence});
    EXPECT_EQ(check(0, "data.train.files=[deep/0.h5]").err, "");
}

TEST_F(Names, InspectTakesSeveralFilesAndPatterns) {
    run_well(1, {"run.yaml"});
    const Outcome outcome = run_well(2, {"inspect", "deep/**/*.h5", "run"});
    expect_parts(outcome.out,
                 {"deep/0.h5: HDF5", "deep/a/1.h5: HDF5", "deep/a/b/2.h5: HDF5", "a checkpoint of vae_dist"});
    EXPECT_LT(outcome.out.find("deep/0.h5"), outcome.out.find("deep/a/1.h5"));
}

}  // namespace
}  // namespace vae_dist
