// SPDX-License-Identifier: Apache-2.0
#include "builder/source/docker_archive.h"

#include "builder/source/image_index.h"
#include "builder/source/verified_source.h"
#include "snapshotter/base/guarded.h"
#include "snapshotter/base/json.h"
#include "snapshotter/oci/image_config.h"
#include "snapshotter/oci/media_type.h"
#include "snapshotter/oci/reference.h"

#include <algorithm>
#include <array>
#include <map>

namespace mybuild::source {

namespace {

struct SavedImage {
  std::string config;
  std::vector<std::string> tags;
  std::vector<std::string> layers;
};

Result<std::vector<SavedImage>> parse_saved_images(const std::string& text) {
  const Json json = TRY(parse_json(text).context("manifest.json"));
  std::vector<SavedImage> images;
  for (const JsonField& item : TRY(JsonField(json, "").items())) {
    SavedImage image;
    image.config = TRY(TRY(item.field("Config")).string().context("manifest.json"));
    image.tags = TRY(TRY(item.field("RepoTags")).strings().context("manifest.json"));
    image.layers = TRY(TRY(item.field("Layers")).strings().context("manifest.json"));
    images.push_back(std::move(image));
  }
  return images;
}

bool has_tag(const SavedImage& image, const std::string& tag) {
  return std::any_of(image.tags.begin(), image.tags.end(), [&](const std::string& name) {
    return name == tag || name.ends_with(":" + tag);
  });
}

/// By a file's first bytes.
oci::Compression sniff(ByteSpan head) {
  struct Magic {
    std::string_view bytes;
    oci::Compression compression;
  };
  static constexpr Magic kMagics[] = {{"\x1f\x8b", oci::Compression::Gzip},
                                      {"\x28\xb5\x2f\xfd", oci::Compression::Zstd}};
  for (const Magic& magic : kMagics) {
    if (as_text(head).starts_with(magic.bytes)) {
      return magic.compression;
    }
  }
  return oci::Compression::None;
}

Result<oci::Compression> compression_of(const LayoutFiles& files, const std::string& name) {
  const auto source = TRY(files.open(name));
  std::array<std::byte, 4> head{};
  const std::size_t count = TRY(source->read(head));
  return sniff(ByteSpan(head).first(count));
}

Result<Digest> digest_of(const LayoutFiles& files, const std::string& name) {
  const auto source = TRY(files.open(name));
  Hasher hasher;
  TRY(copy(*source, hasher));
  return hasher.finish();
}

class DockerArchive final : public ImageLayout {
 public:
  DockerArchive(std::string path, std::unique_ptr<LayoutFiles> files,
                std::vector<SavedImage> images)
      : path_(std::move(path)), files_(std::move(files)), images_(std::move(images)) {}

  Result<oci::Manifest> manifest(const std::string& tag, const std::optional<Digest>& digest,
                                 const oci::Platform&) override {
    return find(tag, digest).context("docker archive " + path_);
  }

  Result<std::vector<LayoutImage>> images(const oci::Platform&) override {
    std::vector<LayoutImage> list;
    for (const SavedImage& saved : images_) {
      LayoutImage image;
      image.manifest = TRY(describe(saved).context("docker archive " + path_));
      for (const std::string& tag : saved.tags) {
        const oci::Reference name = TRY(oci::Reference::parse(tag).context(path_));
        image.names.push_back(name.str());
      }
      list.push_back(std::move(image));
    }
    return list;
  }

  Result<std::unique_ptr<Source>> open_blob(const Digest& digest) override {
    std::string name;
    {
      auto names = names_.lock();
      const auto found = names->find(digest);
      if (found == names->end()) {
        return not_found("docker archive {}: no blob {}", path_, digest.str());
      }
      name = found->second;
    }
    auto source = TRY(files_->open(name).context("docker archive " + path_));
    return make_verified_source(std::move(source), digest);
  }

 private:
  Result<oci::Manifest> find(const std::string& tag, const std::optional<Digest>& digest) {
    if (!digest) {
      const SavedImage* const image = TRY(pick(tag));
      return describe(*image);
    }
    for (const SavedImage& image : images_) {
      oci::Manifest manifest = TRY(describe(image));
      if (manifest.config.digest == *digest || Digest::of(dump(manifest)) == *digest) {
        return manifest;
      }
    }
    return not_found("no image {}", digest->str());
  }

  Result<const SavedImage*> pick(const std::string& tag) const {
    const std::string wanted = tag.empty() ? "latest" : tag;
    for (const SavedImage& image : images_) {
      if (has_tag(image, wanted) || (tag.empty() && images_.size() == 1)) {
        return &image;
      }
    }
    std::string tags;
    for (const SavedImage& image : images_) {
      for (const std::string& name : image.tags) {
        tags += (tags.empty() ? "" : ", ") + name;
      }
    }
    return not_found("no image is tagged \"{}\"", wanted)
        .with_hint(tags.empty() ? "its images have no tags" : "its tags are " + tags);
  }

  Result<oci::Manifest> describe(const SavedImage& image) {
    const auto config_source = TRY(files_->open(image.config));
    const std::string config_text = TRY(read_all(*config_source, kMaxDocument));
    const oci::ImageConfig config = TRY(oci::parse_image_config(config_text));
    if (config.diff_ids.size() != image.layers.size()) {
      return invalid_argument("the config names {} layers, manifest.json {}",
                              config.diff_ids.size(), image.layers.size());
    }
    oci::Manifest manifest;
    manifest.media_type = oci::kMediaTypeManifest;
    manifest.config.media_type = oci::kMediaTypeConfig;
    manifest.config.digest = Digest::of(config_text);
    manifest.config.size = config_text.size();
    names_.lock()->insert_or_assign(manifest.config.digest, image.config);
    for (std::size_t i = 0; i < image.layers.size(); ++i) {
      manifest.layers.push_back(
          TRY(describe_layer(image.layers[i], config.diff_ids[i]).context(image.layers[i])));
    }
    return manifest;
  }

  Result<oci::Descriptor> describe_layer(const std::string& name, const Digest& diff_id) {
    const oci::Compression compression = TRY(compression_of(*files_, name));
    oci::Descriptor descriptor;
    descriptor.media_type = oci::layer_media_type(compression);
    descriptor.size = TRY(files_->size(name));
    descriptor.digest = diff_id;
    if (compression != oci::Compression::None) {
      descriptor.digest = TRY(digest_of(*files_, name));
    }
    names_.lock()->insert_or_assign(descriptor.digest, name);
    return descriptor;
  }

  const std::string path_;
  const std::unique_ptr<LayoutFiles> files_;
  const std::vector<SavedImage> images_;
  Guarded<std::map<Digest, std::string>> names_;
};

}  // namespace

Result<std::unique_ptr<ImageLayout>> make_docker_archive(const std::string& path,
                                                         std::unique_ptr<LayoutFiles> files) {
  const auto source = TRY(files->open("manifest.json"));
  const std::string text = TRY(read_all(*source, kMaxDocument));
  std::vector<SavedImage> images = TRY(parse_saved_images(text).context("docker archive " + path));
  if (images.empty()) {
    return not_found("docker archive {} holds no image", path);
  }
  return std::unique_ptr<ImageLayout>(
      std::make_unique<DockerArchive>(path, std::move(files), std::move(images)));
}

}  // namespace mybuild::source
