// SPDX-License-Identifier: Apache-2.0
#include "builder/remote_cache/cache_reader.h"

#include "builder/source/image_index.h"
#include "builder/source/image_layout_files.h"
#include "builder/source/verified_source.h"
#include "snapshotter/base/json.h"
#include "snapshotter/oci/image_config.h"
#include "snapshotter/oci/media_type.h"

#include <algorithm>
#include <functional>
#include <set>

namespace mybuild::remote_cache {

namespace {

using source::BlobOrigin;
using source::FetchDocument;
using source::kMaxDocument;

constexpr std::string_view kRefName = "org.opencontainers.image.ref.name";
constexpr std::string_view kBuildKitType = "application/vnd.buildkit.cacheconfig.v0";

/// Where documents come from, and by what name.
struct Place {
  std::string root;  // the manifest or index that the name stands for
  FetchDocument fetch;
  BlobOrigin origin;
};

Status check_size(const oci::Descriptor& document) {
  const std::size_t limit = document.media_type == kConfigType ? kMaxDocumentBytes : kMaxDocument;
  return document.size <= limit
             ? Status()
             : Status(invalid_argument("{} has {} bytes, which is too large for a document",
                                       document.digest.str(), document.size));
}

Result<Place> in_registry(const oci::Reference& reference, const ReaderDeps& deps) {
  registry::RegistryClient& registry = deps.registry;
  const Cancel& cancel = deps.cancel;
  Place place;
  registry::ManifestDocument root = TRY(registry.manifest(reference, cancel));
  place.root = std::move(root.bytes);
  place.origin = [&registry, &downloads = deps.downloads, reference](const oci::Descriptor& blob,
                                                                     Sink& sink) {
    return registry.blob_to_store(reference, blob, sink, downloads);
  };
  place.fetch = [&registry, &cancel,
                 reference](const oci::Descriptor& document) -> Result<std::string> {
    TRY(check_size(document));
    if (oci::is_manifest(document.media_type) || oci::is_index(document.media_type)) {
      oci::Reference exact = reference;
      exact.digest = document.digest;
      registry::ManifestDocument found = TRY(registry.manifest(exact, cancel));
      return std::move(found.bytes);
    }
    StringSink sink;
    TRY(registry.blob(reference, document, sink, cancel));
    return std::move(sink.text);
  };
  return place;
}

std::string blob_name(const Digest& digest) {
  return "blobs/sha256/" + digest.hex();
}

/// Of a folder: its newest line of the name, or the one with the digest.
Result<oci::Descriptor> choose_line(const oci::Index& index, const CacheSource& source) {
  for (auto line = index.manifests.rbegin(); line != index.manifests.rend(); ++line) {
    const auto name = line->annotations.find(std::string(kRefName));
    const bool is_named = name != line->annotations.end() && name->second == source.tag;
    if (source.digest ? line->digest == *source.digest : is_named) {
      return *line;
    }
  }
  return source.digest ? not_found("no cache {}", source.digest->str())
                       : not_found("no cache with the tag {}", source.tag);
}

Result<Place> in_folder(const CacheSource& source) {
  const std::shared_ptr<source::LayoutFiles> files = TRY(source::open_layout_directory(source.src));
  const auto read = [files](const std::string& name, std::size_t limit) -> Result<std::string> {
    const std::unique_ptr<Source> bytes = TRY(files->open(name));
    return read_all(*bytes, limit);
  };
  Place place;
  place.origin = [files](const oci::Descriptor& blob, Sink& sink) -> Status {
    const std::unique_ptr<Source> bytes = TRY(files->open(blob_name(blob.digest)));
    TRY(copy(*bytes, sink));
    return {};
  };
  place.fetch = [read](const oci::Descriptor& document) -> Result<std::string> {
    TRY(check_size(document));
    std::string text = TRY(read(blob_name(document.digest), document.size));
    if (Digest::of(text) != document.digest) {
      return data_loss("{} holds other bytes", blob_name(document.digest));
    }
    return text;
  };
  const std::string text = TRY(read("index.json", kMaxDocument));
  const oci::Index index = TRY(oci::parse_index(text).context("index.json"));
  const oci::Descriptor line = TRY(choose_line(index, source));
  place.root = TRY(place.fetch(line));
  return place;
}

/// A layer that the manifest does not name would not be kept by the registry.
Status check_named(const CacheDocument& document, const oci::Manifest& manifest) {
  std::set<Digest> named;
  for (const oci::Descriptor& layer : manifest.layers) {
    named.insert(layer.digest);
  }
  for (const CachedLayer& layer : document.layers) {
    if (!layer.place ||
        !(is_no_blob(layer.place->blob) || named.contains(layer.place->blob.digest))) {
      return invalid_argument("a layer of the cache is not in its manifest");
    }
  }
  return {};
}

/// An inline cache names layers by their number in the image.
Status give_places(CacheDocument& document, const oci::ImageConfig& config,
                   const oci::Manifest& manifest) {
  if (config.diff_ids.size() != manifest.layers.size()) {
    return invalid_argument("the manifest has {} layers, its config names {}",
                            manifest.layers.size(), config.diff_ids.size());
  }
  for (CachedLayer& layer : document.layers) {
    if (layer.place && is_no_blob(layer.place->blob)) {
      continue;
    }
    if (layer.place || layer.image_layer >= config.diff_ids.size()) {
      return invalid_argument("an inline cache names a layer that the image does not have");
    }
    layer.place = CachedLayer::Place{.diff_id = config.diff_ids[layer.image_layer],
                                     .blob = manifest.layers[layer.image_layer]};
  }
  return {};
}

Result<CacheDocument> read_inline(const std::string& text, const oci::Manifest& manifest) {
  const oci::ImageConfig config = TRY(oci::parse_image_config(text));
  const Json top = config.unknown_top.empty() ? Json() : TRY(parse_json(config.unknown_top));
  const auto field = top.find(std::string(kInlineField));
  if (field == top.end()) {
    return not_found("the image has no build cache in it")
        .with_hint("build it with --cache-to type=inline, or export the cache by itself");
  }
  CacheDocument document = TRY(parse_cache_document(canonical_dump(*field)));
  TRY(give_places(document, config, manifest));
  return document;
}

Result<CacheDocument> read_document(const oci::Manifest& manifest, const FetchDocument& fetch) {
  const std::string& type = manifest.config.media_type;
  if (type == kBuildKitType) {
    return unsupported("this is a cache of BuildKit, whose keys are others");
  }
  const std::string text = TRY(fetch(manifest.config));
  if (type != kConfigType) {
    return read_inline(text, manifest);
  }
  CacheDocument document = TRY(parse_cache_document(text));
  TRY(check_named(document, manifest));
  return document;
}

/// The documents that a name stands for, each once.
Result<std::vector<oci::Manifest>> read_manifests(const Place& place,
                                                  const std::vector<oci::Platform>& platforms) {
  std::set<Digest> seen;
  std::vector<oci::Manifest> manifests;
  for (const oci::Platform& platform : platforms) {
    source::ChosenManifest chosen = TRY(source::choose_manifest(place.root, platform, place.fetch));
    if (seen.insert(chosen.digest).second) {
      manifests.push_back(std::move(chosen.manifest));
    }
  }
  return manifests;
}

}  // namespace

std::string name_of(const CacheSource& source) {
  return source.type == CacheSource::Type::Registry ? source.ref.str() : source.src;
}

Result<ReadCache> read_cache(const CacheSource& source, const std::vector<oci::Platform>& platforms,
                             const ReaderDeps& deps) {
  const Place place = TRY(source.type == CacheSource::Type::Registry ? in_registry(source.ref, deps)
                                                                     : in_folder(source));
  ReadCache cache;
  cache.origin = place.origin;
  for (const oci::Manifest& manifest : TRY(read_manifests(place, platforms))) {
    CacheDocument document = TRY(read_document(manifest, place.fetch));
    cache.documents.push_back(std::move(document));
  }
  return cache;
}

}  // namespace mybuild::remote_cache
