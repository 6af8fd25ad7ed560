// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/clock.h"

#include <gtest/gtest.h>

namespace mybuild {
namespace {

TEST(Rfc3339, RoundTrips) {
  for (const std::string_view text :
       {"1970-01-01T00:00:00Z", "2026-11-20T18:06:00.5Z", "1969-12-31T23:59:59.999999999Z",
        "2024-02-29T12:00:00Z", "1678-01-01T00:00:00Z", "2261-12-31T23:59:59Z",
        "0001-01-01T00:00:00Z"}) {
    const Result<Time> time = parse_rfc3339(text);
    ASSERT_TRUE(time) << text;
    EXPECT_EQ(format_rfc3339(*time), text);
  }
}

TEST(Rfc3339, KnowsZonesAndLongFractions) {
  EXPECT_EQ(format_rfc3339(*parse_rfc3339("2026-01-01T01:30:00+01:30")), "2026-01-01T00:00:00Z");
  EXPECT_EQ(format_rfc3339(*parse_rfc3339("2026-01-01T00:00:00.1234567899-00:30")),
            "2026-01-01T00:30:00.123456789Z");
}

TEST(Rfc3339, RefusesTheRest) {
  for (const std::string_view text :
       {"", "2026", "2026-11-20", "2026-11-20 18:06:00Z", "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+1:00",
        "2026-01-01T00:00:00Zjunk", "-001-01-01T00:00:00Z", "2026-01-01T00:00:00+99:00",
        "1500-01-01T00:00:00Z", "9999-01-01T00:00:00Z"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

}  // namespace
}  // namespace mybuild
