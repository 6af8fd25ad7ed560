// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/store/sqlite_database.h"

namespace mybuild::cache_server {

// `record` holds what lookups answer and nothing else, so that three rows fit a page; what an
// eviction weighs is in `record_use`, and what explain needs in `record_facts`. An eviction walks
// along record_by_worth (EvictionOrder), which holds all that it looks at. Times are in
// milliseconds since the epoch; `created` is when the server took it. A link that goes takes its
// records along, whoever removes it.
const char kRecordSchema[] = R"sql(
CREATE TABLE record (
  id INTEGER PRIMARY KEY,
  space TEXT NOT NULL,
  content BLOB NOT NULL,
  definition BLOB NOT NULL,
  output BLOB NOT NULL,
  blob BLOB NOT NULL,
  cost_ms INTEGER NOT NULL,
  created INTEGER NOT NULL,
  kept_until INTEGER NOT NULL,
  signature BLOB NOT NULL,
  body TEXT NOT NULL,
  UNIQUE (content, space, definition)
);
CREATE INDEX record_by_definition ON record (definition, space, created);
CREATE INDEX record_by_blob ON record (blob, space);
CREATE INDEX record_by_time ON record (space, created);
CREATE TABLE record_use (
  id INTEGER PRIMARY KEY,
  bytes INTEGER NOT NULL,
  weight INTEGER NOT NULL,
  last_used INTEGER NOT NULL,
  kept_until INTEGER NOT NULL,
  pinned INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX record_pinned ON record_use (id) WHERE pinned = 1;
CREATE INDEX record_by_worth ON record_use (pinned, weight, last_used, id, kept_until);
CREATE TABLE record_facts (
  id INTEGER PRIMARY KEY,
  space TEXT NOT NULL,
  step TEXT NOT NULL,
  facts TEXT NOT NULL
);
CREATE INDEX record_facts_by_step ON record_facts (space, step);
CREATE TABLE record_count (records INTEGER NOT NULL, different INTEGER NOT NULL);
INSERT INTO record_count VALUES (0, 0);
CREATE TRIGGER record_added AFTER INSERT ON record BEGIN
  UPDATE blob_link SET uses = uses + 1 WHERE space = NEW.space AND blob = NEW.blob;
  UPDATE record_count SET records = records + 1;
END;
CREATE TRIGGER record_removed AFTER DELETE ON record BEGIN
  UPDATE blob_link SET uses = uses - 1 WHERE space = OLD.space AND blob = OLD.blob;
  UPDATE record_count SET records = records - 1;
  DELETE FROM record_use WHERE id = OLD.id;
  DELETE FROM record_facts WHERE id = OLD.id;
END;
CREATE TRIGGER record_kept AFTER UPDATE OF kept_until ON record BEGIN
  UPDATE record_use SET kept_until = NEW.kept_until WHERE id = NEW.id;
END;
CREATE TRIGGER record_unlinked AFTER DELETE ON blob_link BEGIN
  DELETE FROM record WHERE blob = OLD.blob AND space = OLD.space;
END;
)sql";

// What records take in the database, about: a row with its indexes has some 700 bytes beside its
// texts. And what the links of each namespace have in all.
const char kSizesSchema[] = R"sql(
ALTER TABLE record_count ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
UPDATE record_count SET bytes = (SELECT coalesce(sum(length(body) + 700), 0) FROM record) +
    (SELECT coalesce(sum(length(step) + length(facts)), 0) FROM record_facts);
CREATE TRIGGER record_body_added AFTER INSERT ON record BEGIN
  UPDATE record_count SET bytes = bytes + length(NEW.body) + 700;
END;
CREATE TRIGGER record_body_removed AFTER DELETE ON record BEGIN
  UPDATE record_count SET bytes = bytes - length(OLD.body) - 700;
END;
CREATE TRIGGER record_facts_added AFTER INSERT ON record_facts BEGIN
  UPDATE record_count SET bytes = bytes + length(NEW.step) + length(NEW.facts);
END;
CREATE TRIGGER record_facts_removed AFTER DELETE ON record_facts BEGIN
  UPDATE record_count SET bytes = bytes - length(OLD.step) - length(OLD.facts);
END;
CREATE TABLE space_size (space TEXT PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO space_size SELECT space, sum(size) FROM blob_link GROUP BY space;
CREATE TRIGGER blob_link_sized AFTER INSERT ON blob_link BEGIN
  INSERT INTO space_size VALUES (NEW.space, NEW.size)
    ON CONFLICT (space) DO UPDATE SET bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER blob_link_unsized AFTER DELETE ON blob_link BEGIN
  UPDATE space_size SET bytes = bytes - OLD.size WHERE space = OLD.space;
END;
)sql";

}  // namespace mybuild::cache_server
