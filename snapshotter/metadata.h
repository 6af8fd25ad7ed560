// SPDX-License-Identifier: Apache-2.0
// Metadata: the store's SQLite database (state.db, WAL; schema in metadata.md with its version):
// which layers and blobs there are, which names images have, what tags resolved to, the cache
// records of steps, and what builds found. Losing the newest rows is allowed (they are rebuilt),
// wrong rows are not. Thread-safe (one guarded connection), safe between processes.
#pragma once

#include "snapshotter/base/clock.h"
#include "snapshotter/base/digest.h"
#include "snapshotter/base/result.h"
#include "snapshotter/build_tables.h"
#include "snapshotter/oci/descriptor.h"
#include "snapshotter/tree_table.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mybuild::snapshotter {

/// A name (or none) for an image of the local store; `config` is the image id.
struct ImageRow {
  std::string name;  // "docker.io/library/hello:latest"; "" = untagged
  Digest config;
  std::int64_t created = 0;
  std::uint64_t size = 0;
};

/// A tag that was pulled: later builds use it without asking the registry again, until --pull.
struct ResolvedRow {
  std::string reference;  // normalised
  std::string platform;   // to_string(Platform)
  Digest manifest;
};

/// Under which digest an image is known in a repository that it was pulled from or pushed to.
/// A repository that had a blob.
struct BlobSourceRow {
  std::string domain;
  std::string repository;
};

struct RepoDigestRow {
  Digest config;
  std::string repository;  // "docker.io/library/hello"
  Digest manifest;         // or index, as the repository's tag names it
};

/// A made or original blob of a layer.
struct LayerBlobRow {
  Digest diff_id;
  std::string format;
  oci::Descriptor blob;
};

/// A file that a URL led to: how to ask the server whether it is still that.
struct HttpFileRow {
  Digest request;  // stands for the URL and for who asked; neither can be read back
  Digest content;
  std::uint64_t size = 0;
  std::string etag;           // "" when the server gave none
  std::string last_modified;  // as the server wrote it; may be ""
  std::int64_t created = 0;   // when it was fetched, in seconds since the epoch
};

/// The layer that a commit was checked out into (builder/source/git_source.h has the key).
struct GitTreeRow {
  Digest key;
  Digest diff_id;
  std::int64_t time = 0;  // the commit's, seconds since the epoch
};

/// A cache record as the solver's index stores it (solver/cache_index.h has the meaning).
struct RecordRow {
  Digest definition_key;
  Digest content_key;
  Digest output;
  std::string body;  // canonical JSON
  std::int64_t created = 0;
  std::optional<Digest> layer = {};  // without a tree of it the record is worth nothing
};

/// Hears, once, what the user of a store should know about it.
using Warn = std::function<void(const std::string& text)>;

class Metadata {
 public:
  /// Opens or makes `path`. A newer schema is refused by name; a corrupt database is moved aside
  /// and made anew, with the names of images that can still be read.
  static Result<std::unique_ptr<Metadata>> open(
      const std::string& path, const Warn& warn = [](const std::string&) {});
  virtual ~Metadata() = default;

  /// Reads the whole file; what is wrong with it, in SQLite's words.
  virtual Result<std::vector<std::string>> check() = 0;

  virtual Result<std::optional<LayerRow>> find_layer(const Digest& diff_id) = 0;
  virtual Result<std::vector<LayerRow>> layers() = 0;

  /// Blobs of a layer; `format` names compression, level and time clamp ("gzip:6", "original").
  virtual Status put_layer_blobs(std::span<const LayerBlobRow> rows) = 0;
  Status put_layer_blob(const Digest& diff_id, const std::string& format,
                        const oci::Descriptor& blob) {
    const LayerBlobRow row{.diff_id = diff_id, .format = format, .blob = blob};
    return put_layer_blobs(std::span(&row, 1));
  }
  virtual Result<std::optional<oci::Descriptor>> find_layer_blob(const Digest& diff_id,
                                                                 const std::string& format) = 0;
  virtual Result<std::vector<LayerBlobRow>> layer_blobs() = 0;
  virtual Status forget_layer_blobs(std::span<const Digest> diff_ids,
                                    const std::string& format) = 0;
  Status forget_layer_blob(const Digest& diff_id, const std::string& format) {
    return forget_layer_blobs(std::span(&diff_id, 1), format);
  }

