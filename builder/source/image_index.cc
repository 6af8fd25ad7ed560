// SPDX-License-Identifier: Apache-2.0
#include "builder/source/image_index.h"

#include "snapshotter/oci/image_config.h"
#include "snapshotter/oci/media_type.h"

namespace mybuild::source {

namespace {

constexpr int kMaxDepth = 4;
constexpr std::size_t kMaxImages = 1000;

struct Candidate {
  oci::Descriptor descriptor;
  oci::Platform platform;
};

/// An image that the index gives no platform: its own config knows.
Result<oci::Platform> platform_of(const oci::Descriptor& descriptor, const FetchDocument& fetch) {
  if (descriptor.platform) {
    return *descriptor.platform;
  }
  const std::string bytes = TRY(fetch(descriptor));
  const oci::Manifest manifest = TRY(oci::parse_manifest(bytes));
  const std::string text = TRY(fetch(manifest.config));
  const oci::ImageConfig config = TRY(oci::parse_image_config(text));
  return config.platform;
}

Status collect(const std::vector<oci::Descriptor>& descriptors, const FetchDocument& fetch,
               int depth, std::vector<Candidate>& found) {
  if (depth > kMaxDepth) {
    return invalid_argument("image indexes are nested deeper than {} levels", kMaxDepth);
  }
  for (const oci::Descriptor& descriptor : descriptors) {
    if (found.size() >= kMaxImages) {
      return invalid_argument("image index with more than {} images", kMaxImages);
    }
    if (is_attachment(descriptor)) {
      continue;
    }
    if (oci::is_index(descriptor.media_type)) {
      const std::string bytes = TRY(fetch(descriptor));
      const oci::Index index = TRY(oci::parse_index(bytes));
      TRY(collect(index.manifests, fetch, depth + 1, found));
    } else if (oci::is_manifest(descriptor.media_type)) {
      const oci::Platform platform = TRY(platform_of(descriptor, fetch));
      found.push_back({descriptor, platform});
    }
  }
  return {};
}

Error no_such_platform(const oci::Platform& wanted, const std::vector<oci::Platform>& offered) {
  if (offered.empty()) {
    return not_found("the image index has no images");
  }
  std::string list;
  for (const oci::Platform& platform : offered) {
    list += (list.empty() ? "" : ", ") + to_string(platform);
  }
  return not_found("no image for {}", to_string(wanted)).with_hint("it is there for " + list);
}

Result<ChosenManifest> as_manifest(std::string bytes) {
  ChosenManifest chosen;
  chosen.manifest = TRY(oci::parse_manifest(bytes));
  chosen.digest = Digest::of(bytes);
  chosen.bytes = std::move(bytes);
  return chosen;
}

}  // namespace

bool is_attachment(const oci::Descriptor& descriptor) {
  return descriptor.annotations.contains("vnd.docker.reference.type") ||
         (descriptor.platform && descriptor.platform->os == "unknown");
}

Result<ChosenManifest> choose_manifest(const std::vector<oci::Descriptor>& descriptors,
                                       const oci::Platform& platform, const FetchDocument& fetch) {
  std::vector<Candidate> candidates;
  TRY(collect(descriptors, fetch, 1, candidates));
  std::vector<oci::Platform> platforms;
  for (const Candidate& candidate : candidates) {
    platforms.push_back(candidate.platform);
  }
  const std::optional<std::size_t> best = oci::best_match(platform, platforms);
  if (!best) {
    return no_such_platform(platform, platforms);
  }
  std::string bytes = TRY(fetch(candidates[*best].descriptor));
  return as_manifest(std::move(bytes));
}

Result<ChosenManifest> choose_manifest(const std::string& document, const oci::Platform& platform,
                                       const FetchDocument& fetch) {
  const std::string media_type = TRY(oci::document_media_type(document));
  if (oci::is_manifest(media_type)) {
    return as_manifest(document);
  }
  if (!oci::is_index(media_type)) {
    return unsupported("\"{}\" is neither an image nor an index of images", media_type);
  }
  const oci::Index index = TRY(oci::parse_index(document));
  return choose_manifest(index.manifests, platform, fetch);
}

}  // namespace mybuild::source
