// SPDX-License-Identifier: Apache-2.0
// UploadSessions: blobs that come in several requests. A session belongs to who began it and to one
// repository, and only who knows its id finds it. Sessions live in memory: after a restart the
// client begins again. Thread-safe.
#pragma once

#include "builder/cache_server/store/blob_store.h"
#include "snapshotter/base/clock.h"
#include "snapshotter/base/guarded.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace mybuild::cache_server {

class UploadSessions {
 public:
  static constexpr std::size_t kMax = 1'000;
  static constexpr std::size_t kMaxOfOneToken = 100;    // and no more than are left for others
  static constexpr std::chrono::minutes kIdle{15};      // without a byte; then it goes
  static constexpr std::chrono::seconds kForsaken{10};  // likewise, when another needs its place

  struct Owner {
    std::string token_id;
    std::string repository;
    bool operator==(const Owner&) const = default;
  };
  class Lease;
  enum class Trouble {
    Unknown,  // to this caller
    Busy,     // another request uses it
  };

  /// `blobs` and `clock` outlive it, as it outlives its leases. `space_left` as in RegistryDeps.
  UploadSessions(BlobStore& blobs, const Clock& clock,
                 std::function<std::uint64_t(std::uint64_t)> space_left)
      : blobs_(blobs), clock_(clock), space_left_(std::move(space_left)) {}

  /// A new one, at the limits in place of the one that has been without a byte for longest; nullopt
  /// when none has been for kForsaken.
  Result<std::optional<Lease>> open(const Owner& owner);
  std::variant<Lease, Trouble> use(const std::string& id, const Owner& owner);
  /// How many bytes may come still, when `wanted` are about to.
  std::uint64_t room(std::uint64_t wanted) const;
  std::size_t count();
  void drop_idle();

 private:
  struct Session {
    std::string id;
    Owner owner;
    std::unique_ptr<BlobWriter> writer;
    std::uint64_t size = 0;
    std::uint64_t unchecked = 0;  // bytes since space_left was asked
    bool is_busy = false;
    bool is_over = false;
    Time last_used{};
  };
  using Table = std::map<std::string, std::shared_ptr<Session>>;

  bool reserve(const std::shared_ptr<Session>& session);
  /// Of that token, or of anybody; null when there is none.
  std::shared_ptr<Session> take_forsaken(Table& table, const std::string* token);
  Status write(Session& session, ByteSpan bytes);
  void release(Session& session);

  BlobStore& blobs_;
  const Clock& clock_;
  const std::function<std::uint64_t(std::uint64_t)> space_left_;
  std::atomic<std::uint64_t> bytes_{0};  // of all sessions
  Guarded<Table> sessions_;
};

/// One session for one request: nobody else uses it meanwhile. Move-only, thread-compatible.
class UploadSessions::Lease {
 public:
  Lease(Lease&&) noexcept = default;
  Lease& operator=(Lease&&) = delete;
  ~Lease();

  const std::string& id() const { return session_->id; }
  std::uint64_t size() const { return session_->size; }
  /// An error ends the session. A full disk has ENOSPC, a full cache EDQUOT.
  Status write(ByteSpan bytes);
  /// All bytes so far; the session ends.
  std::unique_ptr<BlobWriter> take();
  void end() { session_->is_over = true; }

 private:
  friend class UploadSessions;
  Lease(UploadSessions& sessions, std::shared_ptr<Session> session)
      : sessions_(&sessions), session_(std::move(session)) {}
  UploadSessions* sessions_;
  std::shared_ptr<Session> session_;  // null after a move
};

}  // namespace mybuild::cache_server
