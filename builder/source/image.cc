// SPDX-License-Identifier: Apache-2.0
#include "builder/source/image.h"

namespace mybuild::source {

Status check_os(const oci::ImageConfig& config) {
  const std::string& os = config.platform.os;
  if (os.empty() || os == "linux") {
    return {};
  }
  return unsupported("image operating system \"{}\" cannot be used on this platform", os);
}

Result<snapshotter::Layer> known_layer(const Digest& diff_id, snapshotter::Metadata& metadata) {
  const auto row = TRY(metadata.find_layer(diff_id));
  snapshotter::Layer layer;
  layer.diff_id = diff_id;
  if (row) {
    layer.changes = row->changes;
    layer.size = row->size;
  }
  return layer;
}

namespace {

/// Knows whether anything came: what was begun cannot be gone on with from another place.
class Untouched final : public Sink {
 public:
  explicit Untouched(Sink& sink) : sink_(sink) {}
  Status write(ByteSpan bytes) override {
    touched_ = true;
    return sink_.write(bytes);
  }
  bool touched() const { return touched_; }

 private:
  Sink& sink_;
  bool touched_ = false;
};

}  // namespace

BlobOrigin known_places(std::string image, snapshotter::Metadata& metadata,
                        registry::RegistryClient& registry, const Cancel& cancel) {
  return [image = std::move(image), &metadata, &registry, &cancel](const oci::Descriptor& blob,
                                                                   Sink& sink) -> Status {
    Untouched draft(sink);
    std::string why;
    for (const snapshotter::BlobSourceRow& place : TRY(metadata.find_blob_sources(blob.digest))) {
      oci::Reference reference;
      reference.domain = place.domain;
      reference.repository = place.repository;
      reference.digest = blob.digest;
      const Status fetched = registry.blob_to_store(reference, blob, draft, cancel);
      if (fetched || draft.touched() || cancel.requested()) {
        return fetched;
      }
      why += "; " + fetched.error().message();
    }
    return not_found("layer blob {} of the local image {} is gone{}", blob.digest.str(), image, why)
        .with_hint("build, pull or load the image again");
  };
}

Result<std::shared_ptr<Image>> make_image(const std::string& name, const Digest& id,
                                          const oci::Manifest& manifest, const std::string& config,
                                          BlobOrigin origin, snapshotter::Metadata& metadata) {
  auto image = std::make_shared<Image>();
  image->id = id;
  image->name = name;
  image->config = TRY(oci::parse_image_config(config).context(name));
  image->origin = std::move(origin);
  const std::vector<Digest>& diff_ids = image->config.diff_ids;
  if (diff_ids.size() != manifest.layers.size()) {
    return invalid_argument("{}: the manifest has {} layers, its config names {}", name,
                            manifest.layers.size(), diff_ids.size())
        .with_hint("is it an image, or an artifact of another kind?");
  }
  for (std::size_t i = 0; i < diff_ids.size(); ++i) {
    image->layers.push_back(TRY(known_layer(diff_ids[i], metadata)));
    image->layers.back().blob = manifest.layers[i];
  }
  return image;
}

}  // namespace mybuild::source
