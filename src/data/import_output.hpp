#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "vae_dist/data/hdf5.hpp"
#include "vae_dist/data/import.hpp"

namespace vae_dist {

/// A file beside a target, of a name that follows from the target's, which one import at a time holds by a
/// lock. What a killed import left, whose lock went with it, is taken over.
class ImportTemporary {
 public:
    /// Throws an input error if another import holds it; `name` is the target in the user's words.
    ImportTemporary(const std::filesystem::path& target, const std::string& name);
    /// Removes the file, unless it was put in place.
    ~ImportTemporary();
    ImportTemporary(const ImportTemporary&) = delete;
    ImportTemporary& operator=(const ImportTemporary&) = delete;

    const std::filesystem::path& path() const { return path_; }
    void put_in_place_of(const std::filesystem::path& target);

 private:
    /// True if this process now holds the file that is at path_.
    bool open_and_lock(const std::string& name);

    std::filesystem::path path_;
    int descriptor_ = -1;
    bool in_place_ = false;
};

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
    std::filesystem::path path_;
    std::optional<ImportTemporary> temporary_;
    std::optional<hdf5::File> file_;  // last: it is closed before its file is removed
};

/// Rows in a chunk of about 256 KiB; at least 1, at most `most`.
std::int64_t chunk_rows_for(std::int64_t row_bytes, std::int64_t most);

/// "60000 x 28 x 28 uint8 to fashion.h5:train/x".
std::string describe_import(std::span<const std::int64_t> shape, ElementType type,
                            const ImportTarget& target);

}  // namespace vae_dist
