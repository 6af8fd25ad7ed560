// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/service/request_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::cache_server {
namespace {

using testing::HasSubstr;

TEST(RequestMetrics, EachAddressIsOfOneKind) {
  const struct {
    const char* path;
    const char* route;
  } cases[] = {{"/v2/", "registry"},
               {"/v2/_catalog", "registry"},
               {"/v2/a/b/blobs/sha256:1", "blob"},
               {"/v2/a/b/blobs/uploads/1", "upload"},
               {"/v2/a/manifests/latest", "manifest"},
               {"/cache/v1/lookup/team/main", "lookup"},
               {"/cache/v1/nothing", "other"},
               {"/v22", "other"},
               {"/", "other"}};
  for (const auto& each : cases) {
    EXPECT_EQ(route_of(each.path), each.route) << each.path;
  }
}

TEST(RequestMetrics, WhatClientsMakeUpBecomesNoLabel) {
  Metrics metrics;
  count_request(metrics, {.method = "HACK\"", .path = "/\"x", .status = 404});
  count_request(metrics, {.method = "GET",
                          .path = "/v2/x/blobs/y",
                          .status = 200,
                          .bytes_out = 7,
                          .duration = std::chrono::milliseconds(1500)});
  const std::string text = metrics.text();
  EXPECT_THAT(text, HasSubstr("{method=\"other\",route=\"other\",status=\"404\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("mybuild_serve_sent_bytes_total{route=\"blob\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("mybuild_serve_request_seconds_total{route=\"blob\"} 1.5\n"));
}

}  // namespace
}  // namespace mybuild::cache_server
