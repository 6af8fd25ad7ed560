// SPDX-License-Identifier: Apache-2.0
// The local store: the config document and the names. Layers are there already, and none is
// compressed, unless the output says in which form: then the image gets the manifest that a later
// push sends.
#include "builder/export/documents.h"
#include "builder/export/exporters.h"
#include "builder/export/step.h"

#include <chrono>

namespace mybuild::exporter {

namespace {

Status put_names(ExportDeps& deps, snapshotter::ImageRow row,
                 const std::vector<oci::Reference>& names, const solver::VertexId& vertex,
                 ExportReport& report) {
  if (names.empty()) {
    return deps.metadata.put_image(row);
  }
  for (const oci::Reference& name : names) {
    row.name = name.str();
    Step step(deps, vertex, "naming to " + row.name);
    const auto known = TRY(deps.metadata.find_image_by_name(row.name));
    if (!known || known->config != row.config) {
      TRY(deps.metadata.put_image(row));
    }
    report.names.push_back(row.name);
    step.done();
  }
  return {};
}

class StoreExporter final : public Exporter {
 public:
  StoreExporter(OutputSpec spec, ExportDeps& deps) : spec_(std::move(spec)), deps_(deps) {}

  std::string title() const override { return "exporting to image"; }

  Result<ExportReport> write(const BuildOutput& output, const solver::VertexId& vertex) override {
    if (spec_.rewrite_timestamp) {
      return invalid_argument(
                 "rewrite-timestamp changes layer blobs, and the local store keeps trees")
          .with_hint("use it with type=oci, type=docker,dest=… or push=true");
    }
    const std::vector<oci::Reference> names =
        spec_.push_by_digest ? std::vector<oci::Reference>() : TRY(tag_names(spec_, output));
    if (deps_.fetch.trees) {
      TRY(deps_.fetch.trees());
    }
    if (output.images.empty()) {
      return internal_error("the build has no result");
    }
    // Before the image has a name: a form that cannot be made leaves nothing behind.
    const auto documents = TRY(make_blobs(output, vertex));
    ExportReport report;
    const std::size_t named = named_image(output);
    for (std::size_t i = 0; i < output.images.size(); ++i) {
      const snapshotter::ImageRow row = TRY(put_config(output.images[i], vertex));
      if (i == named) {
        report.config = row.config;
        TRY(put_names(deps_, row, names, vertex, report));
      } else {
        TRY(deps_.metadata.put_image(row));
      }
    }
    tell_named(output, named, names);
    if (!documents.empty()) {
      report.descriptor = documents[named].manifest;
      TRY(remember(documents[named], names));
    }
    return report;
  }

 private:
  /// Empty when the output does not ask for it, or a push will do it.
  Result<std::vector<ImageDocuments>> make_blobs(const BuildOutput& output,
                                                 const solver::VertexId& vertex) {
    if (!spec_.keep_blobs || spec_.push) {
      return std::vector<ImageDocuments>();
    }
    BuildOutput stored = output;
    for (BuiltImage& image : stored.images) {
      image.config_extra.clear();  // an inline cache is for what leaves the store with the build
    }
    TRY(bring_bases(stored));
    LayerHooks hooks;
    hooks.elsewhere = [this](const oci::Descriptor& blob) {
      return !is_recompressed(blob, spec_);  // a push takes it from where it came from
    };
    return write_all_documents(stored, spec_, deps_, vertex, hooks);
  }

  Status remember(const ImageDocuments& image, const std::vector<oci::Reference>& names) {
    for (const oci::Reference& name : names) {
      TRY(set_repo_digest({.config = image.config.digest,
                           .repository = name.domain + "/" + name.repository,
                           .manifest = image.manifest.digest}));
    }
    return {};
  }

  /// Bases that will be made into other blobs.
  Status bring_bases(const BuildOutput& output) {
    for (const BuiltImage& image : output.images) {
      for (const snapshotter::Layer& layer : image.layers) {
        if (layer.blob && is_recompressed(*layer.blob, spec_) && deps_.fetch.blobs) {
          return deps_.fetch.blobs();
        }
      }
    }
    return {};
  }

  /// The form that was asked for last is the one that a push sends.
  Status set_repo_digest(const snapshotter::RepoDigestRow& row) {
    const auto known = TRY(deps_.metadata.find_repo_digests(row.config));
    TRY(deps_.metadata.remove_repo_digests(row.config));
    for (const snapshotter::RepoDigestRow& other : known) {
      TRY(other.repository == row.repository ? Status() : deps_.metadata.put_repo_digest(other));
    }
    return deps_.metadata.put_repo_digest(row);
  }

  /// A name of the store stands for one image: of several, the one that this machine runs best.
  static std::size_t named_image(const BuildOutput& output) {
    std::vector<oci::Platform> platforms;
    for (const BuiltImage& image : output.images) {
      platforms.push_back(image.platform);
    }
    return oci::best_match(oci::host_platform(), platforms).value_or(0);
  }

  void tell_named(const BuildOutput& output, std::size_t named,
                  const std::vector<oci::Reference>& names) {
    // What is pushed has them all.
    if (output.images.size() < 2 || names.empty() || spec_.push) {
      return;
    }
    deps_.events.on_event(solver::Warning{
        .message =
            fmt::format("{} is the image for {} alone: a name of the local store stands for "
                        "one platform",
                        names.front().familiar(), oci::to_string(output.images[named].platform)),
        .detail = "those for the other platforms are there without a name; --push or "
                  "-o type=oci,dest=FILE makes one index of all",
        .location = {}});
  }

  Result<snapshotter::ImageRow> put_config(const BuiltImage& image,
                                           const solver::VertexId& vertex) {
    const snapshotter::BlobInfo blob = TRY(deps_.content.put(oci::dump(image.config)));
    snapshotter::ImageRow row;
    row.config = blob.digest;
    row.created = std::chrono::duration_cast<std::chrono::seconds>(
                      image.config.created.value_or(deps_.clock.now()).time_since_epoch())
                      .count();
    for (const snapshotter::Layer& layer : image.layers) {
      const auto known = TRY(deps_.metadata.find_layer(layer.diff_id));
      row.size += known ? known->size : layer.size;
    }
    Step(deps_, vertex, "writing image " + blob.digest.str()).done();
    return row;
  }

  OutputSpec spec_;
  ExportDeps& deps_;
};

}  // namespace

Result<ExportReport> name_stored_image(const snapshotter::ImageRow& image, const OutputSpec& spec,
                                       const std::vector<oci::Reference>& names, ExportDeps& deps,
                                       const solver::VertexId& vertex) {
  BuildOutput output;
  output.names = names;
  const std::vector<oci::Reference> all = TRY(tag_names(spec, output));
  Step(deps, vertex, "writing image " + image.config.str()).done();
  ExportReport report;
  report.config = image.config;
  TRY(put_names(deps, image, all, vertex, report));
  return report;
}

std::unique_ptr<Exporter> make_store_exporter(const OutputSpec& spec, ExportDeps& deps) {
  return std::make_unique<StoreExporter>(spec, deps);
}

}  // namespace mybuild::exporter
