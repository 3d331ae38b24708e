#include "trainer/data/printable.h"

#include <gtest/gtest.h>

namespace convoy::test {
namespace {

TEST(Printable, LeavesTextAlone) {
  for (const char* text : {"", "cat 1.jpg", "Käse", "猫.png", "😀", "\u00a0"})
    EXPECT_EQ(printable(text), text);
}

TEST(Printable, EscapesControlCharacters) {
  EXPECT_EQ(printable("a\nb\tc\x1b[31m\x7f"), "a\\nb\\tc\\x1b[31m\\x7f");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(printable("\u009b31m"), "\\xc2\\x9b31m");  // as escape and [
}

// So that messages are UTF-8, as JSON must be.
TEST(Printable, EscapesWhatIsNoUtf8) {
  EXPECT_EQ(printable("K\xe4se"), "K\\xe4se");       // Latin-1
  EXPECT_EQ(printable("a\xe7\x8c"), "a\\xe7\\x8c");  // cut
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");    // written too long
  EXPECT_EQ(printable("\xe0\x80\xaf"), "\\xe0\\x80\\xaf");
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // half of a pair of UTF-16
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // beyond Unicode
  EXPECT_EQ(printable("\x80\xff"), "\\x80\\xff");
}

}  // namespace
}  // namespace convoy::test
