// SPDX-License-Identifier: Apache-2.0
#include "builder/remote_cache/document.h"

#include "snapshotter/base/json.h"
#include "snapshotter/oci/media_type.h"

#include <set>

namespace mybuild::remote_cache {

namespace {

constexpr std::int64_t kVersion = 1;
constexpr std::size_t kMaxLayers = 100'000;
constexpr std::size_t kMaxInputs = 10'000;  // of one record
constexpr int kMaxDepth = 5;
/// A parsed value takes more room than its text, the shortest ones most.
constexpr std::size_t kMaxValues = 4'000'000;

constexpr std::string_view kNoBlobType = "application/vnd.mybuild.cache.no-blob";

Json to_json(const oci::Descriptor& blob) {
  return {{"mediaType", blob.media_type}, {"digest", blob.digest.str()}, {"size", blob.size}};
}

Json to_json(const CachedLayer& layer) {
  Json json = {{"changes", layer.changes.str()},
               {"size", layer.size},
               {"created", format_rfc3339(layer.created)}};
  if (layer.place) {
    json["diff_id"] = layer.place->diff_id.str();
    if (!is_no_blob(layer.place->blob)) {
      json["blob"] = to_json(layer.place->blob);
    }
  } else {
    json["image_layer"] = layer.image_layer;
  }
  return json;
}

Json to_json(const CachedRecord& record) {
  Json json = {{"definition", record.definition.digest.str()}, {"layer", record.layer}};
  if (!record.content.digest.is_zero()) {
    json["content"] = record.content.digest.str();
  }
  Json inputs = Json::array();
  for (const solver::OutputId& input : record.inputs) {
    inputs.push_back(input.digest.str());
  }
  json["inputs"] = std::move(inputs);
  if (record.created) {
    json["created"] = format_rfc3339(*record.created);
  }
  return json;
}

/// Before memory is spent on it.
Status check_shape(std::string_view text) {
  if (text.size() > kMaxDocumentBytes) {
    return invalid_argument("a cache of {} bytes is too large", text.size());
  }
  int depth = 0;
  std::size_t values = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      i += c == '\\' ? 1 : 0;
      in_string = c != '"';
      continue;
    }
    in_string = c == '"';
    depth += c == '{' || c == '[' ? 1 : 0;
    depth -= c == '}' || c == ']' ? 1 : 0;
    values += c == ',' || c == '{' || c == '[' ? 1 : 0;
    if (depth > kMaxDepth || values > kMaxValues) {
      return invalid_argument("a cache does not look like this");
    }
  }
  return {};
}

Result<Digest> read_digest(const JsonField& parent, std::string_view name) {
  const JsonField field = TRY(parent.field(name));
  const std::string text = TRY(field.string());
  return Digest::parse(text).context(field.path());
}

Result<std::uint64_t> read_count(const JsonField& parent, std::string_view name) {
  const JsonField field = TRY(parent.field(name));
  const std::int64_t number = TRY(field.integer());
  if (number < 0) {
    return field.error("a number of 0 or more");
  }
  return static_cast<std::uint64_t>(number);
}

Result<Time> read_time(const JsonField& field) {
  const std::string text = TRY(field.string());
  return parse_rfc3339(text).context(field.path());
}

Result<CachedLayer::Place> read_place(const JsonField& layer) {
  CachedLayer::Place place;
  const JsonField blob = TRY(layer.field("blob"));
  const JsonField media_type = TRY(blob.field("mediaType"));
  place.diff_id = TRY(read_digest(layer, "diff_id"));
  place.blob.media_type = TRY(media_type.string());
  if (is_no_blob(place.blob)) {
    return media_type.error("the media type of a layer");
  }
  place.blob.digest = TRY(read_digest(blob, "digest"));
  place.blob.size = TRY(read_count(blob, "size"));
  return place;
}

