// SPDX-License-Identifier: Apache-2.0
#include "builder/export/exporter.h"

#include "builder/export/exporters.h"

#include <algorithm>
#include <span>

namespace mybuild::exporter {

namespace {

/// The build is wanted for its cache records only.
class CacheOnlyExporter final : public Exporter {
 public:
  std::string title() const override { return "exporting nothing (cacheonly)"; }
  Result<ExportReport> write(const BuildOutput&, const solver::VertexId&) override {
    return ExportReport();
  }
};

}  // namespace

namespace {

std::unique_ptr<Exporter> make_image_exporter(const OutputSpec& spec, ExportDeps& deps) {
  if (spec.store) {
    return spec.push ? make_image_push_exporter(spec, deps) : make_store_exporter(spec, deps);
  }
  return spec.push ? make_registry_exporter(spec, deps)
                   : std::unique_ptr<Exporter>(std::make_unique<CacheOnlyExporter>());
}

}  // namespace

std::unique_ptr<Exporter> make_exporter(const OutputSpec& spec, ExportDeps& deps) {
  switch (spec.type) {
    case OutputType::Image:
      return make_image_exporter(spec, deps);
    case OutputType::Registry:
      return make_registry_exporter(spec, deps);
    case OutputType::Oci:
      return make_layout_exporter(spec, deps);
    case OutputType::Docker:
      return spec.dest.empty() ? make_store_exporter(spec, deps) : make_layout_exporter(spec, deps);
    case OutputType::Local:
      return make_local_exporter(spec, deps);
    case OutputType::Tar:
      return make_tar_exporter(spec, deps);
    case OutputType::CacheOnly:
      break;
  }
  return std::make_unique<CacheOnlyExporter>();
}

Result<std::vector<oci::Reference>> tag_names(const OutputSpec& spec, const BuildOutput& output) {
  std::vector<oci::Reference> names;
  for (const auto* list : {&output.names, &spec.names}) {
    for (oci::Reference name : *list) {
      if (name.tag.empty()) {
        return invalid_argument("{} has no tag, so it cannot name a new image", name.str());
      }
      name.digest.reset();  // that of the new image is not known before it is built
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        names.push_back(std::move(name));
      }
    }
  }
  return names;
}

bool is_multi_platform(const BuildOutput& output) {
  return output.multi_platform || output.images.size() > 1;
}

std::string platform_prefix(const BuiltImage& image, const BuildOutput& output,
                            const OutputSpec& spec) {
  if (!spec.platform_split.value_or(is_multi_platform(output))) {
    return {};
  }
  std::string folder = oci::to_string(image.platform);
  std::replace(folder.begin(), folder.end(), '/', '_');
  return folder + "/";
}

Status PlatformPaths::add(const std::string& prefix, const snapshotter::Entry& entry,
                          const oci::Platform& platform) {
  if (entry.type == snapshotter::EntryType::Directory) {
    return {};
  }
  const std::string name = oci::to_string(platform);
  const auto [place, is_new] = platforms_.emplace(prefix + entry.path, name);
  if (is_new || place->second == name) {
    return {};
  }
  return invalid_argument("{} of {} would overwrite that of {}", entry.path, name, place->second)
      .with_hint("without platform-split=false each platform has a folder of its own");
}

Result<std::unique_ptr<snapshotter::TreeView>> open_result(const BuiltImage& image,
                                                           ExportDeps& deps) {
  std::vector<Digest> chain;
  for (const snapshotter::Layer& layer : image.layers) {
    chain.push_back(layer.diff_id);
  }
  const std::optional<std::vector<std::string>> trees = TRY(deps.layers.trees(chain));
  if (!trees) {
    return data_loss("a layer of the result is no longer in the store")
        .with_hint("it was removed or damaged; build again");
  }
  return snapshotter::open_layered_view(*trees);
}

}  // namespace mybuild::exporter
