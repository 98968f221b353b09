#include "vae_dist/infer/encode.hpp"

#include <fstream>
#include <limits>

#include "infer/nonfinite_rows.hpp"
#include "support/expect_error.hpp"
#include "unit/infer/trained_files.hpp"

namespace vae_dist {
namespace {

class Encode : public Trained {
 protected:
    void encode_on(int ranks, const OutputOptions& output, std::optional<std::int64_t> limit = {}) const {
        run(ranks, [&](const TrainedModel& model, Communicator& communicator, const Log& log) {
            encode(model, {.dataset = dataset(), .limit = limit, .scale = {}}, output, communicator, log);
        });
    }
};

TEST_F(Encode, PosteriorsOfAllRowsAreThoseOfPlainLoops) {
    const MadeUpModel saved = save_model();
    const std::vector<float> values = made_up_values(kRows, kFeatures);
    save_data(values);
    encode_on(2, {.path = out()});
    const hdf5::File file = hdf5::File::open(out());
    EXPECT_EQ(file.info("mean").shape, (std::vector<std::int64_t>{kRows, 3}));
    const std::vector<float> mean = file.read_floats("mean");
    const std::vector<float> log_variance = file.read_floats("log_variance");
    ASSERT_EQ(log_variance.size(), mean.size());
    for (std::size_t r = 0; r < kRows; ++r) {
        const MadeUpModel::Posterior expected = saved.encode(row_of(values, r, kFeatures));
        for (std::size_t i = 0; i < 3; ++i) {
            ASSERT_NEAR(mean[3 * r + i], expected.mean[i], 1e-5) << r;
            ASSERT_NEAR(log_variance[3 * r + i], expected.log_variance[i], 1e-5) << r;
        }
    }
}

TEST_F(Encode, EveryNumberOfRanksGivesTheSameFile) {
    save_model();
    save_data(made_up_values(kRows, kFeatures));
    encode_on(1, {.path = out()});
    for (const int ranks : {2, 3, 4}) {
        encode_on(ranks, {.path = folder_.file("other.h5"), .force = true});
        EXPECT_EQ(contents(folder_.file("other.h5")), contents(out())) << ranks << " ranks";
        EXPECT_EQ(read_text_file(folder_.file("other.h5")), read_text_file(out())) << ranks << " ranks";
    }
}

TEST_F(Encode, ALimitTakesTheFirstRowsWithoutChangingThem) {
    save_model();
    save_data(made_up_values(kRows, kFeatures));
    encode_on(1, {.path = out()});
    encode_on(2, {.path = folder_.file("first.h5")}, 512);
    const std::vector<float> first = hdf5::File::open(folder_.file("first.h5")).read_floats("mean");
    std::vector<float> all = hdf5::File::open(out()).read_floats("mean");
    all.resize(512 * 3);
    EXPECT_EQ(first, all);
}

TEST_F(Encode, ARowThatCannotBeReadLeavesNoFile) {
    save_model();
    std::vector<float> values = made_up_values(kRows, kFeatures);
    values[2400 * kFeatures + 3] = std::nanf("");
    save_data(values);
    const std::vector<std::string> before = files();
    for (const int ranks : {1, 2, 3}) {
        expect_error(ErrorKind::input, {"data.h5:x row 2400", "NaN"},
                     [&] { encode_on(ranks, {.path = out()}); });
        EXPECT_EQ(files(), before);
    }
}

TEST_F(Encode, OutputsThatMayNotBeWrittenAreRefusedOnAllRanks) {
    save_model();
    save_data(made_up_values(4, kFeatures));
    std::ofstream(out()) << "old";
    const auto refused = [&](const OutputOptions& output, std::initializer_list<std::string> parts) {
        run(2, [&](const TrainedModel& model, Communicator& communicator, const Log& log) {
            expect_error(ErrorKind::input, parts, [&] {
                encode(model, {.dataset = dataset(), .limit = {}, .scale = {}}, output, communicator, log);
            });
        });
    };
    refused({.path = out()}, {out(), "--force"});
    refused({.path = folder_.file("data.h5"), .force = true}, {"data.h5", "reads it"});
    refused({.path = model_file(), .force = true}, {"model.h5", "reads it"});
    refused({.path = ""}, {"--out"});
    const std::string other = folder_.file("other.h5");
    std::filesystem::copy_file(model_file(), other);
    refused({.path = other, .force = true}, {other, "is a checkpoint"});
    refused({.path = folder_.file("no/out.h5")}, {"no/out.h5"});
    EXPECT_EQ(read_text_file(out()), "old");
    encode_on(2, {.path = out(), .force = true});
    EXPECT_EQ(hdf5::File::open(out()).info("mean").shape[0], 4);
}

TEST(NonFiniteRows, AreCountedAndTheFirstIsNamed) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float infinity = std::numeric_limits<float>::infinity();
    const auto warning_of = [](const NonFiniteRows& rows) {
        testing::internal::CaptureStderr();
        rows.warn("d.h5:x", Log(0));
        return testing::internal::GetCapturedStderr();
    };
    NonFiniteRows rows;
    rows.look_at(0, std::vector<float>{1, 2, 3, 4}, 2);
    EXPECT_EQ(warning_of(rows), "");
    rows.look_at(2, std::vector<float>{1, 2, 3, nan, 5, 6}, 2);
    EXPECT_NE(
        warning_of(rows).find("1 row of d.h5:x gave numbers that are not finite, the first of them row 3"),
        std::string::npos);
    rows.look_at(5, std::vector<float>{-infinity, nan, 3, 4}, 2);
    EXPECT_NE(warning_of(rows).find("2 rows of d.h5:x"), std::string::npos);
    EXPECT_NE(warning_of(rows).find("row 3"), std::string::npos);
}

}  // namespace
}  // namespace vae_dist
