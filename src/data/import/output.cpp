#include "data/import/output.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/data/rows/dataset_name.hpp"

namespace vae_dist {

ImportTarget parse_target(const std::string& text) {
    const DatasetName name = new_dataset(text);
    ImportTarget target;
    target.file = name.file;
    target.dataset = name.dataset;
    return target;
}

ImportOutput::ImportOutput(const ImportTarget& target) : target_(target), pending_(target.file) {
    if (target.deflate < 0 || target.deflate > 9) {
        throw_input_error("compression levels go from 0 (none) to 9, not {}", target.deflate);
    }
    const std::filesystem::path& copy = pending_.path();
    if (!std::filesystem::exists(pending_.target())) {
        file_ = hdf5::File::create(copy);
        return;
    }
    hdf5::File::open(target.file);  // says what is wrong under the name that the user knows
    std::error_code error;
    if (!std::filesystem::copy_file(pending_.target(), copy,
                                    std::filesystem::copy_options::overwrite_existing, error)) {
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
        throw_input_error("'{}' has '{}' already, and it is not a dataset; choose another name", target_.file,
                          dataset);
    }
    options.deflate = target_.deflate;
    return {*file_, dataset, options};
}

void ImportOutput::commit() {
    file_->close();
    pending_.commit();
}

std::string describe_import(std::span<const std::int64_t> shape, ElementType type,
                            const ImportTarget& target) {
    return fmt::format("{} {} to {}:{}", format_shape(shape), element_name(type), target.file,
                       target.dataset);
}

}  // namespace vae_dist
