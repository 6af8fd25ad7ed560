// SPDX-License-Identifier: Apache-2.0
#include "builder/export/documents.h"

#include "snapshotter/oci/media_type.h"

#include <algorithm>
#include <map>
#include <utility>

namespace mybuild::exporter {

namespace {

struct ExportedLayer {
  oci::Descriptor blob;
  Digest diff_id;
};

Result<oci::Descriptor> put_document(std::string_view media_type, const std::string& text,
                                     ExportDeps& deps) {
  const snapshotter::BlobInfo blob = TRY(deps.content.put(text));
  oci::Descriptor descriptor;
  descriptor.media_type = media_type;
  descriptor.digest = blob.digest;
  descriptor.size = blob.size;
  return descriptor;
}

/// A manifest of one family names layers of that family, whichever registry a base layer came from.
std::string oci_layer_type(const std::string& media_type) {
  if (media_type == oci::kDockerMediaTypeLayer) {
    return std::string(oci::kMediaTypeLayer);
  }
  if (media_type == oci::kDockerMediaTypeLayerGzip) {
    return std::string(oci::kMediaTypeLayerGzip);
  }
  return media_type;
}

Result<ExportedLayer> export_layer(const Digest& diff_id, const OutputSpec& spec,
                                   const snapshotter::TarOptions& options, ExportDeps& deps) {
  TRY(deps.cancel.check());
  ExportedLayer layer{.blob = {}, .diff_id = diff_id};
  layer.blob = TRY(deps.layers.ensure_blob(diff_id, spec.compression, options));
  layer.blob.media_type = oci_layer_type(layer.blob.media_type);
  layer.blob.platform.reset();
  auto clamped = layer.blob.annotations.extract(std::string(snapshotter::kUncompressedAnnotation));
  if (!options.max_mtime || !clamped) {
    return layer;
  }
  // On a base layer's own blob the annotation is what somebody claims, and its times are kept
  // anyway.
  const auto original = TRY(deps.layers.original_blob(diff_id));
  if (!original) {
    layer.diff_id = TRY(Digest::parse(clamped.mapped()));
  }
  return layer;
}

/// Each different layer once, several at a time.
Result<std::map<Digest, ExportedLayer>> export_layers(const BuiltImage& image,
                                                      const OutputSpec& spec,
                                                      const snapshotter::TarOptions& options,
                                                      ExportDeps& deps) {
  std::vector<Digest> ids;
  for (const snapshotter::Layer& layer : image.layers) {
    ids.push_back(layer.diff_id);
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());

  std::vector<ExportedLayer> layers(ids.size());
  TRY(deps.lanes.fan_out(Lane::Disk, ids.size(), [&](std::size_t i) -> Status {
    layers[i] =
        TRY(export_layer(ids[i], spec, options, deps).context("export layer " + ids[i].str()));
    return {};
  }));

  std::map<Digest, ExportedLayer> by_id;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    by_id.emplace(ids[i], std::move(layers[i]));
  }
  return by_id;
}

}  // namespace

Result<ImageDocuments> write_documents(const BuiltImage& image, const OutputSpec& spec,
                                       const BuildOutput& output, ExportDeps& deps) {
  if (image.layers.size() != image.config.diff_ids.size()) {
    return internal_error("{} layers, but {} diff ids in the config", image.layers.size(),
                          image.config.diff_ids.size());
  }
  snapshotter::TarOptions options;
  if (spec.rewrite_timestamp) {
    options.max_mtime = output.source_date_epoch;
  }
  const std::map<Digest, ExportedLayer> layers = TRY(export_layers(image, spec, options, deps));

  ImageDocuments documents;
  oci::ImageConfig config = image.config;
  for (std::size_t i = 0; i < image.layers.size(); ++i) {
    const ExportedLayer& layer = layers.at(image.layers[i].diff_id);
    config.diff_ids[i] = layer.diff_id;
    documents.layers.push_back(layer.blob);
  }
  documents.config = TRY(put_document(oci::kMediaTypeConfig, oci::dump(config), deps));

  oci::Manifest manifest;
  manifest.media_type = oci::kMediaTypeManifest;
  manifest.config = documents.config;
  manifest.layers = documents.layers;
  documents.manifest = TRY(put_document(oci::kMediaTypeManifest, oci::dump(manifest), deps));
  documents.manifest.platform = image.platform;
  return documents;
}

Result<oci::Descriptor> write_index(const std::vector<ImageDocuments>& images, ExportDeps& deps) {
  oci::Index index;
  index.media_type = oci::kMediaTypeIndex;
  for (const ImageDocuments& image : images) {
    index.manifests.push_back(image.manifest);
  }
  return put_document(oci::kMediaTypeIndex, oci::dump(index), deps);
}

Result<oci::Descriptor> write_manifest(const BuiltImage& image, const OutputSpec& spec,
                                       const BuildOutput& output, ExportDeps& deps) {
  ImageDocuments documents = TRY(write_documents(image, spec, output, deps));
  return std::move(documents.manifest);
}

}  // namespace mybuild::exporter
