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
