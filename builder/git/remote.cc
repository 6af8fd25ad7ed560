// SPDX-License-Identifier: Apache-2.0
#include "builder/git/remote.h"

#include "snapshotter/base/base64.h"
#include "snapshotter/base/digest.h"
#include "snapshotter/base/file.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace mybuild::git {

namespace {

struct SchemeName {
  Remote::Scheme scheme;
  std::string_view name;
};
constexpr std::array kSchemes = {
    SchemeName{Remote::Scheme::Https, "https"}, SchemeName{Remote::Scheme::Http, "http"},
    SchemeName{Remote::Scheme::Ssh, "ssh"}, SchemeName{Remote::Scheme::Git, "git"},
    SchemeName{Remote::Scheme::File, "file"}};

bool is_http(Remote::Scheme scheme) {
  return scheme == Remote::Scheme::Https || scheme == Remote::Scheme::Http;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

/// Enough of a name to find it again, never a password.
std::string named(std::string_view text) {
  std::string name(text.substr(0, 200));
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  const std::size_t at = name.rfind('@');
  const std::size_t slashes = name.find("://");
  if (at != std::string::npos && slashes != std::string::npos && at > slashes) {
    name.erase(slashes + 3, at + 1 - (slashes + 3));
  }
  return name;
}

bool is_host(std::string_view host) {
  if (host.starts_with('[')) {
    return host.size() > 2 && host.ends_with(']') &&
           host.substr(1, host.size() - 2).find_first_not_of("0123456789abcdef:.") ==
               std::string_view::npos;
  }
  return !host.empty() && host[0] != '-' && std::all_of(host.begin(), host.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
  });
}

Status check_parts(const Remote& remote, std::string_view text) {
  if (!is_host(remote.host)) {
    return invalid_argument("git remote {}: '{}' is no host name", named(text), named(remote.host));
  }
  if (remote.port.size() > 5 || remote.port.find_first_not_of("0123456789") != std::string::npos) {
    return invalid_argument("git remote {}: its port is no number", named(text));
  }
  if (remote.user.starts_with('-') ||
      (!is_http(remote.scheme) && !remote.user.empty() &&
       remote.user.find_first_of("%:/\\ '\"") != std::string::npos)) {
    return invalid_argument("git remote {}: its user name is not possible", named(text));
  }
  if (remote.path.empty() || remote.path == "/") {
    return invalid_argument("git remote {}: it names no repository", named(text));
  }
  if (remote.path[0] == '-') {
    return invalid_argument("git remote {}: a path that begins with '-' is refused", named(text));
  }
  return {};
}

void split_host(Remote& remote, std::string_view authority) {
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    remote.port = authority.substr(colon + 1);
    authority = authority.substr(0, colon);
  }
  remote.host = authority;
  std::transform(remote.host.begin(), remote.host.end(), remote.host.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
}

Result<Remote> parse_url(Remote::Scheme scheme, std::string_view rest, std::string_view text) {
  Remote remote;
  remote.scheme = scheme;
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  std::string_view authority = rest.substr(0, slash);
  remote.path = rest.substr(slash);
  if (scheme == Remote::Scheme::File) {
    if (!authority.empty() && authority != "localhost") {
      return invalid_argument("git remote {}: a file URL has three slashes", named(text))
          .with_hint("write file:///path/of/the/repository");
    }
    if (remote.path.size() < 2) {
      return invalid_argument("git remote {}: it names no repository", named(text));
    }
    return remote;
  }
  const std::size_t at = authority.rfind('@');
  if (at != std::string_view::npos) {
    const std::string_view login = authority.substr(0, at);
    const std::size_t colon = std::min(login.find(':'), login.size());
    remote.user = login.substr(0, colon);
    if (is_http(scheme) && colon < login.size()) {
      remote.password = login.substr(colon + 1);
    }
    authority = authority.substr(at + 1);
  }
  split_host(remote, authority);
  TRY(check_parts(remote, text));
  return remote;
}

Result<Remote> parse_scp(std::string_view text) {
  Remote remote;
  remote.scheme = Remote::Scheme::Ssh;
  remote.scp = true;
  const std::size_t at = text.find('@');
  const std::size_t bracket = text.find("]:");
  const std::size_t colon = bracket == std::string_view::npos ? text.find(':') : bracket + 1;
  if (colon == std::string_view::npos || text.find('/') < colon) {
    return invalid_argument("git remote {}: no URL, and not user@host:path", named(text));
  }
  std::string_view host = text.substr(0, colon);
  if (at != std::string_view::npos && at < colon) {
    remote.user = text.substr(0, at);
    host = text.substr(at + 1, colon - at - 1);
  }
  split_host(remote, host);
  remote.path = text.substr(colon + 1);
  TRY(check_parts(remote, text));
  return remote;
}

std::string percent_decoded(std::string_view text) {
  const auto digit = [](char c) {
    return c <= '9' ? c - '0' : std::tolower(static_cast<unsigned char>(c)) - 'a' + 10;
  };
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() &&
        std::isxdigit(static_cast<unsigned char>(text[i + 1])) != 0 &&
        std::isxdigit(static_cast<unsigned char>(text[i + 2])) != 0) {
      decoded += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

/// Takes the last component from a base URL, with the character in front of it; false when there
/// is none left.
bool chop(std::string& base, char& separator) {
  const std::size_t cut = base.find_last_of("/:");
  if (cut == std::string::npos || cut == 0 || base[cut - 1] == '/' || base[cut - 1] == ':') {
    return false;
  }
  separator = base[cut];
  base.erase(cut);
  return true;
}

Result<Remote> relative_remote(const Remote& parent, std::string_view url) {
  if (parent.scheme == Remote::Scheme::File) {
    return make_error(ErrorKind::Denied,
                      "submodule URL {}: relative to a repository of this machine", named(url));
  }
  std::string base = shown(parent);
  while (base.ends_with('/')) {
    base.pop_back();
  }
  char separator = '/';
  std::string_view rest = url;
  for (;;) {
    if (rest.starts_with("./")) {
      rest.remove_prefix(2);
    } else if (rest.starts_with("../")) {
      rest.remove_prefix(3);
      if (!chop(base, separator)) {
        return make_error(ErrorKind::Denied, "submodule URL {}: leads out of {}", named(url),
                          shown(parent));
      }
    } else {
      break;
    }
  }
  while (rest.ends_with('/')) {
    rest.remove_suffix(1);
  }
  if (rest.empty() || rest == "." || rest == "..") {
    return make_error(ErrorKind::Denied, "submodule URL {}: names no repository", named(url));
  }
  Remote remote = TRY(parse_remote(base + separator + std::string(rest)));
  if (origin(remote) != origin(parent) ||
      remote.user != (is_http(parent.scheme) ? "" : parent.user)) {
    return make_error(ErrorKind::Denied, "submodule URL {}: leads out of {}", named(url),
                      shown(parent));
  }
  return remote;
}

}  // namespace

std::string_view to_string(Remote::Scheme scheme) {
  return std::find_if(kSchemes.begin(), kSchemes.end(),
                      [scheme](const SchemeName& name) { return name.scheme == scheme; })
      ->name;
}

Result<Remote> parse_remote(std::string_view text) {
  if (has_control(text) || text.empty() || text.size() > 4096) {
    return invalid_argument("git remote '{}': empty, too long, or with control characters",
                            named(text));
  }
  if (text[0] == '-' || text.find("::") < text.find_first_of("/@[")) {
    return make_error(ErrorKind::Denied, "git remote '{}': refused, it is no URL", named(text));
  }
  const std::size_t end = text.find("://");
  if (end == std::string_view::npos) {
    return parse_scp(text);
  }
  std::string scheme(text.substr(0, end));
  std::transform(scheme.begin(), scheme.end(), scheme.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const SchemeName& known : kSchemes) {
    if (known.name == scheme) {
      return parse_url(known.scheme, text.substr(end + 3), text);
    }
  }
  return make_error(ErrorKind::Denied, "git remote {}: the scheme '{}' is refused", named(text),
                    named(scheme))
      .with_hint("https, http, ssh and git are possible");
}

std::string host_and_port(const Remote& remote) {
  return remote.port.empty() ? remote.host : remote.host + ":" + remote.port;
}

std::string origin(const Remote& remote) {
  return fmt::format("{}://{}", to_string(remote.scheme), host_and_port(remote));
}

std::string shown(const Remote& remote) {
  const std::string user = is_http(remote.scheme) || remote.user.empty() ? "" : remote.user + "@";
  if (remote.scp) {
    return fmt::format("{}{}:{}", user, remote.host, remote.path);
  }
  return fmt::format("{}://{}{}{}", to_string(remote.scheme), user, host_and_port(remote),
                     remote.path);
}

std::string file_path(const Remote& remote) {
  return percent_decoded(remote.path);
}

std::string basic_authorization(std::string_view user, std::string_view password) {
  return "basic " + base64_encode(fmt::format("{}:{}", user, password));
}

std::string url_authorization(const Remote& remote) {
  if (!is_http(remote.scheme) || (remote.user.empty() && remote.password.empty())) {
    return "";
  }
  return basic_authorization(percent_decoded(remote.user), percent_decoded(remote.password));
}

Result<Remote> submodule_remote(const Remote& parent, std::string_view url) {
  if (url.starts_with("./") || url.starts_with("../")) {
    return has_control(url) ? invalid_argument("submodule URL {}: control characters", named(url))
                            : relative_remote(parent, url);
  }
  if (url.starts_with('/') || url.starts_with('.') || url.starts_with('~')) {
    return make_error(ErrorKind::Denied, "submodule URL {}: a path of this machine is refused",
                      named(url));
  }
  Remote remote = TRY(parse_remote(url).context("submodule URL"));
  if (remote.scheme == Remote::Scheme::File) {
    return make_error(ErrorKind::Denied, "submodule URL {}: file: is refused", named(url));
  }
  return remote;
}

std::string mirror_directory(const std::string& mirrors, const Remote& remote) {
  return join_path(mirrors, Digest::of(shown(remote)).hex());
}

}  // namespace mybuild::git
