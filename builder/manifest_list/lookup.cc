// SPDX-License-Identifier: Apache-2.0
#include "builder/manifest_list/lookup.h"

#include "builder/source/image_index.h"
#include "snapshotter/base/json.h"
#include "snapshotter/oci/image_config.h"
#include "snapshotter/oci/media_type.h"

namespace mybuild::manifest_list {

namespace {

/// Each is a request.
constexpr std::size_t kMaxImages = 1000;

Result<oci::Platform> platform_of(const ListedImage& image, const RegistryAccess& access) {
  const oci::Manifest manifest = TRY(oci::parse_manifest(image.document));
  if (manifest.config.size > source::kMaxDocument) {
    return invalid_argument("the image config has {} bytes", manifest.config.size);
  }
  StringSink text;
  TRY(access.registry.blob(image.name, manifest.config, text, access.cancel));
  oci::ImageConfig config = TRY(oci::parse_image_config(text.text));
  const Json json = TRY(parse_json(text.text));
  config.platform.os_features = TRY(TRY(JsonField(json, "").field("os.features")).strings());
  return std::move(config.platform);
}

/// A document that is an image manifest; nothing else of it is known yet.
Result<ListedImage> as_image(const oci::Reference& name, registry::ManifestDocument document) {
  if (oci::is_index(document.media_type)) {
    return invalid_argument("{} is a manifest list, not an image", name.familiar())
        .with_hint("name its images by digest; `mybuild manifest inspect " + name.familiar() +
                   "` lists them");
  }
  TRY(oci::parse_manifest(document.bytes).context(name.familiar()));
  ListedImage image;
  image.name = name;
  image.descriptor.media_type = document.media_type;
  image.descriptor.digest = document.digest;
  image.descriptor.size = document.bytes.size();
  image.document = std::move(document.bytes);
  return image;
}

Result<ListedImage> image_of_index(const oci::Reference& index, const oci::Descriptor& descriptor,
                                   const RegistryAccess& access) {
  oci::Reference name = index;
  name.digest = descriptor.digest;
  registry::ManifestDocument document = TRY(access.registry.manifest(name, access.cancel));
  ListedImage image = TRY(as_image(name, std::move(document)));
  image.descriptor.platform = descriptor.platform;
  if (!image.descriptor.platform) {
    image.descriptor.platform = TRY(platform_of(image, access).context(name.familiar()));
  }
  return image;
}

}  // namespace

Result<ListedImage> look_up_image(const oci::Reference& name, const RegistryAccess& access) {
  registry::ManifestDocument document = TRY(access.registry.manifest(name, access.cancel));
  ListedImage image = TRY(as_image(name, std::move(document)));
  image.descriptor.platform = TRY(platform_of(image, access).context(name.familiar()));
  return image;
}

Result<Found> look_up(const oci::Reference& name, bool each_image, const RegistryAccess& access) {
  registry::ManifestDocument document = TRY(access.registry.manifest(name, access.cancel));
  Found found;
  if (!oci::is_index(document.media_type)) {
    ListedImage image = TRY(as_image(name, std::move(document)));
    if (each_image) {
      image.descriptor.platform = TRY(platform_of(image, access).context(name.familiar()));
    }
    found.images.push_back(std::move(image));
    return found;
  }
  found.index = TRY(oci::parse_index(document.bytes).context(name.familiar()));
  const std::vector<oci::Descriptor>& listed = found.index->manifests;
  if (each_image && listed.size() > kMaxImages) {
    return invalid_argument("{} has {} images, more than {}", name.familiar(), listed.size(),
                            kMaxImages);
  }
  found.images.resize(each_image ? listed.size() : 0);
  TRY(access.lanes.fan_out(Lane::Net, found.images.size(), [&](std::size_t i) -> Status {
    found.images[i] = TRY(image_of_index(name, listed[i], access));
    return {};
  }));
  return found;
}

}  // namespace mybuild::manifest_list
