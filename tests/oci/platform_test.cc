// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/oci/platform.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace mybuild::oci {
namespace {

Platform parsed(std::string_view text) {
  Result<Platform> platform = parse_platform(text);
  EXPECT_TRUE(platform) << text;
  return platform.value_or(Platform{});
}

TEST(Platform, NamesAreNormalisedAsContainerdDoes) {
  const std::pair<const char*, const char*> cases[] = {
      {"linux/amd64", "linux/amd64"},
      {"linux/x86_64", "linux/amd64"},
      {"linux/amd64/v1", "linux/amd64"},
      {"linux/amd64/v3", "linux/amd64/v3"},
      {"linux/arm64", "linux/arm64"},
      {"linux/arm64/v8", "linux/arm64"},
      {"linux/aarch64", "linux/arm64"},
      {"linux/armhf", "linux/arm/v7"},
      {"linux/armel", "linux/arm/v6"},
      {"linux/arm", "linux/arm/v7"},
      {"linux/arm/6", "linux/arm/v6"},
      {"Linux/ARM64", "linux/arm64"},
      {"linux/i386", "linux/386"},
      {"macos/arm64", "darwin/arm64"},
      {"windows(10.0.17763)/amd64", "windows(10.0.17763)/amd64"},
  };
  for (const auto& [text, normal] : cases) {
    EXPECT_EQ(to_string(parsed(text)), normal) << text;
  }
}

TEST(Platform, MissingPartsComeFromTheHost) {
  const Platform host = host_platform();
  EXPECT_EQ(host.os, "linux");
  EXPECT_FALSE(host.architecture.empty());
  EXPECT_EQ(parsed("linux"), host);
  EXPECT_EQ(to_string(parsed("arm64")), "linux/arm64");
  EXPECT_EQ(to_string(parsed("armhf")), "linux/arm/v7");
}

TEST(Platform, WhatIsNoPlatformIsRefusedWithAHint) {
  for (const char* text : {"", "/", "linux/", "linux/amd64/v1/x", "sparc", "linux/a b",
                           "lin*x/amd64", "windows(10/amd64", "windows()/amd64"}) {
    const Result<Platform> platform = parse_platform(text);
    ASSERT_FALSE(platform) << text;
    EXPECT_EQ(platform.error().kind(), ErrorKind::InvalidArgument);
    EXPECT_THAT(platform.error().hint(), testing::HasSubstr("os/architecture"));
  }
}

TEST(Platform, TheExactVariantWinsThenOlderOnesOfArm) {
  const std::vector<Platform> offered = {parsed("linux/arm/v5"), parsed("linux/arm/v6"),
                                         parsed("linux/arm64"), parsed("linux/arm/v7")};
  EXPECT_EQ(best_match(parsed("linux/arm/v7"), offered), 3u);
  EXPECT_EQ(best_match(parsed("linux/arm/v6"), offered), 1u);
  EXPECT_EQ(best_match(parsed("linux/arm64"), offered), 2u);
  EXPECT_EQ(best_match(parsed("linux/amd64"), offered), std::nullopt);
}

TEST(Platform, AProcessorAlsoRunsItsAncestors) {
  EXPECT_GT(match_score(parsed("linux/arm64"), parsed("linux/arm/v7")), 0);
  EXPECT_GT(match_score(parsed("linux/amd64"), parsed("linux/386")), 0);
  EXPECT_GT(match_score(parsed("linux/amd64/v3"), parsed("linux/amd64/v2")),
            match_score(parsed("linux/amd64/v3"), parsed("linux/amd64")));
  EXPECT_EQ(match_score(parsed("linux/amd64"), parsed("linux/amd64/v3")), 0);
  EXPECT_EQ(match_score(parsed("linux/arm/v6"), parsed("linux/arm/v7")), 0);
  EXPECT_EQ(match_score(parsed("linux/386"), parsed("linux/amd64")), 0);
}

TEST(Platform, AttestationsInAnIndexNeverMatch) {
  EXPECT_EQ(match_score(parsed("linux/amd64"), Platform{"unknown", "unknown", "", ""}), 0);
}

TEST(Platform, WindowsVersionsMatchUpToTheirRevision) {
  const Platform wanted = parsed("windows(10.0.17763)/amd64");
  EXPECT_GT(match_score(wanted, parsed("windows(10.0.17763.1234)/amd64")), 0);
  EXPECT_EQ(match_score(wanted, parsed("windows(10.0.177630)/amd64")), 0);
  EXPECT_GT(match_score(parsed("windows/amd64"), parsed("windows(10.0.1)/amd64")), 0);
}

}  // namespace
}  // namespace mybuild::oci
