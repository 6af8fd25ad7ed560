// SPDX-License-Identifier: Apache-2.0
#include "builder/remote_cache/cache_writer.h"

#include "builder/export/image_pusher.h"
#include "builder/export/layout.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/oci/media_type.h"

namespace mybuild::remote_cache {

namespace {

using exporter::ExportDeps;

class RegistryWriter final : public CacheWriter {
 public:
  RegistryWriter(const oci::Reference& target, ExportDeps& deps, const solver::VertexId& vertex)
      : pusher_({target}, deps, vertex) {}

  Status greet() override { return pusher_.greet(); }
  Result<bool> has(const oci::Descriptor& blob) override { return pusher_.offer_one(blob); }
  Status put(const oci::Descriptor& blob) override { return pusher_.layer(blob); }
  Status finish(const oci::Descriptor& config, const oci::Descriptor& manifest,
                const std::vector<oci::Descriptor>& layers) override {
    return pusher_.finish({{.manifest = manifest, .config = config, .layers = layers}}, manifest);
  }

 private:
  exporter::ImagePusher pusher_;
};

/// An OCI layout, to which each export adds: other tags stay, and so do blobs.
class FolderWriter final : public CacheWriter {
 public:
  FolderWriter(const CacheTarget& target, ExportDeps& deps, const solver::VertexId& vertex)
      : dest_(target.dest), tag_(target.tag), deps_(deps), vertex_(vertex) {}

  Status greet() override { return make_dirs(dest_, 0755); }

  Result<bool> has(const oci::Descriptor& blob) override {
    const std::string path = join_path(dest_, exporter::blob_path(blob.digest));
    const Result<struct stat> there = sys::lstat_at(AT_FDCWD, path);
    return there && S_ISREG(there->st_mode) &&
           static_cast<std::uint64_t>(there->st_size) == blob.size;
  }

  Status put(const oci::Descriptor&) override { return {}; }  // all are written at the end

  Status finish(const oci::Descriptor& config, const oci::Descriptor& manifest,
                const std::vector<oci::Descriptor>& layers) override {
    exporter::Layout layout;
    layout.replace_broken_index = true;
    layout.index.media_type = oci::kMediaTypeIndex;
    layout.index.manifests.push_back(manifest);
    layout.index.manifests.back().annotations["org.opencontainers.image.ref.name"] = tag_;
    layout.add_blob(manifest);
    layout.add_blob(config);
    for (const oci::Descriptor& layer : layers) {
      layout.add_blob(layer);
    }
    exporter::Step step(deps_, vertex_, "writing layers", layout.blob_bytes());
    TRY(exporter::write_layout_directory(layout, deps_, step, dest_));
    step.done();
    return {};
  }

 private:
  const std::string dest_;
  const std::string tag_;
  ExportDeps& deps_;
  const solver::VertexId vertex_;
};

}  // namespace

std::unique_ptr<CacheWriter> make_cache_writer(const CacheTarget& target, ExportDeps& deps,
                                               const solver::VertexId& vertex) {
  if (target.type == CacheTarget::Type::Local) {
    return std::make_unique<FolderWriter>(target, deps, vertex);
  }
  return std::make_unique<RegistryWriter>(target.ref, deps, vertex);
}

}  // namespace mybuild::remote_cache
