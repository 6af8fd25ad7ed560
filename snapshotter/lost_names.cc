// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/lost_names.h"

#include "snapshotter/base/log.h"

#include <map>

namespace mybuild::snapshotter {

namespace {

Result<std::string> forget(ContentStore& content, Metadata& metadata) {
  std::map<Digest, bool> is_there;
  std::string names;
  for (const ImageRow& image : TRY(metadata.images())) {
    auto known = is_there.find(image.config);
    if (known == is_there.end()) {
      const bool found = TRY(content.stat(image.config))
      .has_value();  // its bytes are read
      known = is_there.emplace(image.config, found).first;
    }
    if (!known->second) {
      TRY(metadata.remove_image(image.name, image.config));
      names += (names.empty() ? "" : ", ") + (image.name.empty() ? image.config.str() : image.name);
    }
  }
  return names;
}

}  // namespace

void forget_lost_names(ContentStore& content, Metadata& metadata, const Warn& warn) {
  const Result<std::string> names = forget(content, metadata);
  if (!names) {
    log::debug("look for images that a power cut took: {}", names.error().message());
  } else if (!names->empty()) {
    warn("the machine went down before these images had reached the disk, so they are gone: " +
         *names + "; build, pull or load them again");
  }
}

}  // namespace mybuild::snapshotter
