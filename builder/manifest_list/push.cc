// SPDX-License-Identifier: Apache-2.0
#include "builder/manifest_list/push.h"

#include "builder/export/image_pusher.h"
#include "builder/source/blob_fetcher.h"
#include "snapshotter/oci/docker_index.h"

#include <map>

namespace mybuild::manifest_list {

namespace {

bool is_in_repository(const ListedImage& image, const oci::Reference& target) {
  return image.name.domain == target.domain && image.name.repository == target.repository;
}

/// Layers that may not be given on stay with whoever gives them out; manifests say where.
bool is_foreign(const oci::Descriptor& layer) {
  return layer.media_type.find(".foreign.") != std::string::npos ||
         layer.media_type.find(".nondistributable.") != std::string::npos;
}

/// A blob that the target needs, and a repository that has it.
struct Need {
  oci::Descriptor blob;
  const oci::Reference* origin;
};

class ListPush {
 public:
  ListPush(const ManifestList& list, const PushAccess& access, const solver::VertexId& vertex)
      : list_(list),
        access_(access),
        vertex_(vertex),
        pusher_({list.name}, access.deps, vertex),
        fetcher_({.content = access.deps.content,
                  .lanes = access.deps.lanes,
                  .events = access.deps.events,
                  .cancel = access.deps.cancel,
                  .clock = access.deps.clock,
                  .claims = access.claims}) {}

  Result<PushedList> run() {
    TRY(pusher_.greet());
    std::vector<exporter::ImageDocuments> images;
    PushedList pushed;
    for (const ListedImage& image : list_.images) {
      if (!is_in_repository(image, list_.name)) {
        images.push_back(TRY(plan(image)));
        pushed.brought.push_back(image.descriptor.digest);
      }
    }
    TRY(bring_blobs());
    const oci::Descriptor root = TRY(store_index());
    pushed.digest = root.digest;
    TRY(pusher_.finish(images, root));
    return pushed;
  }

 private:
  /// Notes what the image needs, and that the repository it is in has all of it: a place to mount
  /// from.
  Result<exporter::ImageDocuments> plan(const ListedImage& image) {
    const oci::Manifest manifest = TRY(oci::parse_manifest(image.document));
    TRY(access_.deps.content.put(image.document));
    exporter::ImageDocuments documents{
        .manifest = image.descriptor, .config = manifest.config, .layers = manifest.layers};
    std::vector<Digest> blobs;
    const auto need = [&](const oci::Descriptor& blob) {
      needs_.emplace(blob.digest, Need{blob, &image.name});
      blobs.push_back(blob.digest);
    };
    need(manifest.config);
    for (const oci::Descriptor& layer : manifest.layers) {
      if (!is_foreign(layer)) {
        need(layer);
      }
    }
    TRY(access_.deps.metadata.put_blob_source(image.name.domain, image.name.repository, blobs));
    return documents;
  }

  Status bring_blobs() {
    std::vector<oci::Descriptor> blobs;
    for (const auto& [digest, need] : needs_) {
      blobs.push_back(need.blob);
    }
    if (TRY(pusher_.offer(blobs))) {
      return {};
    }
    return access_.deps.lanes.fan_out(Lane::Net, blobs.size(), [&](std::size_t i) -> Status {
      return pusher_.offered(blobs[i]) ? Status() : bring(needs_.at(blobs[i].digest));
    });
  }

  Status bring(const Need& need) {
    TRY(fetcher_.ensure({.blob = need.blob,
                         .origin = [&](const oci::Descriptor& blob, Sink& sink) -> Status {
                           return access_.registry.blob(*need.origin, blob, sink,
                                                        access_.deps.cancel);
                         },
                         .vertex = vertex_}));
    return pusher_.layer(need.blob);
  }

  Result<oci::Descriptor> store_index() {
    const oci::Index index = index_of(list_);
    const std::string text = oci::dump_as_docker(index);
    const snapshotter::BlobInfo stored = TRY(access_.deps.content.put(text));
    oci::Descriptor root;
    root.media_type = index.media_type;
    root.digest = stored.digest;
    root.size = text.size();
    return root;
  }

  const ManifestList& list_;
  const PushAccess& access_;
  const solver::VertexId& vertex_;
  exporter::ImagePusher pusher_;
  source::BlobFetcher fetcher_;
  std::map<Digest, Need> needs_;
};

}  // namespace

Result<PushedList> push_list(const ManifestList& list, const PushAccess& access,
                             const solver::VertexId& vertex) {
  TRY(check_complete(list));
  return ListPush(list, access, vertex).run();
}

}  // namespace mybuild::manifest_list
