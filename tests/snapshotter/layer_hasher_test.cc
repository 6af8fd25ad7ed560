// SPDX-License-Identifier: Apache-2.0
// Both ways give the same digests: CPUs without SHA-256 take the one that those with it never try.
#include "snapshotter/layer_hasher.h"

#include <gtest/gtest.h>

#include <vector>

namespace mybuild::snapshotter {
namespace {

void expect_digests(bool in_one_pass) {
  StringSink copies;
  LayerHasher hasher(copies, in_one_pass);
  std::string tar;
  const auto write = [&](const std::string& text) {
    tar += text;
    ASSERT_TRUE(hasher.write(as_bytes(text)));
  };
  for (const std::size_t size : {0UL, 1UL, 511UL, 512UL, 100'000UL, 3'000'000UL}) {
    write(std::string(512, 'h'));
    const std::string file(size, static_cast<char>('a' + size % 7));
    hasher.begin_file();
    write(file.substr(0, size / 3));
    write(file.substr(size / 3));
    EXPECT_EQ(hasher.end_file(), Digest::of(file)) << size << " bytes";
    write(std::string((512 - size % 512) % 512, '\0'));
  }
  EXPECT_EQ(hasher.finish(), Digest::of(tar));
  EXPECT_TRUE(copies.text == tar);
}

TEST(LayerHasher, DigestsOfATarAndItsFilesOnTwoThreads) {
  expect_digests(false);
}

TEST(LayerHasher, DigestsOfATarAndItsFilesInOnePass) {
  if (!Sha256Pair::is_supported()) {
    GTEST_SKIP() << "this CPU has no instructions for SHA-256";
  }
  expect_digests(true);
}

}  // namespace
}  // namespace mybuild::snapshotter
