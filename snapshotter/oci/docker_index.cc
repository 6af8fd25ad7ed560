// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/oci/docker_index.h"

#include "snapshotter/oci/go_json.h"
#include "snapshotter/oci/platform_json.h"

namespace mybuild::oci {

using OrderedJson = nlohmann::ordered_json;

std::string dump_as_docker(const Index& index) {
  OrderedJson list = OrderedJson::array();
  for (const Descriptor& descriptor : index.manifests) {
    OrderedJson object = OrderedJson::object();
    object["mediaType"] = descriptor.media_type;
    object["size"] = descriptor.size;
    object["digest"] = descriptor.digest.str();
    object["platform"] = platform_json(descriptor.platform.value_or(Platform{"", "", "", ""}));
    list.push_back(std::move(object));
  }
  OrderedJson document = OrderedJson::object();
  document["schemaVersion"] = 2;
  document["mediaType"] = index.media_type;
  document["manifests"] = std::move(list);
  return go_dump(document, 3);
}

}  // namespace mybuild::oci
