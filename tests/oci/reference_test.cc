// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/oci/reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace mybuild::oci {
namespace {

constexpr char kDigest[] =
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST(Reference, ShortNamesMeanWhatTheyMeanToDocker) {
  const std::string digest = std::string("@") + kDigest;
  struct Case {
    std::string text, normal, familiar;
  };
  const Case cases[] = {
      {"busybox", "docker.io/library/busybox:latest", "busybox:latest"},
      {"busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36"},
      {"user/app", "docker.io/user/app:latest", "user/app:latest"},
      {"docker.io/busybox", "docker.io/library/busybox:latest", "busybox:latest"},
      {"index.docker.io/user/app", "docker.io/user/app:latest", "user/app:latest"},
      {"localhost/app", "localhost/app:latest", "localhost/app:latest"},
      {"localhost:5000/a/b:t", "localhost:5000/a/b:t", "localhost:5000/a/b:t"},
      {"ghcr.io/o/r", "ghcr.io/o/r:latest", "ghcr.io/o/r:latest"},
      {"[::1]:5000/x", "[::1]:5000/x:latest", "[::1]:5000/x:latest"},
      {"busybox" + digest, "docker.io/library/busybox" + digest, "busybox" + digest},
      {"busybox:1" + digest, "docker.io/library/busybox:1" + digest, "busybox:1" + digest},
      {"docker.io/library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest"},
      {"a__b/c-d--e.f", "docker.io/a__b/c-d--e.f:latest", "a__b/c-d--e.f:latest"},
  };
  for (const Case& c : cases) {
    const Result<Reference> reference = Reference::parse(c.text);
    ASSERT_TRUE(reference) << c.text << ": " << reference.error().message();
    EXPECT_EQ(reference->str(), c.normal);
    EXPECT_EQ(reference->familiar(), c.familiar);
    EXPECT_EQ(Reference::parse(reference->str()).value(), *reference);
    EXPECT_EQ(Reference::parse(reference->familiar()).value(), *reference);
  }
}

TEST(Reference, BrokenNamesAreRefused) {
  const std::string too_long(256, 'a');
  for (const std::string text :
       {"",
        ":tag",
        "a:",
        "a:b c",
        "a//b",
        "/a",
        "a/",
        "a..b",
        "a___b",
        "-a",
        "a-",
        "a@sha256:12",
        "a@md5:12",
        "exa_mple.com:80/x",
        "host:port/x",
        "[::1/x",
        "[zz]/x",
        "a b",
        "a:.t",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}) {
    EXPECT_FALSE(Reference::parse(text)) << text;
  }
  EXPECT_FALSE(Reference::parse(too_long));
  EXPECT_FALSE(Reference::parse("a:" + std::string(129, 't')));
}

TEST(Reference, UpperCaseNamesGetAHint) {
  const Result<Reference> reference = Reference::parse("MyApp:v1");
  ASSERT_FALSE(reference);
  EXPECT_EQ(reference.error().kind(), ErrorKind::InvalidArgument);
  EXPECT_THAT(reference.error().message(), testing::HasSubstr("lower case"));
  EXPECT_FALSE(reference.error().hint().empty());
}

TEST(Reference, OnlyThisMachineIsLoopback) {
  for (const char* domain :
       {"localhost", "localhost:5000", "127.0.0.1", "127.8.9.1:80", "[::1]:5000", "[::1]"}) {
    EXPECT_TRUE(is_loopback(domain)) << domain;
  }
  for (const char* domain : {"docker.io", "127.0.0.1.example.com", "localhost.example.com",
                             "10.0.0.1", "128.0.0.1:127", "[::2]", "[::1", ""}) {
    EXPECT_FALSE(is_loopback(domain)) << domain;
  }
}

}  // namespace
}  // namespace mybuild::oci
