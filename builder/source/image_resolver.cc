// SPDX-License-Identifier: Apache-2.0
#include "builder/source/image_resolver.h"

#include "builder/source/image_fetcher.h"
#include "builder/source/image_layout.h"
#include "builder/source/registry_image.h"
#include "snapshotter/base/guarded.h"

#include <map>
#include <mutex>
#include <optional>

namespace mybuild::source {

namespace {

using frontend::ImageMeta;
using frontend::ImageRequest;
using frontend::LayoutContext;
using snapshotter::Layer;

std::string key_of(const ImageRequest& request) {
  const std::string platform = " for " + to_string(request.platform);
  if (const auto* reference = std::get_if<oci::Reference>(&request.source)) {
    const char* const written = reference->implied_domain ? "docker-image:" : "docker-image://";
    return written + reference->str() + platform;
  }
  const auto& layout = std::get<LayoutContext>(request.source);
  return fmt::format("oci-layout://{}:{}@{}{}", layout.path, layout.tag,
                     layout.digest ? layout.digest->str() : "", platform);
}

class Resolver final : public ImageResolver {
 public:
  explicit Resolver(ImageResolverDeps deps)
      : deps_(deps),
        registry_(deps.registry, deps.content, deps.metadata, deps.cancel),
        fetcher_({deps.content, deps.layers, deps.lanes, deps.events, deps.cancel, deps.clock,
                  deps.claims}) {}

  std::vector<Result<ImageMeta>> resolve(const std::vector<ImageRequest>& requests) override;
  Result<std::vector<Layer>> layers(const Digest& id) override;
  Status fetch_trees(const Digest& id, const solver::VertexId& vertex) override {
    const ImagePtr image = TRY(find(id));
    return fetcher_.fetch_trees(*image, vertex);
  }
  Status fetch_blobs(const Digest& id, const solver::VertexId& vertex) override {
    const ImagePtr image = TRY(find(id));
    return fetcher_.fetch_blobs(*image, vertex);
  }

 private:
  using ImagePtr = std::shared_ptr<Image>;
  using Found = Result<ImagePtr>;  // null: not there, look further

  // Where an image may be, in the order they are tried.
  Found resolve_one(const ImageRequest& request);
  Found by_full_name(const oci::Reference& reference, const oci::Platform& platform);
  Found in_layout(const ImageRequest& request, const LayoutContext& context);
  Found in_local_store(const oci::Reference& reference, const oci::Platform& platform);
  Found remembered(const oci::Reference& reference, const oci::Platform& platform);
  Found in_registry(const oci::Reference& reference, const oci::Platform& platform);
  Found current(const oci::Reference& reference, const oci::Platform& platform);
  Error passed_by(const oci::Reference& reference, Error error);
  Found pull_metadata(const oci::Reference& reference, const oci::Platform& platform);

  Found make_image(const oci::Reference& reference, const RegistryImage& found);
  Result<std::shared_ptr<ImageLayout>> open_layout(const std::string& path);
  ImagePtr add(const std::string& key, ImagePtr image);

