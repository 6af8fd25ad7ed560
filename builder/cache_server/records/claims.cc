// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/records/claims.h"

#include "builder/cache_server/random_id.h"

#include <algorithm>

namespace mybuild::cache_server {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kUnknownCost = std::chrono::seconds(60);
constexpr milliseconds kMaxBinding = std::chrono::minutes(30);
constexpr milliseconds kGrace = std::chrono::seconds(5);  // another machine, the upload

/// How long others wait for a step that took `cost` before.
milliseconds binding_time(std::optional<milliseconds> cost) {
  if (!cost) {
    return kUnknownCost;
  }
  return std::min(std::max(*cost, milliseconds(0)), kMaxBinding - kGrace) + kGrace;
}

}  // namespace

Result<ClaimTable::Decision> ClaimTable::claim(const Wanted& wanted) {
  const std::lock_guard lock(mutex_);
  drop_expired();
  const Key key(wanted.space, wanted.content);
  const auto held = claims_.find(key);
  if (held != claims_.end()) {
    const auto left = std::chrono::ceil<milliseconds>(held->second.binding_until - now_());
    if (left.count() > 0) {
      return Decision{.claim = "", .time = left, .owner = held->second.owner};
    }
    drop(held);
  }
  if (!has_room(wanted.token)) {
    return Decision{};
  }
  return grant(key, wanted);
}

Result<ClaimTable::Decision> ClaimTable::grant(const Key& key, const Wanted& wanted) {
  const std::string id = TRY(random_id());
  const TimePoint now = now_();
  const TimePoint expires = now + kClaimLife;
  claims_.emplace(key, Claim{.id = id,
                             .token = wanted.token,
                             .owner = wanted.owner,
                             .expires = expires,
                             .binding_until = now + binding_time(wanted.cost)});
  by_id_.emplace(id, key);
  by_expiry_.emplace(expires, id);
  ++of_token_[wanted.token];
  return Decision{.claim = id, .time = kClaimLife, .owner = wanted.owner};
}

bool ClaimTable::has_room(const std::string& token) const {
  const auto count = of_token_.find(token);
  return claims_.size() < kMaxClaimsInAll &&
         (count == of_token_.end() || count->second < kMaxClaimsOfToken);
}

std::vector<std::string> ClaimTable::keep_up(const std::string& space, const std::string& token,
                                             const std::vector<std::string>& ids) {
  const std::lock_guard lock(mutex_);
  drop_expired();
  std::vector<std::string> kept;
  const TimePoint expires = now_() + kClaimLife;
  for (const std::string& id : ids) {
    const auto claim = find(space, token, id);
    if (claim != claims_.end()) {
      by_expiry_.erase({claim->second.expires, id});
      claim->second.expires = expires;
      by_expiry_.emplace(expires, id);
      kept.push_back(id);
    }
  }
  return kept;
}

std::vector<std::string> ClaimTable::release(const std::string& space, const std::string& token,
                                             const std::vector<std::string>& ids) {
  const std::lock_guard lock(mutex_);
  drop_expired();
  std::vector<std::string> released;
  for (const std::string& id : ids) {
    const auto claim = find(space, token, id);
    if (claim != claims_.end()) {
      drop(claim);
      released.push_back(id);
    }
  }
  return released;
}

void ClaimTable::end(const std::string& space, const Digest& content) {
  const std::lock_guard lock(mutex_);
  const auto claim = claims_.find({space, content});
  if (claim != claims_.end()) {
    drop(claim);
  }
}

std::vector<Digest> ClaimTable::unclaimed(const std::string& space,
                                          const std::vector<Digest>& contents) {
  const std::lock_guard lock(mutex_);
  drop_expired();
  std::vector<Digest> without;
  std::copy_if(contents.begin(), contents.end(), std::back_inserter(without),
               [&](const Digest& content) {
                 return !claims_.contains({space, content});
               });
  return without;
}

std::optional<ClaimTable::TimePoint> ClaimTable::next_expiry(const std::string& space,
                                                             const std::vector<Digest>& contents) {
  const std::lock_guard lock(mutex_);
  std::optional<TimePoint> first;
  for (const Digest& content : contents) {
    const auto claim = claims_.find({space, content});
    if (claim != claims_.end()) {
      first = std::min(first.value_or(claim->second.expires), claim->second.expires);
    }
  }
  return first;
}

ClaimTable::Watch ClaimTable::watch(const std::string& space, const std::vector<Digest>& contents,
                                    std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  if (watched_.size() + contents.size() > kMaxWatched) {
    return {};
  }
  const std::uint64_t id = ++last_watcher_;
  Watcher& watcher = watchers_[id];
  watcher.wake = std::move(wake);
  for (const Digest& content : contents) {
    const Key key(space, content);
    if (watched_.emplace(key, id).second) {
      watcher.keys.push_back(key);
    }
  }
  return {*this, id};
}

ClaimTable::Watch::~Watch() {
  if (table_ != nullptr) {
    table_->stop_watching(id_);
  }
}

void ClaimTable::stop_watching(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto watcher = watchers_.find(id);
  for (const Key& key : watcher->second.keys) {
    watched_.erase({key, id});
  }
  watchers_.erase(watcher);
}

std::size_t ClaimTable::size() {
  const std::lock_guard lock(mutex_);
  drop_expired();
  return claims_.size();
}

ClaimTable::Claims::iterator ClaimTable::find(const std::string& space, const std::string& token,
                                              const std::string& id) {
  const auto key = by_id_.find(id);
  if (key == by_id_.end() || key->second.first != space) {
    return claims_.end();
  }
  const auto claim = claims_.find(key->second);
  return claim->second.token == token ? claim : claims_.end();
}

void ClaimTable::drop(Claims::iterator claim) {
  by_id_.erase(claim->second.id);
  by_expiry_.erase({claim->second.expires, claim->second.id});
  const auto count = of_token_.find(claim->second.token);
  if (--count->second == 0) {
    of_token_.erase(count);
  }
  for (auto watched = watched_.lower_bound({claim->first, 0});
       watched != watched_.end() && watched->first == claim->first; ++watched) {
    watchers_.at(watched->second).wake();
  }
  claims_.erase(claim);
}

void ClaimTable::drop_expired() {
  const TimePoint now = now_();
  while (!by_expiry_.empty() && by_expiry_.begin()->first <= now) {
    drop(claims_.find(by_id_.at(by_expiry_.begin()->second)));
  }
}

}  // namespace mybuild::cache_server
