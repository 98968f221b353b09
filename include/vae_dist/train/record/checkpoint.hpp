#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vae_dist/config/config.hpp"
#include "vae_dist/data/rows/feature_statistics.hpp"
#include "vae_dist/train/record/data_identity.hpp"
#include "vae_dist/train/step/replica.hpp"

namespace vae_dist {

/// Sums over the samples since the last line of the log, kept so that a resumed run logs the same means.
struct LogWindow {
    TermValues sums = {};
    std::int64_t samples = 0;
};

/// Where a run stands, besides parameters and optimizer state.
struct Progress {
    std::int64_t step = 0;              ///< steps done
    std::int64_t epoch = 0;             ///< epochs done
    std::int64_t samples_in_epoch = 0;  ///< of the epoch that is under way
    std::int64_t updates = 0;           ///< steps that changed the weights
    std::int64_t nonfinite_in_a_row = 0;
    double validation_elbo = std::numeric_limits<double>::quiet_NaN();  ///< of the last validation
    double best_elbo = std::numeric_limits<double>::quiet_NaN();        ///< of the best one so far
    /// With several importance samples: the IWAE bound of the last validation, and of the best one so far,
    /// which is then best by its bound.
    double validation_bound = std::numeric_limits<double>::quiet_NaN();
    double best_bound = std::numeric_limits<double>::quiet_NaN();
    LogWindow window = {};
    /// The run was stopped after the step and before the validation, and the checkpoint, that were due then.
    bool epoch_end_pending = false;
};

/// An array of a checkpoint; `name` is its path below its group.
struct NamedArray {
    std::string name;
    std::vector<std::int64_t> shape;
    std::vector<float> values;
};

/// The whole state of a run, free of the number of ranks.
struct Checkpoint {
    Progress progress;
    Config config;                      ///< without output.directory: a run may move
    std::string created_by;             ///< see program_signature
    std::int64_t data_rows = 0;         ///< of the training data
    std::int64_t data_fingerprint = 0;  ///< to notice when they change; see data_fingerprint()
    std::vector<std::int64_t> row_shape;
    std::string data_type;       ///< "uint8": of the training data's numbers; empty in files of version 0.1.0
    DataIdentity data_identity;  ///< of the files; absent in files of the first 0.1.0
    std::vector<NamedArray> model;
    std::vector<std::pair<std::string, std::vector<NamedArray>>>
        optimizer;                                             ///< by state: "first_moment", ...
    std::optional<FeatureStatistics> statistics;               ///< of the transform standardize
    std::vector<FeatureStatistics> condition_statistics = {};  ///< in the order of model.condition.on
};

/// The version of the file's layout that this program writes, and the only one that it reads.
inline constexpr std::int64_t kCheckpointFormat = 1;

/// Fills `model`, `optimizer` from a replica, in the memory that they have where it fits, and back;
/// restore_model does with `model` alone. Restoring throws an input error naming the array where names or
/// shapes differ from the replica's.
void capture_replica(const Replica& replica, Checkpoint& checkpoint);
void restore_replica(const Checkpoint& checkpoint, Replica& replica);
void restore_model(const Checkpoint& checkpoint, Vae& vae, Backend& backend);

/// The file's bytes. Equal checkpoints give equal bytes.
std::vector<std::byte> checkpoint_bytes(const Checkpoint& checkpoint);

/// Throws an input error unless the file is an HDF5 file that is a checkpoint of this format, as far as can
/// be told without reading it whole.
void require_checkpoint(const std::string& path);

/// True if the file is a checkpoint of whatever format; false also where it cannot be read.
bool is_checkpoint(const std::string& path);

/// Reads all of a checkpoint, verifying every checksum; `name` is for messages. Throws an input error if it
/// is not a checkpoint, of another format version, incomplete or damaged.
Checkpoint parse_checkpoint(std::span<const std::byte> bytes, const std::string& name);

/// "vae_dist 0.1.0, x86-64-v4; CPU, oneDNN 2.6.3 ...": the program and its means of computing, on which last
/// bits depend.
std::string program_signature(const Backend& backend);

}  // namespace vae_dist
