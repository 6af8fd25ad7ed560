// SPDX-License-Identifier: Apache-2.0
// CacheClient: the cache server of one build, all of it: what it knows is found, what runs here is
// claimed there and published, and nothing that it does or leaves undone ends the build or holds it
// up for long (ServerLink). One per build, however often that begins again. Thread-safe but for
// finish().
#pragma once

#include "builder/cache_client/key_ring.h"
#include "builder/cache_client/server_link.h"
#include "builder/cache_client/server_records.h"
#include "builder/cache_client/settings.h"
#include "builder/registry/credentials/credential.h"
#include "builder/registry/hosts/host_table.h"
#include "snapshotter/base/lanes.h"

#include <memory>
#include <set>

namespace mybuild::cache_client {

class CacheClient {
 public:
  struct Deps {
    registry::Transport& transport;
    const registry::HostTable& hosts;
    registry::CredentialSource* logins;  // may be null
    Lanes& lanes;
    solver::EventSink& events;
    Cancel& cancel;  // of the build
  };
  /// Denied when the token would go over a network without TLS. Connects in the background. What
  /// `deps` names outlives the client.
  static Result<std::unique_ptr<CacheClient>> start(Settings settings, const Deps& deps);
  CacheClient(const CacheClient&) = delete;
  CacheClient& operator=(const CacheClient&) = delete;

  remote_cache::RecordSource& records() { return records_; }
  /// See ServerRecords.
  void distrust(std::size_t number, const Error& why) { records_.distrust(number, why); }
  std::set<std::size_t> distrusted() { return records_.distrusted(); }

  /// At the end of the build: says what was wrong with what came.
  void finish();

 private:
  CacheClient(Settings settings, const Deps& deps,
              std::shared_ptr<const registry::TlsSettings> tls);

  const Settings settings_;
  const Deps deps_;
  ServerLink link_;
  KeyRing keys_;
  ServerRecords records_;
};

}  // namespace mybuild::cache_client
