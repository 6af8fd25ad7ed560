// SPDX-License-Identifier: Apache-2.0
// Remote: where a repository is: an https, http, ssh, git or file URL, or user@host:path as scp
// writes it. What could be taken for an option or leave its line is refused. Pure, thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace mybuild::git {

struct Remote {
  enum class Scheme : std::uint8_t { Https, Http, Ssh, Git, File };
  Scheme scheme = Scheme::Https;
  std::string user;      // as written, maybe percent-encoded
  std::string password;  // of http and https only
  std::string host;      // lower case; an IPv6 address keeps its brackets; empty for file
  std::string port;
  std::string path;  // with a leading slash, but for scp's form
  bool scp = false;
  bool operator==(const Remote&) const = default;
};

Result<Remote> parse_remote(std::string_view text);

/// What servers, messages and keys see: without a password, for http without a user.
std::string shown(const Remote& remote);
/// Where what was fetched from it is kept, below the directory of all mirrors.
std::string mirror_directory(const std::string& mirrors, const Remote& remote);
/// "https://host:port": credentials for it go nowhere else.
std::string origin(const Remote& remote);
/// "host" or "host:port", as secrets name it.
std::string host_and_port(const Remote& remote);
std::string_view to_string(Remote::Scheme scheme);
/// Of a file URL: the path it stands for, its %XX decoded as git does.
std::string file_path(const Remote& remote);
/// http and https: the value of the header that user and password of the URL stand for, else "".
std::string url_authorization(const Remote& remote);
/// The same of any user and password.
std::string basic_authorization(std::string_view user, std::string_view password);

/// The URL of a submodule as git reads it: what begins with ./ or ../ is relative to the
/// repository that names it and stays on its host. Paths and files of this machine are refused.
Result<Remote> submodule_remote(const Remote& parent, std::string_view url);

}  // namespace mybuild::git
