// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/registry/manifest_document.h"

#include "snapshotter/base/json.h"
#include "snapshotter/oci/media_type.h"

#include <algorithm>
#include <cctype>

namespace mybuild::cache_server {

namespace {

constexpr std::string_view kSchemaOne = "application/vnd.docker.distribution.manifest.v1+";

Error schema_one() {
  return unsupported("docker's schema 1 is not taken")
      .with_hint("push the image again with a current tool");
}

/// Without parameters, in lower case.
std::string bare_type(const std::string& content_type) {
  std::string type = content_type.substr(0, content_type.find(';'));
  type.erase(type.find_last_not_of(" \t") + 1);
  std::transform(type.begin(), type.end(), type.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return type;
}

/// What both the document and the header say it is. A document that doesn't say is of OCI's type or
/// of docker's for the same thing.
Result<std::string> agreed_type(const JsonField& document, const std::string& guess,
                                const std::string& header) {
  const std::string said = TRY(TRY(document.field("mediaType")).string_or(""));
  if (header.empty() || header == guess) {
    return guess;
  }
  if (header.starts_with(kSchemaOne)) {
    return schema_one();
  }
  if (!said.empty() || oci::oci_media_type(header) != oci::oci_media_type(guess)) {
    return invalid_argument("the request says it brings {}, and the document that it is {}", header,
                            guess);
  }
  return header;
}

Status read_layers(const JsonField& document, const oci::Manifest& manifest,
                   ManifestDocument& result) {
  const std::vector<JsonField> items = TRY(TRY(document.field("layers")).items());
  for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
    const oci::Descriptor& layer = manifest.layers[i];
    const bool has_address = !TRY(TRY(items[i].field("urls")).strings())
    .empty();
    const bool may_be_elsewhere = has_address && oci::is_foreign_layer(layer.media_type);
    (may_be_elsewhere ? result.elsewhere : result.blobs).push_back(layer.digest);
  }
  return {};
}

Status read_image(std::string_view text, const JsonField& document, ManifestDocument& result) {
  const oci::Manifest manifest = TRY(oci::parse_manifest(text));
  result.blobs.push_back(manifest.config.digest);
  TRY(read_layers(document, manifest, result));
  result.annotations = manifest.annotations;
  result.artifact_type =
      TRY(TRY(document.field("artifactType")).string_or(manifest.config.media_type));
  if (result.artifact_type.empty()) {
    result.artifact_type = manifest.config.media_type;
  }
  return {};
}

// What is neither image nor index is a blob: BuildKit keeps its cache in such indexes.
Status read_index(std::string_view text, const JsonField& document, ManifestDocument& result) {
  const oci::Index index = TRY(oci::parse_index(text));
  for (const oci::Descriptor& item : index.manifests) {
    const bool is_manifest = oci::is_manifest(item.media_type) || oci::is_index(item.media_type);
    (is_manifest ? result.manifests : result.blobs).push_back(item.digest);
  }
  result.annotations = index.annotations;
  result.artifact_type = TRY(TRY(document.field("artifactType")).string_or(""));
  return {};
}

Status read_subject(const JsonField& document, ManifestDocument& result) {
  const JsonField subject = TRY(document.field("subject"));
  if (subject.absent()) {
    return {};
  }
  const std::string text = TRY(TRY(subject.field("digest")).string());
  result.subject = TRY(Digest::parse(text).context("subject"));
  return {};
}

}  // namespace

Result<ManifestDocument> read_manifest_document(std::string_view text,
                                                const std::string& content_type) {
  const std::string header = bare_type(content_type);
  const Json json = TRY(parse_json(text));
  if (!json.is_object()) {
    return invalid_argument("a manifest is a JSON object");
  }
  const JsonField document(json, "");
  const std::string guess = TRY(oci::document_media_type(text));
  if (guess.starts_with(kSchemaOne)) {
    return schema_one();
  }
  ManifestDocument result;
  result.media_type = TRY(agreed_type(document, guess, header));
  if (oci::is_manifest(result.media_type)) {
    TRY(read_image(text, document, result));
  } else if (oci::is_index(result.media_type)) {
    TRY(read_index(text, document, result));
  } else {
    return invalid_argument("{} is neither an image manifest nor an index", result.media_type);
  }
  TRY(read_subject(document, result));
  return result;
}

}  // namespace mybuild::cache_server
