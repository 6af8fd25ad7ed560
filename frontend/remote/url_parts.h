// SPDX-License-Identifier: Apache-2.0
// A URL taken apart, with nothing decoded (RFC 3986, in the order in which Go's net/url cuts).
// Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mybuild::frontend {

/// Views into the text that was split.
struct UrlParts {
  std::string scheme;      // lower case
  std::string_view user;   // with the password; "" = none
  std::string_view host;   // with the port, IPv6 in brackets
  std::string_view path;   // "" or from the first slash on
  std::string_view query;  // without '?'
  std::string_view fragment;
};

/// nullopt: the text does not begin with letters or digits and "://".
std::optional<UrlParts> split_url(std::string_view text);
/// nullopt: a '%' without two hex digits behind it.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_blank = false);
/// What RFC 3986 does not let stand in a URL becomes %XX; what is encoded already stays.
std::string encode_unsafe(std::string_view text);
bool has_control(std::string_view text);
/// A name or an address, maybe with a port; nothing that a program could take for an option.
bool is_host(std::string_view host);

}  // namespace mybuild::frontend
