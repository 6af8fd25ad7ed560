// SPDX-License-Identifier: Apache-2.0
// Compares text with a file below testdata/cmd; UPDATE_GOLDEN=1 rewrites it and marks the test
// skipped.
#pragma once

#include "snapshotter/base/file.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace mybuild {

inline void expect_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(MYBUILD_SOURCE_DIR) + "/testdata/cmd/" + name;
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    ASSERT_TRUE(make_dirs(path.substr(0, path.rfind('/')))) << path;
    ASSERT_TRUE(write_file(path, text)) << path;
    GTEST_SKIP() << "rewrote " << path;
  }
  const auto golden = read_file(path);
  ASSERT_TRUE(golden) << golden.error().message();
  EXPECT_EQ(text, *golden) << "UPDATE_GOLDEN=1 rewrites " << path;
}

}  // namespace mybuild
