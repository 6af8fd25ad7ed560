// SPDX-License-Identifier: Apache-2.0
// CacheClient: the cache server of one build, all of it: what it knows is found, what runs here is
// claimed there and published, and nothing that it does or leaves undone ends the build or holds it
// up for long (ServerLink). One per build, however often that begins again. Thread-safe but for
// finish().
#pragma once

#include "builder/cache_client/claim_keeper.h"
#include "builder/cache_client/key_ring.h"
#include "builder/cache_client/publisher.h"
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
    snapshotter::ContentStore& content;
    snapshotter::LayerStore& layers;
    const Clock& clock;
    /// Whether a layer has something in it that must stay here. Empty: none has.
    std::function<Result<bool>(const Digest& diff_id)> has_secret = {};
    /// The name of a step as others may see it. Empty: as it is.
    std::function<std::string(std::string name)> masked = {};
    std::chrono::milliseconds stuck = kStuck;  // see Publisher
    ClaimPatience patience = {};
  };
  /// Denied when the token would go over a network without TLS. Connects in the background. What
  /// `deps` names outlives the client.
  static Result<std::unique_ptr<CacheClient>> start(Settings settings, const Deps& deps);
  CacheClient(const CacheClient&) = delete;
  CacheClient& operator=(const CacheClient&) = delete;

  ServerRecords& records() { return records_; }
  /// Stands for server and namespace, by which the store tells on whose word it has a record. May
  /// wait for the token to be found, not for the server.
  Digest trust_domain();
  /// Stands for server, namespace and the token that the user gave: who publishes, and where to.
  /// Needs no server.
  Digest identity() const;
  /// See ServerRecords.
  void distrust(std::size_t number, const Error& why) { records_.distrust(number, why); }
  std::set<std::size_t> distrusted() { return records_.distrusted(); }

  /// As the user wrote it.
  const std::string& server() const { return settings_.address.text; }
  /// Claims at the server, behind those of `local`. `is_known`: see ClaimWords. The client outlives
  /// the answer.
  std::unique_ptr<solver::StepClaims> claims(std::unique_ptr<solver::StepClaims> local,
                                             ClaimWords::Says is_known);
  /// A step was recorded: it is published if it ran here.
  void on_record(const solver::CacheRecord& record);

  /// At the end of the build: says what was wrong with what came, and waits for what is not
  /// published yet as the settings say. Returns what somebody else should go on with.
  std::vector<solver::CacheRecord> finish();
  /// After finish(): what the server did not get because it was not to be had, as somebody may go
  /// on with it who knows no secrets. With background publishing that is what finish() returned.
  std::vector<solver::CacheRecord> unsent();
  /// It answers, as far as we know.
  bool is_in_use() const { return !link_.is_closed(); }

 private:
  CacheClient(Settings settings, const Deps& deps,
              std::shared_ptr<const registry::TlsSettings> tls);
  std::vector<solver::CacheRecord> flush();
  std::vector<solver::CacheRecord> fit_to_leave(std::vector<solver::CacheRecord> steps);
  std::chrono::milliseconds flush_time() const;
  std::size_t wait_for_publisher();
  void tell_what_is_lost(std::size_t left);
  void warn(std::string message, std::string detail = {});

  const Settings settings_;
  const Deps deps_;
  ServerLink link_;
  KeyRing keys_;
  ServerRecords records_;
  ClaimKeeper claims_;
  std::unique_ptr<Publisher> publisher_;  // null: nothing is published
  std::chrono::milliseconds waited_{};    // for it at most, at the end
};

}  // namespace mybuild::cache_client
