#include "vae_dist/train/record/find_checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <string_view>

#include "vae_dist/core/error.hpp"
#include "vae_dist/train/record/checkpoint.hpp"

namespace vae_dist {

namespace {

namespace fs = std::filesystem;

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

/// What became of one look at a run's checkpoints.
struct Look {
    std::optional<FoundCheckpoint> found;
    std::size_t there = 0;
    bool vanished = false;  ///< one that was listed is gone
};

Look look_for_newest(const fs::path& folder, const Log& log) {
    Look look;
    bool passed_over = false;
    for (const CheckpointFile& file : checkpoint_files(folder)) {
        ++look.there;
        try {
            FoundCheckpoint found = {file.path.string(), read_bytes(file.path)};
            parse_checkpoint(found.bytes, found.name);
            if (passed_over) log.warn("taking the older checkpoint {}", found.name);
            look.found = std::move(found);
            return look;
        } catch (const Error& error) {
            if (!fs::exists(file.path)) {
                look.vanished = true;
            } else {
                passed_over = true;
                log.warn("passing over a checkpoint: {}", error.what());
            }
        }
    }
    return look;
}

}  // namespace

std::string checkpoint_name(std::int64_t step) {
    return fmt::format("{}{:010}{}", kPrefix, step, kSuffix);
}

std::vector<CheckpointFile> checkpoint_files(const fs::path& folder) {
    std::vector<CheckpointFile> found;
    std::error_code gone;  // between its being listed and looked at
    for (const auto& entry : fs::directory_iterator(folder)) {
        const auto step = step_of(entry.path().filename().string());
        if (step && entry.is_regular_file(gone)) found.push_back({*step, entry.path()});
    }
    std::sort(found.begin(), found.end(),
              [](const CheckpointFile& a, const CheckpointFile& b) { return a.step > b.step; });
    return found;
}

std::vector<std::byte> read_bytes(const fs::path& path) {
    std::ifstream stream(path, std::ios::binary | std::ios::ate);
    if (!stream) throw_input_error("cannot read {}: {}", path.string(), std::strerror(errno));
    std::vector<std::byte> bytes(static_cast<std::size_t>(stream.tellg()));
    stream.seekg(0);
    if (!stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()))) {
        throw_input_error("cannot read all of {}: {}", path.string(), std::strerror(errno));
    }
    return bytes;
}

std::optional<FoundCheckpoint> newest_complete_checkpoint(const fs::path& folder, const std::string& advice,
                                                          const Log& log) {
    Look look = look_for_newest(folder, log);
    // A run removes a checkpoint only once there is a newer one, so another look finds that.
    constexpr int kMostLooks = 10;
    for (int looks = 1; !look.found && look.vanished && looks < kMostLooks; ++looks)
        look = look_for_newest(folder, log);
    if (look.found || look.there == 0) return std::move(look.found);
    if (look.there == 1)
        throw_input_error("the only checkpoint in {} cannot be read; {}", folder.string(), advice);
    throw_input_error("none of the {} checkpoints in {} can be read; {}", look.there, folder.string(),
                      advice);
}

FoundCheckpoint find_checkpoint(const std::string& path, const Log& log) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (status.type() == fs::file_type::not_found) {
        throw_input_error("there is no '{}'; name a checkpoint, or the directory of a run", path);
    }
    if (error) throw_input_error("cannot read '{}': {}", path, error.message());
    if (!fs::is_directory(status)) {
        require_checkpoint(path);
        return {path, read_bytes(path)};
    }
    const fs::path folder = fs::path(path) / "checkpoints";
    const fs::path best = fs::path(path) / "best.h5";
    if (!fs::is_directory(folder, error)) {
        throw_input_error("'{}' is a folder, but not the directory of a run: it has no checkpoints/ in it",
                          path);
    }
    auto found = newest_complete_checkpoint(folder, "name another checkpoint", log);
    if (found) return *std::move(found);
    throw_input_error("the run in '{}' has no complete checkpoint{}", path,
                      fs::exists(best, error) ? fmt::format("; name {} instead", best.string()) : " yet");
}

}  // namespace vae_dist
