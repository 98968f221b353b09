// Whether a run may go on with the data that there are now.

#include <gtest/gtest.h>

#include <filesystem>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "unit/data/data_files.hpp"
#include "unit/train/small_checkpoint.hpp"
#include "vae_dist/train/run/resume.hpp"
#include "vae_dist/train/run/training_data.hpp"

namespace vae_dist {
namespace {

class ResumeData : public testing::Test {
 protected:
    // Training and validation data in a folder; `last` is the last number of the one that is named.
    Config write(const std::string& folder, const std::string& validation = "v.h5", float train_last = 1,
                 float validation_last = 1) const {
        std::filesystem::create_directories(folder_.file(folder));
        Config config = small_config();
        config.data.synthetic.reset();
        config.data.train = {{folder_.file(folder + "/t.h5")}, "x"};
        config.data.validation = {{folder_.file(folder + "/" + validation)}, "x"};
        write_float_rows(config.data.train->files[0], "x", 1, {5, 6, 7, train_last});
        write_float_rows(config.data.validation->files[0], "x", 1, {8, validation_last});
        return config;
    }
    // As a run on these data writes it.
    static Checkpoint begun_on(const Config& config) {
        const auto rows = open_training_rows(config);
        Checkpoint checkpoint;
        checkpoint.config = config;
        checkpoint.data_rows = rows->rows();
        checkpoint.row_shape = rows->row_shape();
        checkpoint.data_fingerprint = data_fingerprint(*rows);
        checkpoint.data_identity = identity_of(config, *rows);
        return checkpoint;
    }
    void go_on(const Config& config, const Checkpoint& checkpoint) const {
        const auto rows = open_training_rows(config);
        require_same_configuration(config, checkpoint);
        require_same_data(config, *rows, identity_of(config, *rows), checkpoint, log_);
    }
    void expect_refused(const Config& config, const Checkpoint& checkpoint,
                        std::initializer_list<std::string> parts) const {
        expect_error(ErrorKind::input, parts, [&] { go_on(config, checkpoint); });
    }

    TemporaryFolder folder_;
    Log log_{0};
};

TEST_F(ResumeData, TheSameDataMayLieElsewhere) {
    const Checkpoint checkpoint = begun_on(write("a"));
    go_on(write("a"), checkpoint);
    go_on(write("b"), checkpoint);
}

TEST_F(ResumeData, OtherNumbersUnderTheSameNameAreRefused) {
    const Checkpoint checkpoint = begun_on(write("a"));
    expect_refused(write("b", "v.h5", 2), checkpoint,
                   {"other data in data.train", "not the numbers", "4 samples, CRC-32 ", "output.directory"});
    expect_refused(write("a", "v.h5", 1, 2), checkpoint,
                   {"other data in data.validation", "not the numbers"});
}

TEST_F(ResumeData, OtherNamesAreRefusedWithBoth) {
    expect_refused(write("b", "w.h5"), begun_on(write("a")),
                   {"other data in data.validation", "the files were named v.h5 then, w.h5 now"});
}

TEST_F(ResumeData, AnotherShapeIsRefusedWithBoth) {
    const Checkpoint checkpoint = begun_on(write("a"));
    const Config config = write("b");
    write_float_rows(config.data.train->files[0], "x", 1, {5, 6, 7, 1, 1});
    expect_refused(config, checkpoint, {"then 4 samples", "now 5 of shape 1"});
    const Config other = write("b");
    write_float_rows(other.data.validation->files[0], "x", 1, {8, 1, 1});
    expect_refused(other, checkpoint, {"they were 2 samples of 1 float32 then, 3 samples of 1 float32 now"});
}

TEST_F(ResumeData, WithoutValidationItIsAnotherConfiguration) {
    const Checkpoint checkpoint = begun_on(write("a"));
    Config config = write("a");
    config.data.validation.reset();
    expect_refused(config, checkpoint, {"data.validation.files", "data.validation.dataset"});
}

TEST_F(ResumeData, ACheckpointWithoutAnIdentityGoesByTheNamesInTheConfiguration) {
    Checkpoint checkpoint = begun_on(write("a"));
    checkpoint.data_identity = {};
    go_on(write("a"), checkpoint);
    go_on(write("b", "v.h5", 2), checkpoint);
    expect_refused(write("b", "w.h5"), checkpoint, {"data.validation.files was ", "a/v.h5", "b/w.h5"});
}

}  // namespace
}  // namespace vae_dist
