// SPDX-License-Identifier: Apache-2.0
// ServerRecords: what a cache server knows of the steps of one build. All keys that the store does
// not know go out in one question, beside the build; who needs one of them waits for that answer.
// Nothing is believed that is not signed by a key of the ring; what does not check is a miss, and
// counted. Layers stay where they are until somebody needs them; one that cannot be had, or is not
// what its record says, is forgotten with its records. Thread-safe.
#pragma once

#include "builder/cache_client/key_ring.h"
#include "builder/cache_client/line_speed.h"
#include "builder/cache_client/server_link.h"
#include "builder/cache_client/small_layers.h"
#include "builder/cache_server/protocol/messages.h"
#include "builder/remote_cache/record_source.h"
#include "snapshotter/base/lanes.h"

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace mybuild::cache_client {

/// Numbers in RemoteLayer::cache: each layer of the server has one, beyond those of imported
/// caches.
inline constexpr std::size_t kFirstLayerNumber = std::size_t{1} << 32;
inline bool is_of_server(std::size_t number) {
  return number >= kFirstLayerNumber;
}

class ServerRecords final : public remote_cache::RecordSource {
 public:
  struct Deps {
    ServerLink& link;
    KeyRing& keys;
    Lanes& lanes;
    solver::EventSink& events;
    Cancel& cancel;  // of the build
    /// Called on a thread of the net lane, before the first question.
    std::function<void(const Cancel&)> prepare = {};
  };
  /// Says hello at once, so that the connection is open, and the namespace known, when the first
  /// question comes.
  explicit ServerRecords(Deps deps);
  /// Ends what still runs.
  ~ServerRecords() override;
  ServerRecords(const ServerRecords&) = delete;
  ServerRecords& operator=(const ServerRecords&) = delete;

  void expect(std::span<const solver::DefinitionKey> keys) override;
  std::vector<solver::CacheRecord> find(const solver::DefinitionKey& key) override;
  std::vector<solver::CacheRecord> find(const solver::ContentKey& key) override;
  std::optional<source::RemoteLayer> where(const Digest& diff_id) override;
  void announce(std::span<const Digest> diff_ids) override;

  /// Returns when Deps::prepare is done.
  void wait_prepared();
  /// Whether a record that was believed has this layer, be it used or not.
  bool has_told_of(const Digest& diff_id);
  /// Asks for one step by its content key, while that waits. Nothing comes of it but what find()
  /// has then.
  void ask(const solver::ContentKey& key);
  /// How long the step took, by the dearest record that was believed; asks for one if there was
  /// none. 0: nobody knows.
  std::chrono::milliseconds cost_of(const solver::DefinitionKey& key);
  /// Takes what came with another answer; false when it is not believed.
  bool accept(const cache_server::SignedRecord& record);
  /// What the server calls our namespace; waits until it has said so. "" if it has not.
  std::string space();
  /// See KeyRing; waits as space() does.
  bool has_changed_keys();

  /// The layer of this number (of RemoteLayer::cache), or whichever could not be had, is not used
  /// any more; with a server that is left alone none is.
  void distrust(std::size_t number, const Error& why);
  std::set<std::size_t> distrusted();
  /// What was wrong with records and layers, in words; "" when nothing was.
  std::string complaints();

 private:
  struct Place {
    oci::Descriptor blob;
    std::string space;
    std::uint64_t cost_ms = 0;
    std::size_t number = 0;
  };
  struct Counts {
    std::size_t signatures = 0;
    std::size_t records = 0;
    std::size_t layers = 0;
    std::size_t dear = 0;  // layers that are not wrong
    std::string why;       // of the first of them
  };
  void start_work();
  void prepare();
  void work();
  std::optional<std::vector<Digest>> next_question();
  void finish(const std::vector<Digest>& keys);
  Status look_up(cache_server::LookupRequest request);
  bool is_of_use() const { return !deps_.link.is_closed() && !deps_.link.is_slow(); }
  void weigh();
  enum class Belief { UnknownKey, WrongSignature, Good };
  void take(const cache_server::LookupAnswer& answer);
  Belief check(const cache_server::SignedRecord& record) const;
  bool accept_checked(const cache_server::SignedRecord& record, Belief belief);
  bool accept_parsed(const std::string& space, const cache_server::StepRecord& record);
  Status fetch(const Digest& diff_id, const Place& place, const oci::Descriptor& blob, Sink& sink);
  bool is_too_dear(const Digest& diff_id, const Place& place) const;
  std::vector<solver::CacheRecord> worth_having(std::vector<solver::CacheRecord> records) const;
  void drop(const Digest& diff_id);
  std::size_t drop_all(const std::set<Digest>& diff_ids);

  const Deps deps_;
  SmallLayers small_{deps_.link};
  Cancel cancel_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_working_ = false;
  bool is_prepared_ = false;
  bool has_greeted_ = false;
  std::string space_;
  std::vector<Digest> waiting_;  // definitions that nobody asked for yet
  std::set<Digest> pending_;     // these, and those that are being asked for
  std::map<Digest, std::vector<solver::CacheRecord>> by_definition_;
  std::map<Digest, std::vector<solver::CacheRecord>> by_content_;
  std::map<Digest, std::chrono::milliseconds> costs_;  // by definition, the most
  std::map<Digest, Place> layers_;
  std::map<std::size_t, Digest> numbers_;
  std::set<Digest> dropped_;  // layers
  std::set<Digest> broken_;   // layers that could not be had
  std::set<Digest> dear_;     // layers that were given up, as they came too slowly
  std::set<Digest> fetched_;  // layers
  LineSpeed speed_;
  std::set<std::size_t> distrusted_;
  std::set<Digest> seen_;  // records, by their bytes
  Counts bad_;
};

}  // namespace mybuild::cache_client
