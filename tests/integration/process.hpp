#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace vae_dist {

/// How a command ended.
struct Outcome {
    int status = -1;  ///< exit status; 128 + signal; -1 if it had to be killed at its time limit
    std::string out;
    std::string err;
    double seconds = 0;
    double seconds_after_error =
        0;  ///< from the first line "vae_dist: error:" to the end of all its processes

    /// All of it, for messages of failed tests.
    std::string text() const;
};

struct ProcessOptions {
    std::filesystem::path folder = ".";  ///< working directory
    std::optional<std::int64_t> most_file_bytes =
        {};  ///< no file may grow beyond, which a writer takes for a full disk
    std::vector<std::string> environment = {};  ///< "NAME=value", besides this process's own
};

/// A command in a session of its own, so that all processes it starts can be found, and ended, and nobody
/// else's.
class Process {
 public:
    /// `arguments`: the program, looked up in PATH, then its arguments.
    Process(const std::vector<std::string>& arguments, const ProcessOptions& options);
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    /// Kills it and all its descendants (SIGKILL), and waits until they are gone.
    void kill();
    bool running();
    /// Whether it and all its descendants end within `patience`; they are left alone.
    bool gone_within(std::chrono::milliseconds patience);
    /// Sends a signal to the command itself: to mpirun where it runs under one.
    void signal(int number);
    /// The rank of that number that Open MPI started, once there is one.
    std::optional<pid_t> process_of_rank(int rank) const;
    /// Sends a signal to it; false where there is none.
    bool signal_rank(int rank, int number);
    /// What it has written to stdout so far.
    std::string out() const;
    /// Waits for its end and that of all its descendants; kills them after `limit`.
    Outcome wait(std::chrono::seconds limit);

 private:
    bool all_gone();
    void note_error();

    pid_t pid_;
    std::filesystem::path out_;
    std::filesystem::path err_;
    std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
    std::optional<std::chrono::steady_clock::time_point> error_seen_;
    std::optional<int> status_;
};

/// The whole of a file; empty if it cannot be read.
std::string contents_of(const std::filesystem::path& path);

}  // namespace vae_dist
