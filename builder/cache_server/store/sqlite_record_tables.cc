// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/store/sqlite_database.h"

namespace mybuild::cache_server {

const char kRecordSchema[] = R"sql(
CREATE TABLE record (
  id INTEGER PRIMARY KEY,
  space TEXT NOT NULL,
  content BLOB NOT NULL,
  definition BLOB NOT NULL,
  output BLOB NOT NULL,
  blob BLOB NOT NULL,
  body TEXT NOT NULL,
  signature BLOB NOT NULL,
  facts TEXT NOT NULL,
  step TEXT NOT NULL,
  cost_ms INTEGER NOT NULL,
  created INTEGER NOT NULL,
  last_used INTEGER NOT NULL,
  kept_until INTEGER NOT NULL DEFAULT 0,
  pinned INTEGER NOT NULL DEFAULT 0,
  UNIQUE (space, content, definition)
);
CREATE INDEX record_by_definition ON record (definition, space, created);
CREATE INDEX record_by_blob ON record (space, blob);
CREATE TRIGGER record_added AFTER INSERT ON record BEGIN
  UPDATE blob_link SET uses = uses + 1 WHERE space = NEW.space AND blob = NEW.blob;
END;
CREATE TRIGGER record_removed AFTER DELETE ON record BEGIN
  UPDATE blob_link SET uses = uses - 1 WHERE space = OLD.space AND blob = OLD.blob;
END;
)sql";

}  // namespace mybuild::cache_server
