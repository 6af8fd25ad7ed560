// SPDX-License-Identifier: Apache-2.0
#include "builder/export/documents.h"

#include "builder/export/step.h"
#include "snapshotter/base/json.h"
#include "snapshotter/oci/media_type.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <utility>

namespace mybuild::exporter {

namespace {

using snapshotter::BlobChoice;

constexpr std::size_t kUploadsAtOnce = 5;  // docker's

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

/// BuildKit's rule: what docker's types have no room for is written with OCI's.
std::string_view written_type(std::string_view type, const OutputSpec& spec) {
  const bool docker = spec.docker_types && spec.annotations.empty() &&
                      spec.compression.compression != oci::Compression::Zstd;
  return docker ? oci::docker_media_type(type) : type;
}

/// One export of one image.
struct Job {
  const BuiltImage& image;
  const OutputSpec& spec;
  snapshotter::TarOptions options;
  const LayerHooks& hooks;
  ExportDeps& deps;
};

/// A layer of a step. The same layer may have come with another image, compressed otherwise or with
/// later times; what a build gives must not depend on it.
bool is_made_here(const snapshotter::Layer& layer) {
  return !layer.blob && layer.changes && !layer.changes->is_zero();
}

Result<oci::Descriptor> base_blob(const snapshotter::Layer& source, const Job& job) {
  const bool is_other = source.blob && is_recompressed(*source.blob, job.spec);
  if (source.blob && !is_other && job.hooks.elsewhere && job.hooks.elsewhere(*source.blob)) {
    return *source.blob;
  }
  return job.deps.layers.ensure_blob(
      source.diff_id, job.spec.compression, is_other ? snapshotter::TarOptions{} : job.options,
      is_other ? BlobChoice::AsAsked : BlobChoice::AsItCame, job.hooks.draft);
}

Result<ExportedLayer> make_blob(const snapshotter::Layer& source, const Job& job) {
  const Digest& diff_id = source.diff_id;
  ExportedLayer layer{.blob = {}, .diff_id = diff_id};
  layer.blob = TRY(is_made_here(source)
                       ? job.deps.layers.ensure_blob(diff_id, job.spec.compression, job.options,
                                                     BlobChoice::AsAsked, job.hooks.draft)
                       : base_blob(source, job));
  layer.blob.media_type = oci::oci_media_type(layer.blob.media_type);
  layer.blob.platform.reset();
  auto clamped = layer.blob.annotations.extract(std::string(snapshotter::kUncompressedAnnotation));
  if (!job.options.max_mtime || !clamped) {
    return layer;
  }
  // On a base layer's own blob the annotation is what somebody claims, and its times are kept
  // anyway.
  const auto original = TRY(job.deps.layers.original_blob(diff_id));
  if (!original || is_made_here(source)) {
    layer.diff_id = TRY(Digest::parse(clamped.mapped()));
  }
  return layer;
}

Result<ExportedLayer> export_layer(const snapshotter::Layer& source, const Job& job) {
  TRY(job.deps.cancel.check());
  ExportedLayer layer = TRY(make_blob(source, job).context("export layer " + source.diff_id.str()));
  if (job.hooks.ready) {
    TRY(job.hooks.ready(layer.blob));
  }
  return layer;
}

/// Who sends layers as they get ready waits for sockets, and a registry is asked for so much at
/// once only.
Status each_layer(std::size_t count, const LayerHooks& hooks, ExportDeps& deps,
                  const std::function<Status(std::size_t)>& body) {
  if (!hooks.ready) {
    return deps.lanes.fan_out(Lane::Disk, count, body);
  }
  std::atomic<std::size_t> next{0};
  return deps.lanes.fan_out(Lane::Net, std::min(count, kUploadsAtOnce), [&](std::size_t) -> Status {
    for (std::size_t i = next++; i < count; i = next++) {
      TRY(body(i));
    }
    return {};
  });
}

/// Each different layer once, several at a time, and the config if it is there already.
Result<std::map<Digest, ExportedLayer>> export_layers(
    const Job& job, const std::optional<oci::Descriptor>& config) {
  std::map<Digest, const snapshotter::Layer*> different;
  for (const snapshotter::Layer& layer : job.image.layers) {
    different.emplace(layer.diff_id, &layer);
  }
  const std::vector<std::pair<Digest, const snapshotter::Layer*>> list(different.begin(),
                                                                       different.end());
  std::vector<ExportedLayer> layers(list.size());
  const auto export_one = [&](std::size_t i) -> Status {
    if (i == list.size()) {
      return job.hooks.ready(*config);
    }
    layers[i] = TRY(export_layer(*list[i].second, job));
    return {};
  };
  const bool with_config = config && job.hooks.ready;
  TRY(each_layer(list.size() + (with_config ? 1 : 0), job.hooks, job.deps, export_one));
  std::map<Digest, ExportedLayer> by_id;
  for (std::size_t i = 0; i < list.size(); ++i) {
    by_id.emplace(list[i].first, std::move(layers[i]));
  }
  return by_id;
}

Status add_members(const std::string& extra, oci::ImageConfig& config) {
  if (extra.empty()) {
    return {};
  }
  Json top = config.unknown_top.empty() ? Json::object() : TRY(parse_json(config.unknown_top));
  top.update(TRY(parse_json(extra)));
  config.unknown_top = canonical_dump(top);
  return {};
}

Result<oci::Descriptor> put_config(const Job& job, const std::vector<Digest>& diff_ids) {
  oci::ImageConfig config = job.image.config;
  config.diff_ids = diff_ids;
  TRY(add_members(job.image.config_extra, config));
  const bool as_stored = !job.image.config_document.empty() && job.image.config_extra.empty() &&
                         config.diff_ids == job.image.config.diff_ids;
  return put_document(written_type(oci::kMediaTypeConfig, job.spec),
                      as_stored ? job.image.config_document : oci::dump(config), job.deps);
}

/// An image that keeps its own manifest: what that names.
Result<ImageDocuments> stored_documents(const BuiltImage& image, const LayerHooks& hooks,
                                        ExportDeps& deps) {
  const std::string text = TRY(deps.content.read(image.manifest->digest));
  const oci::Manifest manifest = TRY(oci::parse_manifest(text));
  ImageDocuments documents;
  documents.manifest = *image.manifest;
  documents.manifest.platform = image.platform;
  documents.config = manifest.config;
  documents.layers = manifest.layers;
  if (hooks.ready) {
    const std::size_t count = manifest.layers.size();
    TRY(each_layer(count + 1, hooks, deps, [&](std::size_t i) {
      return hooks.ready(i < count ? manifest.layers[i] : manifest.config);
    }));
  }
  return documents;
}

}  // namespace

bool is_recompressed(const oci::Descriptor& blob, const OutputSpec& spec) {
  const oci::Compression wanted = spec.compression.compression;
  if (oci::is_uncompressed_layer(blob.media_type)) {
    return wanted != oci::Compression::None;
  }
  return spec.force_compression &&
         oci::oci_media_type(blob.media_type) != oci::layer_media_type(wanted);
}

Result<ImageDocuments> write_documents(const BuiltImage& image, const OutputSpec& spec,
                                       const BuildOutput& output, ExportDeps& deps,
                                       const LayerHooks& hooks) {
  if (image.manifest) {
    return stored_documents(image, hooks, deps);
  }
  if (image.layers.size() != image.config.diff_ids.size()) {
    return internal_error("{} layers, but {} diff ids in the config", image.layers.size(),
                          image.config.diff_ids.size());
  }
  snapshotter::TarOptions options;
  if (spec.rewrite_timestamp) {
    options.max_mtime = output.source_date_epoch;
  }
  const Job job{.image = image, .spec = spec, .options = options, .hooks = hooks, .deps = deps};
  std::optional<oci::Descriptor> config;
  if (!options.max_mtime) {
    config = TRY(put_config(job, image.config.diff_ids));
  }
  const std::map<Digest, ExportedLayer> layers = TRY(export_layers(job, config));

  ImageDocuments documents;
  std::vector<Digest> diff_ids;
  for (const snapshotter::Layer& source : image.layers) {
    const ExportedLayer& layer = layers.at(source.diff_id);
    diff_ids.push_back(layer.diff_id);
    documents.layers.push_back(layer.blob);
    documents.layers.back().media_type = written_type(layer.blob.media_type, spec);
  }
  documents.config = config ? *config : TRY(put_config(job, diff_ids));

  oci::Manifest manifest;
  manifest.media_type = written_type(oci::kMediaTypeManifest, spec);
  manifest.config = documents.config;
  manifest.layers = documents.layers;
  manifest.annotations =
      annotations_for(spec.annotations, Annotation::Place::Manifest, image.platform);
  documents.manifest = TRY(put_document(manifest.media_type, oci::dump(manifest), deps));
  documents.manifest.platform = image.platform;
  documents.manifest.annotations =
      annotations_for(spec.annotations, Annotation::Place::ManifestDescriptor, image.platform);
  return documents;
}

Result<std::vector<ImageDocuments>> write_all_documents(const BuildOutput& output,
                                                        const OutputSpec& spec, ExportDeps& deps,
                                                        const solver::VertexId& vertex,
                                                        const LayerHooks& hooks) {
  Step step(deps, vertex, "exporting layers");
  std::vector<ImageDocuments> images;
  for (const BuiltImage& image : output.images) {
    images.push_back(TRY(write_documents(image, spec, output, deps, hooks)));
  }
  step.done();
  for (const ImageDocuments& image : images) {
    Step(deps, vertex, "exporting manifest " + image.manifest.digest.str()).done();
    Step(deps, vertex, "exporting config " + image.config.digest.str()).done();
  }
  return images;
}

Result<oci::Descriptor> write_index(const std::vector<ImageDocuments>& images,
                                    const OutputSpec& spec, ExportDeps& deps) {
  oci::Index index;
  index.media_type = written_type(oci::kMediaTypeIndex, spec);
  for (const ImageDocuments& image : images) {
    index.manifests.push_back(image.manifest);
  }
  index.annotations = annotations_for(spec.annotations, Annotation::Place::Index, std::nullopt);
  oci::Descriptor descriptor = TRY(put_document(index.media_type, oci::dump(index), deps));
  descriptor.annotations =
      annotations_for(spec.annotations, Annotation::Place::IndexDescriptor, std::nullopt);
  return descriptor;
}

Result<oci::Descriptor> write_manifest(const BuiltImage& image, const OutputSpec& spec,
                                       const BuildOutput& output, ExportDeps& deps) {
  ImageDocuments documents = TRY(write_documents(image, spec, output, deps));
  return std::move(documents.manifest);
}

}  // namespace mybuild::exporter
