// SPDX-License-Identifier: Apache-2.0
// Service: the whole server behind its HTTP layer: handlers over one state, and the upkeep that
// goes on beside them. Thread-safe.
#pragma once

#include "builder/cache_server/access.h"
#include "builder/cache_server/metrics.h"
#include "builder/cache_server/records/claims.h"
#include "builder/cache_server/records/records_api.h"
#include "builder/cache_server/registry/registry_api.h"
#include "builder/cache_server/service/admin_api.h"
#include "builder/cache_server/service/disk_room.h"
#include "builder/cache_server/service/front.h"
#include "builder/cache_server/service/serve.h"
#include "builder/cache_server/service/state.h"
#include "builder/cache_server/space/evictor.h"
#include "builder/cache_server/store/blob_keeper.h"

#include <functional>
#include <mutex>
#include <optional>
#include <string>

namespace mybuild::cache_server {

class Service {
 public:
  /// `state` outlives it. `say` gets lines for the log.
  Service(ServerState& state, const ServeOptions& options,
          std::function<void(const std::string&)> say);
  Handler& front() { return front_; }
  Metrics& metrics() { return metrics_; }
  /// What has to be done now and then: every few seconds, on a thread that may wait for the disk.
  /// `go_on` says no when the server stops.
  void upkeep(const std::function<bool()>& go_on);

 private:
  void describe_metrics();
  Status is_ready();
  std::uint64_t space_left(std::uint64_t wanted);
  bool has_room_for_records();
  std::uint64_t share_left(const std::string& space, std::uint64_t wanted);
  Evictor::Freed evicted(const Result<Evictor::Freed>& freed);
  void sweep(const std::function<bool()>& go_on);

  ServerState& state_;
  const std::function<void(const std::string&)> say_;
  const std::optional<std::uint64_t> share_;
  const SystemClock clock_;
  Metrics metrics_;
  BlobKeeper keeper_;
  DiskRoom room_;
  Evictor evictor_;
  std::mutex making_room_;
  Time next_room_{};    // under making_room_
  Time next_share_{};   // likewise
  Time next_upkeep_{};  // of the evictor; on the thread of the upkeep
  Time next_sweep_;
  AccessControl access_;
  ClaimTable claims_;
  RegistryApi registry_;
  RecordsApi records_;
  AdminApi admin_;
  Front front_;
};

}  // namespace mybuild::cache_server
