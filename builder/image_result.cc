// SPDX-License-Identifier: Apache-2.0
#include "builder/image_result.h"

namespace mybuild::builder {

namespace {

using oci::History;

/// Layer-making entries of this build get the time of their layer; entries of the base have theirs.
void set_layer_times(std::vector<History>& history, const ops::TreeResult& tree) {
  const std::size_t base = tree.base ? tree.base->layers : 0;
  std::size_t layer = 0;
  for (History& entry : history) {
    if (entry.empty_layer) {
      continue;
    }
    if (!entry.created && layer >= base && layer - base < tree.created.size()) {
      entry.created = tree.created[layer - base];
    }
    ++layer;
  }
}

/// Entries without a layer get the time of the layer before them, or of the first new one (as
/// BuildKit does), so that an image that was built again from the cache has the same bytes.
void fill_times(std::vector<History>& history) {
  std::optional<Time> time;
  bool gap = false;
  for (const History& entry : history) {
    if (entry.created) {
      time = entry.created;
      if (gap) {
        break;
      }
    } else {
      gap = true;
    }
  }
  gap = false;
  for (History& entry : history) {
    if (!entry.created) {
      gap = true;
      entry.created = time;
    } else if (gap) {
      time = entry.created;
    }
  }
}

/// A base whose history says less than its layers gets entries for the rest.
void complete_history(std::vector<History>& history, std::size_t layers) {
  std::size_t described = 0;
  for (const History& entry : history) {
    described += entry.empty_layer ? 0 : 1;
  }
  for (; described < layers; ++described) {
    history.push_back(History{.created = {},
                              .created_by = {},
                              .author = {},
                              .comment = "buildkit.exporter.image.v0",
                              .empty_layer = false});
  }
  for (auto entry = history.rbegin(); entry != history.rend() && described > layers; ++entry) {
    if (!entry->empty_layer) {
      entry->empty_layer = true;
      --described;
    }
  }
}

}  // namespace

exporter::BuiltImage make_image(const frontend::Target& target, const ops::TreeResult* tree,
                                std::optional<std::int64_t> epoch) {
  exporter::BuiltImage image;
  image.platform = target.platform;
  image.config = target.config;
  image.config.diff_ids.clear();
  std::vector<History>& history = image.config.history;
  if (tree != nullptr) {
    image.layers = tree->layers;
    for (const snapshotter::Layer& layer : tree->layers) {
      image.config.diff_ids.push_back(layer.diff_id);
    }
  }
  complete_history(history, image.layers.size());
  if (epoch) {
    const Time time{std::chrono::seconds(*epoch)};
    for (History& entry : history) {
      entry.created = entry.created ? entry.created : time;
    }
    image.config.created = time;
    return image;
  }
  if (tree != nullptr) {
    set_layer_times(history, *tree);
  }
  fill_times(history);
  image.config.created.reset();
  for (const History& entry : history) {
    if (entry.created && (!image.config.created || *image.config.created < *entry.created)) {
      image.config.created = entry.created;
    }
  }
  return image;
}

}  // namespace mybuild::builder
