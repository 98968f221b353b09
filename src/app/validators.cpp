#include "app/validators.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "vae_dist/core/text.hpp"

namespace vae_dist {

CLI::Validator within(std::int64_t least, std::int64_t most) {
    const auto check = [least, most](const std::string& text) {
        std::int64_t value = 0;
        const char* const end = text.data() + text.size();
        const auto [rest, error] = std::from_chars(text.data(), end, value);
        const bool good = error == std::errc() && rest == end && value >= least && value <= most;
        return good ? "" : fmt::format("{} is not a whole number from {} to {}", text, least, most);
    };
    return {check, ""};
}

CLI::Validator one_of(std::vector<std::string> words) {
    const auto check = [words = std::move(words)](const std::string& text) {
        if (std::ranges::find(words, text) != words.end()) return std::string();
        std::vector<std::string> quoted;
        for (const std::string& word : words)
            quoted.push_back(fmt::format("'{}'", word));
        return fmt::format("'{}' is none of {}", text, format_list(quoted));
    };
    return {check, ""};
}

}  // namespace vae_dist
