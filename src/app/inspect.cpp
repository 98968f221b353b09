#include "vae_dist/data/inspect/inspect.hpp"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>

#include "app/commands.hpp"
#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/config/load.hpp"
#include "vae_dist/config/names.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/data/hdf5/hdf5.hpp"
#include "vae_dist/data/rows/matching_files.hpp"
#include "vae_dist/train/record/find_checkpoint.hpp"

namespace vae_dist {

namespace {

std::string number_or_none(double value) {
    return std::isnan(value) ? "none" : fmt::format("{:.4f}", value);
}

std::string describe_checkpoint(const Checkpoint& checkpoint, const std::string& path) {
    const Progress& progress = checkpoint.progress;
    std::string text =
        fmt::format("{}: a checkpoint of {}, whole and undamaged\n", path, checkpoint.created_by);
    text += fmt::format("step {}, {} and {} done; {}\n", progress.step, counted(progress.epoch, "epoch"),
                        counted(progress.samples_in_epoch, "sample"), counted(progress.updates, "update"));
    const std::int64_t draws = checkpoint.config.objective.importance_samples;
    text += draws > 1
                ? fmt::format("validation iwae bound of {} draws {}, best {}; elbo {}", draws,
                              number_or_none(progress.validation_bound), number_or_none(progress.best_bound),
                              number_or_none(progress.validation_elbo))
                : fmt::format("validation elbo {}, best {}", number_or_none(progress.validation_elbo),
                              number_or_none(progress.best_elbo));
    text += " (nats per sample)\n";
    text += fmt::format("trained on {} of shape {}, {}, seed {}\n", counted(checkpoint.data_rows, "sample"),
                        format_shape(checkpoint.row_shape),
                        counted(checkpoint.config.train.virtual_ranks.value_or(1), "virtual rank"),
                        checkpoint.config.train.seed);
    text += fmt::format(
        "{} likelihood, {} prior, {}, {}; optimizer {}\n", name_of(checkpoint.config.model.likelihood.kind),
        name_of(checkpoint.config.model.prior.word),
        counted(checkpoint.config.model.latent_dim, "latent dimension"),
        name_of(checkpoint.config.model.activation), name_of(checkpoint.config.optimizer.name));
    constexpr std::size_t kMostShown = 40;
    for (std::size_t i = 0; i < checkpoint.model.size() && i < kMostShown; ++i) {
        const NamedArray& array = checkpoint.model[i];
        text += fmt::format("  /model/{:<32} {}\n", array.name, format_shape(array.shape));
    }
    if (checkpoint.model.size() > kMostShown) {
        text += fmt::format("  ... and {} more\n", checkpoint.model.size() - kMostShown);
    }
    return text;
}

std::string describe(const std::string& file, const Log& log) {
    if (!std::filesystem::is_directory(file) && !is_checkpoint(file)) return describe_data_file(file);
    const FoundCheckpoint found = find_checkpoint(file, log);
    return describe_checkpoint(parse_checkpoint(found.bytes, found.name), found.name);
}

// The files that can be read, and then an error that names the others.
void describe_all(const std::vector<std::string>& files, const Log& log) {
    std::vector<Error> errors;
    for (const std::string& file : files) {
        try {
            log.info("{}", describe(file, log));
        } catch (const Error& error) {
            if (files.size() == 1) throw;
            errors.push_back(error);
        }
    }
    if (errors.empty()) return;
    std::vector<std::string> messages;
    messages.reserve(errors.size());
    for (const Error& error : errors)
        messages.emplace_back(error.what());
    constexpr std::size_t kMostNamed = 5;
    throw Error(errors.front().kind(), fmt::format("{} of {} files cannot be read: {}", errors.size(),
                                                   files.size(), format_list(messages, kMostNamed)));
}

}  // namespace

void run_command(const InspectCommand& command, Communicator& communicator, const Log& log) {
    run_on_first_rank(communicator, [&] { describe_all(matching_files(command.files), log); });
}

}  // namespace vae_dist
