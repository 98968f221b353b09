#pragma once

#include <fmt/format.h>

#include <memory>
#include <string>

namespace spdlog {
class logger;
}

namespace vae_dist {

/// Messages for the user at the terminal. Information comes from rank 0 alone, on stdout; a warning from any
/// rank, on stderr, with the number of the rank if it is not 0.
class Log {
 public:
    explicit Log(int rank);

    /// A line on stdout; nothing on ranks other than 0.
    template <class... Args>
    void info(fmt::format_string<Args...> format, Args&&... args) const {
        write_info(fmt::format(format, std::forward<Args>(args)...));
    }

    /// A line "vae_dist: warning: ..." on stderr.
    template <class... Args>
    void warn(fmt::format_string<Args...> format, Args&&... args) const {
        write_warning(fmt::format(format, std::forward<Args>(args)...));
    }

    /// A line "vae_dist: error: ..." on stderr; `name_rank` adds the number of this rank.
    void error(const std::string& message, bool name_rank) const;

    int rank() const { return rank_; }

 private:
    void write_info(const std::string& line) const;
    void write_warning(const std::string& message) const;

    int rank_;
    std::shared_ptr<spdlog::logger> out_;
    std::shared_ptr<spdlog::logger> err_;
};

}  // namespace vae_dist
