// Training learns: the loss falls, and the ELBO on data that were not trained on reaches a stated value.

#include <algorithm>

#include "integration/run_files.hpp"
#include "integration/workplace.hpp"

namespace vae_dist {
namespace {

namespace fs = std::filesystem;

class Learning : public Workplace {};

const fs::path kFashion = "/usr/share/datasets/fashion-mnist";

TEST_F(Learning, FashionMnistFromItsOwnFormatToAnElbo) {
    ASSERT_TRUE(fs::exists(kFashion)) << kFashion << " is missing; Debian: apt install dataset-fashion-mnist";
    const auto import = [&](const char* file, const char* target) {
        run_well(0, {"import", "idx", kFashion / file, "--out", target, "--compress", "1"});
    };
    import("train-images-idx3-ubyte.gz", "fashion.h5:train/x");
    import("t10k-images-idx3-ubyte.gz", "fashion.h5:test/x");
    write_text("run.yaml",
               "data:\n"
               "  train: {files: [fashion.h5], dataset: train/x}\n"
               "  validation: {files: [fashion.h5], dataset: test/x}\n"
               "model: {latent_dim: 16, encoder: {hidden: [128]}, decoder: {hidden: [128]}}\n"
               "train: {steps: 400, batch_size: 128, virtual_ranks: 2}\n"
               "output: {directory: run, log_every: 50}\n");
    run_well(2, {"run.yaml"});
    const auto elbo = metric(path("run"), "train", "elbo");
    ASSERT_EQ(elbo.size(), 8U);
    EXPECT_GT(elbo.back(), elbo.front() + 50);
    EXPECT_GT(elbo[3], elbo[0]);
    const auto validation = metric(path("run"), "validation", "elbo");
    ASSERT_EQ(validation.size(), 1U);
    EXPECT_GT(validation[0], -275);
    EXPECT_LT(validation[0], -230) << "better than long training of a larger model gives: the ELBO is wrong";
    for (const double kl : metric(path("run"), "train", "kl"))
        EXPECT_GT(kl, 0);
}

TEST_F(Learning, MadeUpDataNeedNoFile) {
    // 40 steps an epoch.
    run_well(2, with_settings(VAE_DIST_CONFIGS "/synthetic.yaml",
                              {"output.directory=run", "train.epochs=12", "output.log_every=40"}));
    const auto elbo = metric(path("run"), "train", "elbo");
    ASSERT_EQ(elbo.size(), 12U);
    EXPECT_GT(elbo.back(), elbo.front() + 2);
    // Nothing can be known of independent standard normal features but their entropy: -8/2 log(2 pi e) =
    // -11.35 at best.
    EXPECT_GT(elbo.back(), -11.65);
    EXPECT_LT(elbo.back(), -11.25);
}

}  // namespace
}  // namespace vae_dist
