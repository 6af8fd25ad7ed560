// SPDX-License-Identifier: Apache-2.0
// Claims: who is making something for the store (a step's outcome, a layer, a download), so that
// others wait for it instead of making it a second time. Whoever has waited looks again whether it
// is there. A claim protects nothing: what is made twice is made right twice. It ends with its
// object, or with the process, however that dies. Thread-safe, and safe between processes and
// between the builds of one process.
#pragma once

#include "snapshotter/base/digest.h"
#include "snapshotter/base/range_lock.h"
#include "snapshotter/base/result.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mybuild::snapshotter {

/// Some names that nobody else has. Move-only.
class Claim {
 public:
  explicit Claim(RangeLocks locks) : locks_(std::move(locks)) {}

 private:
  RangeLocks locks_;
};

class Claims {
 public:
  /// Over lock files in `root`/claims.
  explicit Claims(const std::string& root);

  /// All names, or nothing when somebody has one of them.
  Result<std::optional<Claim>> try_take(const std::vector<std::string>& names) const;
  /// Waits for the others until `cancel`, whose reason is the error then; `on_wait` is called first
  /// if it comes to that. Everybody takes names in one order, so that none waits in a circle; who
  /// has a claim must not take another one of a kind that stands before it in the list below.
  Result<Claim> take(std::vector<std::string> names, const Cancel& cancel,
                     const std::function<void()>& on_wait) const;

  // What there is to claim, and so the order.
  static std::string step_ahead(const Digest& work) { return name("ahead", work); }
  static std::string step(const Digest& content_key) { return name("step", content_key); }
  static std::string git_tree(const Digest& id) { return name("git", id); }
  static std::string http_file(const Digest& request) { return name("http", request); }
  static std::string layer(const Digest& diff_id) { return name("layer", diff_id); }
  static std::string blob(const Digest& digest) { return name("blob", digest); }

 private:
  static std::string name(std::string_view kind, const Digest& digest) {
    return fmt::format("{}:{}", kind, digest.hex());
  }

  const std::string directory_;
};

}  // namespace mybuild::snapshotter
