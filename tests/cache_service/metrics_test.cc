// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/metrics.h"

#include <gtest/gtest.h>

namespace mybuild::cache_server {
namespace {

TEST(Metrics, AreTextForPrometheus) {
  Metrics metrics;
  metrics.describe("requests_total", "Requests served.");
  metrics.add("requests_total", "status=\"200\"");
  metrics.add("requests_total", "status=\"200\"");
  metrics.add("requests_total", "status=\"404\"");
  metrics.describe("bytes_total", "Bytes.");
  metrics.add("bytes_total", "", 1.5e10);
  metrics.show("connections", "Open connections.", [] { return 7; });
  EXPECT_EQ(metrics.text(),
            "# HELP bytes_total Bytes.\n"
            "# TYPE bytes_total counter\n"
            "bytes_total 15000000000\n"
            "# HELP requests_total Requests served.\n"
            "# TYPE requests_total counter\n"
            "requests_total{status=\"200\"} 2\n"
            "requests_total{status=\"404\"} 1\n"
            "# HELP connections Open connections.\n"
            "# TYPE connections gauge\n"
            "connections 7\n");
}

TEST(Metrics, WhatIsAskedForMayCount) {
  Metrics metrics;
  metrics.show("looks", "How often somebody looked.", [&metrics] {
    metrics.add("looked_total", "");
    return 1;
  });
  (void)metrics.text();
  EXPECT_NE(metrics.text().find("looked_total 1\n"), std::string::npos);
}

}  // namespace
}  // namespace mybuild::cache_server
