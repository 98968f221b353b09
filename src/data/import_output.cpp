#include "data/import_output.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>

#include "vae_dist/core/error.hpp"
#include "vae_dist/core/files.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

ImportTarget parse_target(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    ImportTarget target;
    if (colon != std::string::npos) {
        target.file = text.substr(0, colon);
        target.dataset = text.substr(colon + 1);
    }
    if (target.file.empty() || target.dataset.empty() || target.dataset.ends_with('/')) {
        throw_input_error("'{}' does not name a dataset in a file; write it as FILE.h5:DATASET, such as {}",
                          text, "data.h5:train/x");
    }
    return target;
}

ImportOutput::ImportOutput(const ImportTarget& target) : target_(target) {
    if (target.deflate < 0 || target.deflate > 9) {
        throw_input_error("compression levels go from 0 (none) to 9, not {}", target.deflate);
    }
    std::error_code error;
    // Through symbolic links, or the rename would replace the link.
    path_ = std::filesystem::weakly_canonical(target.file, error);
    if (error) throw_input_error("cannot write '{}': {}", target.file, error.message());
    const bool exists = std::filesystem::exists(path_);
    if (exists) hdf5::File::open(target.file);  // says what is wrong under the name that the user knows
    temporary_ = path_.parent_path() / fmt::format(".{}.tmp-{}", path_.filename().string(), getpid());
    if (exists && !std::filesystem::copy_file(path_, temporary_, error)) {
        const std::string why = error.message();
        std::filesystem::remove(temporary_, error);
        throw_failure("cannot copy '{}' to '{}': {}", target.file, temporary_.string(), why);
    }
    try {
        file_ = exists ? hdf5::File::open_for_writing(temporary_) : hdf5::File::create(temporary_);
    } catch (...) {
        std::filesystem::remove(temporary_, error);
        throw;
    }
}

ImportOutput::~ImportOutput() {
    file_.reset();
    std::error_code ignored;  // after commit there is none
    std::filesystem::remove(temporary_, ignored);
}

hdf5::RowWriter ImportOutput::create_rows(const std::string& dataset, hdf5::RowWriterOptions options) {
    const hdf5::NodeKind kind = file_->kind(dataset);
    if (kind == hdf5::NodeKind::dataset && target_.replace) {
        file_->remove(dataset);
    } else if (kind == hdf5::NodeKind::dataset) {
        throw_input_error(
            "'{}' has a dataset '{}' already; choose another name, or replace it with --force",
            target_.file, dataset);
    } else if (kind != hdf5::NodeKind::missing) {
        throw_input_error("'{}' has '{}' already, and it is no dataset; choose another name", target_.file,
                          dataset);
    }
    options.deflate = target_.deflate;
    return {*file_, dataset, options};
}

void ImportOutput::commit() {
    file_->close();
    put_in_place(temporary_, path_);
}

std::int64_t chunk_rows_for(std::int64_t row_bytes, std::int64_t most) {
    constexpr std::int64_t kChunkBytes = 256 * 1024;
    return std::clamp<std::int64_t>(kChunkBytes / std::max<std::int64_t>(row_bytes, 1), 1, most);
}

std::string describe_import(std::span<const std::int64_t> shape, ElementType type,
                            const ImportTarget& target) {
    return fmt::format("{} {} to {}:{}", format_shape(shape), element_name(type), target.file,
                       target.dataset);
}

}  // namespace vae_dist
