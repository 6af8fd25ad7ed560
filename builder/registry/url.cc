// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/url.h"

#include <fmt/core.h>

#include <algorithm>

namespace mybuild::registry {

std::string lower_case(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return result;
}

std::string percent_encode(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    if (unreserved) {
      result += c;
    } else {
      result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return result;
}

std::string without_query(std::string_view url) {
  return std::string(url.substr(0, url.find_first_of("?#")));
}

std::string origin_of(std::string_view url) {
  const std::size_t scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) {
    return {};
  }
  const std::string scheme = lower_case(url.substr(0, scheme_end));
  const std::string_view rest = url.substr(scheme_end + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#\\"));
  const bool plain = !authority.empty() && authority.find('@') == std::string_view::npos;
  if (!plain || (scheme != "http" && scheme != "https")) {
    return {};
  }
  return scheme + "://" + lower_case(authority);
}

std::string resolve_location(std::string_view base, std::string_view location) {
  if (location.find("://") != std::string_view::npos && !location.starts_with('/')) {
    return origin_of(location).empty() ? std::string() : std::string(location);
  }
  const std::string origin = origin_of(base);
  if (origin.empty() || !location.starts_with('/')) {
    return {};
  }
  if (location.starts_with("//")) {
    return origin.substr(0, origin.find("//")) + std::string(location);
  }
  return origin + std::string(location);
}

std::string with_query(std::string url, std::string_view name, std::string_view value) {
  url += url.find('?') == std::string::npos ? '?' : '&';
  return url + std::string(name) + "=" + percent_encode(value);
}

}  // namespace mybuild::registry
