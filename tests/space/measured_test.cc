// SPDX-License-Identifier: Apache-2.0
#include "builder/space/measured.h"

#include "snapshotter/base/file.h"

#include <gtest/gtest.h>

namespace mybuild::space {
namespace {

class Measured : public ::testing::Test {
 protected:
  std::uint64_t measure(std::optional<int> changed, int began, std::uint64_t bytes) {
    const auto at = [](int second) { return Time(std::chrono::seconds(second)); };
    return measured_bytes(note_, changed ? std::optional(at(*changed)) : std::nullopt, at(began),
                          [&]() -> Result<std::uint64_t> {
                            ++walks_;
                            return bytes;
                          })
        .value();
  }
  const TempDir dir_ = TempDir::create().value();
  const std::string note_ = join_path(dir_.path(), ".size");
  int walks_ = 0;
};

TEST_F(Measured, NothingIsWalkedAgainThatDidNotChange) {
  EXPECT_EQ(measure(100, 200, 7), 7U);
  EXPECT_EQ(measure(100, 300, 8), 7U);
  EXPECT_EQ(walks_, 1);
}

TEST_F(Measured, WhatChangedSinceIsWalked) {
  EXPECT_EQ(measure(100, 200, 7), 7U);
  EXPECT_EQ(measure(200, 300, 8), 8U);
  EXPECT_EQ(measure(200, 400, 9), 8U);
}

TEST_F(Measured, AChangeWithinTheGrainOfTimesIsNotMissed) {
  EXPECT_EQ(measure(200, 201, 7), 7U);
  EXPECT_EQ(measure(200, 202, 8), 8U);
  EXPECT_EQ(measure(200, 203, 9), 9U);
  EXPECT_EQ(measure(200, 204, 10), 9U);
}

TEST_F(Measured, WhatChangesNowIsNotRemembered) {
  EXPECT_EQ(measure(100, 200, 7), 7U);
  EXPECT_EQ(measure(std::nullopt, 300, 8), 8U);
  EXPECT_EQ(measure(100, 400, 9), 7U);
}

TEST_F(Measured, ADamagedNoteCostsAWalk) {
  for (const char* text : {"", "7", "7 ", "7 900", "x 900\n", "7 x\n", "7 900\nx"}) {
    EXPECT_TRUE(write_file(note_, text));
    EXPECT_EQ(measure(0, 200, 9), 9U) << text;
  }
  EXPECT_EQ(
      measured_bytes("/nonexistent/note", Time(), Time(), [] { return Result<std::uint64_t>(3); })
          .value(),
      3U)
      << "nor does a place where none can be written";
}

}  // namespace
}  // namespace mybuild::space
