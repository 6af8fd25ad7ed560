// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/ports.h"

#include "frontend/dockerfile/characters.h"
#include "frontend/dockerfile/go_format.h"

#include <arpa/inet.h>

#include <cstdint>
#include <optional>

namespace mybuild::frontend {

namespace {

struct PortRange {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  std::uint32_t length() const { return last - first; }
};

std::optional<std::uint32_t> parse_port(std::string_view text) {
  const auto value = parse_go_int(text);
  return value && *value >= 0 && *value <= UINT16_MAX
             ? std::optional(static_cast<std::uint32_t>(*value))
             : std::nullopt;
}

std::optional<PortRange> parse_range(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = parse_port(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_port(text.substr(dash + 1));
  if (!first || !last || *last < *first) {
    return std::nullopt;
  }
  return PortRange{*first, *last};
}

bool is_address(std::string_view text) {
  const bool bracketed = text.starts_with('[') && text.ends_with(']');
  const std::string address(bracketed ? text.substr(1, text.size() - 2) : text);
  in6_addr six{};
  in_addr four{};
  return inet_pton(AF_INET6, address.c_str(), &six) == 1 ||
         inet_pton(AF_INET, address.c_str(), &four) == 1;
}

/// Takes "…:" off in front of the container's port; "" when there is none.
std::string_view take_last_part(std::string_view& text) {
  const auto colon = text.rfind(':');
  const std::string_view part = colon == std::string_view::npos ? text : text.substr(colon + 1);
  text = colon == std::string_view::npos ? std::string_view() : text.substr(0, colon);
  return part;
}

}  // namespace

Result<std::vector<std::string>> parse_port_spec(std::string_view spec) {
  std::string_view rest = spec;
  const std::string_view container = take_last_part(rest);
  const std::string_view host = take_last_part(rest);
  if (!rest.empty() && !is_address(rest)) {
    return invalid_argument("invalid IP address: {}", rest);
  }
  const auto slash = container.find('/');
  const std::string_view ports = container.substr(0, slash);
  std::string protocol =
      slash == std::string_view::npos ? "" : to_lower(container.substr(slash + 1));
  if (ports.empty()) {
    return invalid_argument("no port specified: {}<empty>", container);
  }
  protocol = protocol.empty() ? "tcp" : protocol;
  if (protocol != "tcp" && protocol != "udp" && protocol != "sctp") {
    return invalid_argument("invalid proto: {}", protocol).with_hint("it can be tcp, udp or sctp");
  }
  const auto range = parse_range(ports);
  if (!range) {
    return invalid_argument("invalid containerPort: {}", ports);
  }
  if (!host.empty()) {
    const auto host_range = parse_range(host);
    if (!host_range) {
      return invalid_argument("invalid hostPort: {}", host);
    }
    if (range->length() != 0 && range->length() != host_range->length()) {
      return invalid_argument("invalid ranges specified for container and host Ports: {} and {}",
                              ports, host);
    }
  }
  std::vector<std::string> out;
  for (std::uint32_t port = range->first; port <= range->last; ++port) {
    out.push_back(std::to_string(port) + "/" + protocol);
  }
  return out;
}

}  // namespace mybuild::frontend
