#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/core/log.hpp"
#include "vae_dist/model/vae.hpp"
#include "vae_dist/train/record/checkpoint.hpp"

namespace vae_dist {

/// A checkpoint ready to compute with; every rank has the same bits.
class TrainedModel {
 public:
    /// Collective. `path` is a checkpoint, or a run's directory: then its latest complete checkpoint, with a
    /// warning where a later one is damaged. Rank 0 reads it for all. Throws an input error on all ranks if
    /// there is none, or it is incomplete, damaged or of another format.
    TrainedModel(const std::string& path, Communicator& communicator, const Log& log);

    /// The checkpoint's file, as rank 0 found it.
    const std::string& file() const { return file_; }
    /// Without the arrays of model and optimizer.
    const Checkpoint& checkpoint() const { return checkpoint_; }
    const Config& config() const { return checkpoint_.config; }
    /// Of one sample, as in the training data.
    const std::vector<std::int64_t>& row_shape() const { return checkpoint_.row_shape; }
    std::int64_t latent_dim() const { return config().model.latent_dim; }

    Backend& backend() const { return *backend_; }
    /// Call `reserve` before the first pass.
    Vae& vae() const { return *vae_; }

 private:
    std::string file_;
    Checkpoint checkpoint_;
    std::unique_ptr<Backend> backend_;
    std::unique_ptr<Vae> vae_;
};

}  // namespace vae_dist
