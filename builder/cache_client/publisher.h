// SPDX-License-Identifier: Apache-2.0
// Publisher: steps that ran in this build become records of the cache server: layers are compressed
// and sent beside the build, on a few threads that yield to it, and their records follow in
// batches. What does not pay (a layer whose way there takes longer than the step took), and what
// has the bytes of a secret in it, stays here. Nothing that goes wrong is an error. Thread-safe.
#pragma once

#include "builder/cache_client/server_link.h"
#include "builder/cache_client/server_records.h"
#include "builder/registry/push.h"
#include "snapshotter/layer_store.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace mybuild::cache_client {

inline constexpr std::chrono::milliseconds kStuck{5'000};

class Publisher {
 public:
  struct Deps {
    ServerLink& link;
    ServerRecords& records;
    snapshotter::ContentStore& content;
    snapshotter::LayerStore& layers;
    const registry::HostTable& hosts;
    const Cancel& cancel;  // of the build
    /// Whether a layer has something in it that must stay here. Empty: none has.
    std::function<Result<bool>(const Digest& diff_id)> has_secret = {};
    /// The name of a step as others may see it. Empty: as it is.
    std::function<std::string(std::string name)> masked = {};
    /// The step is published, or will not be.
    std::function<void(const solver::ContentKey& content)> on_settled = {};
    /// finish() does not wait for a server where so long no step was settled and no byte of an
    /// upload was read.
    std::chrono::milliseconds stuck = kStuck;
  };
  explicit Publisher(Deps deps);
  /// Stops what still runs, and waits for that.
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  /// A step was recorded. False when it is nothing to publish: then it is settled by now.
  bool add(const solver::CacheRecord& record);
  /// Waits until all is settled, `time` at most, and not for a server where nothing moves any more;
  /// what is left then is given back.
  std::vector<solver::CacheRecord> finish(std::chrono::milliseconds time);
  /// How many are not settled.
  std::size_t left() const;
  /// How long these took.
  std::chrono::milliseconds cost_of_left() const;
  /// The step was added, and is not settled.
  bool has(const solver::ContentKey& content) const;
  /// False when the step has a secret in its files, or nobody can tell.
  bool may_leave(const solver::CacheRecord& record);
  /// As others may see it.
  std::string name_of(const solver::CacheRecord& record) const;
  /// Steps that have a secret in their files, for people; "" when there are none.
  std::string withheld() const;
  struct Lost {
    std::size_t steps = 0;
    std::string why;  // of the last one
  };
  /// Steps that the server did not get or did not take, without those that finish() gave back.
  Lost lost() const;
  /// finish() did not wait any longer because nothing moved.
  bool is_stuck() const;
  /// After finish(): steps that the server did not get because it was not to be had, or had no room
  /// or time. Another day it may take them.
  std::vector<solver::CacheRecord> unsent() const;

 private:
  struct Ready {
    solver::ContentKey content;
    cache_server::PublishedRecord published;
  };
  void work();
  bool is_possible() const;
  void lose(std::size_t steps, std::string_view why);
  void note_unsent(const solver::CacheRecord& record);
  std::vector<solver::CacheRecord>::iterator find_working(const solver::ContentKey& content);
  std::optional<Ready> prepare(const solver::CacheRecord& record);
  Result<std::optional<Ready>> try_prepare(const solver::CacheRecord& record);
  bool pays(std::uint64_t bytes, std::chrono::milliseconds took) const;
  Result<std::optional<oci::Descriptor>> compress(const solver::CacheRecord& record,
                                                  const Digest& diff_id);
  Status upload(const oci::Descriptor& blob);
  void send_batches(std::unique_lock<std::mutex>& lock);
  void send(const std::vector<Ready>& batch);
  void settle(const solver::ContentKey& content);

  const Deps deps_;
  Cancel cancel_;
  const std::unique_ptr<registry::HostTable> place_;
  const std::unique_ptr<registry::RegistryPush> push_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<solver::CacheRecord> waiting_;
  std::vector<solver::CacheRecord> working_;
  std::vector<Ready> ready_;
  std::set<std::string> withheld_;
  bool is_sending_ = false;
  bool is_over_ = false;
  bool is_refused_ = false;  // the server takes no records of ours
  bool is_stuck_ = false;
  Lost lost_;
  std::vector<solver::CacheRecord> unsent_;
  std::atomic<std::uint64_t> moved_{0};  // settled steps and bytes of uploads, only ever more
  std::atomic<int> busy_here_{0};        // threads that wait for no server
  std::uint64_t sent_bytes_ = 0;         // of large layers, and how long they took
  std::chrono::milliseconds sent_in_{};
  std::vector<std::thread> threads_;  // started with the first step
  std::vector<pid_t> thread_ids_;     // as the kernel calls them
};

}  // namespace mybuild::cache_client
