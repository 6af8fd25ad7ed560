// SPDX-License-Identifier: Apache-2.0
#include "frontend/remote/url_parts.h"

#include <fmt/format.h>

#include <algorithm>

namespace mybuild::frontend {

namespace {

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// The part of `text` behind the first `c`, which `text` then ends in front of.
std::string_view cut_behind(std::string_view& text, char c) {
  const auto found = text.find(c);
  if (found == std::string_view::npos) {
    return {};
  }
  const std::string_view behind = text.substr(found + 1);
  text = text.substr(0, found);
  return behind;
}

bool all_of(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return is_alnum(c) || others.find(c) != std::string_view::npos;
  });
}

}  // namespace

std::optional<UrlParts> split_url(std::string_view text) {
  const auto colon = text.find("://");
  if (colon == std::string_view::npos || colon == 0 || !all_of(text.substr(0, colon), "")) {
    return std::nullopt;
  }
  UrlParts parts;
  for (const char c : text.substr(0, colon)) {
    parts.scheme += c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  }
  std::string_view rest = text.substr(colon + 3);
  parts.fragment = cut_behind(rest, '#');
  parts.query = cut_behind(rest, '?');
  const auto slash = std::min(rest.find('/'), rest.size());
  parts.path = rest.substr(slash);
  parts.host = rest.substr(0, slash);
  if (const auto at = parts.host.rfind('@'); at != std::string_view::npos) {
    parts.user = parts.host.substr(0, at);
    parts.host.remove_prefix(at + 1);
  }
  return parts;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_blank) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += plus_is_blank && text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string encode_unsafe(std::string_view text) {
  constexpr std::string_view kUnsafe = "\"<>\\^`{|}";
  std::string out;
  for (const char c : text) {
    const bool is_plain = c > ' ' && c < 0x7f && kUnsafe.find(c) == std::string_view::npos;
    out += is_plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
}

bool is_host(std::string_view host) {
  std::string_view name = host;
  std::string_view port;
  if (name.starts_with('[')) {
    const auto close = name.find(']');
    if (close == std::string_view::npos || close < 3) {
      return false;
    }
    const std::string_view behind = name.substr(close + 1);
    if (!behind.empty() && !behind.starts_with(':')) {
      return false;
    }
    port = behind.empty() ? behind : behind.substr(1);
    name = name.substr(1, close - 1);
    if (name.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) {
      return false;
    }
  } else {
    port = cut_behind(name, ':');
    if (name.empty() || name.starts_with('-') || !all_of(name, "-._")) {
      return false;
    }
  }
  return port.size() <= 5 && port.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace mybuild::frontend
