// SPDX-License-Identifier: Apache-2.0
// `mybuild image …`: docker's longer names of the verbs on images.
#include "cmd/mybuild/cli/confirm.h"
#include "cmd/mybuild/cli/human_text.h"
#include "cmd/mybuild/cli/prune_options.h"
#include "cmd/mybuild/cli/values.h"
#include "cmd/mybuild/cli/verb_table.h"
#include "cmd/mybuild/group_verb.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>

namespace mybuild::cli {

namespace {

/// Images by id with their names, as far as the filters want them.
Result<std::map<Digest, std::vector<std::string>>> candidates(builder::Engine& engine,
                                                              const ImagePruneOptions& options) {
  std::int64_t made_before = INT64_MAX;
  for (const std::string& filter : options.filters) {
    const auto [key, value] = TRY(parse_key_value(filter));
    if (key == "until") {
      const std::int64_t now = seconds_now();
      made_before = std::min(made_before, now - TRY(space::parse_until(value, now)).count());
    }
  }
  std::map<Digest, std::vector<std::string>> images;
  std::set<Digest> kept;
  for (const snapshotter::ImageRow& row : TRY(engine.images())) {
    std::vector<std::string>& names = images[row.config];
    if (!row.name.empty()) {
      names.push_back(row.name);
    }
    if (row.created > made_before || (!options.all && !row.name.empty())) {
      kept.insert(row.config);
    }
  }
  for (const run::Container& container : TRY(engine.containers().list())) {
    kept.insert(container.record.image_id);
  }
  std::erase_if(images, [&](const auto& image) { return kept.contains(image.first); });
  return images;
}

/// Bytes of layers that only images of `gone` have.
Result<std::uint64_t> layer_bytes(builder::Engine& engine, const std::set<Digest>& gone) {
  std::set<Digest> others;
  std::map<Digest, std::uint64_t> sizes;
  for (const snapshotter::ImageRow& row : TRY(engine.images())) {
    const auto layers = engine.image_layers(row.config);  // a damaged image can go, too
    for (const snapshotter::Layer& layer : layers.value_or(std::vector<snapshotter::Layer>())) {
      if (gone.contains(row.config)) {
        sizes[layer.diff_id] = layer.size;
      } else {
        others.insert(layer.diff_id);
      }
    }
  }
  std::uint64_t bytes = 0;
  for (const auto& [diff_id, size] : sizes) {
    bytes += others.contains(diff_id) ? 0 : size;
  }
  return bytes;
}

Result<int> prune(const ImagePruneOptions& options) {
  const char* what = options.all
                         ? "This will remove all images without at least one container associated "
                           "to them."
                         : "This will remove all dangling images.";
  if (!options.force && !confirmed(what)) {
    return 0;
  }
  auto engine = TRY(open_engine(options.global));
  const auto images = TRY(candidates(*engine, options));
  std::set<Digest> ids;
  for (const auto& [id, names] : images) {
    ids.insert(id);
  }
  const std::uint64_t bytes = TRY(layer_bytes(*engine, ids));
  std::string removed;
  int exit_code = 0;
  for (const Digest& id : ids) {
    const auto lines = engine->remove_image(id.hex(), images.at(id).size() > 1);
    exit_code = lines ? exit_code : fail(lines.error());
    for (const std::string& line : lines.value_or(std::vector<std::string>())) {
      removed += line + "\n";
    }
  }
  TRY(print_out(prune_text("Deleted Images", removed, 0)));
  if (bytes > 0) {
    print_err(fmt::format("{} of layers are build cache now; `mybuild prune` removes it\n",
                          human_size(bytes)));
  }
  return exit_code;
}

constexpr Verb kVerbs[] = {
    {"build", "Build an image from a Dockerfile", build_verb},
    {"ls", "List the images of the local store", images_verb},
    {"list", "The same as ls", images_verb},
    {"history", "Show the instructions an image was made by", history_verb},
    {"inspect", "Print what is known about images, as JSON", image_inspect_verb},
    {"rm", "Remove images from the local store", rmi_verb},
    {"prune", "Remove images without a name and without a container",
     verb<kImagePruneCommand, prune>},
    {"tag", "Give an image one more name", tag_verb},
    {"pull", "Download an image from its registry", pull_verb},
    {"push", "Upload an image to its registry", push_verb},
    {"load", "Take the images of an archive into the local store", load_verb},
    {"save", "Write images to an archive", save_verb},
};

}  // namespace

int image_verb(std::span<const std::string> args) {
  return dispatch_group({.name = "image", .summary = "Manage images", .verbs = kVerbs}, args);
}

}  // namespace mybuild::cli
