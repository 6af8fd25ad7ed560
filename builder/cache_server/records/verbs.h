// SPDX-License-Identifier: Apache-2.0
// What the addresses of RecordsApi do, each with a request that was let in. Internal to the box.
// Thread-safe.
#pragma once

#include "builder/cache_server/exchange.h"
#include "builder/cache_server/records/records_api.h"
#include "builder/cache_server/records/signing_keys.h"
#include "builder/cache_server/store/record_tables.h"

#include <string>

namespace mybuild::cache_server {

/// One request, for as long as it is answered.
struct Ask {
  const RecordsApi::Deps& deps;
  const Caller& caller;
  Lineage lineage;  // of the namespace
  std::string body;
  Time now{};

  const std::string& space() const { return lineage.spaces.front(); }
  RecordTables& tables() const { return deps.meta.records(); }
};

Result<Outcome> serve_lookup(const Ask& ask);
Result<Outcome> serve_blobs(const Ask& ask);
Result<Outcome> serve_keys(const Ask& ask);
Result<Outcome> serve_publish(const Ask& ask);
Result<Outcome> serve_explain(const Ask& ask);
Result<Outcome> serve_claim(const Ask& ask);
Result<Outcome> serve_heartbeat(const Ask& ask);
Result<Outcome> serve_release(const Ask& ask);
Result<Outcome> serve_wait(const Ask& ask);

/// Of what a lookup returned.
inline constexpr std::chrono::hours kPromise(24);

}  // namespace mybuild::cache_server
