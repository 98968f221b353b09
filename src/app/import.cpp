#include "vae_dist/data/import/import.hpp"

#include "app/commands.hpp"
#include "vae_dist/comm/agreement.hpp"

namespace vae_dist {

namespace {

ImportResult import(const ImportCommand& command) {
    switch (command.format) {
        case ImportFormat::idx:
            return import_idx(command.input, command.labels, command.target);
        case ImportFormat::csv:
            return import_csv(command.input, command.csv, command.target);
        case ImportFormat::npy:
            break;
    }
    return import_npy(command.input, command.target);
}

}  // namespace

void run_command(const ImportCommand& command, Communicator& communicator, const Log& log) {
    run_on_first_rank(communicator, [&] {
        const ImportResult result = import(command);
        log.info("imported {}", result.description);
        for (const std::string& note : result.notes)
            log.info("  {}", note);
    });
}

}  // namespace vae_dist
