// SPDX-License-Identifier: Apache-2.0
#include "builder/source/http_address.h"

#include "builder/registry/url.h"
#include "frontend/remote/http_url.h"
#include "snapshotter/base/base64.h"
#include "snapshotter/base/bytes.h"

#include <algorithm>
#include <charconv>

namespace mybuild::source {

namespace {

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

constexpr std::string_view kUnsafe = " \"<>\\^`{|}";

/// What clients escape for those who do not: blanks, other scripts, quotes and the like.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool plain =
        static_cast<unsigned char>(c) < 0x80 && kUnsafe.find(c) == std::string_view::npos;
    result += plain ? std::string(1, c) : registry::percent_encode(std::string_view(&c, 1));
  }
  return result;
}

/// "%40" is "@"; a "%" that begins no such thing stays.
std::string unescaped(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    const std::string_view hex = text.substr(std::min(i + 1, text.size()), 2);
    const auto [end, code] = std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
    if (text[i] == '%' && hex.size() == 2 && code == std::errc() && end == hex.data() + 2) {
      result += static_cast<char>(value);
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

/// Of "host:port", "[::1]:port" or either without port; "" when it is malformed.
std::string host_of(std::string_view authority) {
  std::string_view port;
  std::string_view host = authority;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) {
      return {};
    }
    host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
  } else if (const std::size_t colon = authority.find(':'); colon != std::string_view::npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon);
  }
  const bool port_is_good =
      port.empty() ||
      (port[0] == ':' && port.find_first_not_of("0123456789", 1) == std::string_view::npos);
  const bool host_is_good = host.find_first_of("[]%") == std::string_view::npos;
  return port_is_good && host_is_good ? std::string(host) : std::string();
}

Error malformed() {
  return invalid_argument("the URL is no address of a file on a web server")
      .with_hint("it should look like https://host/path");
}

}  // namespace

Result<HttpAddress> parse_http_address(std::string_view url) {
  const std::size_t colon = std::min(url.find("://"), url.size());
  const std::string scheme = registry::lower_case(url.substr(0, colon));
  if (colon == url.size() || (scheme != "http" && scheme != "https")) {
    return malformed();
  }
  if (std::any_of(url.begin(), url.end(), is_control)) {
    return invalid_argument("the URL has a control character in it");
  }
  url = url.substr(0, url.find('#'));
  std::string_view authority = url.substr(colon + 3);
  authority = authority.substr(0, authority.find_first_of("/?"));
  if (authority.find_first_of(kUnsafe) != std::string_view::npos) {
    return malformed();  // a backslash, to some, ends the host
  }
  std::string rest = escaped(url.substr(colon + 3 + authority.size()));
  if (!rest.starts_with('/')) {
    rest.insert(0, "/");
  }
  HttpAddress address;
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string_view login = authority.substr(0, at);
    const std::size_t end = std::min(login.find(':'), login.size());
    const std::string_view password = login.substr(std::min(end + 1, login.size()));
    address.login =
        "Basic " + base64_encode(unescaped(login.substr(0, end)) + ":" + unescaped(password));
    authority = authority.substr(at + 1);
  }
  address.host = host_of(authority);
  if (address.host.empty()) {
    return malformed();
  }
  address.url = scheme + "://" + std::string(authority) + rest;
  address.shown = frontend::shown_url(address.url);
  return address;
}

}  // namespace mybuild::source
