#include <gtest/gtest.h>

#include "vae_dist/backend/backend.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {
namespace {

TEST(MakeBackend, TakesTheProcessorUnlessAskedOtherwise) {
    ComputeConfig compute;
    EXPECT_EQ(make_backend(compute)->description().substr(0, 5), "CPU, ");
    compute.backend = BackendKind::cpu;
    EXPECT_EQ(make_backend(compute)->description().substr(0, 5), "CPU, ");
}

// The description goes into checkpoints, and another one is warned of: bits may then differ.
TEST(MakeBackend, DescribesWhatBitsDependOnAndNothingElse) {
    EXPECT_EQ(make_backend({.threads = 3})->description(), make_backend({})->description());
    EXPECT_EQ(make_backend({.threads = 3})->threads(), 3);
}

TEST(MakeBackend, RefusesCudaWhereTheBuildHasNone) {
    ComputeConfig compute;
    compute.backend = BackendKind::cuda;
    try {
        make_backend(compute);
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
        EXPECT_NE(std::string(error.what()).find("compute.backend"), std::string::npos);
    }
}

}  // namespace
}  // namespace vae_dist
