-- The tables of state.db as mybuild made them at schema 5.
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS layers(
  diff_id BLOB PRIMARY KEY, changes BLOB, size INTEGER NOT NULL, created INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS trees(
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, diff_id BLOB NOT NULL,
  size INTEGER NOT NULL, created INTEGER NOT NULL, synced INTEGER NOT NULL, seal BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS trees_by_diff_id ON trees(diff_id);
CREATE INDEX IF NOT EXISTS trees_unsynced ON trees(id) WHERE synced = 0;
CREATE TABLE IF NOT EXISTS layer_blobs(
  diff_id BLOB, format TEXT, blob TEXT NOT NULL, PRIMARY KEY(diff_id, format)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS images(
  config BLOB, name TEXT, created INTEGER NOT NULL, size INTEGER NOT NULL, PRIMARY KEY(config, name)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS images_by_name ON images(name) WHERE name <> '';
CREATE TABLE IF NOT EXISTS resolved(
  reference TEXT, platform TEXT, manifest BLOB NOT NULL, PRIMARY KEY(reference, platform)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records(
  id INTEGER PRIMARY KEY, definition_key BLOB NOT NULL, content_key BLOB NOT NULL,
  output BLOB NOT NULL, body TEXT NOT NULL, created INTEGER NOT NULL, layer BLOB
);
CREATE UNIQUE INDEX IF NOT EXISTS records_by_definition
  ON records(definition_key, content_key, output);
CREATE INDEX IF NOT EXISTS records_by_content ON records(content_key);
CREATE INDEX IF NOT EXISTS records_by_output ON records(output);
CREATE INDEX IF NOT EXISTS records_by_layer ON records(layer) WHERE layer IS NOT NULL;
CREATE TABLE IF NOT EXISTS repo_digests(
  config BLOB, repository TEXT, manifest BLOB, PRIMARY KEY(config, repository, manifest)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS repo_digests_by_manifest ON repo_digests(manifest, repository);
CREATE TABLE IF NOT EXISTS blob_sources(
  blob BLOB, domain TEXT, repository TEXT NOT NULL, PRIMARY KEY(blob, domain)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS http_files(
  request BLOB PRIMARY KEY, content BLOB NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
  last_modified TEXT NOT NULL, created INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS git_trees(
  key BLOB PRIMARY KEY, diff_id BLOB NOT NULL, time INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS git_trees_by_diff_id ON git_trees(diff_id);
CREATE TABLE IF NOT EXISTS known_builds(
  id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS builds(
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, created INTEGER NOT NULL,
  last INTEGER NOT NULL, repeats INTEGER NOT NULL, duration INTEGER NOT NULL,
  subject TEXT NOT NULL, image TEXT NOT NULL, error TEXT NOT NULL, outcomes TEXT NOT NULL, part BLOB
);
CREATE TABLE IF NOT EXISTS build_parts(
  id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, size INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS build_parts_by_age ON build_parts(id, size);
PRAGMA user_version = 5;
COMMIT;
