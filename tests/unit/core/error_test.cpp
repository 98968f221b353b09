#include "vae_dist/core/error.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vae_dist {
namespace {

TEST(Error, WrongInputExitsWithTwoAndAllElseWithOne) {
    EXPECT_EQ(Error(ErrorKind::input, "x").exit_status(), 2);
    EXPECT_EQ(Error(ErrorKind::failure, "x").exit_status(), 1);
    EXPECT_EQ(Error(ErrorKind::bug, "x").exit_status(), 1);
}

TEST(Error, ABrokenInvariantIsCalledABugAndNamesItsPlace) {
    EXPECT_NO_THROW(require(true, "holds"));
    try {
        require(false, "rows are positive");
        FAIL() << "require(false) did not throw";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::bug);
        EXPECT_NE(std::string(error.what()).find("rows are positive"), std::string::npos);
        EXPECT_NE(std::string(error.what()).find("error_test.cpp"), std::string::npos);
    }
}

}  // namespace
}  // namespace vae_dist