Result<CachedLayer> read_layer(const JsonField& json) {
  CachedLayer layer;
  const JsonField blob = TRY(json.field("blob"));
  const JsonField number = TRY(json.field("image_layer"));
  if (!blob.absent()) {
    layer.place = TRY(read_place(json));
  } else if (!number.absent()) {
    layer.image_layer = TRY(read_count(json, "image_layer"));
  } else {
    const Digest diff_id = TRY(read_digest(json, "diff_id"));
    layer.place = CachedLayer::Place{.diff_id = diff_id, .blob = no_blob(diff_id)};
  }
  layer.changes = TRY(read_digest(json, "changes"));
  layer.size = TRY(read_count(json, "size"));
  const JsonField created = TRY(json.field("created"));
  layer.created = TRY(read_time(created));
  return layer;
}

Result<CachedRecord> read_record(const JsonField& json, std::size_t layers) {
  CachedRecord record;
  record.definition.digest = TRY(read_digest(json, "definition"));
  const JsonField content = TRY(json.field("content"));
  if (!content.absent()) {
    record.content.digest = TRY(read_digest(json, "content"));
  }
  const std::uint64_t layer = TRY(read_count(json, "layer"));
  if (layer >= layers) {
    return invalid_argument("{}: there is no layer {}", json.path(), layer);
  }
  record.layer = layer;
  const JsonField inputs = TRY(json.field("inputs"));
  const std::vector<std::string> ids = TRY(inputs.strings());
  if (ids.size() > kMaxInputs) {
    return invalid_argument("{}: {} inputs are too many", inputs.path(), ids.size());
  }
  for (const std::string& id : ids) {
    const Digest digest = TRY(Digest::parse(id).context(inputs.path()));
    record.inputs.push_back({digest});
  }
  const JsonField created = TRY(json.field("created"));
  if (!created.absent()) {
    record.created = TRY(read_time(created));
  }
  return record;
}

template <class T>
Result<std::vector<T>> read_list(const JsonField& root, std::string_view name, std::size_t most,
                                 const std::function<Result<T>(const JsonField&)>& read) {
  const JsonField field = TRY(root.field(name));
  const std::vector<JsonField> items = TRY(field.items());
  if (items.size() > most) {
    return invalid_argument("{}: {} are too many", name, items.size());
  }
  std::vector<T> list;
  list.reserve(items.size());
  for (const JsonField& item : items) {
    list.push_back(TRY(read(item)));
  }
  return list;
}

}  // namespace

oci::Descriptor no_blob(const Digest& diff_id) {
  oci::Descriptor blob;
  blob.media_type = kNoBlobType;
  blob.digest = diff_id;
  return blob;
}

bool is_no_blob(const oci::Descriptor& blob) {
  return blob.media_type == kNoBlobType;
}

std::string dump(const CacheDocument& document) {
  Json layers = Json::array();
  for (const CachedLayer& layer : document.layers) {
    layers.push_back(to_json(layer));
  }
  Json records = Json::array();
  for (const CachedRecord& record : document.records) {
    records.push_back(to_json(record));
  }
  return canonical_dump(
      Json{{"version", kVersion}, {"layers", std::move(layers)}, {"records", std::move(records)}});
}

Result<CacheDocument> parse_cache_document(std::string_view text) {
  TRY(check_shape(text));
  const Json json = TRY(parse_json(text));
  const JsonField root(json, "");
  const JsonField version_field = TRY(root.field("version"));
  const std::int64_t version = TRY(version_field.integer());
  if (version != kVersion) {
    return unsupported("a cache of version {} is not known to this mybuild", version);
  }
  CacheDocument document;
  document.layers = TRY(read_list<CachedLayer>(root, "layers", kMaxLayers, read_layer));
  document.records =
      TRY(read_list<CachedRecord>(root, "records", kMaxRecords, [&](const JsonField& item) {
        return read_record(item, document.layers.size());
      }));
  return document;
}

std::string dump_manifest(const CacheDocument& document, const oci::Descriptor& config) {
  Json layers = Json::array();
  std::set<Digest> listed;
  for (const CachedLayer& layer : document.layers) {
    if (layer.place && !is_no_blob(layer.place->blob) &&
        listed.insert(layer.place->blob.digest).second) {
      layers.push_back(to_json(layer.place->blob));
    }
  }
  return canonical_dump(Json{{"schemaVersion", 2},
                             {"mediaType", oci::kMediaTypeManifest},
                             {"artifactType", kArtifactType},
                             {"config", to_json(config)},
                             {"layers", std::move(layers)}});
}

}  // namespace mybuild::remote_cache
