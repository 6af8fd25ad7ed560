// SPDX-License-Identifier: Apache-2.0
#include "builder/manifest_list/list.h"

#include "snapshotter/base/json.h"
#include "snapshotter/oci/media_type.h"

#include <algorithm>

namespace mybuild::manifest_list {

namespace {

struct OsArchitectures {
  std::string_view os;
  std::string_view architectures;  // each between spaces
};
/// What Go compiles for, as images are named in its words.
constexpr OsArchitectures kKnown[] = {
    {"linux",
     " 386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x "},
    {"windows", " 386 amd64 arm arm64 "},
    {"darwin", " 386 amd64 arm arm64 "},
    {"freebsd", " 386 amd64 arm arm64 riscv64 "},
    {"netbsd", " 386 amd64 arm arm64 "},
    {"openbsd", " 386 amd64 arm arm64 ppc64 riscv64 "},
    {"dragonfly", " amd64 "},
    {"solaris", " amd64 "},
    {"illumos", " amd64 "},
    {"aix", " ppc64 "},
    {"plan9", " 386 amd64 arm "},
    {"wasip1", " wasm "},
};

Status check_platform(const oci::Platform& platform) {
  for (const OsArchitectures& known : kKnown) {
    if (known.os == platform.os &&
        known.architectures.find(" " + platform.architecture + " ") != std::string_view::npos) {
      return {};
    }
  }
  return invalid_argument("unsupported os/arch combination: {}/{}", platform.os,
                          platform.architecture)
      .with_hint("name them as Go does, such as linux/arm64; v7 of linux/arm/v7 is --variant");
}

/// docker keeps a file per image, and reads them by the names that it gave them.
std::string order_of(const oci::Reference& name) {
  std::string order = name.str();
  std::replace(order.begin(), order.end(), ':', '-');
  std::replace(order.begin(), order.end(), '/', '_');
  return order;
}

template <class Images>
auto place_of(Images& images, const oci::Reference& name) {
  return std::find_if(images.begin(), images.end(),
                      [&](const ListedImage& image) { return image.name == name; });
}

Error no_such_image(const ManifestList& list, const oci::Reference& image) {
  std::string names;
  for (const ListedImage& known : list.images) {
    names += (names.empty() ? "" : ", ") + known.name.familiar();
  }
  return not_found("manifest for image {} does not exist in {}", image.familiar(),
                   list.name.familiar())
      .with_hint("it has " + names);
}

Result<ListedImage> parse_image(const JsonField& field) {
  ListedImage image;
  const std::string name = TRY(TRY(field.field("name")).string());
  image.name = TRY(oci::Reference::parse(name));
  const JsonField descriptor = TRY(field.field("descriptor"));
  image.descriptor = TRY(oci::parse_descriptor(
      descriptor.absent() ? std::string("null") : canonical_dump(descriptor.json())));
  image.document = TRY(TRY(field.field("manifest")).string());
  if (Digest::of(image.document) != image.descriptor.digest) {
    return data_loss("the manifest of {} is not what was stored", image.name.familiar());
  }
  return image;
}

}  // namespace

void put_image(ManifestList& list, ListedImage image) {
  const auto same = place_of(list.images, image.name);
  if (same != list.images.end()) {
    if (same->descriptor.digest != image.descriptor.digest) {
      *same = std::move(image);
    }
    return;
  }
  const auto place = std::upper_bound(list.images.begin(), list.images.end(), image,
                                      [](const ListedImage& a, const ListedImage& b) {
                                        return order_of(a.name) < order_of(b.name);
                                      });
  list.images.insert(place, std::move(image));
}

Result<ListedImage> find_image(const ManifestList& list, const oci::Reference& image) {
  const auto place = place_of(list.images, image);
  return place == list.images.end() ? Result<ListedImage>(no_such_image(list, image)) : *place;
}

Status annotate(ManifestList& list, const oci::Reference& image, const PlatformEdit& edit) {
  const auto place = place_of(list.images, image);
  if (place == list.images.end()) {
    return no_such_image(list, image);
  }
  oci::Platform platform = place->descriptor.platform.value_or(oci::Platform());
  const auto set = [](std::string& field, const std::string& value) {
    field = value.empty() ? field : value;
  };
  set(platform.os, edit.os);
  set(platform.architecture, edit.architecture);
  set(platform.variant, edit.variant);
  set(platform.os_version, edit.os_version);
  for (const std::string& feature : edit.os_features) {
    std::vector<std::string>& known = platform.os_features;
    if (std::find(known.begin(), known.end(), feature) == known.end()) {
      known.push_back(feature);
    }
  }
  TRY(check_platform(platform).context(image.familiar()));
  place->descriptor.platform = std::move(platform);
  return {};
}

oci::Index index_of(const ManifestList& list) {
  oci::Index index;
  for (const ListedImage& image : list.images) {
    index.manifests.push_back(image.descriptor);
  }
  // docker's rule: the first image says which family it is.
  const bool is_oci =
      !list.images.empty() && list.images.front().descriptor.media_type == oci::kMediaTypeManifest;
  index.media_type = is_oci ? oci::kMediaTypeIndex : oci::kDockerMediaTypeIndex;
  return index;
}

Status check_complete(const ManifestList& list) {
  if (list.images.empty()) {
    return invalid_argument("manifest list {} has no images", list.name.familiar());
  }
  for (const ListedImage& image : list.images) {
    const auto& platform = image.descriptor.platform;
    if (!platform || platform->os.empty() || platform->architecture.empty()) {
      return invalid_argument("manifest {} must have an OS and Architecture to be pushed",
                              image.name.familiar())
          .with_hint(fmt::format("mybuild manifest annotate --os linux --arch ARCH {} {}",
                                 list.name.familiar(), image.name.familiar()));
    }
  }
  return {};
}

std::string dump(const ManifestList& list) {
  Json images = Json::array();
  for (const ListedImage& image : list.images) {
    Json entry;
    entry["name"] = image.name.str();
    entry["descriptor"] = Json::parse(oci::dump(image.descriptor));
    entry["manifest"] = image.document;
    images.push_back(std::move(entry));
  }
  return canonical_dump(Json{{"name", list.name.str()}, {"images", std::move(images)}});
}

Result<ManifestList> parse_list(std::string_view text) {
  const Json value = TRY(parse_json(text));
  const JsonField top(value, "");
  ManifestList list;
  const std::string name = TRY(TRY(top.field("name")).string());
  list.name = TRY(oci::Reference::parse(name));
  for (const JsonField& field : TRY(TRY(top.field("images")).items())) {
    list.images.push_back(TRY(parse_image(field)));
  }
  return list;
}

}  // namespace mybuild::manifest_list
