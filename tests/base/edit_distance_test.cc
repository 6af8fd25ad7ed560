// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/edit_distance.h"

#include <gtest/gtest.h>

namespace mybuild {
namespace {

TEST(EditDistance, CountsWhatIsPutInTakenOutAndReplaced) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("builder", "bulder"), 1U);
  EXPECT_EQ(edit_distance("builder", "biulder"), 2U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(EditDistance, IsTheSameBothWays) {
  EXPECT_EQ(edit_distance("apple", "people"), edit_distance("people", "apple"));
}

}  // namespace
}  // namespace mybuild
