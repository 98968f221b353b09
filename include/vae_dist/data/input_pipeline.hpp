#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "vae_dist/backend/backend.hpp"
#include "vae_dist/config/config.hpp"
#include "vae_dist/data/batch_loader.hpp"
#include "vae_dist/data/feature_statistics.hpp"

namespace vae_dist {

/// The factor that data.scale means for numbers of this type: auto is 1/255 for unsigned 8-bit numbers,
/// else 1.
double input_scale(const DataConfig& config, ElementType type);

/// What to tell the user where data.scale: auto looks wrong: unsigned 8-bit numbers of which none is above 16
/// are hardly pixels, and 1/255 leaves them nearly black. Empty where there is no doubt, and with the
/// transform standardize, to which the scale makes no difference.
std::string doubt_about_scale(const DataConfig& config, ElementType type,
                              const FeatureStatistics& statistics);

/// From the file's numbers to the model's input (B, D), in the backend's memory.
class InputPipeline {
 public:
    /// `statistics` are needed by, and only by, the transform standardize. Serves slices of up to `rows`
    /// samples.
    InputPipeline(const DataConfig& config, std::uint32_t seed, ElementType type, std::int64_t features,
                  const std::optional<FeatureStatistics>& statistics, std::int64_t rows, Backend& backend);

    /// The slice's samples as the model's input, valid until the next call. Random transforms draw anew for
    /// each `visit`.
    ConstFloatMatrix load(const Slice& slice, std::uint32_t visit);

    /// Bytes that an object for `rows` samples holds.
    static std::int64_t bytes(std::int64_t features, std::int64_t rows) {
        return features * (rows * static_cast<std::int64_t>(sizeof(float)) +
                           2 * static_cast<std::int64_t>(sizeof(double)));
    }

 private:
    Backend& backend_;
    ElementType type_;
    std::int64_t features_;
    Buffer mean_;               ///< (D), double
    Buffer inverse_deviation_;  ///< (D), double
    Buffer input_;              ///< (B, D), float
    InputTransform transform_;
};

}  // namespace vae_dist
