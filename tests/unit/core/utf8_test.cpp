#include "vae_dist/core/utf8.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vae_dist {
namespace {

TEST(Utf8, WholeCharactersAreCounted) {
    for (const std::string text :
         {"", "abc",
          "gr\xc3\xb6\xc3\x9f"
          "e",
          "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xef\xbf\xbd", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"}) {
        EXPECT_TRUE(is_utf8(text)) << text;
    }
    EXPECT_TRUE(is_utf8(std::string(1, '\0')));
}

TEST(Utf8, OtherBytesEndThePrefix) {
    EXPECT_EQ(utf8_prefix("gr\xf6\xdf"
                          "e"),
              2U);                                    // Latin-1
    EXPECT_EQ(utf8_prefix("a\xc3"), 1U);              // cut short
    EXPECT_EQ(utf8_prefix("a\xc0\xaf"), 1U);          // overlong
    EXPECT_EQ(utf8_prefix("a\xe0\x80\xaf"), 1U);      // overlong
    EXPECT_EQ(utf8_prefix("a\xed\xa0\x80"), 1U);      // a surrogate
    EXPECT_EQ(utf8_prefix("a\xf4\x90\x80\x80"), 1U);  // beyond the last character
    EXPECT_EQ(utf8_prefix("a\x80"), 1U);              // a second byte alone
    EXPECT_EQ(utf8_prefix("a\xe2\x82"
                          "b"),
              1U);  // a third byte missing
    EXPECT_EQ(utf8_prefix("\xff\xfe"), 0U);
}

TEST(Utf8, MessagesHaveNoBytesThatATerminalCannotShow) {
    EXPECT_EQ(printable("gr\xc3\xb6\xc3\x9f"
                        "e"),
              "gr\xc3\xb6\xc3\x9f"
              "e");
    EXPECT_EQ(printable("gr\xf6\xdf"
                        "e\x1b[2J\n"),
              "gr\\xf6\\xdf"
              "e\\x1b[2J\\x0a");
    EXPECT_EQ(printable(std::string(40, 'a')), std::string(40, 'a'));
    EXPECT_EQ(printable(std::string(41, 'a')), std::string(40, 'a') + "...");
    EXPECT_EQ(printable(std::string(39, 'a') + "\xc3\xb6"),
              std::string(39, 'a') + "...");  // no half character
    EXPECT_EQ(printable(std::string(1, '\0')), "\\x00");
}

}  // namespace
}  // namespace vae_dist
