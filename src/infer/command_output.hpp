#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vae_dist/core/pending_file.hpp"
#include "vae_dist/infer/output_file.hpp"
#include "vae_dist/infer/picture.hpp"

namespace vae_dist {

/// What a command writes, on rank 0: an HDF5 file, a picture, or both, which appear when both are complete.
class CommandOutput {
 public:
    /// An empty path: none of this kind.
    CommandOutput(const OutputOptions& file, const std::string& png) : options_(file), png_(png) {}

    bool has_file() const { return !options_.path.empty(); }
    bool has_picture() const { return !png_.empty(); }

    /// Throws an input error if a path cannot be written to (see require_replaceable), or both are one.
    void check(const std::vector<std::string>& inputs) const;

    /// Creates what will be written under other names.
    void open(const Provenance& provenance, const TrainedModel& model);
    OutputFile& file() { return file_.value(); }

    /// `picture` where there is to be one.
    void commit(const std::optional<Picture>& picture);

    /// "x.h5", "picture in x.png", or "x.h5, picture of the first 10 in x.png" where `shown` of `rows`
    /// samples are in the picture; for the log.
    std::string where(std::int64_t shown, std::int64_t rows) const;

 private:
    OutputOptions options_;
    std::string png_;
    std::optional<OutputFile> file_;
    std::optional<PendingFile> picture_;
};

}  // namespace vae_dist