  /// Remembers a repository of the registry `domain` that has these blobs; a later one replaces it.
  virtual Status put_blob_source(const std::string& domain, const std::string& repository,
                                 const std::vector<Digest>& blobs) = 0;
  virtual Result<std::optional<std::string>> find_blob_source(const std::string& domain,
                                                              const Digest& blob) = 0;
  /// Of all registries.
  virtual Result<std::vector<BlobSourceRow>> find_blob_sources(const Digest& blob) = 0;

  virtual Status put_image(
      const ImageRow& row) = 0;  // a name moves from an older image, which stays, untagged
  virtual Result<std::optional<ImageRow>> find_image_by_name(const std::string& name) = 0;
  virtual Result<std::vector<ImageRow>> find_images_by_config(const Digest& config) = 0;
  virtual Result<std::vector<ImageRow>> images() = 0;  // newest first
  virtual Status remove_image(const std::string& name, const Digest& config) = 0;

  virtual Status put_repo_digest(const RepoDigestRow& row) = 0;
  virtual Result<std::vector<RepoDigestRow>> find_repo_digests(const Digest& config) = 0;
  /// The image (its config) that `manifest` stands for in `repository`.
  virtual Result<std::optional<Digest>> find_image_by_digest(const std::string& repository,
                                                             const Digest& manifest) = 0;
  virtual Status remove_repo_digests(const Digest& config) = 0;
  virtual Result<std::vector<RepoDigestRow>> repo_digests() = 0;

  virtual Status put_resolved(const ResolvedRow& row) = 0;
  virtual Result<std::optional<Digest>> find_resolved(const std::string& reference,
                                                      const std::string& platform) = 0;

  virtual Result<std::vector<ResolvedRow>> resolved() = 0;
  virtual Status forget_resolved(const std::string& reference, const std::string& platform) = 0;

  virtual Status put_http_file(const HttpFileRow& row) = 0;
  virtual Result<std::optional<HttpFileRow>> find_http_file(const Digest& request) = 0;

  virtual Result<std::vector<HttpFileRow>> http_files() = 0;
  virtual Status forget_http_file(const Digest& request) = 0;

  virtual Status put_git_tree(const GitTreeRow& row) = 0;
  virtual Result<std::optional<GitTreeRow>> find_git_tree(const Digest& key) = 0;
  virtual Result<std::vector<GitTreeRow>> git_trees() = 0;

  /// What a build gave, under the digest of all that matters for it. The newest are kept.
  virtual Status put_known_build(const Digest& key, const std::string& body) = 0;
  virtual Result<std::optional<std::string>> find_known_build(const Digest& key) = 0;
  virtual Status forget_known_builds() = 0;

  virtual Status put_records(std::span<const RecordRow> rows) = 0;
  Status put_record(const RecordRow& row) { return put_records(std::span(&row, 1)); }
  /// The rows of each key, in the order of the keys, from one state of the database.
  virtual Result<std::vector<std::vector<RecordRow>>> find_records_by_definition(
      std::span<const Digest> keys) = 0;
  virtual Result<std::vector<RecordRow>> find_records_by_content(const Digest& key) = 0;
  virtual Result<std::vector<RecordRow>> find_records_by_output(const Digest& output) = 0;
  virtual Result<std::uint64_t> record_count() = 0;
  virtual Status forget_records() = 0;
  /// Those made at `time` or later, seconds since the epoch, and all known builds.
  virtual Status forget_records_since(std::int64_t time) = 0;

  /// What is remembered of builds, to explain later ones.
  virtual BuildTables& builds() = 0;
  /// The layer trees.
  virtual TreeTable& trees() = 0;
};

}  // namespace mybuild::snapshotter
