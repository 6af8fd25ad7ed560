// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox/rlimits.h"

#include <sys/resource.h>

#include <cerrno>
#include <optional>
#include <string_view>

namespace mybuild::sandbox {

namespace {

struct LimitName {
  std::string_view name;
  __rlimit_resource resource;
};

constexpr LimitName kLimits[] = {
    {"core", RLIMIT_CORE},         {"cpu", RLIMIT_CPU},
    {"data", RLIMIT_DATA},         {"fsize", RLIMIT_FSIZE},
    {"locks", RLIMIT_LOCKS},       {"memlock", RLIMIT_MEMLOCK},
    {"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE},
    {"nofile", RLIMIT_NOFILE},     {"nproc", RLIMIT_NPROC},
    {"rss", RLIMIT_RSS},           {"rtprio", RLIMIT_RTPRIO},
    {"rttime", RLIMIT_RTTIME},     {"sigpending", RLIMIT_SIGPENDING},
    {"stack", RLIMIT_STACK},       {"as", RLIMIT_AS},
};

std::optional<__rlimit_resource> find_limit(std::string_view name) {
  for (const LimitName& row : kLimits) {
    if (row.name == name) {
      return row.resource;
    }
  }
  return std::nullopt;
}

}  // namespace

Status apply_rlimits(const std::vector<Rlimit>& rlimits) {
  for (const Rlimit& limit : rlimits) {
    const std::optional<__rlimit_resource> resource = find_limit(limit.name);
    if (!resource) {
      return invalid_argument("unknown limit {}", limit.name);
    }
    const struct rlimit values = {.rlim_cur = limit.soft, .rlim_max = limit.hard};
    if (::setrlimit(*resource, &values) < 0) {
      return os_error(errno,
                      fmt::format("set the limit {}={}:{}", limit.name, limit.soft, limit.hard));
    }
  }
  return {};
}

}  // namespace mybuild::sandbox
