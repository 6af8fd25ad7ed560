// SPDX-License-Identifier: Apache-2.0
// The git program, where it is installed: it knows depths and dumb HTTP. It sees an environment of
// its own, no configuration of this machine, and credentials for one origin only, which are in no
// argument. Thread-compatible.
#pragma once

#include "builder/git/helper/session.h"

#include <optional>
#include <string>
#include <vector>

namespace mybuild::git {

struct GitOutcome {
  bool success = false;
  std::string out;
  std::string said;  // the end of what it printed on stderr
};

class GitProgram {
 public:
  /// nullopt when git (or ssh, for an ssh remote) is not installed or the request says to do
  /// without.
  static Result<std::optional<GitProgram>> find(Session& session, const Remote& remote);

  /// Runs `git ARGS…`; what it says of its progress is passed on.
  Result<GitOutcome> run(const std::vector<std::string>& args);
  /// What a failed run comes to for the user.
  Error failure(const GitOutcome& outcome) const;

 private:
  GitProgram(Session& session, const Remote& remote, std::string path)
      : session_(&session), remote_(&remote), path_(std::move(path)) {}
  std::vector<std::string> environment() const;
  /// Warns of host keys that ssh accepted on its own.
  void report_accepted_keys();

  Session* session_;
  const Remote* remote_;
  std::string path_;
};

}  // namespace mybuild::git
