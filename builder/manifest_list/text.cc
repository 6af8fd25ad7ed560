// SPDX-License-Identifier: Apache-2.0
#include "builder/manifest_list/text.h"

#include "snapshotter/base/base64.h"
#include "snapshotter/oci/docker_index.h"
#include "snapshotter/oci/media_type.h"

#include <nlohmann/json.hpp>

namespace mybuild::manifest_list {

namespace {

using Object = nlohmann::ordered_json;

std::string indented(const Object& value) {
  return value.dump(1, '\t', false, Object::error_handler_t::replace) + "\n";
}

/// Documents were parsed before they were kept.
Object parsed(const std::string& document) {
  return Object::parse(document, nullptr, /*allow_exceptions=*/false);
}

Object image_object(const ListedImage& image) {
  Object object;
  object["Ref"] = image.name.str();
  object["Descriptor"] = parsed(oci::dump(image.descriptor));
  object["Raw"] = base64_encode(image.document);
  const bool is_oci = image.descriptor.media_type == oci::kMediaTypeManifest;
  object[is_oci ? "OCIManifest" : "SchemaV2Manifest"] = parsed(image.document);
  return object;
}

}  // namespace

std::string manifest_text(const ListedImage& image) {
  return indented(parsed(image.document));
}

std::string index_text(const oci::Index& index) {
  return oci::dump_as_docker(index) + "\n";
}

std::string verbose_text(const ListedImage& image) {
  return indented(image_object(image));
}

std::string verbose_text(const std::vector<ListedImage>& images) {
  Object list = Object::array();
  for (const ListedImage& image : images) {
    list.push_back(image_object(image));
  }
  return indented(list);
}

}  // namespace mybuild::manifest_list
