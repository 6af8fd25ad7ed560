// SPDX-License-Identifier: Apache-2.0
#include "builder/source/image_importer.h"

#include <chrono>

namespace mybuild::source {

namespace {

std::string repository_of(const oci::Reference& reference) {
  return reference.domain + "/" + reference.repository;
}

/// The name an image gets by being pulled: none when it was asked for by digest. A tag beside that
/// was not asked for, so it may mean anything.
std::vector<std::string> names_of(const oci::Reference& reference) {
  return reference.digest ? std::vector<std::string>{} : std::vector{reference.str()};
}

}  // namespace

Result<RegistryImage> ImageImporter::find(const oci::Reference& reference,
                                          const oci::Platform& platform) {
  if (reference.digest) {
    if (auto known = TRY(registry_.remembered(reference, platform))) {
      return *std::move(known);
    }
  }
  return registry_.find(reference, platform);
}

Result<PulledImage> ImageImporter::pull(const oci::Reference& reference,
                                        const std::optional<oci::Platform>& asked,
                                        const solver::VertexId& vertex) {
  const oci::Platform platform = asked.value_or(oci::host_platform());
  const RegistryImage found = TRY(find(reference, platform));
  const BlobOrigin origin = [this, &reference](const oci::Descriptor& blob, Sink& sink) {
    return deps_.registry.blob_to_store(reference, blob, sink, deps_.cancel);
  };
  const std::shared_ptr<Image> image =
      TRY(make_image(reference.familiar(), found.chosen.digest, found.chosen.manifest, found.config,
                     origin, deps_.metadata));
  if (asked && match_score(*asked, image->config.platform) == 0) {
    return not_found("{} is not there for {}", image->name, to_string(*asked))
        .with_hint("it is for " + to_string(image->config.platform));
  }
  TRY(check_os(image->config).context(image->name));
  TRY(registry_.remember(reference, platform, found));
  TRY(fetcher_.fetch_trees(*image, vertex));
  TRY(fetcher_.fetch_lost_blobs(*image, vertex));

  PulledImage pulled{.root = found.root, .config = Digest::of(found.config), .changed = false};
  const std::vector<std::string> names = names_of(reference);
  for (const std::string& name : names) {
    const auto before = TRY(deps_.metadata.find_image_by_name(name));
    pulled.changed = !before || before->config != pulled.config;
  }
  if (names.empty()) {
    pulled.changed = TRY(deps_.metadata.find_images_by_config(pulled.config))
    .empty();
  }
  TRY(name(*image, pulled.config, names));
  TRY(deps_.metadata.put_repo_digest(
      {.config = pulled.config, .repository = repository_of(reference), .manifest = found.root}));
  return pulled;
}

Status ImageImporter::restore_blobs(const std::string& name,
                                    const std::vector<snapshotter::Layer>& layers,
                                    const solver::VertexId& vertex) {
  Image image;
  image.name = name;
  image.layers = layers;
  image.origin = known_places(name, deps_.metadata, deps_.registry, deps_.cancel);
  return fetcher_.fetch_lost_blobs(image, vertex);
}

Result<std::vector<LoadedImage>> ImageImporter::load(const std::string& path,
                                                     const oci::Platform& platform,
                                                     const solver::VertexId& vertex) {
  const std::shared_ptr<ImageLayout> layout = TRY(open_image_layout(path));
  std::vector<LoadedImage> loaded;
  for (const LayoutImage& found : TRY(layout->images(platform))) {
    loaded.push_back(TRY(load_one(layout, found, vertex)));
  }
  return loaded;
}

Result<LoadedImage> ImageImporter::load_one(const std::shared_ptr<ImageLayout>& layout,
                                            const LayoutImage& found,
                                            const solver::VertexId& vertex) {
  const oci::Manifest& manifest = found.manifest;
  const auto source = TRY(layout->open_blob(manifest.config.digest));
  const std::string config = TRY(read_all(*source, kMaxDocument));
  const BlobOrigin origin = [layout](const oci::Descriptor& blob, Sink& sink) -> Status {
    const auto bytes = TRY(layout->open_blob(blob.digest));
    TRY(copy(*bytes, sink));
    return {};
  };
  const std::string shown =
      found.names.empty() ? manifest.config.digest.str() : found.names.front();
  const std::shared_ptr<Image> image =
      TRY(make_image(shown, Digest::of(config), manifest, config, origin, deps_.metadata));
  TRY(deps_.content.put(config));
  TRY(fetcher_.fetch_trees(*image, vertex));
  TRY(fetcher_.fetch_lost_blobs(*image, vertex));
  LoadedImage loaded{.config = Digest::of(config), .names = found.names};
  TRY(name(*image, loaded.config, loaded.names));
  return loaded;
}

Status ImageImporter::name(const Image& image, const Digest& config,
                           const std::vector<std::string>& names) {
  snapshotter::ImageRow row;
  row.config = config;
  row.created = std::chrono::duration_cast<std::chrono::seconds>(
                    image.config.created.value_or(Time()).time_since_epoch())
                    .count();
  for (const snapshotter::Layer& layer : image.layers) {
    const auto known = TRY(deps_.metadata.find_layer(layer.diff_id));  // unpacked meanwhile
    row.size += known ? known->size : layer.size;
  }
  if (names.empty()) {
    return deps_.metadata.put_image(row);
  }
  for (const std::string& each : names) {
    row.name = each;
    TRY(deps_.metadata.put_image(row));
  }
  return {};
}

}  // namespace mybuild::source
