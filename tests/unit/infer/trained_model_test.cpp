#include "vae_dist/infer/trained_model.hpp"

#include <fstream>

#include "support/expect_error.hpp"
#include "unit/infer/trained_files.hpp"
#include "vae_dist/train/record/find_checkpoint.hpp"

namespace vae_dist {
namespace {

namespace fs = std::filesystem;

TEST_F(Trained, ModelHasTheCheckpointsBitsOnEveryRank) {
    const MadeUpModel saved = save_model();
    run(3, [&](const TrainedModel& model, Communicator&, const Log&) {
        EXPECT_EQ(model.file(), model_file());
        EXPECT_EQ(model.checkpoint().progress.step, 77);
        EXPECT_EQ(model.row_shape(), (std::vector<std::int64_t>{4, 5}));
        EXPECT_EQ(model.latent_dim(), 3);
        for (const Parameter& parameter : model.vae().layout().parameters()) {
            const float* first = model.vae().parameters().values.data() + parameter.offset;
            EXPECT_EQ(std::vector<float>(first, first + parameter.size()), saved.array(parameter.name));
        }
    });
}

TEST_F(Trained, ARunsDirectoryStandsForItsNewestCheckpoint) {
    const MadeUpModel saved = save_model();
    fs::create_directories(folder_.path() / "run" / "checkpoints");
    const fs::path newest = folder_.path() / "run" / "checkpoints" / checkpoint_name(77);
    fs::copy_file(model_file(), newest);
    run_ranks(2, [&](Communicator& communicator) {
        const TrainedModel model(folder_.file("run"), communicator, Log(communicator.rank()));
        EXPECT_EQ(model.file(), newest.string());
    });
}

TEST_F(Trained, WhatIsNoCheckpointIsToldApartOnEveryRank) {
    save_model();
    save_data(made_up_values(4, kFeatures));
    std::ofstream(folder_.file("text")) << "hello";
    fs::copy_file(model_file(), folder_.file("cut.h5"));
    fs::resize_file(folder_.file("cut.h5"), 2000);
    fs::copy_file(model_file(), folder_.file("later.h5"));
    {
        hdf5::File later = hdf5::File::open_for_writing(folder_.file("later.h5"));
        later.write_attribute("/", "format_version", std::int64_t{9});
        later.close();
    }
    const auto refused = [&](const std::string& name, const std::string& why) {
        run_ranks(2, [&](Communicator& communicator) {
            expect_error(ErrorKind::input, {folder_.file(name), why},
                         [&] { TrainedModel(folder_.file(name), communicator, Log(communicator.rank())); });
        });
    };
    refused("none.h5", "there is no");
    refused("text", "HDF5");
    refused("data.h5", "not a checkpoint");
    refused("cut.h5", "truncated");
    refused("later.h5", "format 9");
    refused("", "no checkpoints/");
}

}  // namespace
}  // namespace vae_dist
