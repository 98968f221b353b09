#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <initializer_list>
#include <string>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

/// Expects `action` to throw an Error of `kind` whose message contains every one of `parts`.
inline void expect_error(ErrorKind kind, std::initializer_list<std::string> parts,
                         const std::function<void()>& action) {
    try {
        action();
        ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), kind) << error.what();
        for (const std::string& part : parts) {
            EXPECT_NE(std::string(error.what()).find(part), std::string::npos)
                << "no '" << part << "' in: " << error.what();
        }
    }
}

}  // namespace vae_dist
