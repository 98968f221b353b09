// A checkpoint that cannot be used is passed over for the next older one, and that is said.

#include <fstream>

#include "integration/run_files.hpp"
#include "integration/workplace.hpp"
#include "vae_dist/data/hdf5/hdf5.hpp"

namespace vae_dist {
namespace {

namespace fs = std::filesystem;

class BadCheckpoint : public Workplace {
 protected:
    BadCheckpoint() {
        write_text(
            "run.yaml",
            "data: {synthetic: {distribution: normal, samples: 96, shape: [6]}}\n"
            "model: {latent_dim: 2, encoder: {hidden: [8]}, decoder: {hidden: [8]}, likelihood: gaussian}\n"
            "train: {epochs: 3, batch_size: 32, virtual_ranks: 4}\n"
            "output: {directory: run, log_every: 1}\n");
        run_well(2, {"run.yaml"});
        fs::copy(path("run"), path("whole"), fs::copy_options::recursive);
    }

    fs::path newest() const { return checkpoints_in(path("run")).back(); }

    void expect_next_older_is_used(const std::string& why) const {
        const Outcome outcome = run_well(3, {"run.yaml"});
        expect_parts(outcome.err, {"vae_dist: warning:", "step_0000000009.h5", why, "older checkpoint",
                                   "step_0000000006.h5"});
        expect_parts(outcome.out, {"going on from", "step_0000000006.h5"});
        expect_equal_runs(path("whole"), path("run"));
    }
};

TEST_F(BadCheckpoint, OfAnotherFormatVersionIsPassedOver) {
    hdf5::File file = hdf5::File::open_for_writing(newest().string());
    file.write_attribute("/", "format_version", std::int64_t{99});
    file.close();
    expect_next_older_is_used("format 99");
}

TEST_F(BadCheckpoint, ThatIsTruncatedIsPassedOver) {
    fs::resize_file(newest(), fs::file_size(newest()) / 2);
    expect_next_older_is_used("truncated");
}

TEST_F(BadCheckpoint, WithAFlippedByteIsPassedOver) {
    // In the last bytes of a weight: the file as HDF5 sees it is sound, its numbers are not.
    const hdf5::File file = hdf5::File::open(newest().string());
    const std::vector<float> weights = file.read_floats("/model/encoder/0/weight");
    std::string bytes = contents_of(newest());
    const std::string needle(reinterpret_cast<const char*>(weights.data()), 32);
    const std::size_t at = bytes.find(needle);
    ASSERT_NE(at, std::string::npos);
    bytes[at + 5] = static_cast<char>(bytes[at + 5] ^ 0x10);
    std::ofstream(newest(), std::ios::binary) << bytes;
    expect_next_older_is_used("step_0000000009.h5");
}

TEST_F(BadCheckpoint, ThatIsAnotherKindOfFileIsPassedOver) {
    std::ofstream(newest()) << "not HDF5";
    expect_next_older_is_used("as HDF5");
}

TEST_F(BadCheckpoint, WhereNoneCanBeReadTheRunIsNotBegunAnew) {
    for (const fs::path& checkpoint : checkpoints_in(path("run")))
        fs::resize_file(checkpoint, 100);
    const std::string metrics = contents_of(path("run/metrics.jsonl"));
    expect_refused(run(3, {"run.yaml"}), 2, {"none of the 3 checkpoints", "run/checkpoints"});
    EXPECT_EQ(contents_of(path("run/metrics.jsonl")), metrics);
    EXPECT_EQ(checkpoints_in(path("run")).size(), 3U);
}

TEST_F(BadCheckpoint, InspectTellsThatItIsDamaged) {
    fs::resize_file(newest(), fs::file_size(newest()) / 2);
    expect_refused(run(0, {"inspect", newest().string()}), 2, {"step_0000000009.h5", "truncated"});
}

}  // namespace
}  // namespace vae_dist
