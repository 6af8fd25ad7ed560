// SPDX-License-Identifier: Apache-2.0
#include "frontend/remote/http_url.h"

#include "frontend/remote/url_parts.h"

#include <algorithm>

namespace mybuild::frontend {

namespace {

constexpr std::string_view kUnnamed = "__unnamed__";
constexpr std::size_t kLongestName = 255;  // a directory holds no longer one

std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return has_control(std::string_view(&c, 1)); }, '?');
  return text;
}

}  // namespace

bool is_http_url(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

Status check_http_url(std::string_view url) {
  const auto parts = split_url(url);
  if (!parts || !is_http_url(url) || !is_host(parts->host)) {
    return invalid_argument("invalid URL {}: it names no host", shown_url(url));
  }
  if (has_control(url)) {
    return invalid_argument("invalid URL {}: it holds control characters", shown_url(url));
  }
  if (!percent_decode(parts->path)) {
    return invalid_argument("invalid URL {}: a '%' needs two hex digits behind it", shown_url(url));
  }
  return {};
}

std::string request_url(std::string_view url) {
  std::string out;
  for (std::size_t i = 0; i < url.size(); ++i) {
    const bool is_plain = url[i] > ' ' && url[i] < 0x7f;
    out += is_plain ? std::string(1, url[i]) : encode_unsafe(url.substr(i, 1));
  }
  return out;
}

std::string url_file_name(std::string_view url) {
  const auto parts = split_url(url);
  const auto path = parts ? percent_decode(parts->path) : std::nullopt;
  if (!path || has_control(*path)) {
    return std::string(kUnnamed);
  }
  std::string_view name = *path;
  while (name.ends_with('/')) {
    name.remove_suffix(1);
  }
  name = name.substr(name.rfind('/') + 1);
  const bool is_name = !name.empty() && name != "." && name != ".." && name.size() <= kLongestName;
  return std::string(is_name ? name : kUnnamed);
}

std::string shown_url(std::string_view url) {
  const auto parts = split_url(url);
  if (!parts) {
    const auto query = url.find('?');
    const auto fragment = std::min(url.find('#'), url.size());
    return printable(query < fragment
                         ? std::string(url.substr(0, query)) + std::string(url.substr(fragment))
                         : std::string(url));
  }
  std::string out = parts->scheme + "://";
  out += std::string(parts->host) + std::string(parts->path);
  return printable(parts->fragment.empty() ? out : out + "#" + std::string(parts->fragment));
}

}  // namespace mybuild::frontend
