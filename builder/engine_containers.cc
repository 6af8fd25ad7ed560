// SPDX-License-Identifier: Apache-2.0
// The engine's verbs on containers: an image that is there or gets pulled, run, start.
#include "builder/engine.h"
#include "builder/ops/start_hint.h"
#include "builder/services.h"
#include "builder/source/image.h"
#include "builder/source/stored_trees.h"
#include "snapshotter/base/file.h"

#include <set>

namespace mybuild::builder {

using snapshotter::ImageRow;

namespace {

/// The trees of a chain, lowest first.
Result<std::vector<std::string>> layer_dirs(std::span<const Digest> chain, Engine::Services& own,
                                            const std::string& image) {
  return source::stored_trees(chain, image,
                              {.content = *own.content, .layers = *own.layers, .lanes = own.lanes});
}

/// With what would let a program start that did not; nothing without the image's config.
Result<run::ContainerExit> with_hint(Result<run::ContainerExit> ended, const std::string& config) {
  if (ended && !ended->start_error.empty()) {
    if (const auto image = oci::parse_image_config(config)) {
      ended->hint = ops::start_hint(ended->start_error, "the image", image->platform);
    }
  }
  return ended;
}

}  // namespace

Result<ImageRow> Engine::provide_image(const std::string& name_or_id, PullPolicy policy,
                                       const std::optional<oci::Platform>& platform,
                                       solver::EventSink& events, const Cancel& cancel) {
  if (policy != PullPolicy::Always) {
    Result<ImageRow> found = find_image(name_or_id, platform);
    const bool missing = !found && found.error().kind() == ErrorKind::NotFound;
    if (!missing || policy == PullPolicy::Never) {
      return found;
    }
  }
  const oci::Reference reference = TRY(oci::Reference::parse(name_or_id));
  if (policy != PullPolicy::Always && reference.implied_domain) {
    for (const oci::Reference& name : TRY(services_->registry->full_names(reference))) {
      if (Result<ImageRow> found = find_image(name.str(), platform)) {
        return found;
      }
    }
  }
  const PullReport pulled = TRY(pull({.name = reference, .platform = platform}, events, cancel));
  return find_image(pulled.name.str());
}

Result<run::ContainerExit> Engine::run(const ImageRow& row, const run::RunRequest& request,
                                       const Cancel& cancel) {
  const std::string text = TRY(image_config(row.config));
  run::ContainerImage image;
  image.id = row.config;
  image.config = TRY(oci::parse_image_config(text));
  TRY(source::check_os(image.config).context(request.image));
  image.layer_dirs = TRY(layer_dirs(image.config.diff_ids, *services_, request.image));
  snapshotter::Snapshotter* snapshotter = TRY(services_->get_snapshotter());
  run::ContainerDeps deps{.sandbox = *services_->sandbox,
                          .snapshotter = *snapshotter,
                          .containers = *services_->containers,
                          .volumes = *services_->volumes};
  return with_hint(run::run_container(image, request, deps, cancel), text);
}

Result<run::ContainerExit> Engine::start(const std::string& name_or_id, bool interactive,
                                         const Cancel& cancel) {
  snapshotter::Snapshotter* snapshotter = TRY(services_->get_snapshotter());
  std::unique_ptr<run::OwnedContainer> container = TRY(services_->containers->take(name_or_id));
  const run::ContainerRecord& record = container->record();
  const std::vector<std::string> dirs = TRY(layer_dirs(record.layers, *services_, record.image));
  run::ContainerDeps deps{.sandbox = *services_->sandbox,
                          .snapshotter = *snapshotter,
                          .containers = *services_->containers,
                          .volumes = *services_->volumes};
  const auto config = image_config(record.image_id);  // the container outlives its image
  return with_hint(run::start_container(std::move(container), dirs, interactive, deps, cancel),
                   config.value_or(std::string()));
}

Result<ContainerSize> Engine::container_size(const run::Container& container) {
  ContainerSize size;
  size.writable = TRY(services_->containers->written_bytes(container.record.id));
  size.root = size.writable;
  const Result<snapshotter::Snapshotter*> snapshotter = services_->get_snapshotter();
  if (snapshotter && !(*snapshotter)->capabilities().stacks_layers) {
    return size;  // it has a copy of all
  }
  const std::vector<Digest>& layers = container.record.layers;
  for (const Digest& diff_id : std::set<Digest>(layers.begin(), layers.end())) {
    const auto row = TRY(services_->metadata->find_layer(diff_id));
    size.root += row ? row->size : 0;
  }
  return size;
}

ContainerRoot Engine::container_root(const run::Container& container) {
  ContainerRoot root;
  const Result<snapshotter::Snapshotter*> snapshotter = services_->get_snapshotter();
  if (!snapshotter) {
    return root;
  }
  root.driver = (*snapshotter)->name();
  const Result<std::vector<std::string>> dirs =
      layer_dirs(container.record.layers, *services_, container.record.image);
  const Result<snapshotter::RootMount> mount =
      (*snapshotter)
          ->reopen_root(dirs.value_or(std::vector<std::string>()),
                        join_path(services_->containers->path(container.record.id), "fs"));
  if (mount) {
    root.mount = *mount;
  }
  if (!dirs) {
    root.mount.lower.clear();
  }
  return root;
}

run::ContainerStore& Engine::containers() {
  return *services_->containers;
}
run::VolumeStore& Engine::volumes() {
  return *services_->volumes;
}

}  // namespace mybuild::builder
