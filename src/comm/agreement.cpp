#include "vae_dist/comm/agreement.hpp"

#include <new>
#include <optional>
#include <string>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

Error as_error(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const Error& error) {
        return error;
    } catch (const std::bad_alloc&) {
        return {ErrorKind::failure, "out of memory"};
    } catch (const std::exception& other) {
        return {ErrorKind::failure, other.what()};
    } catch (...) {
        return {ErrorKind::bug, "an exception of unknown type; please report it"};
    }
}

Error on_all_ranks(Error error) {
    error.mark_on_all_ranks();
    return error;
}

std::int64_t maximum(Communicator& communicator, std::int64_t value) {
    communicator.all_reduce_max(std::span(&value, 1));
    return value;
}

}  // namespace

void run_together(Communicator& communicator, const std::function<void()>& work,
                  std::chrono::milliseconds timeout) {
    std::exception_ptr mine;
    try {
        work();
    } catch (...) {
        mine = std::current_exception();
    }
    const auto failed =
        communicator.all_reduce_max_within(mine ? 1 : 0, mine ? timeout : std::chrono::milliseconds::max());
    if (!failed) throw as_error(mine);
    if (*failed > 0) throw_together(communicator, mine);
}

void run_on_first_rank(Communicator& communicator, const std::function<void()>& work) {
    std::optional<Error> error;
    try {
        if (communicator.rank() == 0) work();
    } catch (...) {
        error = as_error(std::current_exception());
    }
    if (maximum(communicator, error ? 1 : 0) == 0) return;
    ErrorKind kind = error ? error->kind() : ErrorKind::bug;
    communicator.broadcast(std::as_writable_bytes(std::span(&kind, 1)), 0);
    throw on_all_ranks({kind, broadcast_text(communicator, error ? error->what() : "", 0)});
}

void throw_together(Communicator& communicator, std::exception_ptr mine) {
    const int size = communicator.size();
    const std::int64_t lowest = maximum(communicator, mine ? size - communicator.rank() : 0);
    require(lowest > 0, "throw_together is called with an error on some rank");
    const int source = size - static_cast<int>(lowest);

    const Error own = mine ? as_error(mine) : Error(ErrorKind::bug, "");
    ErrorKind kind = own.kind();
    communicator.broadcast(std::as_writable_bytes(std::span(&kind, 1)), source);
    const std::string message = broadcast_text(communicator, own.what(), source);

    const bool differs = !mine || own.kind() != kind || own.what() != message;
    const bool name_rank = maximum(communicator, differs ? 1 : 0) > 0;
    throw on_all_ranks({kind, name_rank ? fmt::format("rank {}: {}", source, message) : message});
}

}  // namespace vae_dist
