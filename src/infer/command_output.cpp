#include "infer/command_output.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

namespace {

std::filesystem::path canonical(const std::string& path) {
    std::error_code unreadable;  // shows when the file is created
    return std::filesystem::weakly_canonical(std::filesystem::absolute(path, unreadable), unreadable);
}

bool is_png_name(const std::string& path) {
    const std::string end = std::filesystem::path(path).extension().string();
    return end == ".png" || end == ".PNG";
}

}  // namespace

void CommandOutput::check(const std::vector<std::string>& inputs) const {
    if (!has_file() && options_.deflate > 0)
        throw_input_error("--compress goes with --out: a picture is compressed as it is");
    if (has_file() && has_picture() && canonical(options_.path) == canonical(png_)) {
        throw_input_error("--out and --png are the same file, '{}'", png_);
    }
    if (has_file()) require_replaceable(options_.path, options_.force, inputs);
    if (has_picture()) require_replaceable(png_, options_.force, inputs);
    if (has_picture() && !is_png_name(png_)) {
        throw_input_error("--png {}: the picture is a PNG file; choose a name that ends in .png", png_);
    }
}

void CommandOutput::open(const Provenance& provenance, const TrainedModel& model) {
    if (has_picture()) picture_.emplace(png_, options_.force);
    if (has_file()) file_.emplace(options_, provenance, model);
}

void CommandOutput::commit(const std::optional<Picture>& picture) {
    if (has_file()) file_->finish();
    if (has_picture()) picture_->write(png_bytes(picture.value()));
    if (has_file()) file_->commit();
    if (!has_picture()) return;
    try {
        picture_->commit();
    } catch (const Error& error) {
        if (!has_file()) throw;
        throw_failure("{}; but '{}' was written, and is complete", error.what(), options_.path);
    }
}

std::string CommandOutput::where(std::int64_t shown, std::int64_t rows) const {
    if (!has_picture()) return options_.path;
    if (!has_file()) return fmt::format("picture in {}", png_);
    const std::string of = shown < rows ? fmt::format(" of the first {}", format_count(shown)) : "";
    return fmt::format("{}, picture{} in {}", options_.path, of, png_);
}

}  // namespace vae_dist
