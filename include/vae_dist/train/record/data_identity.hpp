#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vae_dist/config/config.hpp"
#include "vae_dist/data/rows/row_source.hpp"

namespace vae_dist {

/// What a dataset is, wherever it lies, in words that a checkpoint keeps and a message shows.
struct DatasetIdentity {
    std::string files;   ///< their names without folders, in order; of many the first, and a checksum of all
    std::string form;    ///< "402 samples of 8 x 8 uint8"
    std::string sample;  ///< "64 samples, CRC-32 1a2b3c4d": of rows spread over the data
    bool operator==(const DatasetIdentity&) const = default;
};

/// The data of a run; absent where there are none, or they are made up.
struct DataIdentity {
    std::optional<DatasetIdentity> train;
    std::optional<DatasetIdentity> validation;
    bool operator==(const DataIdentity&) const = default;
};

/// The rows whose bytes are compared: the first, the last, and others evenly spread, 64 at the most, and so
/// few that reading them decodes about 64 MiB; 3 at the least where there are so many.
std::vector<std::int64_t> sampled_rows(const RowSource& data);

/// Reads the sampled rows. Throws what reading them throws.
DatasetIdentity identity_of(RowSource& data);

/// Of all that a configuration names; `train` is its training data, open.
DataIdentity identity_of(const Config& config, RowSource& train);

}  // namespace vae_dist
