#include "vae_dist/train/run_directory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

bool is_checkpoint_name(const std::string& name) {
    constexpr std::string_view kPrefix = "step_";
    constexpr std::string_view kSuffix = ".h5";
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return false;
    const std::string digits = name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
    return !digits.empty() && digits.find_first_not_of("0123456789") == std::string::npos;
}

}  // namespace

std::string checkpoint_name(std::int64_t step) {
    return fmt::format("step_{:010}.h5", step);
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
    lock_.emplace(path_);
    create_writable_folder(checkpoints_);
    remove_temporaries(path_);
    remove_temporaries(checkpoints_);
}

std::vector<std::filesystem::path> RunDirectory::checkpoints() const {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(checkpoints_)) {
        if (is_checkpoint_name(entry.path().filename().string())) found.push_back(entry.path());
    }
    // Equally many digits, so that the order of names is that of steps.
    std::sort(found.rbegin(), found.rend());
    return found;
}

std::optional<RunDirectory::Found> RunDirectory::newest_checkpoint(const Log& log) const {
    const auto candidates = checkpoints();
    for (const auto& candidate : candidates) {
        try {
            Found found = {candidate.string(), read_bytes(candidate)};
            parse_checkpoint(found.bytes, found.name);
            if (candidate != candidates.front())
                log.warn("going on from the older checkpoint {}", found.name);
            return found;
        } catch (const std::exception& error) {
            log.warn("passing over a checkpoint: {}", error.what());
        }
    }
    if (!candidates.empty()) {
        throw_input_error(
            "none of the {} checkpoints in {} can be read; move them away to start this run anew",
            candidates.size(), checkpoints_.string());
    }
    return std::nullopt;
}

void RunDirectory::write_or_name_newest(const std::filesystem::path& to, std::span<const std::byte> bytes) {
    try {
        write_file_atomically(to, bytes);
    } catch (const Error& error) {
        const auto complete = checkpoints();
        if (complete.empty()) throw_failure("{}; there is no complete checkpoint yet", error.what());
        throw_failure("{}; the newest complete checkpoint is {}", error.what(), complete.front().string());
    }
}

std::string RunDirectory::write_checkpoint(std::int64_t step, std::span<const std::byte> bytes,
                                           std::int64_t keep) {
    const std::string name = checkpoint_name(step);
    write_or_name_newest(checkpoints_ / name, bytes);
    // A later one was passed over at the start, or it would be the one that the run goes on from.
    auto all = checkpoints();
    std::erase_if(all, [&](const auto& path) { return path.filename().string() > name; });
    for (std::size_t i = static_cast<std::size_t>(keep); i < all.size(); ++i)
        std::filesystem::remove(all[i]);
    return "checkpoints/" + name;
}

void RunDirectory::write_best(std::span<const std::byte> bytes) {
    write_or_name_newest(path_ / "best.h5", bytes);
}

void RunDirectory::write_config(const std::string& yaml) {
    write_file_atomically(path_ / "config.yaml", yaml);
}

}  // namespace vae_dist
