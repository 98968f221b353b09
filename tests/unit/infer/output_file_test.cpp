#include "vae_dist/infer/output_file.hpp"

#include <fstream>

#include "support/expect_error.hpp"
#include "unit/infer/trained_files.hpp"
#include "vae_dist/config/load.hpp"

namespace vae_dist {
namespace {

namespace fs = std::filesystem;

class OutputFileTest : public Trained {
 protected:
    void with_output(const OutputOptions& options, const std::function<void(OutputFile&)>& work) const {
        run(1, [&](const TrainedModel& model, Communicator&, const Log&) {
            OutputFile file(options, {.command = "encode", .data = "d.h5:x", .data_rows = 5, .seed = 9},
                            model);
            work(file);
        });
    }
};

TEST_F(OutputFileTest, SaysWhatMadeIt) {
    const MadeUpModel saved = save_model();
    with_output({.path = out()}, [](OutputFile& file) {
        file.append(file.add("a", 1, {2}), {{1, 2}});
        file.finish();
        file.commit();
    });
    const hdf5::File file = hdf5::File::open(out());
    EXPECT_EQ(file.read_text_attribute("/", "command"), "encode");
    EXPECT_EQ(file.read_text_attribute("/", "checkpoint"), model_file());
    EXPECT_EQ(file.read_int_attribute("/", "checkpoint_step"), 77);
    EXPECT_EQ(file.read_int_attribute("/", "checkpoint_epoch"), 4);
    EXPECT_EQ(file.read_text_attribute("/", "checkpoint_config"), to_yaml(saved.checkpoint().config));
    EXPECT_EQ(file.read_text_attribute("/", "data"), "d.h5:x");
    EXPECT_EQ(file.read_int_attribute("/", "data_rows"), 5);
    EXPECT_EQ(file.read_int_attribute("/", "seed"), 9);
    EXPECT_NE(file.read_text_attribute("/", "created_by").find("vae_dist"), std::string::npos);
}

TEST_F(OutputFileTest, DatasetsGrowByRowsCompressedInChunksOfAQuarterMebibyteAtTheMost) {
    save_model();
    const std::vector<float> values = made_up_values(20000, 6);
    with_output({.path = out(), .deflate = 3}, [&](OutputFile& file) {
        const std::size_t a = file.add("a", 20000, {2, 3});
        const std::size_t b = file.add("b", 3, {});
        for (std::size_t row = 0; row < 20000; row += 500)
            file.append(a, std::span(values).subspan(row * 6, 500 * 6));
        file.append(b, std::span(values).first(3));
        file.finish();
        EXPECT_FALSE(fs::exists(out()));
        file.commit();
    });
    const hdf5::File file = hdf5::File::open(out());
    EXPECT_EQ(file.read_floats("a"), values);
    const hdf5::DatasetInfo a = file.info("a");
    EXPECT_EQ(a.shape, (std::vector<std::int64_t>{20000, 2, 3}));
    EXPECT_EQ(a.chunk, (std::vector<std::int64_t>{10922, 2, 3}));
    EXPECT_EQ(a.type, ElementType::float32);
    EXPECT_EQ(a.filters, (std::vector<std::string>{"shuffle", "deflate", "fletcher32"}));
    EXPECT_EQ(file.info("b").chunk, std::vector<std::int64_t>{3}) << "no larger than the data";
}

// As a model of two groups of latents would have them.
TEST_F(OutputFileTest, DatasetsMayStandInGroups) {
    save_model();
    with_output({.path = out()}, [](OutputFile& file) {
        file.append(file.add("kl/1", 2, {}), {{1, 2}});
        file.append(file.add("kl/2", 2, {}), {{3, 4}});
        file.finish();
        file.commit();
    });
    EXPECT_EQ(hdf5::File::open(out()).read_floats("kl/2"), (std::vector<float>{3, 4}));
}

TEST_F(OutputFileTest, LeavesNothingUnlessCommitted) {
    save_model();
    const std::vector<std::string> before = files();
    with_output({.path = out()}, [](OutputFile& file) { file.append(file.add("a", 2, {}), {{1, 2}}); });
    EXPECT_EQ(files(), before);
    expect_error(ErrorKind::input, {"none/out.h5"},
                 [&] { with_output({.path = folder_.file("none/out.h5")}, [](OutputFile&) {}); });
    expect_error(ErrorKind::input, {"10"},
                 [&] { with_output({.path = out(), .deflate = 10}, [](OutputFile&) {}); });
    EXPECT_EQ(files(), before);
}

TEST_F(OutputFileTest, AFileThatExistsIsReplacedByForceOnlyAndAnInputNever) {
    std::ofstream(folder_.file("old")) << "x";
    std::ofstream(folder_.file("input")) << "x";
    fs::create_symlink(folder_.file("input"), folder_.file("link"));
    const std::vector<std::string> inputs = {folder_.file("gone"), folder_.file("input")};
    EXPECT_NO_THROW(require_replaceable(folder_.file("new"), false, inputs));
    EXPECT_NO_THROW(require_replaceable(folder_.file("old"), true, inputs));
    expect_error(ErrorKind::input, {folder_.file("old"), "exists", "--force"},
                 [&] { require_replaceable(folder_.file("old"), false, inputs); });
    for (const char* name : {"input", "link", "./input"}) {
        expect_error(ErrorKind::input, {folder_.file(name), "reads it"},
                     [&] { require_replaceable(folder_.file(name), true, inputs); });
    }
    expect_error(ErrorKind::input, {"not a regular file"},
                 [&] { require_replaceable(folder_.path().string(), true, inputs); });
}

}  // namespace
}  // namespace vae_dist
