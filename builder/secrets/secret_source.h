// SPDX-License-Identifier: Apache-2.0
// SecretSource: where a build gets its secrets from, by id: the command line now, a client's
// session later. A value is for steps and for logging in somewhere; it never enters a key, a
// record, a plan, a file or a message. Thread-safe.
#pragma once

#include "snapshotter/base/cancel.h"
#include "snapshotter/base/result.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace mybuild::secrets {

/// BuildKit's limit, in bytes.
constexpr std::size_t kMaxSecret = std::size_t{500} << 10U;

class SecretSource {
 public:
  virtual ~SecretSource() = default;
  /// nullopt when nobody gave a secret of that id. May wait for a pipe's writer, until `cancel`.
  virtual Result<std::optional<std::string>> get(const std::string& id, const Cancel& cancel) = 0;
  /// Of all that were given, where that is known.
  virtual std::vector<std::string> ids() const { return {}; }
  /// Of those that get() gives without a wait for anybody.
  virtual std::vector<std::string> ids_at_hand() const { return {}; }
};

}  // namespace mybuild::secrets
