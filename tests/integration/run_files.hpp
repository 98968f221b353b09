#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace vae_dist {

using Json = nlohmann::ordered_json;

/// The checkpoints of a run's directory, oldest first.
std::vector<std::filesystem::path> checkpoints_in(const std::filesystem::path& run);

/// The step of the newest of them; -1 if there is none.
std::int64_t newest_step(const std::filesystem::path& run);

/// The files below a folder that are being written, or that a killed process has left so.
std::vector<std::filesystem::path> temporaries_in(const std::filesystem::path& folder);

/// The lines of metrics.jsonl, without the fields that tell how long something took.
std::vector<std::string> metrics_of(const std::filesystem::path& run);

/// The values of `field` in the lines of `event`, in order.
std::vector<double> metric(const std::filesystem::path& run, const std::string& event,
                           const std::string& field);

/// Expects two HDF5 files to be equal: h5diff, which compares attributes too, finds nothing, and their bytes
/// are the same.
void expect_equal_hdf5(const std::filesystem::path& a, const std::filesystem::path& b);

/// Expects two runs to have the same checkpoints, the same best.h5 if one has it, the same metrics, and no
/// file that is half written.
void expect_equal_runs(const std::filesystem::path& a, const std::filesystem::path& b);

}  // namespace vae_dist
