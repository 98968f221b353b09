#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vae_dist/core/pending_file.hpp"
#include "vae_dist/data/hdf5/hdf5.hpp"
#include "vae_dist/infer/trained_model.hpp"

namespace vae_dist {

/// Where a command's result goes.
struct OutputOptions {
    std::string path;
    bool force = false;  ///< replace a file that exists
    int deflate = 0;     ///< gzip level of the datasets, 0: none
};

/// Throws an input error if `path` exists and may not be replaced, or is one of `inputs`, a checkpoint or no
/// regular file, which never may.
void require_replaceable(const std::string& path, bool force, const std::vector<std::string>& inputs);

/// The files that a command reads: the checkpoint and those of `dataset` ("FILE.h5:dataset", FILE may be a
/// glob), if any.
std::vector<std::string> files_read(const TrainedModel& model, const std::string& dataset);

/// What made a file: kept in the attributes of its root group.
struct Provenance {
    std::string command;  ///< "encode"
    std::string data;     ///< "FILE.h5:dataset"; empty: none was read
    std::int64_t data_rows = 0;
    std::optional<std::uint32_t> seed;  ///< of what was drawn, be it only the transform binarize
};

/// An HDF5 file of results on rank 0: datasets that grow by rows, which appear under the file's name only
/// when all are complete.
class OutputFile {
 public:
    /// Creates the file beside its later place. Throws an input error or ErrorKind::failure where it could
    /// not be put in place later.
    OutputFile(const OutputOptions& options, const Provenance& provenance, const TrainedModel& model);

    /// A new dataset of float32 (rows, row_shape), chunked by about 256 KiB; `append` to it by the number
    /// returned.
    std::size_t add(const std::string& dataset, std::int64_t rows,
                    const std::vector<std::int64_t>& row_shape);
    /// Whole rows.
    void append(std::size_t dataset, std::span<const float> values);
    hdf5::File& file() { return *file_; }  ///< for attributes

    /// Writes what is left; all datasets have all of their rows.
    void finish();
    /// After `finish`: gives the file its name.
    void commit() { pending_.commit(); }

 private:
    struct Dataset {
        std::int64_t rows;
        std::size_t row_elements;
        hdf5::RowWriter writer;
    };
    OutputOptions options_;
    PendingFile pending_;
    std::optional<hdf5::File> file_;
    std::vector<std::unique_ptr<Dataset>> datasets_;
};

}  // namespace vae_dist
