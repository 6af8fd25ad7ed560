// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/progress/text.h"

#include <gtest/gtest.h>

namespace mybuild::progress {
namespace {

using namespace std::chrono_literals;

TEST(Text, WidthCountsColumns) {
  EXPECT_EQ(display_width(""), 0U);
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("äöü"), 3U);
  EXPECT_EQ(display_width("e\u0301"), 1U);
  EXPECT_EQ(display_width("漢字"), 4U);
  EXPECT_EQ(display_width("🚀"), 2U);
  EXPECT_EQ(display_width("\xff\xfe"), 2U);
}

TEST(Text, TruncationKeepsWholeCharacters) {
  EXPECT_EQ(truncate("abcdef", 6), "abcdef");
  EXPECT_EQ(truncate("abcdef", 5), "abcd…");
  EXPECT_EQ(truncate("漢字漢字", 5), "漢字…");
  EXPECT_EQ(truncate("漢字漢字", 4), "漢…");
  EXPECT_EQ(truncate("abc", 1), "…");
  EXPECT_EQ(truncate("abc", 0), "");
}

TEST(Text, ControlSequencesAreTakenOut) {
  const std::pair<std::string_view, std::string_view> kCases[] = {
      {"plain", "plain"},
      {"\x1b[31mred\x1b[0m", "red"},
      {"\x1b[2J\x1b[1;1Hx", "x"},
      {"\x1b]0;title\ax", "x"},
      {"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"},
      {"\x1bPq#0\x1b\\x", "x"},
      {"\x1b]unfinished", ""},
      {"\x1b[", ""},
      {"\x1b", ""},
      {"\x1b(Bx", "x"},
      {"\x1b"
       "cx",
       "x"},
      {"a\x07\x08\x7f"
       "b",
       "ab"},
      {"a\tb", "a    b"},
      {"10%\r50%\r100%", "100%"},
      {"done\r", "done"},
      {"a\xc2\x9b"
       "31mb",
       "a31mb"},
      {"a\xff"
       "b",
       "a\xef\xbf\xbd"
       "b"},
      {"\xe6\xbc", "\xef\xbf\xbd\xef\xbf\xbd"},
      {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
      {"a\u202e"
       "b",
       "ab"},
      {"漢 🚀", "漢 🚀"},
  };
  for (const auto& [bytes, text] : kCases) {
    EXPECT_EQ(printable(bytes), text);
  }
  EXPECT_EQ(printable_lines("a\x1b[1m\nb\r\n\nc"), "a\nb\n\nc");
}

TEST(Text, DigestsAreShortWhereTheyAreWhole) {
  const std::string whole = "sha256:" + std::string(64, 'a');
  const std::string brief = "sha256:" + std::string(12, 'a');
  EXPECT_EQ(short_digests("pushing " + whole + " to h/r@" + whole),
            "pushing " + brief + " to h/r@" + brief);
  for (const std::string& other : {std::string("sha256:"), whole.substr(0, 70),
                                   std::string("layers"), "sha256:" + std::string(64, 'x')}) {
    EXPECT_EQ(short_digests(other), other);
  }
}

TEST(Text, SizesAndTimesAreShort) {
  EXPECT_EQ(transfer_size(0), "0B");
  EXPECT_EQ(transfer_size(999), "999B");
  EXPECT_EQ(transfer_size(1000), "1.00kB");
  EXPECT_EQ(transfer_size(999'999), "1.00MB");
  EXPECT_EQ(transfer_size(3'370'000), "3.37MB");
  EXPECT_EQ(seconds(1234ms), "1.2s");
  EXPECT_EQ(seconds(-5ms), "0.0s");
  EXPECT_EQ(elapsed(59'940ms), "59.9s");
  EXPECT_EQ(elapsed(62s), "1m02s");
  EXPECT_EQ(elapsed(2h + 5min), "2h05m");
}

}  // namespace
}  // namespace mybuild::progress
