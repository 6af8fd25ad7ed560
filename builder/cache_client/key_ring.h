// SPDX-License-Identifier: Apache-2.0
// KeyRing: the keys by which the records of one server's namespaces are believed. With keys of the
// user's own only these count. Without, the key that a namespace has when it is first met is noted
// in a file and counts from then on; one that has changed is not believed any more, whichever it
// is, until the user decides. Thread-safe.
#pragma once

#include "builder/cache_server/protocol/signature.h"
#include "solver/progress.h"

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace mybuild::cache_client {

using KeyMap = std::map<std::string, cache_server::PublicKey>;

class KeyRing {
 public:
  /// `server` is what the file knows it by. `given`: the user's own. `path`: the file, shared by
  /// all servers and builds; "": what is met is forgotten.
  KeyRing(std::string server, KeyMap given, std::string path)
      : server_(std::move(server)), given_(std::move(given)), path_(std::move(path)) {}

  /// What the server says its keys are; returns what the user should know of it.
  std::vector<solver::Warning> meet(const KeyMap& said);
  /// nullopt: records of this namespace are not believed.
  std::optional<cache_server::PublicKey> find(const std::string& space) const;
  /// It has shown another key than the known one: it may be another server.
  bool has_changed() const;

 private:
  Result<std::vector<solver::Warning>> meet_noted(const KeyMap& said);
  void compare(const KeyMap& said, const KeyMap& known, std::vector<solver::Warning>& warnings);

  const std::string server_;
  const KeyMap given_;
  const std::string path_;
  mutable std::mutex mutex_;
  KeyMap good_;
  bool has_changed_ = false;
  std::set<std::string> told_;  // namespaces that were warned of
};

}  // namespace mybuild::cache_client
