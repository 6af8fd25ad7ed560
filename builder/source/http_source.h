// SPDX-License-Identifier: Apache-2.0
// HttpSources: files behind URLs (ADD, contexts). A file that was fetched before is asked for with
// its ETag or Last-Modified and taken from the store if the server says that it is the same; one
// with a checksum that the store has is not asked for at all. Within a build each URL is asked
// once. Thread-safe.
#pragma once

#include "builder/registry/transport.h"
#include "builder/secrets/secret_source.h"
#include "builder/source/http_download.h"
#include "builder/source/source_tree.h"
#include "snapshotter/claims.h"
#include "snapshotter/content/content_store.h"
#include "snapshotter/metadata.h"
#include "solver/graph/graph.h"
#include "solver/progress.h"

#include <memory>

namespace mybuild::source {

struct HttpSourceDeps {
  registry::Transport& transport;
  snapshotter::ContentStore& content;
  snapshotter::Metadata& metadata;
  solver::EventSink& events;
  const Clock& clock;
  secrets::SecretSource* secrets = nullptr;  // HTTP_AUTH_TOKEN_<host>, HTTP_AUTH_HEADER_<host>
  HttpLimits limits = {};
  const snapshotter::Claims* claims = nullptr;  // null: nobody else fetches into this store
};

class HttpSources {
 public:
  virtual ~HttpSources() = default;
  /// The file as a directory with one file: mode 0600, owned by root, its mtime the server's
  /// Last-Modified (else 1970). It is in the store then. Progress is shown under `vertex`.
  virtual Result<SourceTree> open(const solver::HttpSource& source, const solver::VertexId& vertex,
                                  const Cancel& cancel) = 0;
};
std::unique_ptr<HttpSources> make_http_sources(HttpSourceDeps deps);

}  // namespace mybuild::source
