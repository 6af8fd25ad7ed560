// SPDX-License-Identifier: Apache-2.0
// KnownBlobs: what the repositories of a push are known to have without a question for each blob. A
// registry keeps what a manifest of it names, so a tag that names a document of ours vouches for
// all that is in it. Thread-safe.
#pragma once

#include "snapshotter/base/guarded.h"
#include "snapshotter/content/content_store.h"
#include "snapshotter/oci/reference.h"

#include <map>
#include <set>
#include <string>

namespace mybuild::exporter {

class KnownBlobs {
 public:
  /// A tag of the repository names `root`, a manifest or an index. Nothing is learnt of a document
  /// that `content` has not got.
  void learn(const oci::Reference& repository, const Digest& root,
             snapshotter::ContentStore& content);
  /// The blob was found or sent there.
  void add(const oci::Reference& repository, const Digest& blob);
  bool has(const oci::Reference& repository, const Digest& blob);
  /// Whether a document was learnt from there: what has() does not know then is most likely new.
  bool is_familiar(const oci::Reference& repository);
  /// Forgets all. False when nothing had been learnt: what went wrong has other reasons.
  bool doubt();

 private:
  struct Repository {
    std::set<Digest> blobs;
    bool is_familiar = false;
  };
  Guarded<std::map<std::string, Repository>> repositories_;  // by domain and name
};

}  // namespace mybuild::exporter