  Result<ImagePtr> find(const Digest& id);
  const ImageResolverDeps deps_;
  RegistryImages registry_;
  Guarded<std::map<std::string, ImagePtr>> by_key_;
  Guarded<std::map<Digest, ImagePtr>> by_id_;
  Guarded<std::map<std::string, std::shared_ptr<ImageLayout>>> layouts_;
  ImageFetcher fetcher_;  // last: its destructor waits for tasks that use the rest
};

std::vector<Result<ImageMeta>> Resolver::resolve(const std::vector<ImageRequest>& requests) {
  std::map<std::string, std::size_t> slots;
  std::vector<const ImageRequest*> unique;
  for (const ImageRequest& request : requests) {
    if (slots.emplace(key_of(request), unique.size()).second) {
      unique.push_back(&request);
    }
  }
  std::vector<Found> found(unique.size(), Found(ImagePtr()));
  // Each request has an answer of its own, so none of them may end the others.
  static_cast<void>(deps_.lanes.fan_out(Lane::Net, unique.size(), [&](std::size_t i) {
    found[i] = resolve_one(*unique[i]);
    return Status();
  }));
  std::vector<Result<ImageMeta>> answers;
  for (const ImageRequest& request : requests) {
    const Found& image = found[slots.at(key_of(request))];
    if (image) {
      answers.emplace_back(ImageMeta{(*image)->id, (*image)->config});
    } else {
      answers.emplace_back(image.error());
    }
  }
  return answers;
}

Resolver::Found Resolver::resolve_one(const ImageRequest& request) {
  TRY(deps_.cancel.check());
  const std::string key = key_of(request);
  {
    auto known = by_key_.lock();
    if (const auto found = known->find(key); found != known->end()) {
      return found->second;
    }
  }
  if (const auto* layout = std::get_if<LayoutContext>(&request.source)) {
    ImagePtr image = TRY(in_layout(request, *layout));
    return add(key, std::move(image));
  }
  const auto& reference = std::get<oci::Reference>(request.source);
  ImagePtr image = TRY(in_local_store(reference, request.platform));
  if (image == nullptr) {
    image = TRY(by_full_name(reference, request.platform));
  }
  return add(key, std::move(image));
}

/// Another registry is asked only when one says that it has no such image: what cannot be reached
/// must not be replaced by somebody else's image of that name.
Resolver::Found Resolver::by_full_name(const oci::Reference& reference,
                                       const oci::Platform& platform) {
  const std::vector<oci::Reference> names = TRY(deps_.registry.full_names(reference));
  for (const oci::Reference& name : names) {
    if (ImagePtr image = TRY(in_local_store(name, platform))) {
      return image;
    }
  }
  Found found = in_registry(names.front(), platform);
  for (std::size_t i = 1; i < names.size() && !found && is_elsewhere(found.error()); ++i) {
    found = in_registry(names[i], platform);
  }
  return found ? found : Found(passed_by(names.front(), found.error()));
}

/// Whoever asked for newer images may have meant all but this one.
Error Resolver::passed_by(const oci::Reference& reference, Error error) {
  const auto row = deps_.metadata.find_image_by_name(reference.str());
  if (!deps_.pull || !row || !*row) {
    return error;
  }
  return std::move(error).with_hint("the local store has " + reference.familiar() +
                                    ", which --pull passes by");
}

/// Two names may lead to one image; the first is kept, so that its lock is the only one.
Resolver::ImagePtr Resolver::add(const std::string& key, ImagePtr image) {
  {
    auto images = by_id_.lock();
    image = images->emplace(image->id, image).first->second;
  }
  by_key_.lock()->emplace(key, image);
  return image;
}

Resolver::Found Resolver::in_layout(const ImageRequest& request, const LayoutContext& context) {
  const std::shared_ptr<ImageLayout> layout = TRY(open_layout(context.path));
  const oci::Manifest manifest =
      TRY(layout->manifest(context.tag, context.digest, request.platform));
  const auto source = TRY(layout->open_blob(manifest.config.digest));
  const std::string config = TRY(read_all(*source, kMaxDocument));
  const BlobOrigin origin = [layout](const oci::Descriptor& blob, Sink& sink) -> Status {
    const auto bytes = TRY(layout->open_blob(blob.digest));
    TRY(copy(*bytes, sink));
    return {};
  };
  return source::make_image(request.display, Digest::of(dump(manifest)), manifest, config, origin,
                            deps_.metadata);
}

Result<std::shared_ptr<ImageLayout>> Resolver::open_layout(const std::string& path) {
  {
    auto layouts = layouts_.lock();
    if (const auto found = layouts->find(path); found != layouts->end()) {
      return found->second;
    }
  }
  std::shared_ptr<ImageLayout> layout = TRY(open_image_layout(path));
  return layouts_.lock()->emplace(path, std::move(layout)).first->second;
}

Resolver::Found Resolver::in_local_store(const oci::Reference& reference,
                                         const oci::Platform& platform) {
  if (reference.digest || deps_.pull) {
    return ImagePtr();
  }
  const auto row = TRY(deps_.metadata.find_image_by_name(reference.str()));
  const std::optional<std::string> text =
      row ? stored_document(deps_.content, row->config) : std::nullopt;
  if (!text) {
    return ImagePtr();
  }
  auto image = std::make_shared<Image>();
  image->id = row->config;
  image->name = reference.familiar();
  image->config = TRY(oci::parse_image_config(*text).context(image->name));
  if (match_score(platform, image->config.platform) == 0) {
    return ImagePtr();
  }
  for (const Digest& diff_id : image->config.diff_ids) {
    image->layers.push_back(TRY(known_layer(diff_id, deps_.metadata)));
    image->layers.back().blob = TRY(deps_.layers.original_blob(diff_id));
  }
  image->origin = known_places(image->name, deps_.metadata, deps_.registry, deps_.cancel);
  return image;
}

Resolver::Found Resolver::remembered(const oci::Reference& reference,
                                     const oci::Platform& platform) {
  const auto found = TRY(registry_.remembered(reference, platform));
  return found ? make_image(reference, *found) : Found(ImagePtr());
}

Resolver::Found Resolver::in_registry(const oci::Reference& reference,
                                      const oci::Platform& platform) {
  if (reference.digest) {
    if (ImagePtr known = TRY(remembered(reference, platform))) {
      return known;
    }
  }
  const std::string name = "[internal] load metadata for " + reference.str();
  const solver::VertexId vertex = solver::internal_vertex(name);
  deps_.events.on_event(
      solver::VertexStarted{.vertex = vertex, .name = name, .time = deps_.clock.now()});
  Found image = current(reference, platform);
  deps_.events.on_event(
      solver::VertexDone{.vertex = vertex,
                         .time = deps_.clock.now(),
                         .error = image ? std::nullopt : std::optional<Error>(image.error())});
  return image;
}

/// A tag is what it is now: it is asked for each time, but its documents only once. Who is offline
/// builds on what it was.
Resolver::Found Resolver::current(const oci::Reference& reference, const oci::Platform& platform) {
  const std::optional<RegistryImage> known = TRY(registry_.remembered(reference, platform));
  if (!known) {
    return pull_metadata(reference, platform);
  }
  const Result<Digest> digest = deps_.registry.current(reference, deps_.cancel);
  if (digest) {
    const auto found = TRY(registry_.remembered(at(reference, *digest), platform));
    if (!found) {
      return pull_metadata(reference, platform);
    }
    if (found->chosen.digest != known->chosen.digest) {
      TRY(registry_.remember(reference, platform, *found));
    }
    return make_image(reference, *found);
  }
  TRY(deps_.cancel.check());
  if (deps_.pull || digest.error().kind() != ErrorKind::Unavailable) {
    return digest.error();
  }
  deps_.events.on_event(solver::Warning{
      .message = fmt::format("{} is what it was when its registry answered last: {}",
                             reference.familiar(), digest.error().message()),
      .detail = "--pull fails where the registry cannot be asked",
      .location = {}});
  return make_image(reference, *known);
}

Resolver::Found Resolver::pull_metadata(const oci::Reference& reference,
                                        const oci::Platform& platform) {
  const RegistryImage found = TRY(registry_.find(reference, platform));
  ImagePtr image = TRY(make_image(reference, found));
  TRY(registry_.remember(reference, platform, found));
  return image;
}

Resolver::Found Resolver::make_image(const oci::Reference& reference, const RegistryImage& found) {
  const BlobOrigin origin = [this, reference](const oci::Descriptor& blob, Sink& sink) {
    return deps_.registry.blob_to_store(reference, blob, sink, deps_.cancel);
  };
  return source::make_image(reference.familiar(), found.chosen.digest, found.chosen.manifest,
                            found.config, origin, deps_.metadata);
}

Result<Resolver::ImagePtr> Resolver::find(const Digest& id) {
  auto images = by_id_.lock();
  const auto found = images->find(id);
  if (found == images->end()) {
    return internal_error("image {} was not resolved in this build", id.str());
  }
  return found->second;
}

Result<std::vector<Layer>> Resolver::layers(const Digest& id) {
  const ImagePtr image = TRY(find(id));
  return image->layers;
}

}  // namespace

std::unique_ptr<ImageResolver> make_image_resolver(ImageResolverDeps deps) {
  return std::make_unique<Resolver>(deps);
}

}  // namespace mybuild::source
