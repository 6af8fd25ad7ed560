// SPDX-License-Identifier: Apache-2.0
// The local store: the config document and the names. Layers are there already; none is compressed.
#include "builder/export/exporters.h"
#include "builder/export/step.h"

#include <chrono>

namespace mybuild::exporter {

namespace {

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
    if (output.multi_platform) {
      return unsupported("the local store holds an image for one platform")
          .with_hint("use type=oci,dest=FILE, which writes an index of all platforms");
    }
    const std::vector<oci::Reference> names = TRY(tag_names(spec_, output));
    if (deps_.fetch.trees) {
      TRY(deps_.fetch.trees());
    }
    if (output.images.empty()) {
      return internal_error("the build has no result");
    }
    ExportReport report;
    const snapshotter::ImageRow row = TRY(put_config(output.images.front(), vertex));
    report.config = row.config;
    TRY(put_names(row, names, vertex, report));
    return report;
  }

 private:
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

  Status put_names(snapshotter::ImageRow row, const std::vector<oci::Reference>& names,
                   const solver::VertexId& vertex, ExportReport& report) {
    if (names.empty()) {
      return deps_.metadata.put_image(row);
    }
    for (const oci::Reference& name : names) {
      row.name = name.str();
      Step step(deps_, vertex, "naming to " + row.name);
      TRY(deps_.metadata.put_image(row));
      report.names.push_back(row.name);
      step.done();
    }
    return {};
  }

  OutputSpec spec_;
  ExportDeps& deps_;
};

}  // namespace

std::unique_ptr<Exporter> make_store_exporter(const OutputSpec& spec, ExportDeps& deps) {
  return std::make_unique<StoreExporter>(spec, deps);
}

}  // namespace mybuild::exporter
