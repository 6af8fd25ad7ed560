// SPDX-License-Identifier: Apache-2.0
// ClaimTable: who is about to run a step, so that ten machines that want it at once run it once. A
// claim is a hint and never more: it lives in memory, ends when nobody keeps it up, and makes
// others wait for no longer than the step is known to take. It binds those of its namespace.
// Bounded; where there is no room for a claim its step is simply run. Thread-safe.
#pragma once

#include "snapshotter/base/digest.h"
#include "snapshotter/base/result.h"

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mybuild::cache_server {

/// After the last heartbeat. So long others wait for a machine that was killed.
inline constexpr std::chrono::seconds kClaimLife(6);
inline constexpr std::size_t kMaxClaimsInAll = 100'000;
inline constexpr std::size_t kMaxClaimsOfToken = 10'000;
inline constexpr std::size_t kMaxWatched = 200'000;  // steps that somebody waits for

class ClaimTable {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Now = std::function<TimePoint()>;
  using Milliseconds = std::chrono::milliseconds;

  explicit ClaimTable(Now now = &std::chrono::steady_clock::now) : now_(std::move(now)) {}

  struct Wanted {
    std::string space;
    Digest content;
    std::optional<Milliseconds> cost;  // what it took before
    std::string token;                 // id of the token that asks
    std::string owner;                 // for people
  };
  struct Decision {
    std::string claim;    // its id, if it was granted
    Milliseconds time{};  // if granted until it expires, else how long to wait at most
    std::string owner;    // of who has it
  };
  /// A claim that has made others wait for as long as it may is replaced. Without room nobody is
  /// told to wait: the time is 0, and there is no owner.
  Result<Decision> claim(const Wanted& wanted);
  /// Ids that are none, or another token's or namespace's, are left out of the answer.
  std::vector<std::string> keep_up(const std::string& space, const std::string& token,
                                   const std::vector<std::string>& ids);
  std::vector<std::string> release(const std::string& space, const std::string& token,
                                   const std::vector<std::string>& ids);
  /// There is a record now.
  void end(const std::string& space, const Digest& content);

  /// Those of the steps that nobody has a claim of.
  std::vector<Digest> unclaimed(const std::string& space, const std::vector<Digest>& contents);
  /// When the first of their claims expires, if nobody keeps it up; nullopt if there is none.
  std::optional<TimePoint> next_expiry(const std::string& space,
                                       const std::vector<Digest>& contents);

  /// While it lives `wake` is called when a claim of the steps ends before it expires: on any
  /// thread, with the table locked. Off when too many are watched; thread-compatible.
  class Watch {
   public:
    Watch() = default;
    Watch(Watch&& other) noexcept : table_(std::exchange(other.table_, nullptr)), id_(other.id_) {}
    Watch& operator=(Watch&& other) noexcept {
      std::swap(table_, other.table_);
      std::swap(id_, other.id_);
      return *this;
    }
    ~Watch();
    bool is_on() const { return table_ != nullptr; }

   private:
    friend class ClaimTable;
    Watch(ClaimTable& table, std::uint64_t id) : table_(&table), id_(id) {}
    ClaimTable* table_ = nullptr;
    std::uint64_t id_ = 0;
  };
  Watch watch(const std::string& space, const std::vector<Digest>& contents,
              std::function<void()> wake);

  std::size_t size();
  TimePoint now() const { return now_(); }

 private:
  using Key = std::pair<std::string, Digest>;  // namespace, content
  struct HashKey {
    std::size_t operator()(const Key& key) const {
      return std::hash<Digest>()(key.second) ^ std::hash<std::string>()(key.first);
    }
  };
  struct Claim {
    std::string id;
    std::string token;
    std::string owner;
    TimePoint expires;
    TimePoint binding_until;
  };
  using Claims = std::unordered_map<Key, Claim, HashKey>;
  struct Watcher {
    std::vector<Key> keys;  // each once
    std::function<void()> wake;
  };

  Result<Decision> grant(const Key& key, const Wanted& wanted);
  bool has_room(const std::string& token) const;
  /// The claim of that id if it is theirs; else the end.
  Claims::iterator find(const std::string& space, const std::string& token, const std::string& id);
  void drop(Claims::iterator claim);
  void drop_expired();
  void stop_watching(std::uint64_t id);

  const Now now_;
  std::mutex mutex_;
  Claims claims_;
  std::unordered_map<std::string, Key> by_id_;
  std::set<std::pair<TimePoint, std::string>> by_expiry_;  // with the id
  std::unordered_map<std::string, std::size_t> of_token_;
  std::set<std::pair<Key, std::uint64_t>> watched_;
  std::map<std::uint64_t, Watcher> watchers_;
  std::uint64_t last_watcher_ = 0;
};

}  // namespace mybuild::cache_server
