// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/service/request_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace mybuild::cache_server {

namespace {

struct Route {
  std::string_view begin;
  std::string_view within;
  std::string_view name;
};
constexpr Route kRoutes[] = {
    {"/v2/", "/blobs/uploads/", "upload"},
    {"/v2/", "/blobs/", "blob"},
    {"/v2/", "/manifests/", "manifest"},
    {"/v2/", "/tags/list", "tags"},
    {"/v2/", "/referrers/", "referrers"},
    {"/v2/", "/", "registry"},
    {"/cache/v1/lookup/", "", "lookup"},
    {"/cache/v1/blobs/", "", "blobs"},
    {"/cache/v1/publish/", "", "publish"},
    {"/cache/v1/claim/", "", "claim"},
    {"/cache/v1/heartbeat/", "", "heartbeat"},
    {"/cache/v1/release/", "", "release"},
    {"/cache/v1/wait/", "", "wait"},
    {"/cache/v1/explain/", "", "explain"},
    {"/cache/v1/keys/", "", "keys"},
    {"/admin/v1/", "", "admin"},
    {"/metrics", "", "metrics"},
    {"/healthz", "", "health"},
    {"/readyz", "", "health"},
};

/// Methods are labels, so only those that are known.
std::string_view known_method(std::string_view method) {
  constexpr std::string_view kMethods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
  return std::find(std::begin(kMethods), std::end(kMethods), method) != std::end(kMethods)
             ? method
             : "other";
}

}  // namespace

std::string_view route_of(std::string_view path) {
  const auto* route = std::find_if(std::begin(kRoutes), std::end(kRoutes), [&](const Route& each) {
    return path.starts_with(each.begin) && path.find(each.within) != std::string_view::npos;
  });
  return route == std::end(kRoutes) ? "other" : route->name;
}

void describe_request_metrics(Metrics& metrics) {
  metrics.describe("mybuild_serve_requests_total", "Requests by kind of address and status.");
  metrics.describe("mybuild_serve_request_seconds_total", "Time that requests took in sum.");
  metrics.describe("mybuild_serve_received_bytes_total", "Bytes of request bodies.");
  metrics.describe("mybuild_serve_sent_bytes_total", "Bytes of answer bodies.");
}

void count_request(Metrics& metrics, const ServedRequest& request) {
  const std::string_view route = route_of(request.path);
  const std::string kind = fmt::format("route=\"{}\"", route);
  metrics.add("mybuild_serve_requests_total",
              fmt::format("method=\"{}\",route=\"{}\",status=\"{}\"", known_method(request.method),
                          route, request.status));
  metrics.add("mybuild_serve_request_seconds_total", kind,
              std::chrono::duration<double>(request.duration).count());
  if (request.bytes_in > 0) {
    metrics.add("mybuild_serve_received_bytes_total", kind, static_cast<double>(request.bytes_in));
  }
  if (request.bytes_out > 0) {
    metrics.add("mybuild_serve_sent_bytes_total", kind, static_cast<double>(request.bytes_out));
  }
}

}  // namespace mybuild::cache_server
