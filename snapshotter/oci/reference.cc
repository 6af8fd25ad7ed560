// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/oci/reference.h"

#include <arpa/inet.h>

#include <algorithm>

namespace mybuild::oci {

namespace {

constexpr std::string_view kDefaultDomain = "docker.io";
constexpr std::string_view kOfficialPrefix = "library/";
constexpr std::size_t kMaxNameLength = 255;
constexpr std::size_t kMaxTagLength = 128;

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_name_char(char c) {
  return is_lower(c) || is_digit(c);
}
bool is_alnum(char c) {
  return is_name_char(c) || is_upper(c);
}

/// [a-z0-9]+, joined by one ".", one or two "_", or any number of "-".
bool is_path_component(std::string_view text) {
  if (text.empty() || !is_name_char(text.front()) || !is_name_char(text.back())) {
    return false;
  }
  for (std::size_t i = 0; i < text.size();) {
    if (is_name_char(text[i])) {
      ++i;
      continue;
    }
    const std::size_t end = std::min(text.find_first_not_of(text[i], i), text.size());
    const std::size_t longest = text[i] == '.'   ? 1
                                : text[i] == '_' ? 2
                                : text[i] == '-' ? text.size()
                                                 : 0;
    if (end - i > longest || !is_name_char(text[end])) {
      return false;
    }
    i = end;
  }
  return true;
}

bool is_repository(std::string_view text) {
  for (;;) {
    const std::size_t slash = text.find('/');
    if (!is_path_component(text.substr(0, slash))) {
      return false;
    }
    if (slash == std::string_view::npos) {
      return true;
    }
    text.remove_prefix(slash + 1);
  }
}

bool is_host_label(std::string_view text) {
  return !text.empty() && is_alnum(text.front()) && is_alnum(text.back()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_alnum(c) || c == '-'; });
}

bool is_host_name(std::string_view text) {
  for (;;) {
    const std::size_t dot = text.find('.');
    if (!is_host_label(text.substr(0, dot))) {
      return false;
    }
    if (dot == std::string_view::npos) {
      return true;
    }
    text.remove_prefix(dot + 1);
  }
}

bool is_ipv6(std::string_view text) {
  in6_addr address;
  return ::inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1;
}

struct HostPort {
  std::string_view host;  // without brackets
  std::string_view port;  // empty: none
  bool has_port = false;
  bool bracketed = false;
};

/// False when the brackets do not match.
bool split_host_port(std::string_view domain, HostPort& parts) {
  std::string_view rest;
  if (domain.starts_with('[')) {
    const std::size_t close = domain.find(']');
    if (close == std::string_view::npos) {
      return false;
    }
    parts.bracketed = true;
    parts.host = domain.substr(1, close - 1);
    rest = domain.substr(close + 1);
  } else {
    const std::size_t colon = std::min(domain.find(':'), domain.size());
    parts.host = domain.substr(0, colon);
    rest = domain.substr(colon);
  }
  if (!rest.empty()) {
    if (rest.front() != ':') {
      return false;
    }
    parts.has_port = true;
    parts.port = rest.substr(1);
  }
  return true;
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 && std::all_of(text.begin(), text.end(), is_digit);
}

bool is_domain(std::string_view domain) {
  HostPort parts;
  if (!split_host_port(domain, parts) || (parts.has_port && !is_port(parts.port))) {
    return false;
  }
  return parts.bracketed ? is_ipv6(parts.host) : is_host_name(parts.host);
}

bool is_tag(std::string_view text) {
  const auto is_word = [](char c) { return is_alnum(c) || c == '_'; };
  return !text.empty() && text.size() <= kMaxTagLength && is_word(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return is_word(c) || c == '.' || c == '-'; });
}

/// Whether docker takes what stands before the first slash for a registry.
bool looks_like_domain(std::string_view text) {
  return text.find_first_of(".:[") != std::string_view::npos || text == "localhost" ||
         std::any_of(text.begin(), text.end(), is_upper);
}

Error bad_reference(std::string_view text, std::string_view why) {
  return invalid_argument("\"{}\" is not an image reference: {}", text, why);
}

