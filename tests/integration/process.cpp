#include "integration/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace vae_dist {

namespace fs = std::filesystem;

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kPause{20};

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

fs::path new_file() {
    std::string name = (fs::temp_directory_path() / "vae_dist_output_XXXXXX").string();
    const int descriptor = mkstemp(name.data());
    if (descriptor < 0) throw std::runtime_error("cannot create a temporary file");
    close(descriptor);
    return name;
}

// The processes of a session, by what /proc says: "pid (name) state parent group session ...". Those that
// only wait to be reaped do not count.
std::vector<pid_t> processes_of_session(pid_t session) {
    std::vector<pid_t> found;
    std::error_code gone;
    for (const auto& entry : fs::directory_iterator("/proc", gone)) {
        const std::string name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        const std::string line = contents_of(entry.path() / "stat");
        const std::size_t after_name = line.rfind(')');
        if (after_name == std::string::npos) continue;
        std::istringstream fields(line.substr(after_name + 1));
        char state = 'Z';
        pid_t parent = 0;
        pid_t group = 0;
        pid_t its_session = 0;
        fields >> state >> parent >> group >> its_session;
        if (its_session == session && state != 'Z' && state != 'X') found.push_back(std::stoi(name));
    }
    return found;
}

[[noreturn]] void become(const std::vector<std::string>& arguments, const ProcessOptions& options,
                         const fs::path& out, const fs::path& err) {
    setsid();
    const int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, 0);
    dup2(open(out.c_str(), O_WRONLY | O_TRUNC), 1);
    dup2(open(err.c_str(), O_WRONLY | O_TRUNC), 2);
    if (chdir(options.folder.c_str()) != 0) _exit(126);
    if (options.most_file_bytes) {
        signal(SIGXFSZ, SIG_DFL);
        const auto bytes = static_cast<rlim_t>(*options.most_file_bytes);
        const rlimit limit = {bytes, bytes};
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(126);
    }
    for (const std::string& assignment : options.environment)
        putenv(const_cast<char*>(assignment.c_str()));
    std::vector<char*> argv;
    for (const std::string& argument : arguments)
        argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    execvp(argv[0], argv.data());
    _exit(127);
}

}  // namespace

std::string contents_of(const fs::path& path) {
    std::ifstream stream(path, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    return std::move(text).str();
}

std::string Outcome::text() const {
    return fmt::format("status {} after {:.1f} s\n--- stdout\n{}\n--- stderr\n{}", status, seconds, out, err);
}

Process::Process(const std::vector<std::string>& arguments, const ProcessOptions& options)
    : out_(new_file()), err_(new_file()) {
    pid_ = fork();
    if (pid_ < 0) throw std::runtime_error("cannot fork");
    if (pid_ == 0) become(arguments, options, out_, err_);
}

Process::~Process() {
    kill();
    std::error_code ignored;
    fs::remove(out_, ignored);
    fs::remove(err_, ignored);
}

bool Process::all_gone() {
    int status = 0;
    if (!status_ && waitpid(pid_, &status, WNOHANG) == pid_) {
        status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    return status_ && processes_of_session(pid_).empty();
}

bool Process::running() {
    return !all_gone();
}

void Process::kill() {
    while (!all_gone()) {
        for (const pid_t process : processes_of_session(pid_))
            ::kill(process, SIGKILL);
        std::this_thread::sleep_for(kPause);
    }
}

bool Process::gone_within(std::chrono::milliseconds patience) {
    const Clock::time_point begun = Clock::now();
    while (!all_gone()) {
        if (Clock::now() - begun > patience) return false;
        std::this_thread::sleep_for(kPause);
    }
    return true;
}

void Process::signal(int number) {
    if (!all_gone() && !status_) ::kill(pid_, number);
}

std::optional<pid_t> Process::process_of_rank(int rank) const {
    // The environment is a list of texts that each end in a zero byte.
    const std::string variable = fmt::format("\nOMPI_COMM_WORLD_RANK={}\n", rank);
    for (const pid_t process : processes_of_session(pid_)) {
        std::string environment = '\n' + contents_of(fmt::format("/proc/{}/environ", process));
        std::replace(environment.begin(), environment.end(), '\0', '\n');
        if (environment.find(variable) != std::string::npos) return process;
    }
    return std::nullopt;
}

bool Process::signal_rank(int rank, int number) {
    const std::optional<pid_t> process = process_of_rank(rank);
    return process && ::kill(*process, number) == 0;
}

std::string Process::out() const {
    return contents_of(out_);
}

void Process::note_error() {
    if (!error_seen_ && contents_of(err_).find("vae_dist: error:") != std::string::npos)
        error_seen_ = Clock::now();
}

Outcome Process::wait(std::chrono::seconds limit) {
    bool in_time = true;
    while (in_time && !all_gone()) {
        note_error();
        std::this_thread::sleep_for(kPause);
        in_time = Clock::now() - begun_ < limit;
    }
    if (!in_time) kill();
    Outcome outcome;
    outcome.status = in_time ? status_.value() : -1;
    outcome.out = contents_of(out_);
    outcome.err = contents_of(err_);
    outcome.seconds = seconds_since(begun_);
    if (error_seen_) outcome.seconds_after_error = seconds_since(*error_seen_);
    return outcome;
}

}  // namespace vae_dist
