// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/store/sqlite_database.h"

namespace mybuild::cache_server {

// `uses` of a link counts the manifests and records of that namespace that need the blob: counted
// when the link comes, kept by triggers from then on, here and in kRecordSchema. A manifest needs
// its own bytes, too. Times are in milliseconds since the epoch. `linked` has one row.
const char kRepositorySchema[] = R"sql(
CREATE TABLE blob_link (
  space TEXT NOT NULL,
  blob BLOB NOT NULL,
  size INTEGER NOT NULL,
  last_used INTEGER NOT NULL,
  uses INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (space, blob)
) WITHOUT ROWID;
CREATE INDEX blob_link_by_blob ON blob_link (blob);
CREATE INDEX blob_link_unused ON blob_link (last_used) WHERE uses = 0;
CREATE TABLE linked (bytes INTEGER NOT NULL);
INSERT INTO linked VALUES (0);

CREATE TABLE manifest (
  id INTEGER PRIMARY KEY,
  repository TEXT NOT NULL,
  digest BLOB NOT NULL,
  space TEXT NOT NULL,
  media_type TEXT NOT NULL,
  size INTEGER NOT NULL,
  subject BLOB,
  artifact_type TEXT NOT NULL,
  annotations TEXT NOT NULL,
  created INTEGER NOT NULL,
  UNIQUE (repository, digest)
);
CREATE INDEX manifest_by_subject ON manifest (repository, subject, digest)
  WHERE subject IS NOT NULL;
CREATE INDEX manifest_by_link ON manifest (space, digest);
CREATE TABLE manifest_blob (
  manifest INTEGER NOT NULL REFERENCES manifest (id) ON DELETE CASCADE,
  blob BLOB NOT NULL,
  space TEXT NOT NULL,
  PRIMARY KEY (manifest, blob)
) WITHOUT ROWID;
CREATE INDEX manifest_blob_by_link ON manifest_blob (space, blob);
CREATE TABLE manifest_manifest (
  manifest INTEGER NOT NULL REFERENCES manifest (id) ON DELETE CASCADE,
  repository TEXT NOT NULL,
  child BLOB NOT NULL,
  PRIMARY KEY (manifest, child)
) WITHOUT ROWID;
CREATE INDEX manifest_manifest_by_child ON manifest_manifest (repository, child);
CREATE TABLE tag (
  repository TEXT NOT NULL,
  name TEXT NOT NULL,
  digest BLOB NOT NULL,
  updated INTEGER NOT NULL,
  PRIMARY KEY (repository, name)
) WITHOUT ROWID;
CREATE INDEX tag_in_order ON tag (repository, name COLLATE NOCASE, name);
CREATE INDEX tag_by_digest ON tag (repository, digest);

CREATE TRIGGER blob_linked AFTER INSERT ON blob_link BEGIN
  UPDATE blob_link SET uses =
      (SELECT count(*) FROM manifest WHERE space = NEW.space AND digest = NEW.blob) +
      (SELECT count(*) FROM manifest_blob WHERE space = NEW.space AND blob = NEW.blob) +
      (SELECT count(*) FROM record WHERE space = NEW.space AND blob = NEW.blob)
    WHERE space = NEW.space AND blob = NEW.blob;
END;
CREATE TRIGGER blob_linked_first AFTER INSERT ON blob_link
  WHEN NOT EXISTS (SELECT 1 FROM blob_link WHERE blob = NEW.blob AND space <> NEW.space) BEGIN
  UPDATE linked SET bytes = bytes + NEW.size;
END;
CREATE TRIGGER blob_unlinked_last AFTER DELETE ON blob_link
  WHEN NOT EXISTS (SELECT 1 FROM blob_link WHERE blob = OLD.blob) BEGIN
  UPDATE linked SET bytes = bytes - OLD.size;
END;
CREATE TRIGGER manifest_added AFTER INSERT ON manifest BEGIN
  UPDATE blob_link SET uses = uses + 1 WHERE space = NEW.space AND blob = NEW.digest;
END;
CREATE TRIGGER manifest_removed AFTER DELETE ON manifest BEGIN
  UPDATE blob_link SET uses = uses - 1 WHERE space = OLD.space AND blob = OLD.digest;
END;
CREATE TRIGGER manifest_blob_added AFTER INSERT ON manifest_blob BEGIN
  UPDATE blob_link SET uses = uses + 1 WHERE space = NEW.space AND blob = NEW.blob;
END;
CREATE TRIGGER manifest_blob_removed AFTER DELETE ON manifest_blob BEGIN
  UPDATE blob_link SET uses = uses - 1 WHERE space = OLD.space AND blob = OLD.blob;
END;
)sql";

}  // namespace mybuild::cache_server
