// SPDX-License-Identifier: Apache-2.0
#include "builder/source/registry_image.h"

#include "snapshotter/base/log.h"
#include "snapshotter/oci/media_type.h"

namespace mybuild::source {

namespace {

/// What a name resolved to is kept under this: beside a digest a tag means nothing.
std::string key_of(oci::Reference reference) {
  if (reference.digest) {
    reference.tag.clear();
  }
  return reference.str();
}

}  // namespace

oci::Reference at(oci::Reference reference, const Digest& digest) {
  reference.tag.clear();
  reference.digest = digest;
  return reference;
}

Result<RegistryImage> RegistryImages::find(const oci::Reference& reference,
                                           const oci::Platform& platform) {
  const registry::ManifestDocument root = TRY(registry_.manifest(reference, cancel_));
  const FetchDocument fetch = [&](const oci::Descriptor& descriptor) {
    return document(reference, descriptor);
  };
  RegistryImage image;
  image.root = root.digest;
  image.chosen = TRY(choose_manifest(root.bytes, platform, fetch).context(reference.familiar()));
  image.config = TRY(fetch(image.chosen.manifest.config));
  return image;
}

Status RegistryImages::remember(const oci::Reference& reference, const oci::Platform& platform,
                                const RegistryImage& image) {
  TRY(content_.put(image.chosen.bytes));
  TRY(content_.put(image.config));
  std::vector<Digest> blobs;
  for (const oci::Descriptor& layer : image.chosen.manifest.layers) {
    blobs.push_back(layer.digest);
  }
  TRY(metadata_.put_blob_source(reference.domain, reference.repository, blobs));
  // By its digest as well: who asks what a tag names now finds the documents by the answer.
  for (const oci::Reference& name : {reference, at(reference, image.root)}) {
    TRY(metadata_.put_resolved({.reference = key_of(name),
                                .platform = to_string(platform),
                                .manifest = image.chosen.digest}));
  }
  return {};
}

Result<std::optional<RegistryImage>> RegistryImages::remembered(const oci::Reference& reference,
                                                                const oci::Platform& platform) {
  const auto digest = TRY(metadata_.find_resolved(key_of(reference), to_string(platform)));
  std::optional<std::string> text = digest ? stored(*digest) : std::nullopt;
  if (!text) {
    return std::optional<RegistryImage>();
  }
  RegistryImage image;
  image.root = reference.digest.value_or(*digest);
  image.chosen.digest = *digest;
  image.chosen.manifest = TRY(oci::parse_manifest(*text));
  image.chosen.bytes = *std::move(text);
  std::optional<std::string> config = stored(image.chosen.manifest.config.digest);
  if (!config) {
    return std::optional<RegistryImage>();
  }
  image.config = *std::move(config);
  return std::optional(std::move(image));
}

Result<std::string> RegistryImages::document(const oci::Reference& reference,
                                             const oci::Descriptor& descriptor) {
  if (std::optional<std::string> text = stored(descriptor.digest)) {
    return *std::move(text);
  }
  if (oci::is_manifest(descriptor.media_type) || oci::is_index(descriptor.media_type)) {
    oci::Reference exact = reference;
    exact.digest = descriptor.digest;
    registry::ManifestDocument document = TRY(registry_.manifest(exact, cancel_));
    return std::move(document.bytes);
  }
  if (descriptor.size > kMaxDocument) {
    return invalid_argument("{}: the image config has {} bytes", reference.familiar(),
                            descriptor.size);
  }
  StringSink sink;
  TRY(registry_.blob(reference, descriptor, sink, cancel_));
  return std::move(sink.text);
}

std::optional<std::string> RegistryImages::stored(const Digest& digest) {
  return stored_document(content_, digest);
}

std::optional<std::string> stored_document(snapshotter::ContentStore& content,
                                           const Digest& digest) {
  Result<std::string> text = content.read(digest);
  if (!text) {
    log::debug("{} is not in the store: {}", digest.str(), text.error().message());
    return std::nullopt;
  }
  return std::move(text).value();
}

}  // namespace mybuild::source
