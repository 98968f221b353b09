#include "vae_dist/train/record/find_checkpoint.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "unit/train/small_checkpoint.hpp"
#include "vae_dist/core/files.hpp"

namespace vae_dist {
namespace {

namespace fs = std::filesystem;

class FindCheckpoint : public testing::Test {
 protected:
    FindCheckpoint() { fs::create_directories(run_ / "checkpoints"); }

    fs::path path_of(std::int64_t step) const { return run_ / "checkpoints" / checkpoint_name(step); }
    void write(std::int64_t step) const {
        write_file_atomically(path_of(step), checkpoint_bytes(small_checkpoint(step)));
    }
    FoundCheckpoint find(const fs::path& path) const { return find_checkpoint(path.string(), log_); }

    TemporaryFolder folder_;
    fs::path run_ = folder_.path() / "run";
    Log log_{0};
};

TEST_F(FindCheckpoint, AFileIsTakenAsItIs) {
    write(3);
    const FoundCheckpoint found = find(path_of(3));
    EXPECT_EQ(found.name, path_of(3).string());
    EXPECT_EQ(found.bytes, checkpoint_bytes(small_checkpoint(3)));
}

TEST_F(FindCheckpoint, OfARunTheNewestCompleteOneIsTakenAndNothingIsChanged) {
    for (const std::int64_t step : {9, 10, 30})
        write(step);
    fs::resize_file(path_of(30), 1000);
    std::ofstream(run_ / "checkpoints" / "step_0000000040.h5.vae_dist-tmp") << "being written";
    testing::internal::CaptureStderr();
    const FoundCheckpoint found = find(run_);
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_EQ(found.name, path_of(10).string());
    EXPECT_EQ(found.bytes, checkpoint_bytes(small_checkpoint(10)));
    EXPECT_NE(said.find("step_0000000030.h5"), std::string::npos) << said;
    EXPECT_TRUE(fs::exists(run_ / "checkpoints" / "step_0000000040.h5.vae_dist-tmp"));
    EXPECT_FALSE(fs::exists(run_ / ".lock"));
}

TEST_F(FindCheckpoint, ANameThatLeadsNowhereIsPassedOver) {
    write(10);
    fs::create_symlink(folder_.path() / "gone", path_of(20));
    EXPECT_EQ(find(run_).name, path_of(10).string());
}

TEST_F(FindCheckpoint, EachReasonToFindNoneIsToldApart) {
    expect_error(ErrorKind::input, {"there is no", "nowhere"}, [&] { find(folder_.path() / "nowhere"); });
    expect_error(ErrorKind::input, {"no checkpoints/", folder_.path().string()},
                 [&] { find(folder_.path()); });
    expect_error(ErrorKind::input, {"no complete checkpoint yet", run_.string()}, [&] { find(run_); });
    std::ofstream(run_ / "best.h5") << "x";
    expect_error(ErrorKind::input, {"no complete checkpoint", "best.h5"}, [&] { find(run_); });
    write(5);
    fs::resize_file(path_of(5), 1000);
    expect_error(ErrorKind::input, {"the only checkpoint in ", "cannot be read"}, [&] { find(run_); });
}

}  // namespace
}  // namespace vae_dist
