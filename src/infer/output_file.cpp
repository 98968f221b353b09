#include "vae_dist/infer/output_file.hpp"

#include <filesystem>
#include <system_error>

#include "vae_dist/config/load.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/shape.hpp"
#include "vae_dist/data/rows/dataset_name.hpp"
#include "vae_dist/data/rows/matching_files.hpp"

namespace vae_dist {

namespace fs = std::filesystem;

void require_replaceable(const std::string& path, bool force, const std::vector<std::string>& inputs) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) return;  // an error otherwise shows when the file is created
    if (!fs::is_regular_file(status)) {
        throw_input_error("cannot write '{}': it exists and is not a regular file", path);
    }
    for (const std::string& input : inputs) {
        if (!fs::equivalent(path, input, error)) continue;
        throw_input_error("cannot write '{}': this command reads it as '{}'; choose another name", path,
                          input);
    }
    if (!force) throw_input_error("'{}' exists; choose another name, or replace it with --force", path);
    if (!is_checkpoint(path)) return;
    throw_input_error("'{}' is a checkpoint, which --force does not replace; choose another name", path);
}

std::vector<std::string> files_read(const TrainedModel& model, const std::string& dataset) {
    std::vector<std::string> files;
    if (!dataset.empty()) files = matching_files(existing_dataset(dataset).file);
    files.push_back(model.file());
    return files;
}

OutputFile::OutputFile(const OutputOptions& options, const Provenance& provenance, const TrainedModel& model)
    : options_(options), pending_(options.path, options.force) {
    if (options.deflate < 0 || options.deflate > 9) {
        throw_input_error("compression levels go from 0 (none) to 9, not {}", options.deflate);
    }
    file_ = hdf5::File::create(pending_.path());
    const Checkpoint& checkpoint = model.checkpoint();
    const auto write = [&](const char* name, const auto& value) { file_->write_attribute("/", name, value); };
    write("created_by", program_signature(model.backend()));
    write("command", provenance.command);
    write("checkpoint", model.file());
    write("checkpoint_step", checkpoint.progress.step);
    write("checkpoint_epoch", checkpoint.progress.epoch);
    write("checkpoint_config", to_yaml(checkpoint.config));
    if (!provenance.data.empty()) {
        write("data", provenance.data);
        write("data_rows", provenance.data_rows);
    }
    if (provenance.seed) write("seed", std::int64_t{*provenance.seed});
}

std::size_t OutputFile::add(const std::string& dataset, std::int64_t rows,
                            const std::vector<std::int64_t>& row_shape) {
    const std::int64_t elements = element_count(row_shape);
    const std::int64_t row_bytes = elements * static_cast<std::int64_t>(sizeof(float));
    const hdf5::RowWriterOptions options = {.row_shape = row_shape,
                                            .type = ElementType::float32,
                                            .chunk_rows = hdf5::chunk_rows_for(row_bytes, rows),
                                            .deflate = options_.deflate};
    datasets_.push_back(std::make_unique<Dataset>(
        Dataset{rows, static_cast<std::size_t>(elements), hdf5::RowWriter(*file_, dataset, options)}));
    return datasets_.size() - 1;
}

void OutputFile::append(std::size_t dataset, std::span<const float> values) {
    Dataset& to = *datasets_.at(dataset);
    require(values.size() % to.row_elements == 0, "whole rows are appended");
    to.writer.append(static_cast<std::int64_t>(values.size() / to.row_elements),
                     std::as_bytes(values).data());
}

void OutputFile::finish() {
    for (const auto& dataset : datasets_) {
        require(dataset->writer.rows() == dataset->rows, "a dataset is complete");
        dataset->writer.close();
    }
    datasets_.clear();
    file_->close();
}

}  // namespace vae_dist
