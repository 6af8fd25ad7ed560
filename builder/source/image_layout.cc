// SPDX-License-Identifier: Apache-2.0
#include "builder/source/image_layout.h"

#include "builder/source/docker_archive.h"
#include "builder/source/image_index.h"
#include "builder/source/image_layout_files.h"
#include "builder/source/verified_source.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/oci/media_type.h"
#include "snapshotter/oci/reference.h"

#include <algorithm>
#include <map>

namespace mybuild::source {

namespace {

constexpr char kRefName[] = "org.opencontainers.image.ref.name";
constexpr char kContainerdName[] = "io.containerd.image.name";
constexpr std::string_view kNameAnnotations[] = {kRefName, kContainerdName};

std::string annotation(const oci::Descriptor& descriptor, std::string_view key) {
  const auto found = descriptor.annotations.find(std::string(key));
  return found == descriptor.annotations.end() ? std::string() : found->second;
}

/// Tools put the tag alone or the whole name into these annotations.
bool has_tag(const oci::Descriptor& descriptor, const std::string& tag) {
  return std::any_of(std::begin(kNameAnnotations), std::end(kNameAnnotations),
                     [&](std::string_view key) {
                       const std::string name = annotation(descriptor, key);
                       return name == tag || name.ends_with(":" + tag);
                     });
}

std::string list_tags(const std::vector<oci::Descriptor>& descriptors) {
  std::string list;
  for (const oci::Descriptor& descriptor : descriptors) {
    const std::string name = annotation(descriptor, kRefName);
    if (!name.empty()) {
      list += (list.empty() ? "" : ", ") + name;
    }
  }
  return list;
}

/// The whole name of an image; "" when there is none, or a bare tag.
std::string name_of(const oci::Descriptor& descriptor) {
  for (const std::string_view key :
       {std::string_view(kContainerdName), std::string_view(kRefName)}) {
    const std::string text = annotation(descriptor, key);
    if (text.find_first_of(":/") == std::string::npos) {
      continue;
    }
    if (const Result<oci::Reference> name = oci::Reference::parse(text); name && !name->digest) {
      return name->str();
    }
  }
  return {};
}

/// Entries of one name are one image for several platforms.
std::map<std::string, std::vector<oci::Descriptor>> by_image(
    const std::vector<oci::Descriptor>& descriptors) {
  std::map<std::string, std::vector<oci::Descriptor>> groups;
  for (const oci::Descriptor& descriptor : descriptors) {
    const std::string name = name_of(descriptor);
    groups[name.empty() ? descriptor.digest.str() : name].push_back(descriptor);
  }
  return groups;
}

class OciLayout final : public ImageLayout {
 public:
  OciLayout(std::string path, std::unique_ptr<LayoutFiles> files)
      : path_(std::move(path)), files_(std::move(files)) {}

  Result<oci::Manifest> manifest(const std::string& tag, const std::optional<Digest>& digest,
                                 const oci::Platform& platform) override {
    Result<ChosenManifest> chosen = find(tag, digest, platform).context("OCI layout " + path_);
    if (!chosen) {
      return std::move(chosen).error();
    }
    return std::move(chosen->manifest);
  }

  Result<std::vector<LayoutImage>> images(const oci::Platform& platform) override {
    return list(platform).context("OCI layout " + path_);
  }

  Result<std::unique_ptr<Source>> open_blob(const Digest& digest) override {
    auto source = files_->open("blobs/sha256/" + digest.hex());
    if (!source) {
      return std::move(source).error().context("blob " + digest.str() + " of OCI layout " + path_);
    }
    return make_verified_source(std::move(source).value(), digest);
  }

 private:
  Result<ChosenManifest> find(const std::string& tag, const std::optional<Digest>& digest,
                              const oci::Platform& platform) {
    if (digest) {
      oci::Descriptor exact;
      exact.digest = *digest;
      return choose({exact}, platform);
    }
    const std::vector<oci::Descriptor> all = TRY(entries());
    const std::vector<oci::Descriptor> chosen = TRY(pick(all, tag));
    return choose(chosen, platform);
  }

