#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "vae_dist/core/pending_file.hpp"
#include "vae_dist/data/hdf5/hdf5.hpp"
#include "vae_dist/data/import/import.hpp"

namespace vae_dist {

/// The file that an import adds to, as a copy beside it until all is complete. Destroyed before `commit`, it
/// leaves the file as it was. One import at a time adds to a file: of two, the later one to end would put its
/// copy, without the other's data, in place.
class ImportOutput {
 public:
    explicit ImportOutput(const ImportTarget& target);

    /// A new dataset, in place of the one of that name if the target says so; compressed as the target says.
    hdf5::RowWriter create_rows(const std::string& dataset, hdf5::RowWriterOptions options);
    hdf5::File& file() { return *file_; }

    /// Closes the file and puts it in place.
    void commit();

 private:
    ImportTarget target_;
    PendingFile pending_;
    std::optional<hdf5::File> file_;  // last: it is closed before its file is removed
};

/// "60000 x 28 x 28 uint8 to fashion.h5:train/x".
std::string describe_import(std::span<const std::int64_t> shape, ElementType type,
                            const ImportTarget& target);

}  // namespace vae_dist
