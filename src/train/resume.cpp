#include "vae_dist/train/resume.hpp"

#include <array>

#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/config/load.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/train/training_data.hpp"

namespace vae_dist {

std::optional<Checkpoint> load_newest_checkpoint(RunRecorder* recorder, Communicator& communicator,
                                                 const Log& log) {
    std::optional<FoundCheckpoint> found;
    run_on_first_rank(communicator, [&] { found = recorder->newest_checkpoint(); });
    std::array<std::int64_t, 1> size = {found ? static_cast<std::int64_t>(found->bytes.size()) : 0};
    communicator.broadcast(std::as_writable_bytes(std::span(size)), 0);
    if (size[0] == 0) return std::nullopt;
    if (!found) found = {"", std::vector<std::byte>(static_cast<std::size_t>(size[0]))};
    found->name = broadcast_text(communicator, found->name, 0);
    communicator.broadcast(found->bytes, 0);
    std::optional<Checkpoint> checkpoint;
    run_together(communicator, [&] { checkpoint = parse_checkpoint(found->bytes, found->name); });
    log.info("going on from {}", found->name);
    return checkpoint;
}

void require_same_configuration(const Config& config, const Checkpoint& checkpoint) {
    const std::vector<std::string> changed = changed_result_keys(checkpoint.config, config);
    if (changed.empty()) return;
    throw_input_error(
        "the run in {} was begun with another configuration; changed: {}. Restore them, or choose another "
        "output.directory",
        config.output.directory, format_list(changed));
}

void require_same_data(const RowSource& data, const Checkpoint& checkpoint) {
    if (data_fingerprint(data) == checkpoint.data_fingerprint) return;
    throw_input_error(
        "the run was begun on other data: then {} samples of shape {}, now {} of shape {}, {}; or their type "
        "or "
        "chunks differ",
        checkpoint.data_rows, format_shape(checkpoint.row_shape), data.rows(), format_shape(data.row_shape()),
        data.description());
}

}  // namespace vae_dist