/// Splits off "@digest" and ":tag" from the end.
Status take_suffixes(std::string_view text, std::string_view& name, Reference& reference) {
  name = text;
  if (const std::size_t at = name.find('@'); at != std::string_view::npos) {
    reference.digest = TRY(
        Digest::parse(name.substr(at + 1)).context(fmt::format("image reference \"{}\"", text)));
    name = name.substr(0, at);
  }
  const std::size_t colon = name.rfind(':');
  const std::size_t slash = name.rfind('/');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
    reference.tag = name.substr(colon + 1);
    name = name.substr(0, colon);
    if (!is_tag(reference.tag)) {
      return bad_reference(text, fmt::format("invalid tag \"{}\"", reference.tag));
    }
  }
  return {};
}

void take_domain(std::string_view name, Reference& reference) {
  const std::size_t slash = name.find('/');
  reference.domain = kDefaultDomain;
  reference.repository = name;
  if (slash != std::string_view::npos && looks_like_domain(name.substr(0, slash))) {
    reference.domain = name.substr(0, slash);
    reference.repository = name.substr(slash + 1);
  } else {
    reference.implied_domain = true;
  }
  if (reference.domain == "index.docker.io") {
    reference.domain = kDefaultDomain;
  }
  if (reference.domain == kDefaultDomain && reference.repository.find('/') == std::string::npos) {
    reference.repository.insert(0, kOfficialPrefix);
  }
}

Status check_name(std::string_view text, std::string_view name, const Reference& reference) {
  if (name.empty()) {
    return bad_reference(text, "the name is empty");
  }
  if (name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos) {
    return bad_reference(text, "64 hex digits are an image id, not a name");
  }
  if (!is_domain(reference.domain)) {
    return bad_reference(text, fmt::format("\"{}\" is not a registry host", reference.domain));
  }
  if (std::any_of(reference.repository.begin(), reference.repository.end(), is_upper)) {
    return bad_reference(text, "repository names are lower case")
        .with_hint("write the name in lower case");
  }
  if (!is_repository(reference.repository)) {
    return bad_reference(text, "names are lower-case letters, digits and single separators . _ -");
  }
  if (name.size() > kMaxNameLength) {
    return bad_reference(text,
                         fmt::format("the name is longer than {} characters", kMaxNameLength));
  }
  return {};
}

}  // namespace

Result<Reference> Reference::parse(std::string_view text) {
  Reference reference;
  std::string_view name;
  TRY(take_suffixes(text, name, reference));
  take_domain(name, reference);
  TRY(check_name(text, name, reference));
  if (reference.tag.empty() && !reference.digest) {
    reference.tag = "latest";
    reference.implied_tag = true;
  }
  return reference;
}

namespace {

std::string with_suffixes(std::string text, const Reference& reference) {
  if (!reference.tag.empty()) {
    text += ":" + reference.tag;
  }
  if (reference.digest) {
    text += "@" + reference.digest->str();
  }
  return text;
}

}  // namespace

std::string Reference::str() const {
  return with_suffixes(domain + "/" + repository, *this);
}

std::string Reference::familiar() const {
  if (domain != kDefaultDomain) {
    return str();
  }
  const std::string_view name = repository;
  const std::string_view rest = name.substr(
      std::min(name.size(), name.starts_with(kOfficialPrefix) ? kOfficialPrefix.size() : 0));
  // library/a/b must keep its prefix: "a/b" would be another repository.
  const bool official = rest.find('/') == std::string_view::npos;
  return with_suffixes(std::string(official ? rest : name), *this);
}

bool is_loopback(std::string_view domain) {
  HostPort parts;
  if (!split_host_port(domain, parts)) {
    return false;
  }
  const std::string host(parts.host);
  in_addr v4;
  in6_addr v6;
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) {
    return (ntohl(v4.s_addr) >> 24) == 127;
  }
  if (::inet_pton(AF_INET6, host.c_str(), &v6) == 1) {
    return IN6_IS_ADDR_LOOPBACK(&v6) != 0;
  }
  return host == "localhost";
}

}  // namespace mybuild::oci
