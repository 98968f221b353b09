#include "vae_dist/train/run_directory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

constexpr std::string_view kConfigHeader = "# The resolved configuration of this run, written by vae_dist.\n";
constexpr std::string_view kPrefix = "step_";
constexpr std::string_view kSuffix = ".h5";

/// The step that a checkpoint's name tells; none for other names.
std::optional<std::int64_t> step_of(const std::string& name) {
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
    const char* const first = name.data() + kPrefix.size();
    const char* const last = name.data() + name.size() - kSuffix.size();
    std::int64_t step = 0;
    const auto [end, error] = std::from_chars(first, last, step);
    return error == std::errc() && end == last && step >= 0 ? std::optional(step) : std::nullopt;
}

}  // namespace

std::string checkpoint_name(std::int64_t step) {
    return fmt::format("{}{:010}{}", kPrefix, step, kSuffix);
}

std::vector<std::byte> read_bytes(const std::filesystem::path& path) {
    std::ifstream stream(path, std::ios::binary | std::ios::ate);
    if (!stream) throw_input_error("cannot read {}: {}", path.string(), std::strerror(errno));
    std::vector<std::byte> bytes(static_cast<std::size_t>(stream.tellg()));
    stream.seekg(0);
    if (!stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()))) {
        throw_input_error("cannot read all of {}: {}", path.string(), std::strerror(errno));
    }
    return bytes;
}

RunDirectory::RunDirectory(const std::string& directory)
    : path_(directory), checkpoints_(path_ / "checkpoints") {
    create_writable_folder(path_);
    require_own_folder();
    lock_.emplace(path_);
    create_writable_folder(checkpoints_);
    remove_temporaries(path_);
    remove_temporaries(checkpoints_);
}

std::vector<RunDirectory::Candidate> RunDirectory::checkpoints() const {
    std::vector<Candidate> found;
    for (const auto& entry : std::filesystem::directory_iterator(checkpoints_)) {
        const auto step = step_of(entry.path().filename().string());
        if (step && entry.is_regular_file()) found.push_back({*step, entry.path()});
    }
    std::sort(found.begin(), found.end(),
              [](const Candidate& a, const Candidate& b) { return a.step > b.step; });
    return found;
}

std::optional<RunDirectory::Found> RunDirectory::newest_checkpoint(const Log& log) {
    const auto candidates = checkpoints();
    for (const Candidate& candidate : candidates) {
        try {
            Found found = {candidate.path.string(), read_bytes(candidate.path)};
            parse_checkpoint(found.bytes, found.name);
            if (candidate.path != candidates.front().path)
                log.warn("going on from the older checkpoint {}", found.name);
            newest_complete_ = found.name;
            return found;
        } catch (const Error& error) {
            log.warn("passing over a checkpoint: {}", error.what());
        }
    }
    if (!candidates.empty()) {
        throw_input_error(
            "none of the {} checkpoints in {} can be read; move them away to start this run anew",
            candidates.size(), checkpoints_.string());
    }
    if (std::filesystem::exists(best_path())) {
        throw_input_error("{} exists, but no checkpoint to go on from; move it away to start this run anew",
                          best_path().string());
    }
    return std::nullopt;
}

void RunDirectory::write_or_name_newest(const std::function<void()>& write) const {
    try {
        write();
    } catch (const Error& error) {
        if (newest_complete_.empty()) throw_failure("{}; there is no complete checkpoint yet", error.what());
        throw_failure("{}; the newest complete checkpoint is {}", error.what(), newest_complete_);
    }
}

std::string RunDirectory::write_checkpoint(std::int64_t step, std::span<const std::byte> bytes,
                                           std::int64_t keep, const Log& log) {
    const std::filesystem::path path = checkpoints_ / checkpoint_name(step);
    write_or_name_newest([&] { write_file_atomically(path, bytes); });
    newest_complete_ = path.string();
    // A later one was passed over at the start, or it would be the one that the run goes on from.
    auto all = checkpoints();
    std::erase_if(all, [&](const Candidate& candidate) { return candidate.step > step; });
    for (std::size_t i = static_cast<std::size_t>(keep); i < all.size(); ++i) {
        std::error_code error;
        std::filesystem::remove(all[i].path, error);
        if (error) log.warn("cannot remove the old checkpoint {}: {}", all[i].path.string(), error.message());
    }
    return (checkpoints_.filename() / path.filename()).string();
}

void RunDirectory::write_best(std::span<const std::byte> bytes) {
    write_or_name_newest([&] { write_file_atomically(best_path(), bytes); });
}

void RunDirectory::write_config(const std::string& yaml) {
    write_or_name_newest([&] { write_file_atomically(config_path(), std::string(kConfigHeader) + yaml); });
}

void RunDirectory::require_own_folder() const {
    if (std::filesystem::exists(config_path())) {
        if (read_text_file(config_path()).starts_with(kConfigHeader)) return;
        throw_input_error(
            "{} was not written by vae_dist, and a run would replace it; choose another "
            "output.directory",
            config_path().string());
    }
    if (std::filesystem::exists(checkpoints_) && !checkpoints().empty()) return;
    for (const auto& file : {metrics_path(), best_path()}) {
        if (!std::filesystem::exists(file)) continue;
        throw_input_error(
            "{} exists, but no config.yaml of a run beside it, and a run would replace it; choose another "
            "output.directory",
            file.string());
    }
}

}  // namespace vae_dist
