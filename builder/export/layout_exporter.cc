// SPDX-License-Identifier: Apache-2.0
// The oci and docker forms. Both are an OCI layout; docker's has a manifest.json too, which `docker
// load` and everything that reads `docker save` archives start from (its layers may be compressed,
// as they are in archives of docker itself).
#include "builder/export/documents.h"
#include "builder/export/early_archive.h"
#include "builder/export/exporters.h"
#include "builder/export/layout.h"
#include "snapshotter/base/json.h"
#include "snapshotter/oci/media_type.h"

#include <chrono>

namespace mybuild::exporter {

namespace {

/// One image as it goes into a layout, with the names it gets there.
struct Part {
  std::vector<ImageDocuments> images;  // several: an index over platforms
  oci::Descriptor root;
  std::vector<oci::Reference> names;
};

Json manifest_json_entry(const Part& part) {
  const ImageDocuments& image = part.images.front();
  Json entry;
  entry["Config"] = blob_path(image.config.digest);
  entry["RepoTags"] = nullptr;
  for (const oci::Reference& name : part.names) {
    entry["RepoTags"].push_back(name.familiar());
  }
  entry["Layers"] = Json::array();
  for (const oci::Descriptor& layer : image.layers) {
    entry["Layers"].push_back(blob_path(layer.digest));
  }
  return entry;
}

std::string manifest_json(const std::vector<Part>& parts) {
  Json entries = Json::array();
  for (const Part& part : parts) {
    entries.push_back(manifest_json_entry(part));
  }
  return canonical_dump(entries);
}

/// One line per name, as BuildKit writes index.json. An image without one is the "latest" of a
/// folder: the next one takes its place.
void add_lines(const Part& part, Time created, bool is_folder, oci::Index& index) {
  oci::Descriptor line = part.root;
  line.annotations["org.opencontainers.image.created"] =
      format_rfc3339(std::chrono::floor<std::chrono::seconds>(created));
  for (const oci::Reference& name : part.names) {
    oci::Descriptor named = line;
    named.annotations["io.containerd.image.name"] = name.str();
    named.annotations["org.opencontainers.image.ref.name"] = name.tag;
    index.manifests.push_back(std::move(named));
  }
  if (part.names.empty()) {
    if (is_folder) {
      line.annotations["org.opencontainers.image.ref.name"] = "latest";
    }
    index.manifests.push_back(std::move(line));
  }
}

Layout make_layout(const std::vector<Part>& parts, Time created, bool docker, bool is_folder) {
  Layout layout;
  layout.index.media_type = oci::kMediaTypeIndex;
  for (const Part& part : parts) {
    add_lines(part, created, is_folder, layout.index);
    layout.add_blob(part.root);
    for (const ImageDocuments& image : part.images) {
      layout.add_blob(image.manifest);
      layout.add_blob(image.config);
      for (const oci::Descriptor& layer : image.layers) {
        layout.add_blob(layer);
      }
    }
  }
  if (docker) {
    layout.documents.emplace("manifest.json", manifest_json(parts));
  }
  return layout;
}

class LayoutExporter final : public Exporter {
 public:
  LayoutExporter(OutputSpec spec, ExportDeps& deps) : spec_(std::move(spec)), deps_(deps) {}

  std::string title() const override {
    return docker() ? "exporting to docker image format" : "exporting to oci image format";
  }

