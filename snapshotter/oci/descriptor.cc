// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/oci/descriptor.h"

#include "snapshotter/base/json.h"
#include "snapshotter/oci/go_json.h"
#include "snapshotter/oci/media_type.h"
#include "snapshotter/oci/platform_json.h"

#include <algorithm>
#include <initializer_list>

namespace mybuild::oci {

namespace {

using OrderedJson = nlohmann::ordered_json;

/// Ten times as many layers as a kernel can stack.
constexpr std::size_t kMaxDescriptors = 5000;

Result<std::uint64_t> read_size(const JsonField& field) {
  const std::int64_t size = TRY(field.integer());
  if (size < 0) {
    return field.error("a size that is not negative");
  }
  return static_cast<std::uint64_t>(size);
}

Result<Digest> read_digest(const JsonField& field) {
  const std::string text = TRY(field.string());
  return Digest::parse(text).context(field.path());
}

/// "type/subtype" in the characters of RFC 6838.
bool is_media_type(std::string_view text) {
  const auto is_name = [](std::string_view part) {
    const auto is_alnum = [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    };
    return !part.empty() && part.size() <= 127 && is_alnum(part.front()) &&
           std::all_of(part.begin(), part.end(), [&](char c) {
             return is_alnum(c) || std::string_view("!#$&^_.+-").find(c) != std::string_view::npos;
           });
  };
  const std::size_t slash = text.find('/');
  return slash != std::string_view::npos && is_name(text.substr(0, slash)) &&
         is_name(text.substr(slash + 1));
}

Result<std::string> read_media_type(const JsonField& field) {
  const std::string text = TRY(field.string());
  if (!is_media_type(text)) {
    return field.error("a media type");
  }
  return text;
}

Result<Descriptor> read_descriptor(const JsonField& object) {
  Descriptor descriptor;
  descriptor.media_type = TRY(read_media_type(TRY(object.field("mediaType"))));
  descriptor.digest = TRY(read_digest(TRY(object.field("digest"))));
  descriptor.size = TRY(read_size(TRY(object.field("size"))));
  descriptor.annotations = TRY(TRY(object.field("annotations")).string_map());
  const JsonField platform = TRY(object.field("platform"));
  if (!platform.absent()) {
    descriptor.platform = TRY(read_platform(platform));
    // Of an image's config they are among the fields that are kept as they are.
    descriptor.platform->os_features = TRY(TRY(platform.field("os.features")).strings());
  }
  return descriptor;
}

Result<std::vector<Descriptor>> read_descriptors(const JsonField& list) {
  if (!list.json().is_array()) {
    return list.error("an array of descriptors");
  }
  if (list.json().size() > kMaxDescriptors) {
    return list.error(fmt::format("at most {} descriptors", kMaxDescriptors));
  }
  std::vector<Descriptor> descriptors;
  for (const JsonField& item : TRY(list.items())) {
    descriptors.push_back(TRY(read_descriptor(item)));
  }
  return descriptors;
}

Status check_schema_version(const JsonField& document) {
  const JsonField field = TRY(document.field("schemaVersion"));
  const std::int64_t version = TRY(field.integer());
  if (version == 1) {
    return unsupported("image manifest of the old docker schema 1")
        .with_hint("push the image again with a current tool");
  }
  if (version != 2) {
    return field.error("2");
  }
  return {};
}

/// A document that reads as both manifest and index could mean two images under one digest
/// (CVE-2021-41190).
Status refuse_fields(const Json& document, std::initializer_list<const char*> names,
                     std::string_view kind) {
  for (const char* name : names) {
    if (document.contains(name)) {
      return invalid_argument("{}: unexpected field, the document says it is an {}", name, kind);
    }
  }
  return {};
}

Status check_media_type(const std::string& media_type, bool expected, std::string_view kind) {
  if (!expected) {
    return invalid_argument("mediaType: \"{}\" is not an {}", media_type, kind);
  }
  return {};
}

OrderedJson descriptor_json(const Descriptor& descriptor) {
  OrderedJson object = OrderedJson::object();
  object["mediaType"] = descriptor.media_type;
  object["digest"] = descriptor.digest.str();
  object["size"] = descriptor.size;
  if (!descriptor.annotations.empty()) {
    object["annotations"] = descriptor.annotations;
  }
  if (descriptor.platform) {
    object["platform"] = platform_json(*descriptor.platform);
  }
  return object;
}

OrderedJson descriptors_json(const std::vector<Descriptor>& descriptors) {
  OrderedJson list = OrderedJson::array();
  for (const Descriptor& descriptor : descriptors) {
    list.push_back(descriptor_json(descriptor));
  }
  return list;
}

OrderedJson document_head(const std::string& media_type) {
  OrderedJson document = OrderedJson::object();
  document["schemaVersion"] = 2;
  document["mediaType"] = media_type;
  return document;
}

std::string finish_document(OrderedJson document, const Annotations& annotations) {
  if (!annotations.empty()) {
    document["annotations"] = annotations;
  }
  return go_dump(document, 2);
}

Result<std::string> media_type_of(const Json& document) {
  const JsonField root(document, "");
  const std::string said = TRY(TRY(root.field("mediaType")).string_or(""));
  if (!said.empty()) {
    return said;
  }
  if (document.contains("manifests")) {
    return std::string(kMediaTypeIndex);
  }
  if (document.contains("config") || document.contains("layers")) {
    return std::string(kMediaTypeManifest);
  }
  if (document.contains("fsLayers")) {
    return unsupported("image manifest of the old docker schema 1")
        .with_hint("push the image again with a current tool");
  }
  return invalid_argument("the document is neither an image manifest nor an index");
}

}  // namespace

Result<std::string> document_media_type(std::string_view json) {
  const Json document = TRY(parse_json(json));
  return media_type_of(document);
}

Result<Manifest> parse_manifest(std::string_view json) {
  const Json document = TRY(parse_json(json).context("image manifest"));
  const JsonField root(document, "");
  TRY(check_schema_version(root).context("image manifest"));
  Manifest manifest;
  manifest.media_type = TRY(media_type_of(document).context("image manifest"));
  TRY(check_media_type(manifest.media_type, is_manifest(manifest.media_type), "image manifest"));
  TRY(refuse_fields(document, {"manifests"}, "image manifest"));
  manifest.config = TRY(read_descriptor(TRY(root.field("config"))).context("image manifest"));
  manifest.layers = TRY(read_descriptors(TRY(root.field("layers"))).context("image manifest"));
  manifest.annotations = TRY(TRY(root.field("annotations")).string_map().context("image manifest"));
  return manifest;
}

Result<Index> parse_index(std::string_view json) {
  const Json document = TRY(parse_json(json).context("image index"));
  const JsonField root(document, "");
  TRY(check_schema_version(root).context("image index"));
  Index index;
  index.media_type = TRY(media_type_of(document).context("image index"));
  TRY(check_media_type(index.media_type, is_index(index.media_type), "image index"));
  TRY(refuse_fields(document, {"config", "layers"}, "image index"));
  index.manifests = TRY(read_descriptors(TRY(root.field("manifests"))).context("image index"));
  index.annotations = TRY(TRY(root.field("annotations")).string_map().context("image index"));
  return index;
}

std::string dump(const Manifest& manifest) {
  OrderedJson document = document_head(manifest.media_type);
  document["config"] = descriptor_json(manifest.config);
  document["layers"] = descriptors_json(manifest.layers);
  return finish_document(std::move(document), manifest.annotations);
}

std::string dump(const Index& index) {
  OrderedJson document = document_head(index.media_type);
  document["manifests"] = descriptors_json(index.manifests);
  return finish_document(std::move(document), index.annotations);
}

std::string dump(const Descriptor& descriptor) {
  return go_dump(descriptor_json(descriptor), -1);
}

Result<Descriptor> parse_descriptor(std::string_view json) {
  const Json value = TRY(parse_json(json).context("descriptor"));
  return read_descriptor(JsonField(value, "")).context("descriptor");
}

}  // namespace mybuild::oci
