#pragma once

#include "app/command_line.hpp"
#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/config/config.hpp"
#include "vae_dist/core/log.hpp"
#include "vae_dist/core/stop_signals.hpp"

namespace vae_dist {

// Collective: each does one command on all ranks. Errors are thrown.

/// Returns the exit status: 0, or 75 where one of `signals` or the clock stopped it early and it was saved.
int run_command(const TrainCommand& command, const StopSignals& signals, Communicator& communicator,
                const Log& log);
void run_command(const CheckCommand& command, Communicator& communicator, const Log& log);
void run_command(const BenchmarkCommand& command, Communicator& communicator, const Log& log);
void run_command(const EvaluateCommand& command, Communicator& communicator, const Log& log);
void run_command(const EncodeCommand& command, Communicator& communicator, const Log& log);
void run_command(const ReconstructCommand& command, Communicator& communicator, const Log& log);
void run_command(const GenerateCommand& command, Communicator& communicator, const Log& log);
void run_command(const InspectCommand& command, Communicator& communicator, const Log& log);
void run_command(const KeysCommand& command, Communicator& communicator, const Log& log);
void run_command(const ImportCommand& command, Communicator& communicator, const Log& log);
void run_command(const PrintCommand& command, Communicator& communicator, const Log& log);

/// The configuration that a command names, read on every rank; an error on any is thrown on all.
Config load_config_together(const std::string& path, const std::vector<std::string>& overrides,
                            Communicator& communicator);

}  // namespace vae_dist
