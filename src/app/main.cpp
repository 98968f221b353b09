#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

#include "app/commands.hpp"
#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/comm/mpi_communicator.hpp"
#include "vae_dist/comm/self_communicator.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/log.hpp"
#include "vae_dist/core/signal_thread.hpp"
#include "vae_dist/core/stop_signals.hpp"
#include "vae_dist/core/terminal.hpp"
#include "vae_dist/train/run/consistency.hpp"

namespace vae_dist {
namespace {

// All commands but one are ended by a signal. One that came during the start ends them now.
void heed_no_signals(std::optional<StopSignals>& signals) {
    const int received = signals->received();
    signals.reset();
    // To the process, not to this thread, which blocks it.
    if (received != 0) ::kill(::getpid(), received);
}

// Returns the exit status.
int run(int argc, char** argv, std::optional<StopSignals>& signals, Communicator& communicator,
        const Log& log) {
    require_same_program(communicator);  // before anything that builds may do in other ways
    std::optional<Command> command;
    run_together(communicator, [&] { command = parse_command_line(argc, argv); });
    const std::string first = broadcast_text(communicator, std::to_string(command->index()), 0);
    run_together(communicator, [&] {
        if (std::to_string(command->index()) != first)
            throw_input_error("this rank was given another command than rank 0");
    });
    return std::visit(
        [&](const auto& asked) {
            if constexpr (std::is_same_v<std::decay_t<decltype(asked)>, TrainCommand>) {
                return run_command(asked, *signals, communicator, log);
            } else {
                heed_no_signals(signals);
                run_command(asked, communicator, log);
                return 0;
            }
        },
        *command);
}

// An error of all ranks is said once, and every rank ends by itself. An error of one rank alone would leave
// the others waiting: it takes them down.
int report(const Error& error, Communicator& communicator, const Log& log) {
    const bool alone = communicator.size() > 1 && !error.on_all_ranks();
    if (alone || communicator.rank() == 0) log.error(error.what(), alone);
    if (alone) communicator.abort(error.exit_status());
    return error.exit_status();
}

// What was printed may be all that was asked for: that it could not be written is a failure too.
int finish_output(Communicator& communicator) {
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return 0;
    const Error error(ErrorKind::failure, "cannot write all of the output to stdout; files are complete");
    if (communicator.rank() == 0) Log(0).error(error.what(), false);
    return error.exit_status();
}

int guarded_main(int argc, char** argv) {
    open_missing_standard_streams();
    std::signal(SIGPIPE, SIG_IGN);  // a reader that leaves, as head does, must not cost files
    std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error of the write, which says so
    // Until the last rank has left MPI: a run that is saved must not end as one that a signal killed.
    std::optional<StopSignals> signals(std::in_place);
    std::optional<SignalThread> signal_thread;
    const FaultStack fault_stack;
    std::optional<MpiSession> session;
    std::unique_ptr<Communicator> communicator = std::make_unique<SelfCommunicator>();
    try {
        signal_thread.emplace();  // before libraries start threads
        if (started_by_mpi()) {
            session.emplace(argc, argv);
            move_fault_handlers_to_fault_stacks();
            communicator = make_mpi_communicator();
        }
        const int status = run(argc, argv, signals, *communicator, Log(communicator->rank()));
        const int output_status = finish_output(*communicator);
        return status == 0 ? output_status : status;  // a run that is saved is to be gone on with
    } catch (const Error& error) {
        return report(error, *communicator, Log(communicator->rank()));
    } catch (const std::bad_alloc&) {
        return report(Error(ErrorKind::failure, "out of memory; vae_dist check prints what a rank needs"),
                      *communicator, Log(communicator->rank()));
    } catch (const std::exception& error) {
        return report(Error(ErrorKind::bug, error.what()), *communicator, Log(communicator->rank()));
    }
}

}  // namespace
}  // namespace vae_dist

int main(int argc, char** argv) {
    vae_dist::block_signals();  // for good: a run that is saved ends as one, whatever comes on its way out
    return vae_dist::guarded_main(argc, argv);
}
