// SPDX-License-Identifier: Apache-2.0
// What a served request counts as. Names of namespaces, repositories and steps are no labels: there
// may be very many, and monitors are no members of the team. Thread-safe.
#pragma once

#include "builder/cache_server/metrics.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace mybuild::cache_server {

struct ServedRequest {
  std::string_view method;
  std::string_view path;
  int status = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::chrono::nanoseconds duration{};
};

/// "blob", "upload", "manifest", "lookup" and so on; "other" for what is none of our addresses.
std::string_view route_of(std::string_view path);
void describe_request_metrics(Metrics& metrics);
void count_request(Metrics& metrics, const ServedRequest& request);

}  // namespace mybuild::cache_server