  Result<std::vector<oci::Descriptor>> entries() {
    const auto source = TRY(files_->open("index.json"));
    const std::string text = TRY(read_all(*source, kMaxDocument));
    oci::Index index = TRY(oci::parse_index(text));
    std::erase_if(index.manifests, is_attachment);
    return std::move(index.manifests);
  }

  /// One entry is taken whatever its platform; of several the best one.
  Result<ChosenManifest> choose(const std::vector<oci::Descriptor>& descriptors,
                                const oci::Platform& platform) {
    const FetchDocument fetch = [this](const oci::Descriptor& descriptor) {
      return document(descriptor.digest);
    };
    if (descriptors.size() > 1) {
      return choose_manifest(descriptors, platform, fetch);
    }
    const std::string bytes = TRY(document(descriptors.front().digest));
    return choose_manifest(bytes, platform, fetch);
  }

  Result<std::vector<LayoutImage>> list(const oci::Platform& platform) {
    const std::vector<oci::Descriptor> all = TRY(entries());
    if (all.empty()) {
      return not_found("it holds no image");
    }
    std::map<Digest, LayoutImage> found;
    for (const auto& [name, descriptors] : by_image(all)) {
      ChosenManifest chosen = TRY(choose(descriptors, platform).context(name));
      LayoutImage& image = found[chosen.digest];
      image.manifest = std::move(chosen.manifest);
      if (std::string whole = name_of(descriptors.front()); !whole.empty()) {
        image.names.push_back(std::move(whole));
      }
    }
    std::vector<LayoutImage> images;
    for (auto& [digest, image] : found) {
      images.push_back(std::move(image));
    }
    return images;
  }

  /// The entries that `tag` may mean: several when they are one image for several platforms.
  static Result<std::vector<oci::Descriptor>> pick(const std::vector<oci::Descriptor>& all,
                                                   const std::string& tag) {
    std::vector<oci::Descriptor> tagged;
    const std::string wanted = tag.empty() ? "latest" : tag;
    std::copy_if(all.begin(), all.end(), std::back_inserter(tagged),
                 [&](const oci::Descriptor& descriptor) { return has_tag(descriptor, wanted); });
    if (!tagged.empty()) {
      return tagged;
    }
    if (all.empty()) {
      return not_found("it holds no image");
    }
    const std::string tags = list_tags(all);
    if (tag.empty() && (all.size() == 1 || tags.empty())) {
      return all;
    }
    return not_found("no image is tagged \"{}\"", wanted)
        .with_hint(tags.empty() ? "its images have no tags; name one by @sha256:…"
                                : "its tags are " + tags);
  }

  Result<std::string> document(const Digest& digest) {
    const auto source = TRY(open_blob(digest));
    return read_all(*source, kMaxDocument);
  }

  const std::string path_;
  const std::unique_ptr<LayoutFiles> files_;
};

Result<std::unique_ptr<LayoutFiles>> open_files(const std::string& path) {
  const struct stat info = TRY(sys::stat_at(AT_FDCWD, path));
  if (S_ISDIR(info.st_mode)) {
    return open_layout_directory(path);
  }
  if (!S_ISREG(info.st_mode)) {
    return invalid_argument("{} is neither a directory nor a file", path);
  }
  return open_layout_tar(path);
}

}  // namespace

Result<std::unique_ptr<ImageLayout>> open_image_layout(const std::string& path) {
  std::unique_ptr<LayoutFiles> files = TRY(open_files(path).context("image layout " + path));
  // Newer versions of docker write both forms into one archive; the layout says more.
  if (files->has("oci-layout") && files->has("index.json")) {
    return std::unique_ptr<ImageLayout>(std::make_unique<OciLayout>(path, std::move(files)));
  }
  if (files->has("manifest.json")) {
    return make_docker_archive(path, std::move(files));
  }
  return invalid_argument(
      "{} is neither an OCI image layout (no oci-layout and index.json) nor a docker "
      "archive (no manifest.json)",
      path);
}

}  // namespace mybuild::source
