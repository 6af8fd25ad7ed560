// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/store/sqlite_database.h"

namespace mybuild::cache_server {

// `uses` of a link counts the manifests and records of that namespace that need the blob; triggers
// keep it, here and in kRecordSchema. Times are in milliseconds since the epoch. `kept_until` is
// what somebody was promised.
const char kRepositorySchema[] = R"sql(
CREATE TABLE blob_link (
  space TEXT NOT NULL,
  blob BLOB NOT NULL,
  size INTEGER NOT NULL,
  last_used INTEGER NOT NULL,
  kept_until INTEGER NOT NULL DEFAULT 0,
  uses INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (space, blob)
) WITHOUT ROWID;
CREATE INDEX blob_link_by_blob ON blob_link (blob);
CREATE INDEX blob_link_unused ON blob_link (last_used) WHERE uses = 0;
)sql";

}  // namespace mybuild::cache_server
