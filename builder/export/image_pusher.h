// SPDX-License-Identifier: Apache-2.0
// ImagePusher: sends the blobs and documents of images to the repositories that their names are in,
// each blob as soon as it is ready, manifests last. A blob that a repository has, or can mount from
// another one of its registry, is not sent. Reports under one vertex. layer() and offer() may be
// called from several threads.
#pragma once

#include "builder/export/documents.h"
#include "builder/export/known_blobs.h"

#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace mybuild::exporter {

class ImagePusher {
 public:
  /// `targets`: names with tags, at least one.
  ImagePusher(std::vector<oci::Reference> targets, ExportDeps& deps,
              const solver::VertexId& vertex);

  /// Asks each registry once whether it is there at all, before anything is made for it.
  Status greet();
  /// True when every repository has all of these blobs now, without our sending any.
  Result<bool> offer(const std::vector<oci::Descriptor>& blobs);
  bool offered(const oci::Descriptor& blob) const;
  /// Sends what it hears of while it is made; layer() then waits for its end. Empty where the
  /// build has no streams.
  snapshotter::OnDraft on_draft() const;
  Status layer(const oci::Descriptor& blob);
  /// True when every repository has the blob now, without our sending it.
  Result<bool> offer_one(const oci::Descriptor& blob);
  /// Configs that were not sent by layer(), and manifests, then the tags. `root` is the manifest,
  /// or the index over all images.
  Status finish(const std::vector<ImageDocuments>& images, const oci::Descriptor& root);

 private:
  class UploadSource;
  Status send(const oci::Reference& repository, const oci::Descriptor& blob);
  Result<std::optional<registry::Delivery>> by_stream(const oci::Reference& repository,
                                                      registry::BlobUpload& upload,
                                                      const std::string& item);
  Result<registry::Delivery> deliver(const oci::Reference& repository, const oci::Descriptor& blob,
                                     bool with_bytes);
  Status put_manifest(const oci::Reference& target, const oci::Descriptor& manifest);
  Status put_tag(std::size_t target, const oci::Descriptor& root);
  void report(const std::string& item, std::uint64_t current, std::uint64_t total, bool done);

  const std::vector<oci::Reference> targets_;
  std::vector<oci::Reference> repositories_;   // without tags, each once
  std::vector<std::optional<Digest>> before_;  // what the targets named when we came
  std::set<Digest> offered_;                   // constant after offer()
  KnownBlobs known_;
  ExportDeps& deps_;
  const solver::VertexId vertex_;
  std::mutex events_mutex_;  // events of one vertex come one after the other
};

}  // namespace mybuild::exporter
