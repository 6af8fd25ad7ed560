// SPDX-License-Identifier: Apache-2.0
// The local store: the config document and the names. Layers are there already; none is compressed.
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
    if (output.multi_platform) {
      return refuse_platforms(OutputType::Image);
    }
    const std::vector<oci::Reference> names =
        spec_.push_by_digest ? std::vector<oci::Reference>() : TRY(tag_names(spec_, output));
    if (deps_.fetch.trees) {
      TRY(deps_.fetch.trees());
    }
    if (output.images.empty()) {
      return internal_error("the build has no result");
    }
    ExportReport report;
    const snapshotter::ImageRow row = TRY(put_config(output.images.front(), vertex));
    report.config = row.config;
    TRY(put_names(deps_, row, names, vertex, report));
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
