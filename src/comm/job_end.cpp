#include "vae_dist/comm/job_end.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace vae_dist {
namespace {

using SystemTime = std::chrono::system_clock::time_point;
using SteadyTime = std::chrono::steady_clock::time_point;

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

// Seconds since 1970, up to the year 2100: Slurm writes "never" as larger numbers.
std::optional<SystemTime> parse_time(std::string_view text) {
    constexpr std::int64_t kYear2100 = 4'102'444'800;
    std::int64_t seconds = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (status != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    if (seconds <= 0 || seconds >= kYear2100) return std::nullopt;
    return SystemTime(std::chrono::seconds(seconds));
}

// The environment of this process without the user's settings for squeue, and with times as seconds since
// 1970, which do not depend on time zones.
std::vector<std::string> squeue_environment() {
    std::vector<std::string> variables = {"SLURM_TIME_FORMAT=%s"};
    for (char** variable = environ; *variable != nullptr; ++variable) {
        const std::string_view text = *variable;
        if (!text.starts_with("SLURM_TIME_FORMAT=") && !text.starts_with("SQUEUE_"))
            variables.emplace_back(text);
    }
    return variables;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts)
        pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

// Starts squeue in its own process group, with its output and its messages to `output`. Returns 0 or errno.
int start_squeue(const std::string& job, int output, pid_t& process) {
    std::vector<std::string> arguments = {"squeue", "--noheader", "--jobs=" + job, "--format=%A %e"};
    std::vector<std::string> variables = squeue_environment();

    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setpgroup(&attributes, 0);

    const int status = posix_spawnp(&process, "squeue", &files, &attributes, pointers_to(arguments).data(),
                                    pointers_to(variables).data());
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return status;
}

// The text from a pipe until its other end is closed or until `deadline`; 64 KiB or a little more at most.
std::string read_until(int input, SteadyTime deadline) {
    constexpr std::size_t kMost = 64 << 10;
    std::string text;
    while (text.size() < kMost) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyTime::clock::now());
        pollfd ready = {input, POLLIN, 0};
        const int events = poll(&ready, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
        if (events < 0 && errno == EINTR) continue;
        if (events <= 0) break;
        std::array<char, 4096> bytes;
        const ssize_t count = read(input, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        text.append(bytes.data(), static_cast<std::size_t>(count));
    }
    return text;
}

// Waits for the end of a killed process, for a second at most: a process that hangs in a file system that
// does not answer cannot be killed.
void reap(pid_t process) {
    constexpr std::chrono::seconds kMoment{1};
    const SteadyTime latest = SteadyTime::clock::now() + kMoment;
    while (waitpid(process, nullptr, WNOHANG) == 0 && SteadyTime::clock::now() < latest)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

// The output of squeue about a job, messages included; or why there is none.
std::string ask_squeue(const std::string& job, std::chrono::milliseconds timeout) {
    const SteadyTime deadline = SteadyTime::clock::now() + timeout;
    std::array<int, 2> ends;
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return std::strerror(errno);
    pid_t squeue = 0;
    const int status = start_squeue(job, ends[1], squeue);
    close(ends[1]);
    std::string answer = status == 0 ? read_until(ends[0], deadline) : std::strerror(status);
    close(ends[0]);
    if (status != 0) return answer;

    // It is done, or late. Its group includes the children of a wrapper script.
    kill(-squeue, SIGKILL);
    reap(squeue);
    return answer;
}

// The rest of the line that begins with the job's number: for one task of an array squeue may print the
// others, too.
std::optional<std::string_view> line_of(const std::string& job, std::string_view answer) {
    for (std::size_t at = 0; at < answer.size();) {
        const std::size_t end = std::min(answer.find('\n', at), answer.size());
        const std::string_view line = answer.substr(at, end - at);
        if (line.starts_with(job + " ")) return line.substr(job.size() + 1);
        at = end + 1;
    }
    return std::nullopt;
}

bool means_no_limit(std::string_view word) {
    constexpr std::array kWords = {"N/A", "NONE", "UNLIMITED", "Unknown"};
    return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

std::string first_line(const std::string& text) {
    return text.substr(0, text.find('\n'));
}

}  // namespace

std::optional<SystemTime> job_end_time(const Log& log, std::chrono::milliseconds timeout) {
    const std::string job = environment("SLURM_JOB_ID");
    if (job.empty()) return std::nullopt;

    // An end in the past was moved: the job still runs.
    const std::optional<SystemTime> end_in_environment = parse_time(environment("SLURM_JOB_END_TIME"));
    if (end_in_environment && *end_in_environment > SystemTime::clock::now()) return end_in_environment;

    const bool is_number = job.find_first_not_of("0123456789") == std::string::npos;
    const std::string answer = is_number ? ask_squeue(job, timeout) : "that is not a number";
    const std::optional<std::string_view> end = line_of(job, answer);
    if (end && means_no_limit(*end)) return std::nullopt;
    const std::optional<SystemTime> time = end ? parse_time(*end) : std::nullopt;
    if (!time) {
        log.warn(
            "cannot learn from squeue when Slurm job {} ends ({}); only signals and a duration in "
            "train.time_limit stop the run before",
            job, answer.empty() ? "no answer" : first_line(answer));
    }
    return time;
}

}  // namespace vae_dist
