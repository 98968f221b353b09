#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/core/log.hpp"
#include "vae_dist/data/loader/input_pipeline.hpp"
#include "vae_dist/data/rows/checked_rows.hpp"
#include "vae_dist/infer/trained_model.hpp"

namespace vae_dist {

/// Which rows a command is to look at.
struct InferenceDataOptions {
    std::string dataset;                          ///< "FILE.h5:group/dataset"; FILE may be a glob
    std::optional<std::int64_t> limit;            ///< only the first so many rows; absent: all
    std::optional<double> scale;                  ///< instead of the checkpoint's data.scale
    std::optional<Conventions> conventions = {};  ///< instead of the checkpoint's data.conventions
    /// "NAME=DATASET": the datasets of the model's conditions, in the same file
    std::vector<std::string> conditions = {};
};

/// Throws an input error unless a scale that was given is a finite number above 0.
void require_scale(const std::optional<double>& scale);

/// A dataset as a trained model's input: read by ranges of rows, taken through the checkpoint's own scale and
/// transform; binarize draws as in the run's validation, by the run's seed, so that results of other seeds
/// are results on the same data. Each rank reads what it is asked for.
class InferenceData {
 public:
    /// Samples as the model sees them, valid until the next `load`.
    struct Samples {
        ConstFloatMatrix x;                  ///< (B, D), backend memory
        std::span<const std::int64_t> rows;  ///< (B), host
        ConditionsView conditions;           ///< (B, C) each
    };

    /// Collective. Serves ranges of up to `most_rows` rows. Throws an input error on all ranks for what
    /// cannot be opened, rows of another shape than the model was trained on (naming both), ranks that see
    /// different data, a limit beyond the rows there are, and where data.scale: auto means something else for
    /// this dataset's numbers than it did in training (unsigned 8-bit or not) and no scale is given.
    InferenceData(const InferenceDataOptions& options, std::int64_t most_rows, const TrainedModel& model,
                  Communicator& communicator, const Log& log);

    std::int64_t rows() const { return rows_count_; }  ///< to look at
    std::int64_t features() const { return rows_.source().features(); }
    const std::string& name() const { return options_.dataset; }

    /// The factor of the numbers before the transform.
    double scale() const { return scale_; }

    /// All rows to look at, in order, cut where the file's chunks end, and no longer than `most_rows`: as
    /// many whole chunks as that allows, and a longer chunk in pieces. They depend on nothing else.
    std::vector<RowRange> ranges(std::int64_t most_rows) const;

    Samples load(const RowRange& range);

 private:
    InferenceDataOptions options_;
    CheckedRows rows_;
    std::int64_t rows_count_ = 0;
    double scale_ = 1;
    std::unique_ptr<InputPipeline> input_;
};

}  // namespace vae_dist
