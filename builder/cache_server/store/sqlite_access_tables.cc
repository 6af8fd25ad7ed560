// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/store/sqlite_database.h"

namespace mybuild::cache_server {

const char kAccessSchema[] = R"sql(
CREATE TABLE space (
  name TEXT PRIMARY KEY,
  parent TEXT NOT NULL,
  seed BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE token (
  id TEXT PRIMARY KEY,
  secret BLOB NOT NULL UNIQUE,
  space TEXT NOT NULL,
  scopes INTEGER NOT NULL,
  note TEXT NOT NULL,
  created INTEGER NOT NULL,
  expires INTEGER,
  revoked INTEGER
);
)sql";

}  // namespace mybuild::cache_server
