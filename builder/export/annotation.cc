// SPDX-License-Identifier: Apache-2.0
#include "builder/export/annotation.h"

#include <algorithm>

namespace mybuild::exporter {

using Place = Annotation::Place;

oci::Annotations annotations_for(std::span<const Annotation> annotations, Place place,
                                 const std::optional<oci::Platform>& platform) {
  oci::Annotations found;
  for (const bool specific : {false, true}) {
    for (const Annotation& annotation : annotations) {
      const bool fits = !annotation.platform || annotation.platform == platform;
      if (annotation.place == place && fits && annotation.platform.has_value() == specific) {
        found.insert_or_assign(annotation.key, annotation.value);
      }
    }
  }
  return found;
}

Status check_annotations(std::span<const Annotation> annotations,
                         std::span<const oci::Platform> platforms, bool multi_platform) {
  for (const Annotation& annotation : annotations) {
    const bool of_index =
        annotation.place == Place::Index || annotation.place == Place::IndexDescriptor;
    if (of_index && !multi_platform) {
      return invalid_argument("annotation {}: an image for one platform has no index",
                              annotation.key)
          .with_hint("give it to the manifest, or build for several platforms");
    }
    // A job that builds one platform of several may pass the annotations of all.
    const auto& wanted = annotation.platform;
    if (multi_platform && wanted &&
        std::find(platforms.begin(), platforms.end(), *wanted) == platforms.end()) {
      return invalid_argument("annotation {}: nothing is built for {}", annotation.key,
                              oci::to_string(*wanted));
    }
  }
  return {};
}

}  // namespace mybuild::exporter
