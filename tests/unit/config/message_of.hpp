#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "vae_dist/config/load.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

// The least that is a configuration.
inline const std::string kData = "data: {synthetic: {distribution: uniform}}\n";

// The message of the input error that the text causes; a failure of the test if it causes none.
inline std::string message_of(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
    try {
        parse_config(yaml, "run.yaml", overrides);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
        return error.what();
    }
    ADD_FAILURE() << "no error from:\n" << yaml;
    return "";
}

// The message for a text that follows kData.
inline std::string message_after_data(const std::string& yaml,
                                      const std::vector<std::string>& overrides = {}) {
    return message_of(kData + yaml, overrides);
}

inline Config parsed(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
    return parse_config(kData + yaml, "run.yaml", overrides);
}

}  // namespace vae_dist
