#include <algorithm>
#include <cstddef>

#include "app/commands.hpp"
#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/config/key_help.hpp"
#include "vae_dist/core/terminal.hpp"

namespace vae_dist {

namespace {

// Longer lines are hard to read.
constexpr int kMostColumns = 100;

std::string keys_text(const KeysCommand& command) {
    const std::vector<KeyHelp> keys = command.name.empty() ? all_key_help() : key_help_of(command.name);
    std::string text =
        command.markdown
            ? markdown_tables(keys)
            : plain_text(keys, static_cast<std::size_t>(std::min(terminal_columns(), kMostColumns)));
    text.pop_back();  // the log ends the line
    return text;
}

}  // namespace

void run_command(const KeysCommand& command, Communicator& communicator, const Log& log) {
    run_on_first_rank(communicator, [&] { log.info("{}", keys_text(command)); });
}

}  // namespace vae_dist
