// SPDX-License-Identifier: Apache-2.0
// AccessTables: namespaces and tokens. Of a token's secret only the SHA-256 is kept. Thread-safe.
#pragma once

#include "snapshotter/base/clock.h"
#include "snapshotter/base/digest.h"
#include "snapshotter/base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mybuild::cache_server {

struct SpaceRow {
  std::string name;
  std::string parent;  // "" without one
  std::string seed;    // of its signing key, 32 bytes
};

struct TokenRow {
  std::string id;  // shown to people; no secret
  Digest secret;
  std::string space;  // or kEverywhere
  std::uint8_t scopes = 0;
  std::string note;
  Time created{};
  std::optional<Time> expires;
  std::optional<Time> revoked;
};

class AccessTables {
 public:
  virtual ~AccessTables() = default;
  /// AlreadyExists when the name is taken by another parent; the same again is success and keeps
  /// the key that is there. NotFound when the parent does not exist; InvalidArgument when there are
  /// more than eight above it.
  virtual Status add_space(const SpaceRow& space) = 0;
  virtual Result<std::optional<SpaceRow>> find_space(const std::string& name) = 0;
  /// It and its ancestors, nearest first; empty when there is none of that name.
  virtual Result<std::vector<SpaceRow>> lineage(const std::string& name) = 0;
  /// The namespace that the repository stands below: the longest name of those; "" if none.
  virtual Result<std::string> space_of(const std::string& repository) = 0;
  virtual Result<std::vector<SpaceRow>> spaces() = 0;

  virtual Status add_token(const TokenRow& token) = 0;
  /// Whether it still counts is for the caller to see.
  virtual Result<std::optional<TokenRow>> find_token(const Digest& secret) = 0;
  virtual Result<std::vector<TokenRow>> tokens() = 0;  // by time of creation
  /// False when there is none of that id.
  virtual Result<bool> revoke_token(const std::string& id, Time now) = 0;
};

}  // namespace mybuild::cache_server
