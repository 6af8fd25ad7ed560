// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/run_mount.h"

#include <gtest/gtest.h>

namespace mybuild::frontend {
namespace {

Result<RunMount> parse_mount(std::string_view text) {
  return parse_run_mount(text, [](std::string_view word) { return Result(std::string(word)); });
}

TEST(RunMounts, AreBindAndReadOnlyUnlessSaidOtherwise) {
  const auto bind = parse_mount("target=/src");
  EXPECT_EQ(MountType::Bind, bind->type);
  EXPECT_TRUE(bind->read_only);
  EXPECT_FALSE(parse_mount("target=/src,rw")->read_only);
  EXPECT_FALSE(parse_mount("target=/src,ro=false")->read_only);
  EXPECT_FALSE(parse_mount("type=cache,target=/c")->read_only);
  EXPECT_TRUE(parse_mount("type=cache,target=/c,ro")->read_only);
}

TEST(RunMounts, FieldsMayBeQuotedAsCsv) {
  const auto mount = parse_mount("type=bind,\"source=/a,b\",\"dst=/x\"\"y\"");
  ASSERT_TRUE(mount) << mount.error().message();
  EXPECT_EQ("/a,b", mount->source);
  EXPECT_EQ("/x\"y", mount->target);
}

TEST(RunMounts, RefuseWhatMakesNoSense) {
  for (const char* text :
       {"", "type=nothing", "targt=/x", "target", "type=bind,mode=0700", "type=tmpfs,uid=1",
        "type=secret", "type=secret,id=a,source=b", "type=secret,id=a,from=b",
        "type=cache,target=/c,sharing=often", "type=bind,target=/c,sharing=shared",
        "type=bind,required", "type=cache,size=1m", "type=ssh,source=/x", "type=cache,mode=9",
        "type=cache,uid=-1", "ro=maybe", "a\"b", "\"a"}) {
    EXPECT_FALSE(parse_mount(text)) << text;
  }
}

TEST(RunMounts, VariablesAreRefusedInFromOnly) {
  EXPECT_EQ("x", *mount_from("target=/$A,from=x"));
  EXPECT_EQ("", *mount_from("type=cache,target=/c"));
  EXPECT_FALSE(mount_from("from=$A,target=/c"));
}

TEST(Sizes, ArePowersOf1024) {
  EXPECT_EQ(64U << 20, *parse_size("64m"));
  EXPECT_EQ(64U << 20, *parse_size("64MiB"));
  EXPECT_EQ(1536U, *parse_size("1.5kb"));
  EXPECT_EQ(100U, *parse_size("100"));
  EXPECT_EQ(100U, *parse_size("100b"));
  for (const char* bad : {"", "m", "-1", "1x", "1e99g", "nan"}) {
    EXPECT_FALSE(parse_size(bad)) << bad;
  }
}

}  // namespace
}  // namespace mybuild::frontend
