// SPDX-License-Identifier: Apache-2.0
// Leases: what is in use, so that nobody removes it. A name ("tree:…", "blob:…") is held, shared
// with all others who use it, until the object goes or the process dies, however it dies; who wants
// to remove something takes its name exclusively, and gets it only when nobody uses it. So whoever
// holds a name first and looks afterwards whether the thing is there can rely on what he sees.
// Thread-safe, and safe between processes.
#pragma once

#include "snapshotter/base/digest.h"
#include "snapshotter/base/guarded.h"
#include "snapshotter/base/range_lock.h"
#include "snapshotter/base/result.h"

#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace mybuild {

class Leases {
 public:
  /// Over the lock files in `root`/leases.
  static Result<std::unique_ptr<Leases>> open(const std::string& root);
  /// For removing what nobody uses, this object included.
  Result<class Removals> removals() const;

  /// Waits while somebody removes the thing, which takes a moment. True the first time.
  Result<bool> hold(const std::string& name);

  static std::string tree(std::string_view name) { return "tree:" + std::string(name); }
  static std::string blob(const Digest& digest) { return "blob:" + digest.hex(); }

 private:
  struct Held {
    RangeLocks locks;
    std::set<std::string, std::less<>> names;
  };
  Leases(std::string directory, RangeLocks locks)
      : directory_(std::move(directory)), held_(Held{std::move(locks), {}}) {}
  const std::string directory_;
  Guarded<Held> held_;
};

/// What somebody is about to remove. Thread-compatible.
class Removals {
 public:
  /// False while somebody uses it; this process' own leases count. Kept until release().
  Result<bool> take(const std::string& name) {
    return locks_.try_lock(name, RangeLocks::Mode::Exclusive);
  }
  Status release(const std::string& name) { return locks_.unlock(name); }

 private:
  friend class Leases;
  explicit Removals(RangeLocks locks) : locks_(std::move(locks)) {}
  RangeLocks locks_;
};

}  // namespace mybuild