  Result<ExportReport> write(const BuildOutput& output, const solver::VertexId& vertex) override {
    const std::vector<oci::Reference> names = TRY(tag_names(spec_, output));
    TRY(check(output));
    std::optional<OutputFile> file;
    if (spec_.tar) {
      OutputFile opened = TRY(OutputFile::open(spec_.dest));  // a bad dest is known before the work
      file.emplace(std::move(opened));
    }
    Part part{.images = {}, .root = {}, .names = names};
    if (deps_.fetch.blobs) {
      TRY(deps_.fetch.blobs());
    }
    LayerHooks hooks;
    hooks.draft = deps_.archives != nullptr ? deps_.archives->on_draft() : snapshotter::OnDraft();
    part.images = TRY(write_all_documents(output, spec_, deps_, vertex, hooks));
    part.root = TRY(root_of(part.images, output, vertex));
    const auto epoch = output.source_date_epoch;
    const Time created = epoch ? Time(std::chrono::seconds(*epoch)) : deps_.clock.now();
    const Layout layout = make_layout({part}, created, docker(), !spec_.tar);
    Step step(deps_, vertex, "sending tarball", layout.blob_bytes());
    if (file) {
      const bool has_first_blob = take_early(layout, file);
      TRY(write_layout_tar(layout, deps_, step, *file, has_first_blob));
      TRY(std::move(*file).commit());
    } else {
      TRY(write_layout_directory(layout, deps_, step, spec_.dest));
    }
    step.done();
    return report(part);
  }

 private:
  bool docker() const { return spec_.type == OutputType::Docker; }

  /// The file with the first blob in it, in place of the empty one.
  bool take_early(const Layout& layout, std::optional<OutputFile>& file) {
    if (deps_.archives == nullptr) {
      return false;
    }
    auto early = deps_.archives->take(spec_.dest, layout.blobs_in_order().front().first);
    if (early) {
      file.emplace(std::move(*early));
    }
    return early.has_value();
  }

  Status check(const BuildOutput& output) const {
    if (output.images.empty()) {
      return internal_error("the build has no result");
    }
    if (docker() && is_multi_platform(output)) {
      return refuse_platforms();
    }
    if (!spec_.tar && (spec_.dest.empty() || spec_.dest == "-")) {
      return invalid_argument("tar=false needs a directory").with_hint("name it with dest=");
    }
    return {};
  }

  Result<oci::Descriptor> root_of(const std::vector<ImageDocuments>& images,
                                  const BuildOutput& output, const solver::VertexId& vertex) {
    if (!is_multi_platform(output)) {
      return images.front().manifest;
    }
    oci::Descriptor index = TRY(write_index(images, spec_, deps_));
    Step(deps_, vertex, "exporting manifest list " + index.digest.str()).done();
    return index;
  }

  static ExportReport report(const Part& part) {
    ExportReport report;
    report.descriptor = part.root;
    report.config = part.images.front().config.digest;
    for (const oci::Reference& name : part.names) {
      report.names.push_back(name.str());
    }
    return report;
  }

  OutputSpec spec_;
  ExportDeps& deps_;
};

}  // namespace

Status write_docker_archive(const std::vector<SavedImage>& images, const OutputSpec& spec,
                            OutputFile& file, ExportDeps& deps, const solver::VertexId& vertex) {
  Step layers(deps, vertex, "exporting layers");
  std::vector<Part> parts;
  for (const SavedImage& saved : images) {
    Part part{.images = {}, .root = {}, .names = saved.names};
    part.images.push_back(TRY(write_documents(saved.image, spec, BuildOutput(), deps)));
    part.root = part.images.front().manifest;
    parts.push_back(std::move(part));
  }
  layers.done();
  const Layout layout = make_layout(parts, deps.clock.now(), /*docker=*/true, /*is_folder=*/false);
  Step step(deps, vertex, "sending tarball", layout.blob_bytes());
  TRY(write_layout_tar(layout, deps, step, file));
  step.done();
  return {};
}

Status save_images(const std::vector<SavedImage>& images, const std::string& dest, ExportDeps& deps,
                   const solver::VertexId& vertex) {
  OutputFile file = TRY(OutputFile::open(dest));
  TRY(write_docker_archive(images, OutputSpec(), file, deps, vertex));
  return std::move(file).commit();
}

std::unique_ptr<Exporter> make_layout_exporter(const OutputSpec& spec, ExportDeps& deps) {
  return std::make_unique<LayoutExporter>(spec, deps);
}

}  // namespace mybuild::exporter
