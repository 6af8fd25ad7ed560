// SPDX-License-Identifier: Apache-2.0
// The host keys that a user trusts: OpenSSH's known_hosts files, as sshd(8) describes them. Pure
// but for load(); thread-compatible.
#pragma once

#include "snapshotter/base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace mybuild::git {

enum class HostKey { Known, Unknown, Differs, Revoked };

class KnownHosts {
 public:
  /// Adds the lines of a file; one that is not there has none.
  void load(const std::string& path);
  void add(std::string_view text);
  /// `host` as ssh looks it up: the name alone for port 22, else "[name]:port"; `key` in its wire
  /// format.
  HostKey check(const std::string& host, std::string_view key) const;
  std::vector<std::string> keys_of(const std::string& host) const;
  /// All that was read, for programs that read such files themselves.
  const std::string& text() const { return text_; }

 private:
  struct Line {
    std::string marker;
    std::string hosts;
    std::string key;
  };
  std::vector<Line> lines_;
  std::string text_;
};

std::string known_hosts_name(const std::string& host, const std::string& port);
/// "SHA256:…" as ssh-keygen -l prints it.
std::string fingerprint(std::string_view key);

}  // namespace mybuild::git
