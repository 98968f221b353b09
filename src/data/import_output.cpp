#include "data/import_output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
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

ImportTemporary::ImportTemporary(const std::filesystem::path& target, const std::string& name)
    : path_(target.parent_path() / fmt::format(".{}.import-tmp", target.filename().string())) {
    while (!open_and_lock(name)) {
    }
}

bool ImportTemporary::open_and_lock(const std::string& name) {
    descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor_ < 0) throw_failure("cannot write '{}': {}", path_.string(), std::strerror(errno));
    struct stat held {};
    struct stat there {};
    const bool known = ::fstat(descriptor_, &held) == 0;
    // Any other reason than that it is locked means that this file system has no locks.
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && (errno == EWOULDBLOCK || held.st_size > 0)) {
        ::close(descriptor_);
        throw_input_error(
            "another import is writing to '{}'; wait until it has ended or, if there is none, remove '{}'",
            name, path_.string());
    }
    // The import that held it until now may have ended in between: the file is then another name's, or
    // none's.
    if (known && ::stat(path_.c_str(), &there) == 0 && held.st_dev == there.st_dev &&
        held.st_ino == there.st_ino) {
        return true;
    }
    ::close(descriptor_);
    return false;
}

ImportTemporary::~ImportTemporary() {
    if (!in_place_) ::unlink(path_.c_str());  // before the lock goes
    ::close(descriptor_);
}

void ImportTemporary::put_in_place_of(const std::filesystem::path& target) {
    put_in_place(path_, target);
    in_place_ = true;
}

ImportOutput::ImportOutput(const ImportTarget& target) : target_(target) {
    if (target.deflate < 0 || target.deflate > 9) {
        throw_input_error("compression levels go from 0 (none) to 9, not {}", target.deflate);
    }
    std::error_code error;
    // Through symbolic links, or the rename would replace the link.
    path_ = std::filesystem::weakly_canonical(target.file, error);
    if (error) throw_input_error("cannot write '{}': {}", target.file, error.message());
    temporary_.emplace(path_, target.file);
    const std::filesystem::path& copy = temporary_->path();
    if (!std::filesystem::exists(path_)) {
        file_ = hdf5::File::create(copy);
        return;
    }
    hdf5::File::open(target.file);  // says what is wrong under the name that the user knows
    if (!std::filesystem::copy_file(path_, copy, std::filesystem::copy_options::overwrite_existing, error)) {
        throw_failure("cannot copy '{}' to '{}': {}", target.file, copy.string(), error.message());
    }
    file_ = hdf5::File::open_for_writing(copy);
}

hdf5::RowWriter ImportOutput::create_rows(const std::string& dataset, hdf5::RowWriterOptions options) {
    const hdf5::NodeKind kind = file_->kind(dataset);
    if (kind == hdf5::NodeKind::dataset && target_.replace) {
        file_->remove(dataset);
    } else if (kind == hdf5::NodeKind::dataset) {
        throw_input_error("'{}' has a dataset '{}' already; choose another name, or replace it with --force",
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
    temporary_->put_in_place_of(path_);
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
