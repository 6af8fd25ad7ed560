// SPDX-License-Identifier: Apache-2.0
// .gitmodules, as people write them and as attackers do.
#include "builder/git/gitmodules.h"

#include <gtest/gtest.h>

namespace mybuild::git {
namespace {

TEST(Gitmodules, sections_keys_quotes_and_comments) {
  const auto modules = parse_gitmodules(
      "# a comment\n[submodule \"lib one\"]\n\tpath = \"third party/one\"\n  URL = ../one.git ; "
      "why\n"
      "[core]\n\tpath = not-this\n[submodule \"two\"] path = two/\nurl = "
      "https://h/a\\\\b\nupdate=none\n"
      "[submodule \"lib one\"]\n\turl = https://h/\\\none\nbranch\n");
  ASSERT_TRUE(modules) << modules.error().message();
  ASSERT_EQ(modules->size(), 2U);
  EXPECT_EQ(modules->at("third party/one").name, "lib one");
  EXPECT_EQ(modules->at("third party/one").url, "https://h/one");
  EXPECT_EQ(modules->at("two").url, "https://h/a\\b");
  EXPECT_EQ(modules->at("two").update, "none");
  EXPECT_TRUE(parse_gitmodules("")->empty());
}

TEST(Gitmodules, names_and_paths_that_lead_out_are_refused) {
  for (const char* name : {"..", "../x", "a/../../b", "a\\..\\b", "/x", "", "a\x01"}) {
    const std::string text = "[submodule \"" + std::string(name) + "\"]\npath = a\nurl = b\n";
    if (std::string(name) == "a\\..\\b") {
      continue;  // the backslashes are escapes there
    }
    EXPECT_FALSE(parse_gitmodules(text)) << name;
  }
  for (const char* path : {"../x", "a/../b", "/etc", "-x", "./a", "a//b"}) {
    EXPECT_FALSE(parse_gitmodules("[submodule \"m\"]\npath = " + std::string(path) + "\nurl = b\n"))
        << path;
  }
}

TEST(Gitmodules, what_is_no_config_is_an_error_with_its_line) {
  for (const char* text :
       {"[submodule \"a", "[submodule \"a\"", "=x\n", "[submodule \"a\"]\nurl = \"x\n",
        "[submodule \"a\"]\nurl = a\\q\n", "[submodule \"a\"]\nurl = a\\"}) {
    const auto modules = parse_gitmodules(text);
    ASSERT_FALSE(modules) << text;
    EXPECT_NE(modules.error().message().find(".gitmodules line"), std::string::npos);
  }
}

}  // namespace
}  // namespace mybuild::git
