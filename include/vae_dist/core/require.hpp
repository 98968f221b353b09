#pragma once

#include <source_location>
#include <stdexcept>
#include <string>

namespace vae_dist {

/// The cause of an error, and who can act on it.
enum class ErrorKind {
    input,    ///< the user's: command line, configuration, data or checkpoint are wrong (exit status 2)
    failure,  ///< the machine's: a disk is full, a rank died, training diverged (exit status 1)
    bug,      ///< the program's: an invariant of the program does not hold (exit status 1)
};

/// The only exception type of the project. Its message names the action that failed, the file, key or
/// dataset, and what to do about it.
class Error : public std::runtime_error {
 public:
    Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}

    ErrorKind kind() const { return kind_; }

    /// The process's exit status for this error: 2 for wrong input, else 1.
    int exit_status() const { return kind_ == ErrorKind::input ? 2 : 1; }

    /// Whether all ranks throw this same error: one of them may then print it for all, and no rank waits in a
    /// collective call (see `run_together`).
    bool on_all_ranks() const { return on_all_ranks_; }
    Error& mark_on_all_ranks() {
        on_all_ranks_ = true;
        return *this;
    }

 private:
    ErrorKind kind_;
    bool on_all_ranks_ = false;
};

#ifdef __cpp_lib_source_location
using SourceLocation = std::source_location;
#else
/// A replacement for std::source_location where it is missing: Clang before version 16, with GCC's library.
class SourceLocation {
 public:
    static constexpr SourceLocation current(const char* file = __builtin_FILE(),
                                            const char* function = __builtin_FUNCTION(),
                                            unsigned line = __builtin_LINE()) {
        SourceLocation location;
        location.file_ = file;
        location.function_ = function;
        location.line_ = line;
        return location;
    }
    constexpr const char* file_name() const { return file_; }
    constexpr const char* function_name() const { return function_; }
    constexpr unsigned line() const { return line_; }

 private:
    const char* file_ = "";
    const char* function_ = "";
    unsigned line_ = 0;
};
#endif

/// Throws `ErrorKind::bug` with the caller's place in the source unless `holds`; in release builds too.
void require(bool holds, const char* invariant, SourceLocation where = SourceLocation::current());

}  // namespace vae_dist
