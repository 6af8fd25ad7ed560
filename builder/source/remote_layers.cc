// SPDX-License-Identifier: Apache-2.0
#include "builder/source/remote_layers.h"

#include <algorithm>
#include <cerrno>

namespace mybuild::source {

namespace {

using snapshotter::Layer;

/// What no other source of the layer could mend.
bool is_ours(const Error& error) {
  return error.kind() == ErrorKind::Cancelled || error.os_errno() == ENOSPC ||
         error.os_errno() == EDQUOT;
}

}  // namespace

Result<std::optional<Layer>> RemoteLayers::find(const Layer& claimed, const Shown& step) {
  Layer layer = claimed;
  const auto row = TRY(deps_.metadata.find_layer(claimed.diff_id));
  if (row && row->changes) {
    if (row->changes != claimed.changes) {
      return std::optional<Layer>();
    }
    if (TRY(deps_.fetch.layers.tree(std::span(&claimed.diff_id, 1)))) {
      layer.size = row->size;
      return std::optional(std::move(layer));
    }
  }
  std::optional<RemoteLayer> place = deps_.where(claimed.diff_id);
  if (!place) {
    return std::optional<Layer>();
  }
  layer.blob = std::move(place->blob);
  steps_.lock()->insert_or_assign(claimed.diff_id, step);
  return std::optional(std::move(layer));
}

RemoteLayers::Layers RemoteLayers::unproven(std::span<const Layer> layers) {
  Layers found;
  const auto proven = proven_.lock();
  for (const Layer& layer : layers) {
    if (layer.blob && !proven->contains(layer.diff_id)) {
      found.push_back(layer);
    }
  }
  return found;
}

/// What the fetcher is to see: the layers of caches can be fetched, all others are here.
void RemoteLayers::fill(Image& image, std::span<const Layer> layers) {
  image.name = "imported cache";
  std::map<Digest, BlobOrigin> origins;
  for (const Layer& layer : layers) {
    image.config.diff_ids.push_back(layer.diff_id);
    image.layers.push_back(layer);
    std::optional<RemoteLayer> place;
    if (layer.blob) {
      place = deps_.where(layer.diff_id);
    }
    image.layers.back().blob.reset();
    if (place) {
      image.layers.back().blob = place->blob;
      origins[place->blob.digest] = std::move(place->origin);
    }
  }
  image.origin = [origins = std::move(origins)](const oci::Descriptor& blob, Sink& sink) {
    return origins.at(blob.digest)(blob, sink);
  };
}

/// A layer that a cache only names has to be made here: the build begins again without such names.
Status RemoteLayers::check_bytes(const Layers& layers) {
  for (const Layer& layer : layers) {
    const std::optional<RemoteLayer> place = deps_.where(layer.diff_id);
    if (place && place->is_named_only) {
      Error why(ErrorKind::Cancelled, "files are needed that the imported cache only knows of");
      deps_.on_bad(place->cache, why);
      return why;
    }
  }
  return {};
}

Status RemoteLayers::announce(const Layers& layers) {
  std::vector<Digest> missing;
  for (const Layer& layer : layers) {
    if (!TRY(deps_.fetch.content.stat(layer.blob->digest))) {
      missing.push_back(layer.diff_id);
    }
  }
  if (deps_.announce && !missing.empty()) {
    deps_.announce(missing);
  }
  return {};
}

/// The step whose layer is the highest.
RemoteLayers::Shown RemoteLayers::shown(const Layers& layers) {
  const auto steps = steps_.lock();
  const auto step = steps->find(layers.back().diff_id);
  return step == steps->end() ? Shown() : step->second;
}

/// The step was done when its record was found; it is shown again meanwhile.
Status RemoteLayers::show(const Layers& layers, const std::function<Status(const Shown&)>& fetch) {
  const Shown step = shown(layers);
  deps_.fetch.events.on_event(solver::VertexStarted{step.id, step.name, deps_.fetch.clock.now()});
  Status fetched = report(layers, fetch(step));
  const Time now = deps_.fetch.clock.now();
  if (fetched) {
    deps_.fetch.events.on_event(solver::VertexCached{step.id, step.name, now});
  } else {
    deps_.fetch.events.on_event(solver::VertexDone{step.id, now, fetched.error()});
  }
  return fetched;
}

/// The build begins again without whoever is believed no more, so no step is shown as failed.
Status RemoteLayers::report(const Layers& layers, Status status) {
  if (status || is_ours(status.error())) {
    return status;
  }
  std::set<std::size_t> caches;
  for (const Layer& layer : layers) {
    if (const std::optional<RemoteLayer> place = deps_.where(layer.diff_id)) {
      caches.insert(place->cache);
    }
  }
  for (const std::size_t cache : caches) {
    deps_.on_bad(cache, status.error());
  }
  return caches.empty() ? std::move(status)
                        : Status(Error(ErrorKind::Cancelled, status.error().message()));
}

/// Layers that are known as those of an image, too: its blob stays theirs.
Result<std::set<Digest>> RemoteLayers::of_images(const Layers& layers) {
  std::set<Digest> known;
  for (const Layer& layer : layers) {
    if (TRY(deps_.fetch.layers.original_blob(layer.diff_id))) {
      known.insert(layer.diff_id);
    }
  }
  return known;
}

Status RemoteLayers::keep_as_imported(const Layers& layers, const std::set<Digest>& bases) {
  Layers imported;
  std::vector<Digest> no_originals;
  for (const Layer& layer : layers) {
    if (TRY(deps_.fetch.content.stat(layer.blob->digest))) {
      imported.push_back(layer);
    }
    if (!bases.contains(layer.diff_id)) {
      no_originals.push_back(layer.diff_id);
    }
  }
  TRY(deps_.fetch.layers.add_imported_blobs(imported));
  const auto kept = kept_.lock();
  for (const Layer& layer : imported) {
    kept->insert(layer.diff_id);
  }
  return deps_.fetch.layers.forget_original_blobs(no_originals);
}

Status RemoteLayers::fetch_trees(std::span<const Layer> layers) {
  const Layers wanted = unproven(layers);
  if (wanted.empty()) {
    return {};
  }
  TRY(check_bytes(wanted));
  const std::set<Digest> bases = TRY(of_images(wanted));
  TRY(show(wanted, [&](const Shown& step) -> Status {
    Image image;
    fill(image, layers);
    TRY(announce(wanted));
    TRY(fetcher_.fetch_trees(image, step.id));
    return deps_.fetch.layers.adopt(wanted, deps_.fetch.lanes);
  }));
  TRY(keep_as_imported(wanted, bases));
  const auto proven = proven_.lock();
  for (const Layer& layer : wanted) {
    proven->insert(layer.diff_id);
  }
  return {};
}

Status RemoteLayers::fetch_blobs(std::span<const Layer> layers) {
  Layers wanted;
  for (const Layer& layer : layers) {
    if (!layer.blob) {
      continue;
    }
    const auto stored = TRY(deps_.fetch.content.stat(layer.blob->digest));
    if (!stored || !kept_.lock()->contains(layer.diff_id)) {
      wanted.push_back(layer);
    }
  }
  if (wanted.empty()) {
    return {};
  }
  TRY(check_bytes(wanted));
  const std::set<Digest> bases = TRY(of_images(wanted));
  TRY(show(wanted, [&](const Shown& step) -> Status {
    Image image;
    fill(image, wanted);
    TRY(announce(wanted));
    return fetcher_.fetch_blobs(image, step.id);
  }));
  return keep_as_imported(wanted, bases);
}

}  // namespace mybuild::source
