#include "integration/workplace.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

namespace vae_dist {

namespace {

std::vector<std::string> words(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> words;
    for (std::string word; stream >> word;)
        words.push_back(word);
    return words;
}

std::vector<std::string> error_lines(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) {
        if (line.starts_with("vae_dist: error:")) lines.push_back(line);
    }
    return lines;
}

}  // namespace

std::vector<std::string> mpirun_command() {
    std::vector<std::string> command = {"env"};
    for (const std::string& assignment : words(VAE_DIST_MPI_ENVIRONMENT))
        command.push_back(assignment);
    command.push_back(VAE_DIST_MPIEXEC);
    return command;
}

std::vector<std::string> vae_dist_command(int ranks, const std::vector<std::string>& arguments) {
    std::vector<std::string> command;
    if (ranks > 0) {
        command = mpirun_command();
        command.insert(command.end(), {VAE_DIST_MPIEXEC_NUMPROC_FLAG, std::to_string(ranks)});
    }
    const char* const other = std::getenv("VAE_DIST_PROGRAM");
    command.emplace_back(other == nullptr ? VAE_DIST_PROGRAM : other);
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
}

std::vector<std::string> with_settings(const std::string& config, const std::vector<std::string>& settings) {
    std::vector<std::string> arguments = {config};
    for (const std::string& setting : settings)
        arguments.insert(arguments.end(), {"--set", setting});
    return arguments;
}

std::vector<std::string> slow_disk(const std::filesystem::path& folder, std::chrono::milliseconds delay) {
    // By a name without blanks, which would part two libraries; tests clear their folders away.
    static const TemporaryFolder kPlace;
    const std::filesystem::path library = kPlace.path() / "slow_disk.so";
    std::error_code exists;
    std::filesystem::create_symlink(VAE_DIST_SLOW_DISK, library, exists);
    const char* const sanitizer = std::getenv("ASAN_OPTIONS");
    return {"LD_PRELOAD=" + library.string(), "SLOW_DISK_FOLDER=" + folder.string(),
            "SLOW_DISK_MS=" + std::to_string(delay.count()),
            // A program that was built with sanitizers asks for their library to come first.
            fmt::format("ASAN_OPTIONS={}:verify_asan_link_order=0", sanitizer == nullptr ? "" : sanitizer)};
}

std::unique_ptr<Process> Workplace::start(int ranks, const std::vector<std::string>& arguments,
                                          ProcessOptions options) const {
    options.folder = folder_.path();
    return std::make_unique<Process>(vae_dist_command(ranks, arguments), options);
}

Outcome Workplace::run(int ranks, const std::vector<std::string>& arguments, ProcessOptions options) const {
    options.folder = folder_.path();
    return Process(vae_dist_command(ranks, arguments), options).wait(limit_);
}

Outcome Workplace::run_well(int ranks, const std::vector<std::string>& arguments) const {
    Outcome outcome = run(ranks, arguments);
    EXPECT_EQ(outcome.status, 0) << outcome.text();
    EXPECT_EQ(outcome.err.find("vae_dist: error:"), std::string::npos) << outcome.text();
    return outcome;
}

void Workplace::write_text(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(path(name).parent_path());
    std::ofstream(path(name)) << text;
}

void expect_parts(const std::string& text, std::initializer_list<std::string> parts) {
    for (const std::string& part : parts) {
        EXPECT_NE(text.find(part), std::string::npos) << "no '" << part << "' in:\n" << text;
    }
}

bool comes_true_while_running(Process& process, const std::function<bool()>& condition) {
    const auto begun = std::chrono::steady_clock::now();
    while (!condition()) {
        if (!process.running() || std::chrono::steady_clock::now() - begun > std::chrono::seconds(100))
            return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
}

void expect_refused(const Outcome& outcome, int status, std::initializer_list<std::string> parts) {
    EXPECT_EQ(outcome.status, status) << outcome.text();
    const auto lines = error_lines(outcome.err);
    ASSERT_EQ(lines.size(), 1U) << outcome.text();
    EXPECT_TRUE(error_lines(outcome.out).empty()) << outcome.text();
    expect_parts(lines[0], parts);
    EXPECT_LT(outcome.seconds_after_error, 10) << outcome.text();
}

}  // namespace vae_dist
