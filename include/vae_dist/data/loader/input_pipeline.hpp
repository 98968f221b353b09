#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "vae_dist/backend/backend.hpp"
#include "vae_dist/config/config.hpp"
#include "vae_dist/data/loader/batch_loader.hpp"
#include "vae_dist/data/rows/feature_statistics.hpp"

namespace vae_dist {

/// The factor that data.scale means for numbers of this type: auto is 1/255 for unsigned 8-bit numbers,
/// else 1.
double input_scale(const DataConfig& config, ElementType type);

/// What to tell the user where data.scale: auto looks wrong: unsigned 8-bit numbers of which none is above 16
/// are hardly pixels, and 1/255 leaves them nearly black. Empty where there is no doubt, and with the
/// transform standardize, to which the scale makes no difference.
std::string doubt_about_scale(const DataConfig& config, ElementType type,
                              const FeatureStatistics& statistics);

/// What a model takes of B rows, in the backend's memory.
struct ModelInput {
    ConstFloatMatrix x;                            ///< (B, D)
    std::span<const ConstFloatMatrix> conditions;  ///< (B, C) each, in their order
};

/// From the file's numbers to the model's input. Samples are scaled and transformed as a configuration says;
/// the fields beside them, the conditions, are standardized.
class InputPipeline {
 public:
    /// For rows such as those of `rows`. Statistics of samples are needed by, and only by, the transform
    /// standardize, those of conditions always. Serves slices of up to `most_rows` samples.
    InputPipeline(const DataConfig& config, std::uint32_t seed, const RowSource& rows,
                  const InputStatistics& statistics, std::int64_t most_rows, Backend& backend);

    /// The slice as the model's input, valid until the next call. Random transforms draw anew for each
    /// `visit`.
    ModelInput load(const Slice& slice, std::uint32_t visit);

    /// Bytes that an object for `most_rows` samples holds.
    static std::int64_t bytes(const RowSource& rows, std::int64_t most_rows);

 private:
    // The place of a field's matrix, and what standardize subtracts and multiplies by.
    struct FieldMemory {
        Buffer values;             ///< (B, D), float
        Buffer mean;               ///< (D), double
        Buffer inverse_deviation;  ///< (D), double
    };

    void add_field(const RowField& field, const InputTransform& transform,
                   const FeatureStatistics* statistics, std::int64_t most_rows);

    Backend& backend_;
    std::size_t row_bytes_;
    std::vector<FieldMemory> memory_;
    std::vector<InputField> fields_;
    std::vector<std::int64_t> columns_;         ///< of each field
    std::vector<ConstFloatMatrix> conditions_;  ///< of the last call
};

/// Conditions (rows, C) that do not come from rows of data, in host memory and standardized by their
/// statistics, as the model takes them.
std::vector<float> standardized(std::span<const double> values, const FeatureStatistics& statistics);

}  // namespace vae_dist
