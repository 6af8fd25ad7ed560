// SPDX-License-Identifier: Apache-2.0
// KnownBlobs: what a push knows of its repositories without a question for each blob: what went
// there already, and what is most likely new, as the present image of a tag is one of ours and does
// not have it. Thread-safe.
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
  /// Whether it was learnt what the repository has, and the blob is not among it. A guess: others
  /// push there, too.
  bool is_new(const oci::Reference& repository, const Digest& blob);

  /// The blob was found or sent there.
  void delivered(const oci::Reference& repository, const Digest& blob);
  bool is_delivered(const oci::Reference& repository, const Digest& blob);

 private:
  struct Repository {
    std::set<Digest> named;  // by a tag
    std::set<Digest> delivered;
  };
  Guarded<std::map<std::string, Repository>> repositories_;  // by domain and name
};

}  // namespace mybuild::exporter
