// SPDX-License-Identifier: Apache-2.0
// Who asks, and what he may do. A token belongs to a namespace: it writes to that one and nothing
// else, and reads it with its ancestors. Value types; AccessControl is thread-safe.
#pragma once

#include "builder/cache_server/protocol/scope.h"
#include "snapshotter/base/clock.h"
#include "snapshotter/base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::cache_server {

class MetaStore;

/// A token of this namespace is good everywhere.
inline constexpr std::string_view kEverywhere = "*";
/// Where a client of a token that is good everywhere works, if it doesn't say.
inline constexpr std::string_view kDefaultSpace = "main";

/// In requests: the caller's own namespace, whatever it is called.
inline constexpr std::string_view kOwnSpace = "-";

/// The token_id of who has none, where that is enough to read; there it is a token, too, for
/// clients that insist on one.
inline constexpr std::string_view kAnonymous = "anonymous";

/// Who a request comes from, for as long as it lasts.
struct Caller {
  std::string token_id;  // "" without a token
  std::string space;     // his namespace, kEverywhere, or "" for nobody's
  std::uint8_t scopes = 0;
  /// The namespaces that he reads: his own, then its ancestors, nearest first. Empty with
  /// kEverywhere, who reads all.
  std::vector<std::string> readable;

  bool has(Scope scope) const { return (scopes & static_cast<std::uint8_t>(scope)) != 0; }
  bool is_everywhere() const { return space == kEverywhere; }
  /// `name`, or for kOwnSpace what it stands for: his namespace, kDefaultSpace for one of
  /// everywhere.
  std::string meant_space(std::string name) const;
  /// `space`: a namespace that exists, or "", the one of repositories that stand below no other:
  /// everybody with a token reads it.
  bool may_read(std::string_view target) const;
  bool may_write(std::string_view target) const;
  bool may_claim(std::string_view target) const;
};

/// The token in an Authorization header; "" when there is none.
std::string token_in(const std::string& authorization);

/// Finds out who asks, by the Authorization header: "Bearer TOKEN", or "Basic" with the token as
/// the password of any user, which is how docker's clients can be made to send it. A token that is
/// revoked or over counts no more at once. Thread-safe.
class AccessControl {
 public:
  /// `anonymous_read`: who has no token reads everything.
  AccessControl(MetaStore& meta, const Clock& clock, bool anonymous_read)
      : meta_(meta), clock_(clock), anonymous_read_(anonymous_read) {}
  /// A Caller without a token_id for a token that is not good; errors are the store's.
  Result<Caller> identify(const std::string& authorization) const;

 private:
  Caller nobody() const;

  MetaStore& meta_;
  const Clock& clock_;
  const bool anonymous_read_;
};

struct NewToken {
  std::string space;  // or kEverywhere
  std::uint8_t scopes = 0;
  std::string note;
  std::optional<Time> expires;
};
struct MadeToken {
  std::string id;
  std::string secret;  // shown once, kept nowhere
};
/// NotFound when the namespace does not exist.
Result<MadeToken> make_token(MetaStore& meta, const NewToken& token, Time now);
/// With a key of its own; the same again is success. AlreadyExists when there are repositories
/// under the name: they belong to somebody else.
Status make_space(MetaStore& meta, const std::string& name, const std::string& parent);

}  // namespace mybuild::cache_server
