// SPDX-License-Identifier: Apache-2.0
// RecordsApi: /cache/v1/…: what steps are known, and who runs which. PROTOCOL.md has the addresses
// and the bytes. Thread-safe.
#pragma once

#include "builder/cache_server/exchange.h"
#include "builder/cache_server/metrics.h"
#include "builder/cache_server/records/claims.h"
#include "builder/cache_server/records/signing_keys.h"
#include "builder/cache_server/store/blob_keeper.h"
#include "builder/cache_server/store/meta_store.h"
#include "snapshotter/base/clock.h"

#include <functional>
#include <memory>

namespace mybuild::cache_server {

class RecordsApi final : public Handler {
 public:
  /// All of them outlive it.
  struct Deps {
    MetaStore& meta;
    BlobKeeper& keeper;
    const Clock& clock;
    Metrics& metrics;
    ClaimTable& claims;
    /// Whether more may be kept; 507 if not.
    std::function<bool()> has_room;
  };
  explicit RecordsApi(Deps deps);
  std::unique_ptr<Exchange> begin(Request request) override;

 private:
  const Deps deps_;
  SigningKeys keys_;
};

}  // namespace mybuild::cache_server
