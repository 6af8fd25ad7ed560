// SPDX-License-Identifier: Apache-2.0
#include "frontend/remote/git_url.h"

#include "frontend/remote/git_query.h"
#include "frontend/remote/http_url.h"
#include "frontend/remote/url_parts.h"

#include <algorithm>

namespace mybuild::frontend {

namespace {

constexpr std::string_view kShortHost = "github.com/";
constexpr std::string_view kAlnum =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// Where the repository is, before anything of it is checked.
struct Place {
  std::string scheme;
  std::string user;  // decoded, without the password
  std::string_view host;
  std::string path;    // decoded
  std::string remote;  // for whoever fetches
  std::string fragment;
  std::string_view query;
};

bool is_http(std::string_view scheme) {
  return scheme == "http" || scheme == "https";
}

bool is_known(std::string_view scheme, UrlOrigin origin) {
  return is_http(scheme) || scheme == "ssh" || scheme == "git" ||
         (scheme == "file" && origin == UrlOrigin::CommandLine);
}

Result<Place> place_of(const UrlParts& url) {
  const auto user = percent_decode(url.user.substr(0, url.user.find(':')));
  const auto path = percent_decode(url.path);
  const auto fragment = percent_decode(url.fragment);
  if (!user || !path || !fragment) {
    return invalid_argument("a '%' needs two hex digits behind it");
  }
  Place place{.scheme = url.scheme,
              .user = *user,
              .host = url.host,
              .path = *path,
              .remote = url.scheme + "://",
              .fragment = *fragment,
              .query = url.query};
  if (!url.user.empty()) {
    place.remote += encode_unsafe(url.user) + "@";
  }
  place.remote += std::string(url.host) + encode_unsafe(url.path);
  return place;
}

/// "user@host:path", as scp has it. Without a user it could be the name of any file.
std::optional<Place> scp_place(std::string_view text) {
  const auto at = text.find('@');
  if (at == 0 || at == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view user = text.substr(0, at);
  const auto colon = text.find(':', at);
  if (colon == std::string_view::npos || colon == at + 1) {
    return std::nullopt;
  }
  const std::string_view host = text.substr(at + 1, colon - at - 1);
  if (user.find_first_not_of(std::string(kAlnum) + "-_") != std::string_view::npos ||
      host.find_first_not_of(std::string(kAlnum) + "-.") != std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view path = text.substr(colon + 1);
  const auto hash = std::min(path.find('#'), path.size());
  const std::string_view fragment = path.substr(std::min(hash + 1, path.size()));
  path = path.substr(0, hash);
  const auto question = std::min(path.find('?'), path.size());
  const std::string_view query = path.substr(std::min(question + 1, path.size()));
  path = path.substr(0, question);
  return Place{.scheme = "ssh",
               .user = std::string(user),
               .host = host,
               .path = std::string(path),
               .remote = std::string(text.substr(0, colon + 1)) + std::string(path),
               .fragment = std::string(fragment),
               .query = query};
}

Status check(const Place& place) {
  if (has_control(place.path) || has_control(place.user) || has_control(place.remote)) {
    return invalid_argument("it holds control characters");
  }
  if (place.scheme == "file") {
    if (!place.host.empty() && place.host != "localhost") {
      return invalid_argument("\"{}\" is no directory of this machine", place.host)
          .with_hint("write file:/// and an absolute path");
    }
  } else if (!is_host(place.host)) {
    return invalid_argument("it names no host")
        .with_hint("write scheme://host/path, or user@host:path");
  }
  if (place.path.empty() || place.path == "/") {
    return invalid_argument("it names no repository on its host");
  }
  if (place.user.starts_with('-') || place.path.starts_with('-') || place.path.starts_with(':')) {
    return invalid_argument("user and path cannot begin with '-' or ':'");
  }
  // The path becomes an argument of a command that a shell on the other side reads.
  if (place.scheme == "ssh" &&
      place.path.find_first_of("'\"`\\!$;|&<>(){}*?\n") != std::string::npos) {
    return invalid_argument("its path holds what a shell reads as something else")
        .with_hint("take quotes, $, ; and the like out of the path");
  }
  return {};
}

GitUrl url_of(const Place& place, GitOptions options) {
  GitUrl url;
  url.source = {.remote = place.remote,
                .ref = std::move(options.ref),
                .subdir = std::move(options.subdir),
                .checksum = std::move(options.checksum),
                .keep_git_dir = options.keep_git_dir.value_or(false),
                .submodules = options.submodules.value_or(true)};
  url.keep_git_dir = options.keep_git_dir;
  return url;
}

Result<GitUrl> parse_place(Result<Place> place) {
  const Place where = TRY(std::move(place));
  TRY(check(where));
  GitOptions options = TRY(parse_git_options(where.fragment, where.query));
  return url_of(where, std::move(options));
}

/// nullopt: no git URL.
std::optional<Result<GitUrl>> parse(std::string_view text, UrlOrigin origin, bool known_git) {
  if (text.starts_with(kShortHost)) {
    if (origin == UrlOrigin::Dockerfile) {
      return std::nullopt;
    }
    const std::string full = "https://" + std::string(text);
    return parse_place(place_of(*split_url(full)));
  }
  const auto parts = split_url(text);
  if (!parts) {
    auto place = scp_place(text);
    return place ? std::optional(parse_place(std::move(*place))) : std::nullopt;
  }
  if (!is_known(parts->scheme, origin)) {
    return std::nullopt;
  }
  if (is_http(parts->scheme) && !known_git) {
    const auto path = percent_decode(parts->path);
    if (!path || !path->ends_with(".git")) {
      return std::nullopt;
    }
  }
  return parse_place(place_of(*parts));
}

}  // namespace

Result<std::optional<GitUrl>> parse_git_url(std::string_view text, UrlOrigin origin,
                                            bool known_git) {
  auto url = parse(text, origin, known_git);
  if (!url) {
    return std::optional<GitUrl>();
  }
  if (!*url) {
    return std::move(*url).error().context("git URL " + shown_url(text));
  }
  return std::optional(std::move(*url).value());
}

Result<std::string> parse_git_checksum(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c >= 'A' && c <= 'F' ? static_cast<char>(c + ('a' - 'A')) : c;
  }
  if (out.empty() || out.size() > 64 || out.find_first_not_of("0123456789abcdef") != out.npos) {
    return invalid_argument("invalid checksum \"{}\"", encode_unsafe(text))
        .with_hint("the checksum of a git repository is a commit id, in hex digits");
  }
  return out;
}

std::string shown_git(const solver::GitSource& source) {
  std::string out = shown_url(source.remote);
  if (!source.ref.empty() || !source.subdir.empty()) {
    out += "#" + source.ref;
  }
  return source.subdir.empty() ? out : out + ":" + source.subdir;
}

}  // namespace mybuild::frontend
