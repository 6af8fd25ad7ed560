// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/access.h"

#include "builder/cache_server/protocol/names.h"
#include "builder/cache_server/protocol/signature.h"
#include "builder/cache_server/random_id.h"
#include "builder/cache_server/store/access_tables.h"
#include "builder/cache_server/store/meta_store.h"
#include "builder/cache_server/store/repository_tables.h"
#include "snapshotter/base/base64.h"
#include "snapshotter/base/digest.h"

#include <algorithm>
#include <cctype>

namespace mybuild::cache_server {

namespace {

constexpr std::string_view kTokenPrefix = "mbt_";  // so that scanners of leaked secrets know it
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kIdBytes = 6;
constexpr std::size_t kPage = 100;

bool is_good(const TokenRow& token, Time now) {
  return !token.revoked && (!token.expires || now < *token.expires);
}

/// Names that begin with `name` stand together in lexical order, and no name is less than itself.
Result<bool> holds_repositories(MetaStore& meta, const std::string& name) {
  std::string before = name;
  before.back() = static_cast<char>(before.back() - 1);
  for (std::string last = before + '\x7f';;) {
    const std::vector<std::string> next = TRY(meta.repositories().repositories(last, kPage));
    for (const std::string& repository : next) {
      if (is_below(repository, name)) {
        return true;
      }
    }
    if (next.empty() || !next.back().starts_with(name)) {
      return false;
    }
    last = next.back();
  }
}

}  // namespace

std::string token_in(const std::string& authorization) {
  const std::size_t space = authorization.find(' ');
  std::string scheme = authorization.substr(0, space);
  std::transform(scheme.begin(), scheme.end(), scheme.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::string rest = space == std::string::npos ? "" : authorization.substr(space + 1);
  if (scheme == "bearer") {
    return rest;
  }
  const std::optional<std::string> pair = scheme == "basic" ? base64_decode(rest) : std::nullopt;
  const std::size_t colon = pair ? pair->find(':') : std::string::npos;
  return colon == std::string::npos ? "" : pair->substr(colon + 1);
}

bool Caller::may_read(std::string_view target) const {
  return has(Scope::Read) &&
         (is_everywhere() || target.empty() ||
          std::find(readable.begin(), readable.end(), target) != readable.end());
}

bool Caller::may_write(std::string_view target) const {
  return has(Scope::Write) && (is_everywhere() || (!space.empty() && space == target));
}

bool Caller::may_claim(std::string_view target) const {
  return has(Scope::Claim) && (is_everywhere() || (!space.empty() && space == target));
}

std::string Caller::meant_space(std::string name) const {
  if (name != kOwnSpace) {
    return name;
  }
  return is_everywhere() ? std::string(kDefaultSpace) : space;
}

Caller AccessControl::nobody() const {
  Caller caller;
  if (anonymous_read_) {
    caller.token_id = kAnonymous;
    caller.space = kEverywhere;
    caller.scopes = static_cast<std::uint8_t>(Scope::Read);
  }
  return caller;
}

Result<Caller> AccessControl::identify(const std::string& authorization) const {
  const std::string secret = token_in(authorization);
  if (secret.empty() || (anonymous_read_ && secret == kAnonymous)) {
    return nobody();
  }
  const std::optional<TokenRow> token = TRY(meta_.access().find_token(Digest::of(secret)));
  if (!token || !is_good(*token, clock_.now())) {
    return Caller();  // one that was meant to be somebody is not taken for nobody
  }
  Caller caller{
      .token_id = token->id, .space = token->space, .scopes = token->scopes, .readable = {}};
  if (!caller.is_everywhere()) {
    for (const SpaceRow& space : TRY(meta_.access().lineage(token->space))) {
      caller.readable.push_back(space.name);
    }
  }
  return caller;
}

Result<MadeToken> make_token(MetaStore& meta, const NewToken& token, Time now) {
  if (token.space != kEverywhere && !TRY(meta.access().find_space(token.space))) {
    return not_found("there is no namespace {}", token.space)
        .with_hint("mybuild serve namespace create makes one");
  }
  MadeToken made;
  made.id = TRY(random_id(kIdBytes));
  made.secret = std::string(kTokenPrefix) + TRY(random_id(kSecretBytes));
  TRY(meta.access().add_token({.id = made.id,
                               .secret = Digest::of(made.secret),
                               .space = token.space,
                               .scopes = token.scopes,
                               .note = token.note,
                               .created = now,
                               .expires = token.expires,
                               .revoked = std::nullopt}));
  return made;
}

Status make_space(MetaStore& meta, const std::string& name, const std::string& parent) {
  if (!is_repository_name(name)) {
    return invalid_argument("{} is no name for a namespace", name)
        .with_hint("lower-case letters, digits and . _ - between them, in parts divided by /");
  }
  const bool is_new = !TRY(meta.access().find_space(name));
  if (is_new && !is_new_space_name(name)) {
    return invalid_argument("{} would look like an address of the registry, not like a namespace",
                            name)
        .with_hint("no part of a namespace is called blobs, manifests, referrers or tags");
  }
  if (is_new && TRY(holds_repositories(meta, name))) {
    return make_error(
               ErrorKind::AlreadyExists,
               "there are repositories under {}; as a namespace it would take them away from "
               "whose they are",
               name)
        .with_hint("delete their manifests first, or choose another name");
  }
  const SigningKey key = TRY(SigningKey::generate());
  return meta.access().add_space({.name = name, .parent = parent, .seed = key.seed()});
}

}  // namespace mybuild::cache_server
